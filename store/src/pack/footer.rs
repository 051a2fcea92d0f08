//! What a sealed pack ends with: the places of its blobs, and its hash.
//!
//! ```text
//!  n × 48  entries, ascending by id: id 32, offset of the record 8,
//!          length of the blob 4, length of the stored bytes 4
//!  0  4    magic "SLPF"
//!  4  1    version
//!  5  3    zero
//!  8  8    n
//! 16  8    where the entries begin
//! 24 32    BLAKE3 derive_key of the entries
//! 56  4    zero
//! 60  4    CRC-32 of bytes 0..60
//! ```
//!
//! The hash covers every id, and each id every byte of its blob: so it stands
//! for the whole pack.

use safelight_lineage::digest::{BlobId, Hasher};

use crate::bytes::Fields;
use crate::format::{PACK_VERSION, TRAILER_MAGIC};

/// The length of one entry.
pub(crate) const ENTRY_LEN: usize = 48;
/// The length of what comes after the entries.
pub(crate) const TRAILER_LEN: usize = 64;

/// Where one blob is in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) blob: BlobId,
    /// Where its record's head begins.
    pub(crate) offset: u64,
    pub(crate) len: u32,
}

/// The end of a sealed pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) count: u64,
    /// Where the entries begin: behind the last record.
    pub(crate) start: u64,
    pub(crate) hash: [u8; 32],
}

fn hash(entries: &[u8]) -> [u8; 32] {
    Hasher::derive_key("safelight 2026-11-24 pack footer v1").update(entries).finish()
}

impl Footer {
    /// Makes the footer of a pack whose records end at `start`.
    pub(crate) fn seal(mut entries: Vec<Entry>, start: u64) -> (Vec<Entry>, Vec<u8>) {
        entries.sort_unstable();
        let mut bytes = Vec::with_capacity(entries.len() * ENTRY_LEN + TRAILER_LEN);
        for entry in &entries {
            bytes.extend_from_slice(entry.blob.as_bytes());
            bytes.extend_from_slice(&entry.offset.to_le_bytes());
            bytes.extend_from_slice(&entry.len.to_le_bytes());
            bytes.extend_from_slice(&entry.len.to_le_bytes());
        }
        let hash = hash(&bytes);
        let trailer = bytes.len();
        bytes.extend_from_slice(&TRAILER_MAGIC);
        bytes.extend_from_slice(&[PACK_VERSION, 0, 0, 0]);
        bytes.extend_from_slice(&(entries.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&start.to_le_bytes());
        bytes.extend_from_slice(&hash);
        bytes.extend_from_slice(&[0; 4]);
        let sum = crc32fast::hash(&bytes[trailer..]);
        bytes.extend_from_slice(&sum.to_le_bytes());
        (entries, bytes)
    }

    /// Reads the trailer of a pack of `pack_len` bytes; none when it has none.
    pub(crate) fn from_trailer(trailer: &[u8], pack_len: u64) -> Option<Self> {
        let mut fields = Fields::new(trailer);
        let magic = fields.array::<4>()?;
        let version = fields.u8()?;
        let zero = fields.array::<3>()?;
        let footer = Footer { count: fields.u64()?, start: fields.u64()?, hash: fields.array()? };
        let zero_again = fields.u32()?;
        let end = footer.count.checked_mul(ENTRY_LEN as u64)?.checked_add(footer.start)?;
        let good = magic == TRAILER_MAGIC
            && version == PACK_VERSION
            && zero == [0; 3]
            && zero_again == 0
            && fields.u32()? == crc32fast::hash(trailer.get(..60)?)
            && end.checked_add(TRAILER_LEN as u64) == Some(pack_len);
        good.then_some(footer)
    }

    /// The length of the entries in bytes.
    pub(crate) fn entries_len(&self) -> usize {
        self.count as usize * ENTRY_LEN
    }

    /// Reads the entries; an error gives the hash that these bytes have instead.
    pub(crate) fn open(&self, bytes: &[u8]) -> Result<Box<[Entry]>, [u8; 32]> {
        let actual = hash(bytes);
        if actual != self.hash || bytes.len() != self.entries_len() {
            return Err(actual);
        }
        let read = |chunk: &[u8]| {
            let mut fields = Fields::new(chunk);
            Some(Entry { blob: BlobId(fields.array()?), offset: fields.u64()?, len: fields.u32()? })
        };
        Ok(bytes.chunks_exact(ENTRY_LEN).filter_map(read).collect())
    }
}
