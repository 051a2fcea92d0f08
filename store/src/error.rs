//! What can go wrong with a repository. Each part has errors of its own; this
//! composes them.

use std::fmt;
use std::path::PathBuf;

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::value::Seq;

use crate::blobs::BlobError;
use crate::disk::{DiskError, shown};
use crate::frame::{FrameError, SealError};

/// What a damaged place should hold, or what it holds instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A frame with this digest.
    Frame(FrameDigest),
    /// A blob with this id.
    Blob(BlobId),
    /// Bytes with this BLAKE3 hash.
    Hash([u8; 32]),
    /// Bytes with this CRC-32.
    Checksum(u32),
    /// So many bytes, or a place so far on.
    Bytes(u64),
    /// A number: of a version, a segment, a count.
    Number(u64),
    /// A magic number.
    Magic([u8; 4]),
    /// Something that words say best.
    Words(&'static str),
    /// In the words of something else: the system, a decoder.
    Said(String),
    /// Nothing at all.
    Missing,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mark::Frame(digest) => write!(f, "frame {digest}"),
            Mark::Blob(blob) => write!(f, "blob {blob}"),
            Mark::Hash(hash) => hash.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Mark::Checksum(sum) => write!(f, "checksum {sum:08x}"),
            Mark::Bytes(bytes) => write!(f, "{bytes} bytes"),
            Mark::Number(number) => write!(f, "{number}"),
            Mark::Magic(magic) => write!(f, "\"{}\"", magic.escape_ascii()),
            Mark::Words(words) => f.write_str(words),
            Mark::Said(words) => f.write_str(words),
            Mark::Missing => f.write_str("nothing"),
        }
    }
}

/// Damage at one place of the journal. Nothing was rewritten.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {offset}: {what}: expected {expected}, found {actual}", shown(.file))]
pub struct Corruption {
    /// The file.
    pub file: PathBuf,
    /// Where the damaged record starts in it.
    pub offset: u64,
    /// What is wrong, in words.
    pub what: &'static str,
    /// What should be there.
    pub expected: Mark,
    /// What is there.
    pub actual: Mark,
}

/// Why a repository cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file call failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no repository here or above.
    #[error("there is no repository in {} or any folder above it", shown(.start))]
    NotARepository {
        /// Where the search began.
        start: PathBuf,
    },
    /// There is a repository here or above already.
    #[error("{} is a repository already", shown(.root))]
    AlreadyARepository {
        /// Its root.
        root: PathBuf,
    },
    /// The repository was written by a newer version, or by something else.
    #[error("{} says '{found}', and this version reads '{supported}'", shown(.file))]
    UnsupportedFormat {
        /// The file that says so.
        file: PathBuf,
        /// What it says.
        found: String,
        /// What would be understood.
        supported: &'static str,
    },
    /// A frame is damaged.
    #[error("the journal is damaged: {0}")]
    CorruptFrame(Box<Corruption>),
    /// A frame is whole, but what is in it cannot be understood.
    #[error("the journal holds a frame that cannot be read, {} at byte {offset}: {source}", shown(.file))]
    UnreadableFrame {
        /// The segment.
        file: PathBuf,
        /// Where the frame starts in it.
        offset: u64,
        /// What is wrong.
        source: FrameError,
    },
    /// A blob cannot be had.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// No event has this number.
    #[error("there is no event {asked}; the newest is {newest}")]
    NoSuchSeq {
        /// What was asked for.
        asked: Seq,
        /// The newest there is.
        newest: Seq,
    },
    /// No frame has this digest.
    #[error("there is no frame {0} in this repository")]
    NoSuchFrame(FrameDigest),
}

/// Why a frame was not appended. Unless it says otherwise, nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else was first. The repository has caught up: decide again.
    #[error("the log has moved on: expected {expected} as its head, found {actual}")]
    Conflict {
        /// The head that the draft was decided on.
        expected: FrameDigest,
        /// The head there is.
        actual: FrameDigest,
    },
    /// The draft cannot be stored.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// An earlier write may be lost, so nothing more is written. Open again.
    #[error("an earlier write to the journal failed; open the repository again to go on")]
    Poisoned,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DiskError> for AppendError {
    fn from(error: DiskError) -> Self {
        AppendError::Store(error.into())
    }
}

impl From<BlobError> for AppendError {
    fn from(error: BlobError) -> Self {
        AppendError::Store(error.into())
    }
}

/// Something that the user should know and that stopped nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A commit was cut short by a crash before it was acknowledged; its
    /// remains were removed.
    TornTail {
        /// The segment.
        file: PathBuf,
        /// Where it was cut.
        offset: u64,
        /// How many bytes were cut.
        bytes: u64,
    },
    /// The same, seen but left alone: the place cannot be written.
    TornTailLeft {
        /// The segment.
        file: PathBuf,
        /// Where the remains begin.
        offset: u64,
        /// How many bytes they are.
        bytes: u64,
    },
    /// A snapshot could not be used and will be made again.
    SnapshotIgnored {
        /// The file.
        file: PathBuf,
        /// Why.
        why: String,
    },
    /// The index could not be used and is made again.
    IndexRebuilt {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::TornTail { file, offset, bytes } => write!(
                f,
                "the last commit was cut short by a crash before it was acknowledged: removed {bytes} bytes at byte {offset} of {}",
                shown(file)
            ),
            Notice::TornTailLeft { file, offset, bytes } => {
                write!(f, "ignored {bytes} bytes of an unfinished commit at byte {offset} of {}", shown(file))
            }
            Notice::SnapshotIgnored { file, why } => write!(f, "ignored the snapshot {}: {why}", shown(file)),
            Notice::IndexRebuilt { why } => write!(f, "the index is made again: {why}"),
        }
    }
}
