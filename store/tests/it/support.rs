//! Drafts and repositories for tests.

use std::fs;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{
    Actor, DatasetCreated, Event, Frame, ImageImported, ImageRelabelled, ImageRemoved, Origin, Split, Unknown,
};
use safelight_lineage::id::{ImageId, TransactionId};
use safelight_lineage::value::{ClassIndex, PathBytes, Timestamp};
use safelight_store::{Draft, Repository};

/// The id of the `n`-th image.
pub fn image(n: u64) -> ImageId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    ImageId(bytes)
}

/// The event that brings in the `n`-th image.
pub fn imported(n: u64, blob: BlobId) -> Event {
    Event::ImageImported(ImageImported {
        image: image(n),
        blob,
        path: PathBytes::new(format!("sea/{n:06}.jpg").into_bytes()),
        label: Some(ClassIndex((n % 6) as u16)),
        split: Split::Train,
        origin: Origin::File,
    })
}

/// A draft with the `n`-th transaction id.
pub fn draft(n: u64, events: Vec<Event>) -> Draft {
    Draft {
        transaction: TransactionId::new(n, [n as u8; 10]),
        actor: Actor::Person { name: "ann".into() },
        time: Timestamp(1_700_000_000_000 + n),
        message: n.is_multiple_of(2).then(|| format!("step {n}")),
        events,
    }
}

/// The event that every repository starts with.
pub fn created() -> Event {
    Event::DatasetCreated(DatasetCreated {
        name: "scenes".into(),
        classes: ["buildings", "forest", "glacier", "mountain", "sea", "street"].map(String::from).to_vec(),
    })
}

/// Appends on the current head.
pub fn append(repository: &mut Repository, n: u64, events: Vec<Event>) -> Frame {
    let head = repository.head();
    repository.append(draft(n, events), head).unwrap()
}

/// A small repository with a few blobs, frames, and an unknown event.
pub fn small(dir: &Path) -> Repository {
    let mut repository = Repository::init(dir).unwrap();
    append(&mut repository, 1, vec![created()]);
    let blobs: Vec<BlobId> = (0..4u8).map(|n| repository.blobs().put(&[n; 40]).unwrap()).collect();
    let events = blobs.iter().zip(1..).map(|(blob, n)| imported(n, *blob)).collect();
    append(&mut repository, 2, events);
    append(
        &mut repository,
        3,
        vec![Event::ImageRelabelled(ImageRelabelled {
            image: image(2),
            old: Some(ClassIndex(2)),
            new: Some(ClassIndex(4)),
            reason: "it is the sea".into(),
            evidence: Default::default(),
        })],
    );
    append(
        &mut repository,
        4,
        vec![
            Event::ImageRemoved(ImageRemoved {
                image: image(3),
                reason: "blurred".into(),
                evidence: Default::default(),
            }),
            Event::Unknown(Unknown { kind: 999, schema: 3, payload: (*b"from the future").into() }),
        ],
    );
    repository.checkpoint().unwrap();
    repository
}

/// A folder in memory where there is one, for tests that sync so often that a
/// disk would only take time.
pub fn folder() -> tempfile::TempDir {
    match tempfile::tempdir_in("/dev/shm") {
        Ok(dir) => dir,
        Err(_) => tempfile::tempdir().unwrap(),
    }
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The only file of a kind.
pub fn file(dir: &Path, part: &str, suffix: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir(dir.join(".safelight").join(part))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == suffix))
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.pop().unwrap()
}

/// Deletes what is derived.
pub fn forget_derived(dir: &Path) {
    let _ = fs::remove_dir_all(dir.join(".safelight/cache"));
    let _ = fs::remove_dir_all(dir.join(".safelight/index"));
}

/// A temporary folder in memory where there is one: for tests that sync
/// thousands of times and are not about the disk.
pub fn memory_dir() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
