//! Many processes append and read at once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::event::Event;
use safelight_store::{AppendError, Repository, VerifyDepth, verify};

use crate::child;
use crate::support::{append, created, draft, imported};

const PROCESSES: u64 = 8;
const COMMITS: u64 = 20;

/// The child: appends its commits, each with a blob, deciding anew after conflicts.
#[test]
fn child_appends() {
    let Some(task) = child::task() else { return };
    let (number, dir) = task.split_once(' ').unwrap();
    let number: u64 = number.parse().unwrap();
    let mut repository = Repository::open(Path::new(dir)).unwrap();
    repository.roll_at(4000);
    for n in 0..COMMITS {
        let id = number * 1000 + n;
        let blob = repository.blobs().put(&id.to_le_bytes()).unwrap();
        loop {
            let head = repository.head();
            match repository.append(draft(id, vec![imported(id, blob)]), head) {
                Ok(_) => break,
                Err(AppendError::Conflict { expected, actual }) => {
                    assert_eq!(expected, head);
                    assert_eq!(actual, repository.head());
                }
                Err(error) => panic!("{error}"),
            }
        }
        println!("acknowledged {id}");
    }
}

#[test]
fn eight_processes_append_and_readers_see_a_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = Repository::init(dir.path()).unwrap();
    append(&mut repository, 9_999_999, vec![created()]);
    let children: Vec<_> = (1..=PROCESSES)
        .map(|n| {
            let task = format!("{n} {}", child::text(dir.path()));
            child::command("concurrency::child_appends", &task).spawn().unwrap()
        })
        .collect();
    let done = AtomicBool::new(false);
    let prefixes: Vec<HashMap<u64, FrameDigest>> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|reader| {
                let (done, dir) = (&done, &dir);
                scope.spawn(move || {
                    let mut seen = HashMap::new();
                    let mut following = Repository::open(dir.path()).unwrap();
                    while !done.load(Ordering::SeqCst) {
                        if reader % 2 == 0 {
                            following.refresh().unwrap();
                        } else {
                            following = Repository::open(dir.path()).unwrap();
                        }
                        assert!(following.notices().is_empty(), "{:?}", following.notices());
                        assert_eq!(following.state().seq(), following.seq());
                        assert_eq!(following.state().head(), following.head());
                        seen.insert(following.seq().0, following.head());
                        if let Some(Ok(frame)) = following.frames_rev().next()
                            && let Event::ImageImported(event) = &frame.events[0]
                        {
                            // What a frame names is there when the frame is.
                            following.blobs().get(event.blob).unwrap();
                        }
                    }
                    seen
                })
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let acknowledged = String::from_utf8_lossy(&output.stdout).matches("acknowledged").count();
            assert_eq!(acknowledged as u64, COMMITS);
        }
        done.store(true, Ordering::SeqCst);
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    repository.refresh().unwrap();
    let mut heads = HashMap::from([(0, FrameDigest::ROOT)]);
    let mut transactions = Vec::new();
    for frame in repository.frames() {
        let frame = frame.unwrap();
        heads.insert(frame.last_seq().0, frame.header.digest);
        transactions.push(frame.header.transaction);
    }
    transactions.sort();
    transactions.dedup();
    assert_eq!(transactions.len() as u64, PROCESSES * COMMITS + 1, "no commit is lost or doubled");
    for (seq, head) in prefixes.into_iter().flatten() {
        assert_eq!(heads[&seq], head, "what a reader saw at {seq} is a prefix");
    }
    for id in (1..=PROCESSES).flat_map(|number| (0..COMMITS).map(move |n| number * 1000 + n)) {
        repository.blobs().get(BlobId::of(&id.to_le_bytes())).unwrap();
    }
    let report = verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(report.frames, PROCESSES * COMMITS + 1);
    assert!(dir.path().join(".safelight/journal/00000003.log").exists());
}

#[test]
fn threads_put_blobs_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let repository = Repository::init(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let blobs = repository.blobs().clone();
            scope.spawn(move || {
                for n in 0..200u32 {
                    // Half of them are the same in every thread.
                    let bytes = [n, if n % 2 == 0 { 0 } else { thread }].map(u32::to_le_bytes).concat();
                    let id = blobs.put(&bytes).unwrap();
                    assert_eq!(blobs.get(id).unwrap(), bytes);
                }
            });
        }
    });
    repository.blobs().seal().unwrap();
    let report = verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
    assert_eq!((report.problems.len(), report.blobs), (0, 100 + 400));
}
