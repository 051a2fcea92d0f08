//! What a collection found and did.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use safelight_lineage::digest::{BlobId, FrameDigest};

use crate::blobs::BlobError;
use crate::disk::DiskError;
use crate::error::StoreError;

/// Why nothing, or nothing more, was collected. What was deleted until then was
/// garbage; nothing that the log needs is touched.
#[derive(Debug, thiserror::Error)]
pub enum GcError {
    /// Somebody is writing: what they wrote is not named yet.
    #[error(
        "another process is writing to this repository (an import, a training run, the terminal interface), so what \
         it has stored is not named by the log yet"
    )]
    Busy,
    /// The log holds events of a newer version, which may name any blob.
    #[error(
        "the log holds {count} events of a newer version, and only that version knows which blobs they name"
    )]
    UnknownEvents {
        /// How many.
        count: u64,
    },
    /// The log went on after it was walked, so what the walk proved is void.
    #[error("the log has moved on from {expected} to {actual} while garbage was being collected")]
    HeadMoved {
        /// The head that the log was walked at.
        expected: FrameDigest,
        /// The head there is.
        actual: FrameDigest,
    },
    /// A deletion was not backed by a proof; nothing was deleted there.
    #[error("there is no proof that blob {0} may be deleted, so it stays")]
    Unproven(BlobId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DiskError> for GcError {
    fn from(error: DiskError) -> Self {
        GcError::Store(error.into())
    }
}

impl From<BlobError> for GcError {
    fn from(error: BlobError) -> Self {
        GcError::Store(error.into())
    }
}

/// Why something is garbage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GarbageKind {
    /// A blob that no event names.
    Unreferenced,
    /// A copy of a blob that another pack holds too.
    SecondCopy,
    /// A file that was being written when its process died.
    Unfinished,
}

/// What becomes, or became, of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Younger than the grace period: it stays for now.
    Young,
    /// Old enough to be deleted; this was a dry run, or it was stopped.
    Due,
    /// Deleted.
    Deleted,
    /// Old enough, but its file cannot be rewritten; see [`GarbageReport::left`].
    Stuck,
}

/// One thing that the log does not need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    /// Why it is garbage.
    pub kind: GarbageKind,
    /// The blob; none for a file that never became one.
    pub blob: Option<BlobId>,
    /// The file that it is in.
    pub file: PathBuf,
    /// How many bytes it takes.
    pub bytes: u64,
    /// When its file was written last.
    pub written: SystemTime,
    /// What becomes of it.
    pub fate: Fate,
}

/// A file that holds garbage and was left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub why: &'static str,
}

/// What a collection found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GarbageReport {
    /// The head of the log that was walked.
    pub head: FrameDigest,
    /// How many blobs the log needs.
    pub live: u64,
    /// What it does not need, by file and place.
    pub garbage: Vec<Garbage>,
    /// Files that were left as they are, though they hold garbage.
    pub left: Vec<Left>,
    /// Bytes of needed blobs that were copied to new packs.
    pub copied: u64,
    /// It was told to stop before all was done.
    pub cancelled: bool,
}

impl GarbageReport {
    /// How many things have a fate, and their bytes.
    pub fn with(&self, fate: Fate) -> (u64, u64) {
        let chosen = self.garbage.iter().filter(|garbage| garbage.fate == fate);
        chosen.fold((0, 0), |(count, bytes), garbage| (count + 1, bytes + garbage.bytes))
    }
}

/// How far a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GcProgress {
    /// Bytes of packs rewritten so far.
    pub done: u64,
    /// Bytes of packs to rewrite.
    pub total: u64,
}

/// Whether something written then is as old as `grace` now. What claims to
/// come from the future is young.
pub(super) fn is_old(written: SystemTime, now: SystemTime, grace: Duration) -> bool {
    now.duration_since(written).is_ok_and(|age| age >= grace)
}
