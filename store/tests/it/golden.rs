//! The golden repository: bytes that an earlier version wrote. It is never
//! made again; a new format gets a new one beside it.

use std::fs;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_store::{Draft, Repository, VerifyDepth, frame, verify};

use crate::samples;
use crate::support::{copy, draft};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

/// The commits that are in it.
fn drafts() -> Vec<Draft> {
    let mut drafts: Vec<Draft> = samples::actors()
        .into_iter()
        .zip(samples::events().chunks(10))
        .zip(1..)
        .map(|((actor, events), n)| Draft { actor, ..draft(n, events.to_vec()) })
        .collect();
    drafts.push(draft(5, samples::events()));
    drafts
}

const BLOBS: [&[u8]; 3] = [b"", b"a blob\n", &[0xa5; 300]];

#[test]
fn the_golden_repository_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    copy(&golden(), dir.path());
    let report = verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
    assert_eq!(report.problems, []);
    let repository = Repository::open(dir.path()).unwrap();
    assert!(repository.notices().is_empty());
    let frames: Vec<_> = repository.frames().map(Result::unwrap).collect();
    let drafts = drafts();
    assert_eq!(frames.len(), drafts.len());
    for (frame, draft) in frames.iter().zip(&drafts) {
        assert_eq!(frame.events, draft.events);
        assert_eq!((&frame.header.actor, &frame.header.message), (&draft.actor, &draft.message));
        assert_eq!((frame.header.transaction, frame.header.time), (draft.transaction, draft.time));
    }
    for bytes in BLOBS {
        assert_eq!(repository.blobs().get(BlobId::of(bytes)).unwrap(), bytes);
    }
    assert_eq!(repository.head().to_string(), fs::read_to_string(golden().join("head")).unwrap().trim_end());
}

#[test]
fn the_same_commits_give_the_same_bytes_today() {
    let mut log = fs::read(golden().join(".safelight/journal/00000001.log")).unwrap().split_off(64);
    let mut parent = FrameDigest::ROOT;
    for draft in drafts() {
        let bytes = frame::seal(parent, &draft).unwrap();
        assert!(log.starts_with(&bytes), "transaction {}", draft.transaction);
        log.drain(..bytes.len());
        parent = frame::digest(&bytes);
    }
    assert!(log.is_empty());
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    for file in ["FORMAT", "journal/00000001.log", "journal/acknowledged", "packs/00000001.pack"] {
        let bytes = |root: &Path| fs::read(root.join(".safelight").join(file)).unwrap();
        assert!(bytes(dir.path()) == bytes(&golden()), "{file}");
    }
}

fn write(dir: &Path) {
    let mut repository = Repository::init(dir).unwrap();
    for bytes in BLOBS {
        repository.blobs().put(bytes).unwrap();
    }
    for draft in drafts() {
        let head = repository.head();
        repository.append(draft, head).unwrap();
    }
}

/// Makes the golden repository of a new format: once, when there is none.
#[test]
#[ignore = "only for a new format"]
fn make_the_golden_repository() {
    assert!(!golden().exists(), "a golden repository is never made again");
    fs::create_dir_all(golden()).unwrap();
    write(&golden());
    for derived in ["cache", "index", "objects", "journal/lock"] {
        let path = golden().join(".safelight").join(derived);
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_file(&path);
    }
    let head = Repository::open(&golden()).unwrap().head();
    fs::write(golden().join("head"), format!("{head}\n")).unwrap();
    let _ = fs::remove_file(golden().join(".safelight/journal/lock"));
}
