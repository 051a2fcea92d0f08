//! Many processes append and read at once.
//!
//! `SAFELIGHT_COMMITS` is how many commits each of the eight makes (150 without).

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::event::Event;
use safelight_store::{AppendError, Repository, VerifyDepth, verify};

use crate::child;
use crate::support::{append, created, draft, folder, imported};

const PROCESSES: u64 = 8;
const READERS: u64 = 4;

fn commits() -> u64 {
    std::env::var("SAFELIGHT_COMMITS").ok().and_then(|text| text.parse().ok()).unwrap_or(150)
}

/// The child: appends its commits, each with a blob, deciding anew after conflicts.
#[test]
fn child_appends() {
    let Some(task) = child::task() else { return };
    let (number, dir) = task.split_once(' ').unwrap();
    let number: u64 = number.parse().unwrap();
    let mut repository = Repository::open(Path::new(dir)).unwrap();
    repository.roll_at(40_000);
    for n in 0..commits() {
        let id = number * 100_000 + n;
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

/// The child: follows the log, or opens it again and again, until it is told
/// that all is done, and says which heads it saw.
#[test]
fn child_reads() {
    let Some(task) = child::task() else { return };
    let (number, dir) = task.split_once(' ').unwrap();
    let (follows, dir) = (number.parse::<u64>().unwrap() % 2 == 0, Path::new(dir));
    let mut following = Repository::open(dir).unwrap();
    let mut seen = 0;
    loop {
        let last = dir.join("done").exists();
        if follows {
            following.refresh().unwrap();
        } else {
            following = Repository::open(dir).unwrap();
        }
        assert!(following.notices().is_empty(), "{:?}", following.notices());
        assert_eq!(following.state().seq(), following.seq());
        assert_eq!(following.state().head(), following.head());
        if following.seq().0 > seen {
            seen = following.seq().0;
            println!("seen {seen} {}", following.head());
        }
        assert_eq!(following.seq().0, seen, "the log only grows");
        if let Some(Ok(frame)) = following.frames_rev().next()
            && let Event::ImageImported(event) = &frame.events[0]
        {
            // What a frame names is there when the frame is.
            following.blobs().get(event.blob).unwrap();
        }
        if last {
            return;
        }
    }
}

#[test]
fn eight_processes_append_and_four_see_prefixes() {
    let dir = folder();
    let mut repository = Repository::init(dir.path()).unwrap();
    append(&mut repository, 99_999_999, vec![created()]);
    let start = |name: &str, count: u64| -> Vec<_> {
        let task = |n| format!("{n} {}", child::text(dir.path()));
        (1..=count).map(|n| child::command(name, &task(n)).spawn().unwrap()).collect()
    };
    // Each is waited for on a thread of its own, so that nobody's output stops.
    let finish = |children: Vec<std::process::Child>| -> Vec<_> {
        let waiting: Vec<_> =
            children.into_iter().map(|child| std::thread::spawn(|| child.wait_with_output())).collect();
        waiting
    };
    let said = |waiting: Vec<std::thread::JoinHandle<std::io::Result<std::process::Output>>>| -> Vec<String> {
        let said = waiting.into_iter().map(|thread| {
            let output = thread.join().unwrap().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        });
        said.collect()
    };
    let readers = finish(start("concurrency::child_reads", READERS));
    let writers = said(finish(start("concurrency::child_appends", PROCESSES)));
    std::fs::File::create(dir.path().join("done")).unwrap().flush().unwrap();
    let readers = said(readers);
    for text in &writers {
        assert_eq!(text.matches("acknowledged").count() as u64, commits());
    }
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
    assert_eq!(transactions.len() as u64, PROCESSES * commits() + 1, "no commit is lost or doubled");
    let mut prefixes = 0;
    for text in &readers {
        let mut last = 0;
        for line in text.lines().filter_map(|line| line.split_once("seen ")) {
            let (seq, head) = line.1.split_once(' ').unwrap();
            let (seq, head) = (seq.parse().unwrap(), head.parse::<FrameDigest>().unwrap());
            assert_eq!(heads[&seq], head, "what a reader saw at {seq} is a prefix");
            last = seq;
            prefixes += 1;
        }
        assert_eq!(last, repository.seq().0, "every reader saw the end");
    }
    for id in (1..=PROCESSES).flat_map(|number| (0..commits()).map(move |n| number * 100_000 + n)) {
        repository.blobs().get(BlobId::of(&id.to_le_bytes())).unwrap();
    }
    let report = verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(report.frames, PROCESSES * commits() + 1);
    assert!(dir.path().join(".safelight/journal/00000003.log").exists());
    println!("{} commits, {prefixes} prefixes seen", PROCESSES * commits());
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
