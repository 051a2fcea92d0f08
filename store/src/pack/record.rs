//! One record of a pack: a head and the blob's bytes.
//!
//! ```text
//!  0  4  magic "SLPR"
//!  4  1  kind: 1, a blob (2 is kept for a list of chunks)
//!  5  1  codec: 0, as it is (1 is kept for zstd)
//!  6  2  zero
//!  8  4  length of the blob
//! 12  4  length of the stored bytes, n
//! 16 32  id of the blob
//! 48  4  CRC-32 of bytes 0..48
//! 52  n  the stored bytes
//! ```

use safelight_lineage::digest::BlobId;

use crate::bytes::Fields;
use crate::format::RECORD_MAGIC;

/// The length of a record's head.
pub(crate) const RECORD_LEN: usize = 52;

const KIND_BLOB: u8 = 1;
const CODEC_PLAIN: u8 = 0;

/// What a record says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHead {
    pub(crate) blob: BlobId,
    pub(crate) len: u32,
}

impl RecordHead {
    pub(crate) fn to_bytes(self) -> [u8; RECORD_LEN] {
        let mut bytes = [0; RECORD_LEN];
        bytes[..4].copy_from_slice(&RECORD_MAGIC);
        bytes[4] = KIND_BLOB;
        bytes[5] = CODEC_PLAIN;
        bytes[8..12].copy_from_slice(&self.len.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.len.to_le_bytes());
        bytes[16..48].copy_from_slice(self.blob.as_bytes());
        let sum = crc32fast::hash(&bytes[..48]);
        bytes[48..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads a head; none when it is short, damaged, or of a kind or codec that
    /// this version does not know.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let magic = fields.array::<4>()?;
        let (kind, codec, zero) = (fields.u8()?, fields.u8()?, fields.u16()?);
        let (len, stored) = (fields.u32()?, fields.u32()?);
        let blob = BlobId(fields.array()?);
        let good = magic == RECORD_MAGIC
            && (kind, codec, zero) == (KIND_BLOB, CODEC_PLAIN, 0)
            && len == stored
            && fields.u32()? == crc32fast::hash(bytes.get(..48)?);
        good.then_some(RecordHead { blob, len })
    }
}
