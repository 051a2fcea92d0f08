//! Which blobs the log needs, and the proof that one is not needed.

use std::path::Path;

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::query::reachable_blobs;

use super::report::GcError;
use crate::disk::{self, DiskError};
use crate::pack::{Entry, RECORD_LEN, RecordHead, pack_path};
use crate::repository::Repository;

/// Every blob that the log needed when its head was this one.
#[derive(Debug)]
pub(super) struct Liveness {
    head: FrameDigest,
    /// Ascending, each once.
    live: Vec<BlobId>,
}

/// Permission to delete what is stored of one blob at one place.
///
/// Only [`Liveness`] makes one, and it holds only while the head is the one
/// that the log was walked at: see [`allows`](Self::allows).
#[derive(Debug)]
pub(super) struct DropProof {
    blob: BlobId,
    head: FrameDigest,
}

/// A whole copy of a blob in another pack: its bytes were read and hashed.
#[derive(Debug)]
pub(super) struct CheckedCopy {
    blob: BlobId,
    pub(super) bytes: Vec<u8>,
}

impl Liveness {
    /// Walks the whole log: every frame as it is on the disk, and the state.
    /// Either would do; a blob goes only when both are done with it.
    ///
    /// # Errors
    ///
    /// When the log cannot be read to its end, or holds events whose blobs
    /// nobody here knows.
    pub(super) fn walk(repository: &Repository) -> Result<Self, GcError> {
        let unknown: u64 = repository.state().unknown_events().iter().map(|unknown| unknown.count).sum();
        if unknown > 0 {
            return Err(GcError::UnknownEvents { count: unknown });
        }
        let mut live: Vec<BlobId> = reachable_blobs(repository.state()).map(|(blob, _)| blob).collect();
        let mut head = FrameDigest::ROOT;
        for frame in repository.frames() {
            let frame = frame?;
            head = frame.header.digest;
            for event in &frame.events {
                event.blobs(&mut |blob| live.push(blob));
            }
        }
        if head != repository.head() {
            return Err(GcError::HeadMoved { expected: repository.head(), actual: head });
        }
        live.sort_unstable();
        live.dedup();
        Ok(Liveness { head, live })
    }

    pub(super) fn head(&self) -> FrameDigest {
        self.head
    }

    pub(super) fn count(&self) -> u64 {
        self.live.len() as u64
    }

    pub(super) fn needs(&self, blob: BlobId) -> bool {
        self.live.binary_search(&blob).is_ok()
    }

    /// The proof that no event names a blob; none when one does.
    pub(super) fn unneeded(&self, blob: BlobId) -> Option<DropProof> {
        (!self.needs(blob)).then_some(DropProof { blob, head: self.head })
    }

    /// The proof that this copy of a blob is not needed, since there is another.
    pub(super) fn spare(&self, copy: &CheckedCopy) -> DropProof {
        DropProof { blob: copy.blob, head: self.head }
    }
}

impl DropProof {
    /// Whether it allows to delete this blob while the head is `head`.
    pub(super) fn allows(&self, blob: BlobId, head: FrameDigest) -> bool {
        self.blob == blob && self.head == head
    }
}

impl CheckedCopy {
    /// Reads and checks the copy at `entry` of a pack; none when it is damaged
    /// or gone.
    pub(super) fn read(packs: &Path, number: u64, entry: Entry) -> Result<Option<Self>, DiskError> {
        let path = pack_path(packs, number);
        let file = match disk::open(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = vec![0; RECORD_LEN + entry.len as usize];
        let read = disk::read_at(&file, &path, &mut bytes, entry.offset)?;
        let whole = read == bytes.len();
        let payload = bytes.split_off(RECORD_LEN);
        let head = RecordHead { blob: entry.blob, len: entry.len };
        let good =
            whole && RecordHead::from_bytes(&bytes) == Some(head) && BlobId::of(&payload) == entry.blob;
        Ok(good.then_some(CheckedCopy { blob: entry.blob, bytes: payload }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_void_once_the_head_has_moved() {
        let (needed, unneeded) = (BlobId::of(b"needed"), BlobId::of(b"unneeded"));
        let head = FrameDigest([1; 32]);
        let liveness = Liveness { head, live: vec![needed] };
        assert!(liveness.unneeded(needed).is_none());
        let proof = liveness.unneeded(unneeded).expect("nothing names it");
        assert!(proof.allows(unneeded, head));
        assert!(!proof.allows(needed, head));
        assert!(!proof.allows(unneeded, FrameDigest([2; 32])));
    }
}
