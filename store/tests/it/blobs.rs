//! Blobs: kept once, found again, checked.

use std::fs;

use safelight_lineage::digest::BlobId;
use safelight_store::{BlobError, LARGE_BLOB, Repository, VerifyDepth, verify};

use crate::support::file;

#[test]
fn blobs_of_every_size_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let repository = Repository::init(dir.path()).unwrap();
    let sizes =
        [0, 1, 51, 52, 4096, LARGE_BLOB as usize - 1, LARGE_BLOB as usize, 3 * LARGE_BLOB as usize + 7];
    let bytes = |len: usize| (0..len).map(|n| (n * 31 % 251) as u8).collect::<Vec<u8>>();
    let mut ids = Vec::new();
    for len in sizes {
        let source = dir.path().join("source");
        fs::write(&source, bytes(len)).unwrap();
        let id = repository.blobs().put_file(&source).unwrap();
        assert_eq!(id, BlobId::of(&bytes(len)));
        assert_eq!(repository.blobs().put(&bytes(len)).unwrap(), id);
        ids.push((id, len));
    }
    let check = |repository: &Repository| {
        for (id, len) in &ids {
            assert_eq!(repository.blobs().len(*id).unwrap(), Some(*len as u64));
            assert!(repository.blobs().get(*id).unwrap() == bytes(*len));
        }
    };
    check(&repository);
    // Another process sees them too, before and after the pack is sealed.
    check(&Repository::open(dir.path()).unwrap());
    repository.blobs().seal().unwrap();
    check(&repository);
    check(&Repository::open(dir.path()).unwrap());
    let id = BlobId::of(b"never put");
    assert!(matches!(repository.blobs().get(id), Err(BlobError::NotFound(found)) if found == id));
    assert!(!repository.blobs().contains(id).unwrap());
    let report = verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
    assert_eq!((report.problems.as_slice(), report.blobs), (&[][..], sizes.len() as u64));
}

#[test]
fn a_blob_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let repository = Repository::init(dir.path()).unwrap();
    for _ in 0..3 {
        repository.blobs().put(&[5; 1000]).unwrap();
    }
    repository.blobs().seal().unwrap();
    for _ in 0..3 {
        repository.blobs().put(&[5; 1000]).unwrap();
    }
    drop(repository);
    let again = Repository::open(dir.path()).unwrap();
    again.blobs().put(&[5; 1000]).unwrap();
    assert!(fs::metadata(file(dir.path(), "packs", "pack")).unwrap().len() < 1300);
}

#[test]
fn an_unsealed_pack_of_a_crash_is_sealed_by_the_next_writer() {
    let dir = tempfile::tempdir().unwrap();
    let repository = Repository::init(dir.path()).unwrap();
    let ids: Vec<BlobId> = (0..5u8).map(|n| repository.blobs().put(&[n; 100]).unwrap()).collect();
    repository.blobs().sync().unwrap();
    let pack = file(dir.path(), "packs", "pack");
    let whole = fs::read(&pack).unwrap();
    // While its writer lives, nobody touches its pack.
    let other = Repository::open(dir.path()).unwrap();
    other.blobs().put(b"other").unwrap();
    assert!(fs::read(&pack).unwrap() == whole);
    drop(other);
    drop(repository);
    // A crash: the records are there, and half a record more.
    let mut torn = whole.clone();
    torn.extend_from_slice(&whole[32..32 + 100]);
    fs::write(&pack, &torn).unwrap();
    let next = Repository::open(dir.path()).unwrap();
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(next.blobs().get(*id).unwrap(), [n as u8; 100]);
    }
    let report = verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    next.blobs().put(b"next").unwrap();
    let sealed = fs::read(&pack).unwrap();
    assert_eq!(sealed[..5], whole[..5]);
    assert_eq!(sealed[5], 1, "sealed");
    assert!(sealed[32..].starts_with(&whole[32..]));
    assert_eq!(sealed.len(), whole.len() + 5 * 48 + 64);
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(next.blobs().get(*id).unwrap(), [n as u8; 100]);
    }
}

#[test]
fn many_packs_are_searched_through_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let repository = Repository::init(dir.path()).unwrap();
    let mut ids = Vec::new();
    for n in 0..40u32 {
        for m in 0..5u32 {
            ids.push((repository.blobs().put(&(n * 100 + m).to_le_bytes()).unwrap(), n * 100 + m));
        }
        repository.blobs().seal().unwrap();
    }
    let again = Repository::open(dir.path()).unwrap();
    for _ in 0..2 {
        for (id, n) in &ids {
            assert_eq!(again.blobs().get(*id).unwrap(), n.to_le_bytes());
            assert!(!again.blobs().contains(BlobId::of(id.as_bytes())).unwrap());
        }
    }
}
