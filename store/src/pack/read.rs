//! Reading a pack: its header, its footer, or record by record.
//!
//! ```text
//!  0  4  magic "SLPK"
//!  4  1  version
//!  5  1  0 while it is written, 1 once it is sealed and on the disk
//!  6  2  zero
//!  8  8  number
//! 16 12  zero
//! 28  4  CRC-32 of bytes 0..28
//! ```

use std::fs::File;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::BlobId;

use super::footer::{ENTRY_LEN, TRAILER_LEN};
use super::{Entry, Footer, RECORD_LEN, RecordHead};
use crate::bytes::Fields;
use crate::disk::{self, DiskError};
use crate::error::Mark;
use crate::format::{PACK_MAGIC, PACK_VERSION, RECORD_MAGIC};
use crate::journal::find;

/// The length of a pack's header.
pub(crate) const HEADER_LEN: usize = 32;

pub(crate) fn pack_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:08}.pack"))
}

/// The numbers of the packs there are, ascending.
pub(crate) fn packs(dir: &Path) -> Result<Vec<u64>, DiskError> {
    disk::numbered(dir, "pack")
}

/// What a pack begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u64,
    /// Said only after all of the pack was on the disk.
    pub(crate) sealed: bool,
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&PACK_MAGIC);
        bytes[4] = PACK_VERSION;
        bytes[5] = self.sealed.into();
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let magic = fields.array::<4>()?;
        let (version, sealed, zero) = (fields.u8()?, fields.u8()?, fields.u16()?);
        let number = fields.u64()?;
        let zeros = fields.array::<12>()?;
        let sum = fields.u32()?;
        let whole = sum == crc32fast::hash(bytes.get(..28)?);
        // Sealing writes this header again, and may be cut off in between: then
        // the word is there, but not yet the checksum that makes it count.
        let half = sealed == 1 && sum == Header { number, sealed: false }.checksum();
        let good =
            magic == PACK_MAGIC && version == PACK_VERSION && sealed <= 1 && zero == 0 && zeros == [0; 12];
        (good && (whole || half)).then_some(Header { number, sealed: whole && sealed == 1 })
    }

    fn checksum(self) -> u32 {
        let bytes = self.to_bytes();
        crc32fast::hash(&bytes[..28])
    }
}

/// How a pack's contents are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PackState {
    /// By its footer, and all of it was on the disk when that was written.
    Sealed,
    /// By its footer, which may not be on the disk yet.
    Closed,
    /// Record by record up to this byte: somebody writes it, or crashed.
    Open {
        /// Behind the last whole record.
        end: u64,
    },
    /// Record by record, since its header or footer is damaged.
    Damaged {
        /// What is wrong, in words.
        what: &'static str,
        /// Where.
        offset: u64,
        /// What should be there.
        expected: Mark,
        /// What is there.
        actual: Mark,
    },
}

/// What is known of one pack.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) state: PackState,
    /// Ascending by id, unless the pack is open: then as they were written.
    pub(crate) entries: Vec<Entry>,
}

/// Reads what a pack holds.
pub(crate) fn load(file: &File, path: &Path, number: u64) -> Result<Loaded, DiskError> {
    let mut header = [0; HEADER_LEN];
    let read = disk::read_at(file, path, &mut header, 0)?;
    let len = disk::len(file, path)?;
    let header = Header::from_bytes(&header[..read]);
    let damaged = |what, offset, expected, actual| -> Result<Loaded, DiskError> {
        let mut entries = scan_records(file, path, HEADER_LEN as u64, len)?.0;
        entries.sort_unstable();
        Ok(Loaded { state: PackState::Damaged { what, offset, expected, actual }, entries })
    };
    let sealed = match header {
        Some(header) if header.number != number => {
            return damaged("the pack is another", 8, Mark::Number(number), Mark::Number(header.number));
        }
        Some(header) => header.sealed,
        // The header is the first thing that is written: a pack that is no
        // longer than it was never used.
        None if len <= HEADER_LEN as u64 => {
            return Ok(Loaded { state: PackState::Open { end: 0 }, entries: Vec::new() });
        }
        None => {
            return damaged(
                "the pack's header is damaged",
                0,
                Mark::Magic(PACK_MAGIC),
                Mark::Words("other bytes"),
            );
        }
    };
    let trailer_at = len.saturating_sub(TRAILER_LEN as u64);
    let mut trailer = [0; TRAILER_LEN];
    let read = disk::read_at(file, path, &mut trailer, trailer_at)?;
    match Footer::from_trailer(&trailer[..read], len) {
        Some(footer) => {
            let mut bytes = vec![0; footer.entries_len()];
            let read = disk::read_at(file, path, &mut bytes, footer.start)?;
            match footer.open(&bytes[..read]) {
                Ok(entries) => {
                    let state = if sealed { PackState::Sealed } else { PackState::Closed };
                    Ok(Loaded { state, entries: entries.into_vec() })
                }
                Err(actual) => damaged(
                    "the pack's footer is damaged",
                    footer.start,
                    Mark::Hash(footer.hash),
                    Mark::Hash(actual),
                ),
            }
        }
        None if sealed => damaged(
            "the pack's trailer is damaged",
            trailer_at,
            Mark::Words("a trailer"),
            Mark::Words("other bytes"),
        ),
        None => {
            let (entries, end) = scan_records(file, path, HEADER_LEN as u64, len)?;
            Ok(Loaded { state: PackState::Open { end }, entries })
        }
    }
}

/// Walks the records between two places of a pack: their entries in order, and
/// the place behind the last whole one.
///
/// A record whose head is damaged is stepped over by looking for the next one,
/// so that one bad byte does not hide the blobs behind it.
pub(crate) fn scan_records(
    file: &File,
    path: &Path,
    start: u64,
    len: u64,
) -> Result<(Vec<Entry>, u64), DiskError> {
    let mut entries = Vec::new();
    let (mut at, mut end) = (start, start);
    let mut head = [0; RECORD_LEN];
    while at + RECORD_LEN as u64 <= len {
        let read = disk::read_at(file, path, &mut head, at)?;
        match RecordHead::from_bytes(&head[..read]) {
            Some(RecordHead { blob, len: blob_len }) => {
                let behind = at + RECORD_LEN as u64 + u64::from(blob_len);
                if behind > len {
                    break;
                }
                entries.push(Entry { blob, offset: at, len: blob_len });
                at = behind;
                end = behind;
            }
            None => match next_record(file, path, at + 1, len)? {
                Some(next) => at = next,
                None => break,
            },
        }
    }
    Ok((entries, end))
}

/// Where the next thing begins that looks like a record.
fn next_record(file: &File, path: &Path, mut from: u64, len: u64) -> Result<Option<u64>, DiskError> {
    let mut chunk = vec![0; 1 << 16];
    while from + RECORD_LEN as u64 <= len {
        let read = disk::read_at(file, path, &mut chunk, from)?;
        let mut skip = 0;
        while let Some(found) = find(&chunk[skip..read], &RECORD_MAGIC) {
            let candidate = from + (skip + found) as u64;
            let mut head = [0; RECORD_LEN];
            let got = disk::read_at(file, path, &mut head, candidate)?;
            if RecordHead::from_bytes(&head[..got]).is_some() {
                return Ok(Some(candidate));
            }
            skip += found + 1;
        }
        if read < chunk.len() {
            break;
        }
        from += (read - 3) as u64;
    }
    Ok(None)
}

/// Finds a blob among entries that ascend by id. Ids are hashes, so where one
/// lies can be reckoned from its first bytes.
pub(crate) fn find_entry(entries: &[Entry], blob: &BlobId) -> Option<Entry> {
    let key = prefix(blob);
    let (mut low, mut high) = (0, entries.len());
    while high - low > 8 {
        let (first, last) = (prefix(&entries[low].blob), prefix(&entries[high - 1].blob));
        if key < first || key > last {
            return None;
        }
        let span = u128::from(last - first) + 1;
        let guess = low + (u128::from(key - first) * (high - low - 1) as u128 / span) as usize;
        match entries[guess].blob.cmp(blob) {
            std::cmp::Ordering::Equal => return Some(entries[guess]),
            std::cmp::Ordering::Less => low = guess + 1,
            std::cmp::Ordering::Greater => high = guess,
        }
    }
    entries[low..high].iter().find(|entry| entry.blob == *blob).copied()
}

pub(crate) fn prefix(blob: &BlobId) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blob.as_bytes()[..8]);
    u64::from_be_bytes(first)
}

const _: () = assert!(ENTRY_LEN == 48 && HEADER_LEN == 32);
