//! Garbage: what is it, when does it go, and what never does.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Event, ImageRevised};
use safelight_store::{
    AppendError, BlobError, Fate, GarbageKind, GarbageReport, GcError, LARGE_BLOB, Repository, StoreError,
    VerifyDepth, verify,
};

use crate::child;
use crate::support::{append, created, draft, file, forget_derived, image, imported, small};

const NOW: Duration = Duration::ZERO;

fn collect(repository: &mut Repository, grace: Duration) -> Result<GarbageReport, GcError> {
    repository.collect_garbage(SystemTime::now(), grace, &AtomicBool::new(false), &mut |_| ())
}

/// Bytes of their own for every number.
fn bytes(n: u64, len: usize) -> Vec<u8> {
    n.to_le_bytes().into_iter().cycle().take(len).collect()
}

/// A repository with ten images whose blobs lie among ten that nothing names,
/// an object that nothing names, and one that an event names.
fn littered(dir: &Path) -> (Repository, Vec<BlobId>, Vec<BlobId>) {
    let mut repository = Repository::init(dir).unwrap();
    append(&mut repository, 1, vec![created()]);
    let (mut needed, mut litter) = (Vec::new(), Vec::new());
    for n in 0..20 {
        let blob = repository.blobs().put(&bytes(n, 400)).unwrap();
        if n % 2 == 0 { needed.push(blob) } else { litter.push(blob) }
    }
    needed.push(repository.blobs().put(&bytes(100, LARGE_BLOB as usize)).unwrap());
    litter.push(repository.blobs().put(&bytes(101, LARGE_BLOB as usize)).unwrap());
    let events = needed.iter().zip(1..).map(|(blob, n)| imported(n, *blob)).collect();
    append(&mut repository, 2, events);
    repository.checkpoint().unwrap();
    (repository, needed, litter)
}

fn has(repository: &Repository, blobs: &[BlobId]) -> Vec<bool> {
    blobs.iter().map(|blob| repository.blobs().get(*blob).is_ok()).collect()
}

#[test]
fn what_no_event_names_goes_and_the_rest_is_copied() {
    let dir = tempfile::tempdir().unwrap();
    let (mut repository, needed, litter) = littered(dir.path());
    let found = repository.find_garbage(SystemTime::now(), NOW).unwrap();
    assert_eq!((found.live, found.with(Fate::Due).0), (11, 11));
    assert!(has(&repository, &litter).iter().all(|has| *has), "looking changes nothing");

    let mut reader = Repository::open(dir.path()).unwrap();
    reader.blobs().get(needed[0]).unwrap();
    let done = collect(&mut repository, NOW).unwrap();
    assert_eq!(done.with(Fate::Deleted).0, 11);
    assert_eq!((done.head, done.copied), (repository.head(), 10 * (52 + 400)));
    assert_eq!(has(&repository, &needed), [true; 11]);
    assert_eq!(has(&repository, &litter), [false; 11]);
    // One who had the old pack open still finds all that is needed.
    assert_eq!(has(&reader, &needed), [true; 11]);
    reader.refresh().unwrap();
    let report = verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
    assert_eq!((report.problems.as_slice(), report.blobs), ([].as_slice(), 11));
    assert!(file(dir.path(), "packs", "pack").ends_with("00000002.pack"));
    // Again, there is nothing.
    assert_eq!(collect(&mut repository, NOW).unwrap().garbage, []);
    // What went can come again.
    let again = repository.blobs().put(&bytes(1, 400)).unwrap();
    assert_eq!(repository.blobs().get(again).unwrap(), bytes(1, 400));
}

#[test]
fn the_grace_period_protects_what_is_young() {
    let dir = tempfile::tempdir().unwrap();
    let (mut repository, _, litter) = littered(dir.path());
    let day = Duration::from_secs(86_400);
    let done = collect(&mut repository, day).unwrap();
    assert_eq!((done.with(Fate::Young).0, done.with(Fate::Deleted).0), (11, 0));
    assert_eq!(has(&repository, &litter), [true; 11]);
    let old = fs::File::options().write(true).open(file(dir.path(), "packs", "pack")).unwrap();
    old.set_modified(SystemTime::now() - 2 * day).unwrap();
    let done = collect(&mut repository, day).unwrap();
    assert_eq!((done.with(Fate::Young).0, done.with(Fate::Deleted).0), (1, 10));
    // A clock that was set back makes nothing old.
    let early = SystemTime::now() - 10 * day;
    let done = repository.collect_garbage(early, NOW, &AtomicBool::new(false), &mut |_| ()).unwrap();
    assert_eq!(done.with(Fate::Young).0, 1);
}

#[test]
fn history_is_never_garbage() {
    let dir = tempfile::tempdir().unwrap();
    let (mut repository, needed, _) = littered(dir.path());
    let new = repository.blobs().put(b"retouched").unwrap();
    let revised = ImageRevised { image: image(1), old: needed[0], new, reason: "retouched".into() };
    let removed = |n| {
        Event::ImageRemoved(safelight_lineage::event::ImageRemoved {
            image: image(n),
            reason: "blurred".into(),
            evidence: Default::default(),
        })
    };
    append(&mut repository, 3, vec![revised.into(), removed(1), removed(2)]);
    // A second import of an image id is an anomaly that the state passes over;
    // its blob is named all the same.
    let odd = repository.blobs().put(b"odd").unwrap();
    append(&mut repository, 4, vec![imported(3, odd)]);
    repository.checkpoint().unwrap();
    collect(&mut repository, NOW).unwrap();
    assert_eq!(has(&repository, &needed), [true; 11]);
    assert_eq!(has(&repository, &[new, odd]), [true; 2]);
}

#[test]
fn events_of_a_newer_version_may_name_anything() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = small(dir.path());
    repository.blobs().put(b"litter").unwrap();
    repository.checkpoint().unwrap();
    assert!(matches!(collect(&mut repository, NOW), Err(GcError::UnknownEvents { count: 1 })));
}

#[test]
fn nothing_is_collected_while_somebody_writes() {
    let dir = tempfile::tempdir().unwrap();
    let (mut repository, ..) = littered(dir.path());
    let mut writer = Repository::open(dir.path()).unwrap();
    // Even a blob that was there already: the writer relies on it from now on.
    writer.blobs().put(&bytes(1, 400)).unwrap();
    assert!(matches!(collect(&mut repository, NOW), Err(GcError::Busy)));
    let blob = BlobId::of(&bytes(1, 400));
    append(&mut writer, 3, vec![imported(50, blob)]);
    assert!(matches!(collect(&mut repository, NOW), Err(GcError::Busy)), "until its work is sealed");
    writer.checkpoint().unwrap();
    let done = collect(&mut repository, NOW).unwrap();
    assert_eq!(done.with(Fate::Deleted).0, 10);
    assert!(repository.blobs().get(blob).is_ok());
}

#[test]
fn nothing_is_written_while_garbage_is_collected() {
    let dir = tempfile::tempdir().unwrap();
    let (mut repository, ..) = littered(dir.path());
    let mut writer = Repository::open(dir.path()).unwrap();
    let mut tried = 0;
    repository
        .collect_garbage(SystemTime::now(), NOW, &AtomicBool::new(false), &mut |_| {
            tried += 1;
            assert!(matches!(writer.blobs().put(b"new"), Err(BlobError::Collecting)));
            let head = writer.head();
            let refused = writer.append(draft(3, vec![imported(60, BlobId::of(b"x"))]), head);
            assert!(
                matches!(refused, Err(AppendError::Store(StoreError::Blob(BlobError::Collecting)))),
                "{refused:?}"
            );
        })
        .unwrap();
    assert_eq!(tried, 1);
    writer.blobs().put(b"new").unwrap();
    append(&mut writer, 3, vec![imported(60, BlobId::of(b"new"))]);
}

/// The child: puts blobs, and dies before it appends.
#[test]
fn child_dies() {
    let Some(task) = child::task() else { return };
    let repository = Repository::open(Path::new(&task)).unwrap();
    for n in 200..210 {
        repository.blobs().put(&bytes(n, 300)).unwrap();
    }
    fs::write(Path::new(&task).join(".safelight/objects/new-1-0"), b"half").unwrap();
    std::process::abort();
}

#[test]
fn what_a_killed_import_left_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (mut repository, needed, _) = littered(dir.path());
    collect(&mut repository, NOW).unwrap();
    let status = child::command("gc::child_dies", child::text(dir.path())).status().unwrap();
    assert!(!status.success());
    let found = repository.find_garbage(SystemTime::now(), NOW).unwrap();
    let kinds = |kind| found.garbage.iter().filter(|garbage| garbage.kind == kind).count();
    assert_eq!((kinds(GarbageKind::Unreferenced), kinds(GarbageKind::Unfinished)), (10, 1));
    assert_eq!(collect(&mut repository, NOW).unwrap().with(Fate::Deleted).0, 11);
    assert_eq!(has(&repository, &needed), [true; 11]);
    assert_eq!(collect(&mut repository, NOW).unwrap().garbage, []);
    assert!(!dir.path().join(".safelight/objects/new-1-0").exists());
}

#[test]
fn a_number_is_never_given_to_another_pack() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = Repository::init(dir.path()).unwrap();
    append(&mut repository, 1, vec![created()]);
    repository.blobs().put(b"litter").unwrap();
    repository.checkpoint().unwrap();
    let reader = Repository::open(dir.path()).unwrap();
    assert_eq!(reader.blobs().get(BlobId::of(b"litter")).unwrap(), b"litter");
    collect(&mut repository, NOW).unwrap();
    // The newest pack is gone, and an empty one keeps its successor's number.
    let blob = repository.blobs().put(b"news").unwrap();
    append(&mut repository, 2, vec![imported(1, blob)]);
    repository.checkpoint().unwrap();
    assert!(dir.path().join(".safelight/packs/00000003.pack").exists());
    assert_eq!(reader.blobs().get(blob).unwrap(), b"news");
    // The empty one goes when it is not the newest any more.
    collect(&mut repository, NOW).unwrap();
    assert_eq!(file(dir.path(), "packs", "pack").file_name().unwrap(), "00000003.pack");
}

#[test]
fn of_two_copies_a_whole_one_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = Repository::init(dir.path()).unwrap();
    append(&mut one, 1, vec![created()]);
    let two = Repository::open(dir.path()).unwrap();
    // Two processes that write the same blob at once, each into its own pack.
    let blob = one.blobs().put(b"the same").unwrap();
    two.blobs().put(b"the same").unwrap();
    append(&mut one, 2, vec![imported(1, blob)]);
    one.checkpoint().unwrap();
    drop(two);
    let packs = dir.path().join(".safelight/packs");
    let newer = packs.join("00000002.pack");
    let whole = fs::read(&newer).unwrap();
    let mut bent = whole.clone();
    bent[32 + 52] ^= 1;
    fs::write(&newer, &bent).unwrap();
    let done = collect(&mut one, NOW).unwrap();
    // The copy that would be kept is damaged, so the other one is copied, and
    // the damaged one is for a repair to deal with.
    assert_eq!(done.with(Fate::Due).0 + done.with(Fate::Stuck).0, 0, "{done:?}");
    assert_eq!(one.blobs().get(blob).unwrap(), b"the same");
    fs::write(&newer, &whole).unwrap();
    collect(&mut one, NOW).unwrap();
    let left: Vec<_> = fs::read_dir(&packs).unwrap().collect();
    assert_eq!(left.len(), 1, "one copy is left");
    assert_eq!(one.blobs().get(blob).unwrap(), b"the same");
}

#[test]
fn a_pack_with_a_damaged_blob_that_is_needed_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (mut repository, needed, litter) = littered(dir.path());
    let pack = file(dir.path(), "packs", "pack");
    let mut bent = fs::read(&pack).unwrap();
    bent[32 + 52 + 5] ^= 1;
    fs::write(&pack, &bent).unwrap();
    let done = collect(&mut repository, NOW).unwrap();
    assert_eq!((done.with(Fate::Stuck).0, done.with(Fate::Deleted).0), (10, 1));
    assert_eq!(done.left[0].file, pack);
    assert_eq!(fs::read(&pack).unwrap(), bent);
    assert_eq!(has(&repository, &needed).iter().filter(|has| **has).count(), 10);
    assert_eq!(has(&repository, &litter[..10]), [true; 10]);
}

#[test]
fn a_damaged_log_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut repository, _, litter) = littered(dir.path());
    let log = file(dir.path(), "journal", "log");
    let mut bent = fs::read(&log).unwrap();
    bent[300] ^= 1;
    fs::write(&log, bent).unwrap();
    assert!(matches!(collect(&mut repository, NOW), Err(GcError::Store(StoreError::CorruptFrame(_)))));
    assert_eq!(has(&repository, &litter), [true; 11]);
    forget_derived(dir.path());
}

#[test]
fn a_collection_that_was_stopped_goes_on_later() {
    let dir = tempfile::tempdir().unwrap();
    let (mut repository, ..) = littered(dir.path());
    let stopped = repository.collect_garbage(SystemTime::now(), NOW, &AtomicBool::new(true), &mut |_| ());
    let stopped = stopped.unwrap();
    assert!(stopped.cancelled);
    assert_eq!((stopped.with(Fate::Due).0, stopped.with(Fate::Deleted).0), (11, 0));
    assert_eq!(collect(&mut repository, NOW).unwrap().with(Fate::Deleted).0, 11);
}
