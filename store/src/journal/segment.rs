//! One file of the journal and the header it begins with.
//!
//! ```text
//!  0  4  magic "SLJS"
//!  4  1  version
//!  5  3  zero
//!  8  8  number of the segment
//! 16  8  Seq of the last event before it
//! 24 32  digest of the last frame before it
//! 56  4  zero
//! 60  4  CRC-32 of bytes 0..60
//! ```

use std::path::{Path, PathBuf};

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::value::Seq;

use super::{Place, Tip};
use crate::bytes::Fields;
use crate::disk::{self, DiskError};
use crate::format::{SEGMENT_MAGIC, SEGMENT_VERSION};

/// The length of a segment's header.
pub(crate) const HEADER_LEN: u64 = 64;

pub(crate) fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:08}.log"))
}

/// The numbers of the segments there are, ascending.
pub(crate) fn segments(dir: &Path) -> Result<Vec<u64>, DiskError> {
    disk::numbered(dir, "log")
}

/// What a segment says of where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) number: u64,
    pub(crate) seq: Seq,
    pub(crate) head: FrameDigest,
}

impl SegmentHeader {
    /// The segment that follows a prefix of the journal.
    pub(crate) fn after(tip: &Tip, number: u64) -> Self {
        SegmentHeader { number, seq: tip.seq, head: tip.head }
    }

    /// The prefix that ends where this segment's frames begin.
    pub(crate) fn tip(&self) -> Tip {
        Tip { place: Place { segment: self.number, offset: HEADER_LEN }, seq: self.seq, head: self.head }
    }

    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN as usize] {
        let mut bytes = [0; HEADER_LEN as usize];
        bytes[..4].copy_from_slice(&SEGMENT_MAGIC);
        bytes[4] = SEGMENT_VERSION;
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.seq.0.to_le_bytes());
        bytes[24..56].copy_from_slice(self.head.as_bytes());
        let sum = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads a header; none when it is short, damaged or of another version.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let magic = fields.array::<4>()?;
        let version = fields.u8()?;
        let zero = fields.array::<3>()?;
        let header = SegmentHeader {
            number: fields.u64()?,
            seq: Seq(fields.u64()?),
            head: FrameDigest(fields.array()?),
        };
        let zero_again = fields.u32()?;
        let sum = fields.u32()?;
        let good = magic == SEGMENT_MAGIC
            && version == SEGMENT_VERSION
            && zero == [0; 3]
            && zero_again == 0
            && sum == crc32fast::hash(bytes.get(..60)?);
        good.then_some(header)
    }
}
