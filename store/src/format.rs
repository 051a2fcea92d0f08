//! The magic numbers and versions of every file, and the FORMAT file that says
//! which of them a repository uses. `store/FORMAT.md` has the byte maps.

use std::path::Path;

use crate::disk::{self, DiskError};
use crate::error::StoreError;

/// The folder that makes its parent a repository.
pub const STORE_DIR: &str = ".safelight";

/// What the FORMAT file of this version says.
///
/// History: 1, the first (November 2026).
pub const FORMAT_LINE: &str = "safelight store 1";

pub(crate) const FRAME_MAGIC: [u8; 4] = *b"SLFR";
/// History: 1, the first.
pub(crate) const ENVELOPE_VERSION: u8 = 1;
pub(crate) const SEGMENT_MAGIC: [u8; 4] = *b"SLJS";
/// History: 1, the first.
pub(crate) const SEGMENT_VERSION: u8 = 1;
pub(crate) const ACKNOWLEDGED_MAGIC: [u8; 4] = *b"SLAK";
/// History: 1, the first.
pub(crate) const ACKNOWLEDGED_VERSION: u8 = 1;
pub(crate) const PACK_MAGIC: [u8; 4] = *b"SLPK";
/// History: 1, the first.
pub(crate) const PACK_VERSION: u8 = 1;
pub(crate) const RECORD_MAGIC: [u8; 4] = *b"SLPR";
pub(crate) const TRAILER_MAGIC: [u8; 4] = *b"SLPF";
pub(crate) const SNAPSHOT_MAGIC: [u8; 4] = *b"SLSN";
/// History: 1, the first. 2: hashed in blocks.
pub(crate) const SNAPSHOT_VERSION: u8 = 2;

pub(crate) const PARTIAL_MAGIC: [u8; 4] = *b"SLPA";
/// History: 1, the first.
pub(crate) const PARTIAL_VERSION: u8 = 1;
pub(crate) const ARCHIVE_MAGIC: [u8; 4] = *b"SLAR";
pub(crate) const ITEM_MAGIC: [u8; 4] = *b"SLAI";
/// History: 1, the first.
pub(crate) const ARCHIVE_VERSION: u8 = 1;

/// A new segment begins when the current one has grown this long.
pub(crate) const SEGMENT_ROLL: u64 = 64 << 20;
/// A new pack begins when the current one has grown this long.
pub(crate) const PACK_ROLL: u64 = 64 << 20;
/// Blobs of this length and more are files of their own.
pub const LARGE_BLOB: u64 = 1 << 20;
/// No frame is longer.
pub(crate) const MAX_FRAME: usize = 1 << 30;

/// Refuses a repository that this version does not understand.
pub(crate) fn check(store: &Path) -> Result<(), StoreError> {
    let file = store.join("FORMAT");
    let found = disk::read(&file)?;
    if found.strip_suffix(b"\n").unwrap_or(&found) == FORMAT_LINE.as_bytes() {
        return Ok(());
    }
    let shown = safelight_lineage::value::escape(&found[..found.len().min(80)]);
    Err(StoreError::UnsupportedFormat { file, found: shown, supported: FORMAT_LINE })
}

/// Writes the FORMAT file. It comes last: with it, a folder is a repository.
pub(crate) fn write(store: &Path) -> Result<(), DiskError> {
    let temporary = store.join("FORMAT.new");
    disk::remove(&temporary)?;
    let file = disk::create_new(&temporary)?;
    disk::write_at(&file, &temporary, format!("{FORMAT_LINE}\n").as_bytes(), 0)?;
    disk::sync_data(&file, &temporary)?;
    disk::rename(&temporary, &store.join("FORMAT"))?;
    disk::sync_dir(store)
}
