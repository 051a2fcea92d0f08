//! The header of an archive, and the head of each item in it.

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::id::SubmissionId;
use safelight_lineage::value::Seq;

use super::error::ArchiveError;
use crate::bytes::Fields;
use crate::format::{ARCHIVE_MAGIC, ARCHIVE_VERSION, ITEM_MAGIC};

pub(crate) const HEADER_LEN: usize = 96;
pub(crate) const ITEM_LEN: usize = 56;

/// The hash over a whole archive, up to its end item.
pub(crate) const CONTEXT: &str = "safelight 2026-11-24 archive v1";

const PARTIAL: u8 = 1;

/// What an archive says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Blobs that the log names are absent on purpose.
    pub(crate) partial: bool,
    pub(crate) frames: u64,
    pub(crate) blobs: u64,
    /// Bytes of all frames and blobs.
    pub(crate) bytes: u64,
    pub(crate) seq: Seq,
    pub(crate) head: FrameDigest,
    /// The one that the blobs were chosen for.
    pub(crate) submission: Option<SubmissionId>,
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&ARCHIVE_MAGIC);
        bytes[4] = ARCHIVE_VERSION;
        bytes[5] = if self.partial { PARTIAL } else { 0 };
        bytes[8..16].copy_from_slice(&self.frames.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.blobs.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.bytes.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.seq.0.to_le_bytes());
        bytes[40..72].copy_from_slice(self.head.as_bytes());
        if let Some(submission) = self.submission {
            bytes[72..88].copy_from_slice(submission.as_bytes());
        }
        let sum = crc32fast::hash(&bytes[..92]);
        bytes[92..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads a header; `bytes` may be short, when the archive is.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let short = || ArchiveError::NoHeader { found: bytes.len() as u64 };
        let magic_len = bytes.len().min(4);
        if bytes[..magic_len] != ARCHIVE_MAGIC[..magic_len] {
            return Err(ArchiveError::NotAnArchive { found: bytes[..magic_len].to_vec() });
        }
        let mut fields = Fields::new(bytes);
        let mut read = || {
            fields.take(4)?;
            let (version, flags, zero) = (fields.u8()?, fields.u8()?, fields.u16()?);
            let header = Header {
                partial: flags & PARTIAL != 0,
                frames: fields.u64()?,
                blobs: fields.u64()?,
                bytes: fields.u64()?,
                seq: Seq(fields.u64()?),
                head: FrameDigest(fields.array()?),
                submission: Some(fields.array()?).filter(|id| *id != [0; 16]).map(SubmissionId),
            };
            let zero_again = fields.u32()?;
            let clean = flags & !PARTIAL == 0 && zero == 0 && zero_again == 0;
            Some((version, header, clean, fields.u32()?))
        };
        let (version, header, clean, expected) = read().ok_or_else(short)?;
        let actual = crc32fast::hash(&bytes[..92]);
        if expected != actual {
            return Err(ArchiveError::DamagedHeader { expected, actual });
        }
        if version != ARCHIVE_VERSION || !clean {
            return Err(ArchiveError::Version { found: version, supported: ARCHIVE_VERSION });
        }
        Ok(header)
    }
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Blob,
    Frame,
    /// Nothing follows.
    End,
}

/// What stands before an item's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ItemHead {
    pub(crate) kind: ItemKind,
    pub(crate) len: u64,
    /// Id of the blob, digest of the frame, or hash of all before.
    pub(crate) digest: [u8; 32],
}

impl ItemHead {
    pub(crate) fn to_bytes(self) -> [u8; ITEM_LEN] {
        let mut bytes = [0; ITEM_LEN];
        bytes[..4].copy_from_slice(&ITEM_MAGIC);
        bytes[4] = match self.kind {
            ItemKind::Blob => 1,
            ItemKind::Frame => 2,
            ItemKind::End => 3,
        };
        bytes[8..16].copy_from_slice(&self.len.to_le_bytes());
        bytes[16..48].copy_from_slice(&self.digest);
        let sum = crc32fast::hash(&bytes[..52]);
        bytes[52..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; ITEM_LEN]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let magic = fields.array::<4>()?;
        let kind = match fields.u8()? {
            1 => ItemKind::Blob,
            2 => ItemKind::Frame,
            3 => ItemKind::End,
            _ => return None,
        };
        let zero = fields.array::<3>()?;
        let head = ItemHead { kind, len: fields.u64()?, digest: fields.array()? };
        let zero_again = fields.u32()?;
        let good = magic == ITEM_MAGIC
            && zero == [0; 3]
            && zero_again == 0
            && fields.u32()? == crc32fast::hash(&bytes[..52])
            && (head.kind != ItemKind::End || head.len == 0);
        good.then_some(head)
    }
}
