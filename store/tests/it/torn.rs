//! Torn tails: what a crash leaves is cut and said; nothing else is.

use std::fs;

use safelight_store::{Notice, Repository, StoreError};

use crate::support::{append, created, draft, file, forget_derived, imported, small};
use safelight_lineage::digest::BlobId;

/// The bytes of a frame that was never acknowledged.
fn unfinished(repository: &Repository) -> Vec<u8> {
    safelight_store::frame::seal(repository.head(), &draft(9, vec![imported(9, BlobId::of(b"x"))])).unwrap()
}

#[test]
fn a_commit_that_was_cut_short_at_any_byte_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let (head, frame) = (repository.head(), unfinished(&repository));
    drop(repository);
    let log = file(dir.path(), "journal", "log");
    let whole = fs::read(&log).unwrap();
    for with_note in [true, false] {
        for kept in 1..frame.len() {
            let mut torn = whole.clone();
            torn.extend_from_slice(&frame[..kept]);
            fs::write(&log, &torn).unwrap();
            if !with_note {
                fs::remove_file(dir.path().join(".safelight/journal/acknowledged")).unwrap();
            }
            let again = Repository::open(dir.path()).unwrap();
            assert_eq!(again.head(), head);
            let expected =
                Notice::TornTail { file: log.clone(), offset: whole.len() as u64, bytes: kept as u64 };
            assert_eq!(again.notices(), [expected]);
            assert_eq!(fs::read(&log).unwrap(), whole);
            assert!(Repository::open(dir.path()).unwrap().notices().is_empty());
        }
    }
    // Zeros, as some file systems leave them.
    let mut torn = whole.clone();
    torn.extend_from_slice(&[0; 5000]);
    fs::write(&log, &torn).unwrap();
    assert_eq!(Repository::open(dir.path()).unwrap().notices().len(), 1);
    assert_eq!(fs::read(&log).unwrap(), whole);
}

#[test]
fn a_whole_commit_that_was_not_acknowledged_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let frame = unfinished(&repository);
    let log = file(dir.path(), "journal", "log");
    let mut longer = fs::read(&log).unwrap();
    longer.extend_from_slice(&frame);
    fs::write(&log, &longer).unwrap();
    drop(repository);
    let again = Repository::open(dir.path()).unwrap();
    assert_eq!(again.head(), safelight_store::frame::digest(&frame));
    assert!(again.notices().is_empty());
}

#[test]
fn acknowledged_frames_are_never_taken_for_a_torn_tail() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    forget_derived(dir.path());
    let log = file(dir.path(), "journal", "log");
    let whole = fs::read(&log).unwrap();
    for kept in 64..whole.len() {
        fs::write(&log, &whole[..kept]).unwrap();
        match Repository::open(dir.path()) {
            Err(StoreError::CorruptFrame(at)) => assert_eq!(at.file, log),
            other => panic!("cut to {kept}: {other:?}"),
        }
        assert_eq!(fs::read(&log).unwrap(), whole[..kept], "nothing is rewritten");
    }
}

#[test]
fn a_segment_whose_header_never_became_whole_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = Repository::init(dir.path()).unwrap();
    append(&mut repository, 1, vec![created()]);
    let head = repository.head();
    drop(repository);
    let next = dir.path().join(".safelight/journal/00000002.log");
    for len in [0, 1, 63, 64] {
        fs::write(&next, vec![0; len]).unwrap();
        let mut again = Repository::open(dir.path()).unwrap();
        assert_eq!(again.head(), head);
        assert_eq!(again.notices().len(), 1, "{len}");
        assert!(!next.exists());
        again.refresh().unwrap();
    }
}

#[test]
fn a_tail_that_another_process_is_writing_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = small(dir.path());
    let frame = unfinished(&repository);
    let log = file(dir.path(), "journal", "log");
    let whole = fs::read(&log).unwrap();
    let lock = fs::File::open(dir.path().join(".safelight/journal/lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let mut half = whole.clone();
    half.extend_from_slice(&frame[..50]);
    fs::write(&log, &half).unwrap();
    assert_eq!(repository.refresh().unwrap(), 0);
    let reader = Repository::open(dir.path()).unwrap();
    assert_eq!(reader.head(), repository.head());
    assert!(reader.notices().is_empty());
    assert_eq!(fs::read(&log).unwrap(), half);
    drop(lock);
    assert_eq!(repository.refresh().unwrap(), 0);
    assert_eq!(repository.notices().len(), 1);
    assert_eq!(fs::read(&log).unwrap(), whole);
}
