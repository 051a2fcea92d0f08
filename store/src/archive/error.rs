//! Why an archive cannot be written or used at all.

use std::io;

use safelight_lineage::digest::FrameDigest;

use crate::blobs::BlobError;
use crate::disk::DiskError;
use crate::error::{AppendError, StoreError};
use crate::frame::FrameError;

/// Why an archive cannot be written or used at all. An archive that is damaged
/// or cut short behind its header is no error but an
/// [`ArchiveEnd`](super::ArchiveEnd).
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It begins like something else.
    #[error("it is no archive of safelight: it begins with \"{}\"", .found.escape_ascii())]
    NotAnArchive {
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// It ends before its header does.
    #[error("it ends after {found} bytes, before its header is complete")]
    NoHeader {
        /// How many bytes there are.
        found: u64,
    },
    /// Its header is damaged.
    #[error("its header is damaged: its checksum is {expected:08x}, its bytes give {actual:08x}")]
    DamagedHeader {
        /// What is written in it.
        expected: u32,
        /// What its bytes give.
        actual: u32,
    },
    /// It was written by a newer version.
    #[error("it is of version {found}, and this version reads {supported}")]
    Version {
        /// Its version.
        found: u8,
        /// What would be understood.
        supported: u8,
    },
    /// The repository has a history of its own.
    #[error(
        "the repository has another history: its frame {number} is {actual}, that of the archive is {expected}"
    )]
    OtherHistory {
        /// Which frame, from one.
        number: u64,
        /// The archive's.
        expected: FrameDigest,
        /// The repository's.
        actual: FrameDigest,
    },
    /// A frame is whole but cannot be understood.
    #[error("frame {number} of the archive cannot be read: {source}")]
    Frame {
        /// Which frame, from one.
        number: u64,
        /// What is wrong with it.
        source: FrameError,
    },
    /// The archive could not be read.
    #[error("the archive cannot be read: {0}")]
    Read(io::Error),
    /// The archive could not be written.
    #[error("the archive cannot be written: {0}")]
    Write(io::Error),
    /// It was told to stop; what was written so far is no whole archive.
    #[error("stopped before the archive was whole")]
    Stopped,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A frame could not be appended.
    #[error(transparent)]
    Append(#[from] AppendError),
}

impl From<BlobError> for ArchiveError {
    fn from(error: BlobError) -> Self {
        ArchiveError::Store(error.into())
    }
}

impl From<DiskError> for ArchiveError {
    fn from(error: DiskError) -> Self {
        ArchiveError::Store(error.into())
    }
}
