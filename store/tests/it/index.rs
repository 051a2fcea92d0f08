//! The index: right when it is there, and never missed.

use std::fs;
use std::path::Path;

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Event, ImageRemoved};
use safelight_lineage::value::Seq;
use safelight_store::{Notice, Repository};

use crate::support::{append, created, image, imported};

fn removed(n: u64) -> Event {
    Event::ImageRemoved(ImageRemoved { image: image(n), reason: "x".into(), evidence: Default::default() })
}

/// A repository in which image 7 is named by events 8, 22 and 23.
fn made(dir: &Path) -> Repository {
    let mut repository = Repository::init(dir).unwrap();
    append(&mut repository, 1, vec![created()]);
    append(&mut repository, 2, (1..=20).map(|n| imported(n, BlobId::of(&[n as u8]))).collect());
    append(&mut repository, 3, vec![removed(7)]);
    append(&mut repository, 4, vec![removed(7), removed(8)]);
    repository
}

const SEVEN: [Seq; 3] = [Seq(8), Seq(22), Seq(23)];

fn sled_dir(dir: &Path) -> std::path::PathBuf {
    dir.join(".safelight/index/sled")
}

#[test]
fn the_index_names_the_events_of_an_image() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = made(dir.path());
    assert!(repository.rebuild_index().unwrap());
    assert_eq!(repository.indexed(), Some(Seq(24)));
    assert_eq!(repository.events_of(image(7)).unwrap(), SEVEN);
    assert_eq!(repository.events_of(image(99)).unwrap(), []);
    drop(repository);
    let mut again = Repository::open(dir.path()).unwrap();
    assert_eq!(again.events_of(image(7)).unwrap(), SEVEN);
    append(&mut again, 5, vec![removed(7)]);
    assert_eq!(again.events_of(image(7)).unwrap(), [SEVEN.as_slice(), &[Seq(25)]].concat());
}

#[test]
fn a_second_process_works_without_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = made(dir.path());
    assert!(one.rebuild_index().unwrap());
    let mut two = Repository::open(dir.path()).unwrap();
    assert!(!two.rebuild_index().unwrap());
    assert_eq!(two.events_of(image(7)).unwrap(), SEVEN);
    append(&mut two, 5, vec![removed(7)]);
    one.refresh().unwrap();
    assert_eq!(one.events_of(image(7)).unwrap().len(), 4);
}

#[test]
fn an_index_that_is_gone_or_garbled_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = made(dir.path());
    assert!(repository.rebuild_index().unwrap());
    drop(repository);
    let check = || {
        let mut again = Repository::open(dir.path()).unwrap();
        assert_eq!(again.events_of(image(7)).unwrap(), SEVEN);
        assert!(again.rebuild_index().unwrap());
        assert_eq!(again.events_of(image(7)).unwrap(), SEVEN);
    };
    fs::remove_dir_all(dir.path().join(".safelight/index")).unwrap();
    check();
    for junk in [b"".as_slice(), b"junk that is no sled database at all"] {
        for name in ["db", "conf"] {
            fs::write(sled_dir(dir.path()).join(name), junk).unwrap();
            check();
        }
    }
    // What sled leaves when it is cut off in the middle of a snapshot.
    fs::write(sled_dir(dir.path()).join("snap.0000000000000BAD.generating"), b"").unwrap();
    check();
    // Every page of its log, each once.
    let whole = fs::read(sled_dir(dir.path()).join("db")).unwrap();
    for place in (0..whole.len().min(40_000)).step_by(1009) {
        let mut bent = whole.clone();
        bent[place] ^= 0xff;
        fs::write(sled_dir(dir.path()).join("db"), &bent).unwrap();
        let mut again = Repository::open(dir.path()).unwrap();
        assert_eq!(again.events_of(image(7)).unwrap(), SEVEN, "byte {place}");
    }
}

#[test]
fn an_index_of_another_journal_is_not_believed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(made(one.path()).rebuild_index().unwrap());
    let mut other = Repository::init(two.path()).unwrap();
    append(&mut other, 9, vec![created()]);
    append(&mut other, 8, vec![removed(7)]);
    append(&mut other, 7, (1..40).map(|n| imported(n, BlobId::of(b"y"))).collect());
    drop(other);
    fs::remove_dir_all(two.path().join(".safelight/index")).unwrap();
    crate::support::copy(&one.path().join(".safelight/index"), &two.path().join(".safelight/index"));
    let mut other = Repository::open(two.path()).unwrap();
    assert_eq!(other.events_of(image(7)).unwrap(), [Seq(2), Seq(9)]);
    assert!(other.rebuild_index().unwrap());
    assert!(other.notices().iter().any(|notice| matches!(notice, Notice::IndexRebuilt { .. })));
    assert_eq!(other.events_of(image(7)).unwrap(), [Seq(2), Seq(9)]);
}

#[test]
fn blobs_are_found_through_the_index_and_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = Repository::init(dir.path()).unwrap();
    append(&mut repository, 1, vec![created()]);
    let blob = repository.blobs().put(b"picture").unwrap();
    append(&mut repository, 2, vec![imported(1, blob)]);
    assert_eq!(repository.blob(blob).unwrap(), b"picture");
    assert!(repository.rebuild_index().unwrap());
    assert_eq!(repository.blob(blob).unwrap(), b"picture");
    drop(repository);
    let mut again = Repository::open(dir.path()).unwrap();
    again.events_of(image(1)).unwrap();
    assert_eq!(again.blob(blob).unwrap(), b"picture");
}
