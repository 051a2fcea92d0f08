//! Archives: the same repository again, and never a wrong one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::id::SubmissionId;
use safelight_store::{
    ArchiveChoice, ArchiveEnd, ArchiveError, ArchiveRead, BlobError, LARGE_BLOB, Repository, StoreError,
    VerifyDepth, export, import_archive, verify,
};

use crate::support::{append, created, imported, memory_dir, small};

fn pack_up(repository: &Repository, choice: &ArchiveChoice) -> Vec<u8> {
    let mut bytes = Vec::new();
    let summary = export(repository, choice, &mut bytes, &AtomicBool::new(false), &mut |_| ()).unwrap();
    assert_eq!(summary.len, bytes.len() as u64);
    assert_eq!(summary.head, repository.head());
    bytes
}

fn unpack(mut bytes: &[u8], dir: &Path) -> Result<ArchiveRead, ArchiveError> {
    import_archive(dir, &mut bytes, &AtomicBool::new(false), &mut |_| ())
}

/// All that matters of two repositories is equal.
fn same(one: &Repository, two: &Repository) {
    assert_eq!(one.head(), two.head());
    assert_eq!(one.seq(), two.seq());
    assert_eq!(one.state().digest(), two.state().digest());
    let frames = |repository: &Repository| repository.frames().map(Result::unwrap).collect::<Vec<_>>();
    assert!(frames(one) == frames(two));
}

#[test]
fn an_archive_leads_to_the_same_head_and_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = small(&dir.path().join("one"));
    let large = vec![5; LARGE_BLOB as usize + 9];
    let blob = repository.blobs().put(&large).unwrap();
    append(&mut repository, 5, vec![imported(9, blob)]);
    repository.blobs().put(b"garbage stays behind").unwrap();
    repository.checkpoint().unwrap();
    let archive = pack_up(&repository, &ArchiveChoice::All);
    let two = dir.path().join("two");
    let read = unpack(&archive, &two).unwrap();
    assert_eq!(read.end, ArchiveEnd::Whole);
    assert_eq!((read.appended, read.known, read.blobs, read.absent), (5, 0, 5, 0));
    assert_eq!((read.head, read.promised), (repository.head(), repository.head()));
    let copy = Repository::open(&two).unwrap();
    same(&repository, &copy);
    assert_eq!(copy.blobs().get(blob).unwrap(), large);
    assert!(!copy.blobs().contains(BlobId::of(b"garbage stays behind")).unwrap());
    assert!(verify(&two, VerifyDepth::Deep, &mut |_| ()).unwrap().is_good());
    // What was read is written as it was.
    assert!(pack_up(&copy, &ArchiveChoice::All) == archive);
}

#[test]
fn a_repository_that_is_behind_gets_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = small(&dir.path().join("one"));
    let early = pack_up(&repository, &ArchiveChoice::All);
    let two = dir.path().join("two");
    unpack(&early, &two).unwrap();
    let blob = repository.blobs().put(b"news").unwrap();
    append(&mut repository, 6, vec![imported(20, blob)]);
    let late = pack_up(&repository, &ArchiveChoice::All);
    let read = unpack(&late, &two).unwrap();
    assert_eq!((read.appended, read.known), (1, 4));
    same(&repository, &Repository::open(&two).unwrap());
    // An older archive adds nothing and takes nothing away.
    let read = unpack(&early, &two).unwrap();
    assert_eq!((read.appended, read.known, read.head), (0, 4, repository.head()));
}

#[test]
fn another_history_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(&dir.path().join("one"));
    let archive = pack_up(&repository, &ArchiveChoice::All);
    let mut other = Repository::init(&dir.path().join("two")).unwrap();
    append(&mut other, 77, vec![created()]);
    let head = other.head();
    match unpack(&archive, &dir.path().join("two")) {
        Err(ArchiveError::OtherHistory { number: 1, actual, .. }) => assert_eq!(actual, head),
        other => panic!("{other:?}"),
    }
    assert_eq!(Repository::open(&dir.path().join("two")).unwrap().head(), head);
}

#[test]
fn what_one_submission_needs_leaves_the_rest_absent_on_purpose() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(&dir.path().join("one"));
    let needed = BTreeSet::from([BlobId::of(&[1; 40]), BlobId::of(&[2; 40])]);
    let submission = SubmissionId([7; 16]);
    let archive = pack_up(&repository, &ArchiveChoice::Submission(submission, needed.clone()));
    let two = dir.path().join("two");
    let read = unpack(&archive, &two).unwrap();
    assert_eq!((read.blobs, read.absent, read.submission), (2, 2, Some(submission)));
    let partial = Repository::open(&two).unwrap();
    same(&repository, &partial);
    let report = verify(&two, VerifyDepth::Deep, &mut |_| ()).unwrap();
    assert!(report.is_good(), "{report:?}");
    assert_eq!(report.absent, 2);
    // What came along and is lost is lost, whatever is absent on purpose.
    let pack = two.join(".safelight/packs/00000001.pack");
    let hidden = two.join("hidden");
    fs::rename(&pack, &hidden).unwrap();
    let report = verify(&two, VerifyDepth::Quick, &mut |_| ()).unwrap();
    assert_eq!((report.missing.len(), report.absent), (2, 2));
    fs::rename(&hidden, &pack).unwrap();
    // It can be passed on as it is, and completed.
    let again = pack_up(&partial, &ArchiveChoice::All);
    let read = unpack(&again, &dir.path().join("three")).unwrap();
    assert_eq!((read.blobs, read.absent), (2, 2));
    unpack(&pack_up(&repository, &ArchiveChoice::All), &two).unwrap();
    assert_eq!(verify(&two, VerifyDepth::Deep, &mut |_| ()).unwrap().absent, 0);
}

#[test]
fn a_blob_that_is_missing_or_damaged_is_not_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let pack = dir.path().join(".safelight/packs/00000001.pack");
    let whole = fs::read(&pack).unwrap();
    let mut bent = whole.clone();
    bent[32 + 52] ^= 1;
    fs::write(&pack, &bent).unwrap();
    let tried = |repository: &Repository| {
        export(repository, &ArchiveChoice::All, &mut Vec::new(), &AtomicBool::new(false), &mut |_| ())
    };
    let repository_again = Repository::open(dir.path()).unwrap();
    assert!(matches!(
        tried(&repository_again),
        Err(ArchiveError::Store(StoreError::Blob(BlobError::Corrupt { .. })))
    ));
    fs::remove_file(&pack).unwrap();
    let again = Repository::open(dir.path()).unwrap();
    assert!(matches!(tried(&again), Err(ArchiveError::Store(StoreError::Blob(BlobError::NotFound(_))))));
    drop(repository);
}

/// The repository in `dir` is a prefix of the one with these heads, and whole.
fn a_prefix(dir: &Path, heads: &[FrameDigest]) -> usize {
    let Ok(repository) = Repository::open(dir) else {
        assert!(!dir.join(".safelight").exists(), "what cannot be opened was never made");
        return 0;
    };
    let digests: Vec<FrameDigest> = repository.frames().map(|frame| frame.unwrap().header.digest).collect();
    assert!(heads.starts_with(&digests));
    assert!(verify(dir, VerifyDepth::Deep, &mut |_| ()).unwrap().is_good());
    digests.len()
}

#[test]
fn an_archive_cut_short_anywhere_gives_a_prefix() {
    let dir = memory_dir();
    let repository = small(&dir.path().join("one"));
    let heads: Vec<_> = repository.frames().map(|frame| frame.unwrap().header.digest).collect();
    let archive = pack_up(&repository, &ArchiveChoice::All);
    let mut seen = BTreeSet::new();
    for kept in (0..archive.len()).step_by(7).chain(archive.len() - 60..archive.len()) {
        let two = dir.path().join("two");
        let _ = fs::remove_dir_all(&two);
        match unpack(&archive[..kept], &two) {
            Ok(read) => {
                assert!(matches!(read.end, ArchiveEnd::Truncated { offset } if offset == kept as u64));
                let frames = a_prefix(&two, &heads);
                assert_eq!(frames as u64, read.appended);
                seen.insert(frames);
                // A whole copy brings the rest.
                if kept % 49 == 0 {
                    assert_eq!(unpack(&archive, &two).unwrap().end, ArchiveEnd::Whole);
                    assert_eq!(a_prefix(&two, &heads), 4);
                }
            }
            Err(ArchiveError::NoHeader { found }) => {
                assert!(kept < 96 && found == kept as u64);
                assert!(!two.exists());
            }
            Err(error) => panic!("cut to {kept}: {error}"),
        }
    }
    assert_eq!(seen, BTreeSet::from([0, 1, 2, 3, 4]));
}

#[test]
fn an_archive_with_a_flipped_byte_is_never_taken_for_whole() {
    let dir = memory_dir();
    let repository = small(&dir.path().join("one"));
    let heads: Vec<_> = repository.frames().map(|frame| frame.unwrap().header.digest).collect();
    let archive = pack_up(&repository, &ArchiveChoice::All);
    for place in 0..archive.len() {
        let mut bent = archive.clone();
        bent[place] ^= 1 << (place % 8);
        let two = dir.path().join("two");
        let _ = fs::remove_dir_all(&two);
        match unpack(&bent, &two) {
            Ok(read) => assert!(
                matches!(read.end, ArchiveEnd::Damaged { .. } | ArchiveEnd::Truncated { .. }),
                "byte {place}: {:?}",
                read.end
            ),
            Err(error) => assert!(
                place < 96
                    && matches!(
                        error,
                        ArchiveError::NotAnArchive { .. }
                            | ArchiveError::DamagedHeader { .. }
                            | ArchiveError::Version { .. }
                    ),
                "byte {place}: {error}"
            ),
        }
        if place % 5 == 0 {
            a_prefix(&two, &heads);
        }
    }
    let mut longer = archive.clone();
    longer.push(0);
    let read = unpack(&longer, &dir.path().join("longer")).unwrap();
    assert!(matches!(read.end, ArchiveEnd::Damaged { what: "something follows its end", .. }));
}

#[test]
fn an_export_that_is_stopped_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let stopped =
        export(&repository, &ArchiveChoice::All, &mut Vec::new(), &AtomicBool::new(true), &mut |_| ());
    assert!(matches!(stopped, Err(ArchiveError::Stopped)));
    let archive = pack_up(&repository, &ArchiveChoice::All);
    let two = dir.path().join("sub");
    fs::create_dir(&two).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let read =
        import_archive(fresh.path(), &mut archive.as_slice(), &AtomicBool::new(true), &mut |_| ()).unwrap();
    assert_eq!((read.end, read.appended), (ArchiveEnd::Stopped, 0));
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/archive-v1")
}

#[test]
fn the_golden_archive_is_read_and_written_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(golden().join("whole.safelight")).unwrap();
    let partial = fs::read(golden().join("partial.safelight")).unwrap();
    let head = fs::read_to_string(golden().join("head")).unwrap();
    for (name, archive, absent) in [("whole", &whole, 0), ("partial", &partial, 3)] {
        let read = unpack(archive, &dir.path().join(name)).unwrap();
        assert_eq!((read.end, read.absent), (ArchiveEnd::Whole, absent));
        assert_eq!(read.head.to_string(), head.trim_end());
    }
    let again = Repository::open(&dir.path().join("whole")).unwrap();
    assert!(pack_up(&again, &ArchiveChoice::All) == whole);
    assert!(pack_up(&again, &golden_choice()) == partial);
}

fn golden_choice() -> ArchiveChoice {
    ArchiveChoice::Submission(SubmissionId([9; 16]), BTreeSet::from([BlobId::of(&[3; 40])]))
}

/// Makes the golden archives of a new format: once, when there are none.
#[test]
#[ignore = "only for a new format"]
fn make_the_golden_archive() {
    assert!(!golden().exists(), "golden archives are never made again");
    fs::create_dir_all(golden()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    fs::write(golden().join("whole.safelight"), pack_up(&repository, &ArchiveChoice::All)).unwrap();
    fs::write(golden().join("partial.safelight"), pack_up(&repository, &golden_choice())).unwrap();
    fs::write(golden().join("head"), format!("{}\n", repository.head())).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn export_then_import_is_identity(
        frames in prop::collection::vec(prop::collection::vec((0..40u64, 0..2_000usize), 1..6), 1..12),
    ) {
        let dir = memory_dir();
        let mut repository = Repository::init(&dir.path().join("one")).unwrap();
        append(&mut repository, 1, vec![created()]);
        let mut next = 0;
        for (number, images) in frames.iter().enumerate() {
            let mut events = Vec::new();
            for (seed, len) in images {
                let blob = repository.blobs().put(&vec![*seed as u8; *len]).unwrap();
                next += 1;
                events.push(imported(next, blob));
            }
            append(&mut repository, 2 + number as u64, events);
        }
        let archive = pack_up(&repository, &ArchiveChoice::All);
        let two = dir.path().join("two");
        prop_assert_eq!(unpack(&archive, &two).unwrap().end, ArchiveEnd::Whole);
        let copied = Repository::open(&two).unwrap();
        same(&repository, &copied);
        prop_assert!(pack_up(&copied, &ArchiveChoice::All) == archive);
    }
}
