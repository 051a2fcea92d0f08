//! Faults at every file call: whatever fails, and wherever the process dies,
//! nothing that was acknowledged is lost and nothing half done is seen.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::event::Event;
use safelight_store::fault::{self, Fault};
use safelight_store::{
    AppendError, ArchiveChoice, ArchiveError, BlobError, DiskError, LARGE_BLOB, Repository, StoreError,
    VerifyDepth, export, import_archive, verify,
};

use crate::child;
use crate::support::{append, copy, draft, folder, imported, small};

/// The file call that failed, if one did.
fn cause(error: &AppendError) -> Option<&DiskError> {
    match error {
        AppendError::Store(StoreError::Disk(error) | StoreError::Blob(BlobError::Disk(error))) => Some(error),
        _ => None,
    }
}

fn is_poisoned(error: &AppendError) -> bool {
    matches!(error, AppendError::Poisoned | AppendError::Store(StoreError::Blob(BlobError::Poisoned)))
}

/// Where the repository in `dir` is copied to, by way of an archive.
fn copy_of(dir: &Path, round: u64) -> PathBuf {
    dir.with_extension(format!("copy-{round}"))
}

/// Writes an archive and reads it into another repository.
fn hand_over(repository: &Repository, to: &Path) -> Result<FrameDigest, ArchiveError> {
    let (mut bytes, stop) = (Vec::new(), AtomicBool::new(false));
    export(repository, &ArchiveChoice::All, &mut bytes, &stop, &mut |_| ())?;
    Ok(import_archive(to, &mut bytes.as_slice(), &stop, &mut |_| ())?.head)
}

/// What an import, a few commits, their checkpoints, a collection of garbage and
/// an archive do, going on after every failure; twice, each time opening anew. Names every frame acknowledged.
fn work(dir: &Path, acknowledged: &mut dyn FnMut(FrameDigest)) {
    for round in 0..2u64 {
        let Ok(mut repository) = Repository::open(dir) else { continue };
        repository.roll_at(1200);
        let mut refused = false;
        for commit in 0..4u64 {
            let id = 100 + round * 10 + commit;
            let mut events = Vec::new();
            for part in 0..3u64 {
                let put = match (part, commit) {
                    (0, 1) => {
                        let mut large = vec![round as u8; LARGE_BLOB as usize];
                        large[0] = 7;
                        repository.blobs().put(&large)
                    }
                    _ => repository.blobs().put(&(id * 10 + part).to_le_bytes()),
                };
                events.extend(put.ok().map(|blob| imported(id * 10 + part, blob)));
            }
            if events.is_empty() {
                continue;
            }
            let head = repository.head();
            match repository.append(draft(id, events), head) {
                Ok(frame) => {
                    assert!(!refused, "written after a sync had failed");
                    acknowledged(frame.header.digest);
                }
                Err(error) => {
                    assert!(!refused || is_poisoned(&error), "{error}");
                    refused |= cause(&error).is_some_and(|cause| cause.call == "sync");
                }
            }
            if commit == 2 {
                let _ = repository.checkpoint();
            }
        }
        // What no event names, for the collector to find.
        let _ = repository.blobs().put(&[round as u8; 300]);
        let _ = repository.checkpoint();
        let now = std::time::SystemTime::now() + Duration::from_secs(60);
        let _ = repository.collect_garbage(now, Duration::ZERO, &AtomicBool::new(false), &mut |_| ());
        let _ = hand_over(&repository, &copy_of(dir, round));
        let _ = repository.state_as_of(safelight_lineage::value::Seq(5));
        let _ = repository.refresh();
    }
}

/// Everything acknowledged is there, every frame is whole, and work goes on.
/// `all`: nothing else is there either.
fn check(dir: &Path, acknowledged: &[FrameDigest], all: bool, what: &str) {
    let mut repository = Repository::open(dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    let frames: Vec<_> = repository.frames().map(Result::unwrap).collect();
    let digests: Vec<_> = frames.iter().skip(4).map(|frame| frame.header.digest).collect();
    let mut rest = digests.iter();
    for one in acknowledged {
        assert!(rest.any(|found| found == one), "{what}: an acknowledged commit is gone");
    }
    assert!(!all || digests.len() == acknowledged.len(), "{what}: a commit that failed is there");
    for event in frames.iter().flat_map(|frame| &frame.events) {
        if let Event::ImageImported(event) = event {
            repository.blobs().get(event.blob).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
    let blob = repository.blobs().put(b"after").unwrap();
    append(&mut repository, 9_999, vec![imported(9_999, blob)]);
    repository.checkpoint().unwrap();
    for copy in [0, 1].map(|round| copy_of(dir, round)).iter().filter(|copy| copy.exists()) {
        // Whatever is left of reading an archive is a prefix, and reading one
        // again goes on from there.
        let head = hand_over(&repository, copy).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(head, repository.head(), "{what}");
        let report = verify(copy, VerifyDepth::Deep, &mut |_| ()).unwrap();
        assert_eq!(report.problems, [], "{what}");
        std::fs::remove_dir_all(copy).unwrap();
    }
    drop(repository);
    let report = verify(dir, VerifyDepth::Deep, &mut |_| ()).unwrap();
    assert_eq!(report.problems, [], "{what}");
    assert_eq!(report.torn_bytes, 0, "{what}");
}

fn prepared(dir: &Path) -> PathBuf {
    let base = dir.join("base");
    small(&base);
    base
}

/// The child: every place for one kind of fault, one after another.
#[test]
fn child_meets_faults() {
    let Some(task) = child::task() else { return };
    let kind = match task.as_str() {
        "eio" => Fault::Eio,
        "eio once" => Fault::EioOnce,
        "enospc" => Fault::Enospc,
        "enospc once" => Fault::EnospcOnce,
        other => panic!("{other}"),
    };
    let once = matches!(kind, Fault::EioOnce | Fault::EnospcOnce);
    let dir = folder();
    let base = prepared(dir.path());
    for calls in 0.. {
        let place = dir.path().join("work");
        copy(&base, &place);
        let mut acknowledged = Vec::new();
        fault::arm(calls, kind);
        work(&place, &mut |digest| acknowledged.push(digest));
        fault::disarm();
        let struck = fault::struck();
        assert!(struck || acknowledged.len() == 8, "all is well without a fault");
        check(&place, &acknowledged, once, &format!("{task} at call {calls}"));
        std::fs::remove_dir_all(&place).unwrap();
        if !struck {
            println!("places tried: {calls}");
            return;
        }
    }
}

/// Runs the children side by side; each says how many places it tried.
fn in_children(name: &str, tasks: &[&str]) -> Vec<u64> {
    let children: Vec<_> = tasks.iter().map(|task| child::command(name, task).spawn().unwrap()).collect();
    let mut tried = Vec::new();
    for (task, child) in tasks.iter().zip(children) {
        let output = child.wait_with_output().unwrap();
        let (said, cried) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{task}: {said}{cried}");
        let count = said.lines().find_map(|line| line.split_once("places tried: ")?.1.parse().ok());
        tried.push(count.unwrap_or_else(|| panic!("{task}: {said}")));
    }
    tried
}

#[test]
fn a_failing_or_full_disk_loses_nothing_that_was_acknowledged() {
    let tried = in_children("faults::child_meets_faults", &["eio", "eio once", "enospc", "enospc once"]);
    println!("places tried: {tried:?}");
    assert!(tried.iter().all(|count| *count > 60), "{tried:?}");
}

/// The child: dies at the chosen call, having said what was acknowledged.
#[test]
fn child_is_killed() {
    let Some(task) = child::task() else { return };
    let (calls, dir) = task.split_once(' ').unwrap();
    fault::arm(calls.parse().unwrap(), Fault::Kill);
    work(Path::new(dir), &mut |digest| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {digest}").and_then(|()| out.flush()).unwrap();
    });
    fault::disarm();
    println!("lived");
}

#[test]
fn a_process_killed_at_any_file_call_loses_nothing_that_was_acknowledged() {
    let dir = folder();
    let base = prepared(dir.path());
    let next = AtomicU64::new(0);
    let last = AtomicU64::new(u64::MAX);
    let order = Ordering::SeqCst;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let calls = next.fetch_add(1, order);
                    if calls > last.load(order) {
                        return;
                    }
                    let place = dir.path().join(format!("work-{calls}"));
                    copy(&base, &place);
                    let task = format!("{calls} {}", child::text(&place));
                    let output = child::command("faults::child_is_killed", &task).output().unwrap();
                    let said = String::from_utf8_lossy(&output.stdout);
                    let acknowledged: Vec<FrameDigest> = said
                        .lines()
                        .filter_map(|line| line.split_once("acknowledged ")?.1.parse().ok())
                        .collect();
                    let lived = said.contains("lived");
                    assert!(
                        lived || !output.status.success(),
                        "{said}{}",
                        String::from_utf8_lossy(&output.stderr)
                    );
                    assert!(!lived || acknowledged.len() == 8, "{said}");
                    check(&place, &acknowledged, false, &format!("killed at call {calls}"));
                    std::fs::remove_dir_all(&place).unwrap();
                    if lived {
                        last.fetch_min(calls, order);
                    }
                }
            });
        }
    });
    let tried = last.load(order);
    println!("places tried: {tried}");
    assert!(tried > 60, "{tried}");
}

/// The child: an init that fails anywhere leaves nothing in the way of the next.
#[test]
fn child_fails_to_init() {
    if child::task().is_none() {
        return;
    }
    let dir = folder();
    for kind in [Fault::Eio, Fault::EioOnce, Fault::Enospc] {
        for calls in 0.. {
            let place = dir.path().join("work");
            fault::arm(calls, kind);
            let made = Repository::init(&place).map(drop);
            fault::disarm();
            let again = match made {
                Ok(()) => Repository::open(&place),
                // The last steps only read: then it is there, and says so.
                Err(_) => match Repository::init(&place) {
                    Err(StoreError::AlreadyARepository { .. }) => Repository::open(&place),
                    other => other,
                },
            };
            again.unwrap_or_else(|error| panic!("{kind:?} at call {calls}: {error}"));
            std::fs::remove_dir_all(&place).unwrap();
            if !fault::struck() {
                println!("places tried: {calls}");
                break;
            }
        }
    }
}

#[test]
fn an_init_that_fails_anywhere_can_be_done_again() {
    let tried = in_children("faults::child_fails_to_init", &["init"]);
    assert!(tried[0] > 15, "{tried:?}");
}
