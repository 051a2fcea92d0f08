//! The note that some blobs are absent on purpose.
//!
//! A repository that was made from an archive of one submission has the whole
//! journal, but only the blobs that this submission needs. The note says which
//! blobs the log named then that did not come along, so that nobody takes them
//! for lost.
//!
//! ```text
//!  0  4    magic "SLPA"
//!  4  1    version
//!  5  3    zero
//!  8  8    n
//! 16  n×32 ids, ascending
//!     32   BLAKE3 derive_key of all bytes before
//! ```

use std::path::{Path, PathBuf};

use safelight_lineage::digest::{BlobId, Hasher};

use crate::bytes::Fields;
use crate::disk::{self, DiskError};
use crate::format::{PARTIAL_MAGIC, PARTIAL_VERSION};

const CONTEXT: &str = "safelight 2026-11-24 partial v1";

fn path(store: &Path) -> PathBuf {
    store.join("partial")
}

/// The blobs that are absent on purpose, ascending; none when there is no note,
/// or one that makes no sense: then every absent blob counts as missing.
pub(crate) fn read(store: &Path) -> Option<Vec<BlobId>> {
    parse(&disk::read(&path(store)).ok()?)
}

fn parse(bytes: &[u8]) -> Option<Vec<BlobId>> {
    let (body, sum) = bytes.split_last_chunk::<32>()?;
    let mut fields = Fields::new(body);
    let magic = fields.array::<4>()?;
    let (version, zero) = (fields.u8()?, fields.array::<3>()?);
    let count = usize::try_from(fields.u64()?).ok()?;
    let good = magic == PARTIAL_MAGIC
        && version == PARTIAL_VERSION
        && zero == [0; 3]
        && count.checked_mul(32) == Some(fields.left())
        && Hasher::derive_key(CONTEXT).update(body).finish() == *sum;
    good.then(|| (0..count).map_while(|_| fields.array().map(BlobId)).collect())
}

/// Writes the note, or removes it when nothing is absent.
pub(crate) fn write(store: &Path, absent: &[BlobId]) -> Result<(), DiskError> {
    let path = path(store);
    if absent.is_empty() {
        disk::remove(&path)?;
        return disk::sync_dir(store);
    }
    let mut bytes = PARTIAL_MAGIC.to_vec();
    bytes.extend_from_slice(&[PARTIAL_VERSION, 0, 0, 0]);
    bytes.extend_from_slice(&(absent.len() as u64).to_le_bytes());
    for blob in absent {
        bytes.extend_from_slice(blob.as_bytes());
    }
    let sum = Hasher::derive_key(CONTEXT).update(&bytes).finish();
    bytes.extend_from_slice(&sum);
    let temporary = store.join("partial.new");
    disk::remove(&temporary)?;
    let file = disk::create_new(&temporary)?;
    disk::write_at(&file, &temporary, &bytes, 0)?;
    disk::sync_data(&file, &temporary)?;
    disk::rename(&temporary, &path)?;
    disk::sync_dir(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_or_not_at_all() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(read(dir.path()), None);
        let absent = vec![BlobId([1; 32]), BlobId([2; 32])];
        write(dir.path(), &absent).expect("written");
        assert_eq!(read(dir.path()), Some(absent));
        let whole = std::fs::read(path(dir.path())).expect("there");
        for place in 0..whole.len() {
            let mut bent = whole.clone();
            bent[place] ^= 4;
            assert_eq!(parse(&bent), None, "byte {place}");
            assert_eq!(parse(&whole[..place]), None, "cut to {place}");
        }
        write(dir.path(), &[]).expect("removed");
        assert!(!path(dir.path()).exists());
    }
}
