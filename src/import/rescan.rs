//! What the files of a folder were when it was imported last, so that those
//! which did not change need not be read again.
//!
//! Derived: it lies in `cache/rescan`, one file a folder, and can be deleted at
//! any time. One that is damaged is as good as none. A file is passed over only
//! when its [`Stamp`] is the same and older than the index, as in git: one that
//! was changed in the tick in which the index was begun is read again.
//!
//! ```text
//!  0 4  magic "SLRI"
//!  4 1  version
//!  5 1  how thoroughly pictures were checked: 0 structure, 1 decoded
//!  6 2  zero
//!  8 8  the file system's time when the walk began, ns since 1970
//! 16 8  number of files, n
//!       n times, ascending by path: length of the path 4, path, device 8,
//!       inode 8, size 8, modified 8, changed 8, blob 32
//!   32  BLAKE3 derive_key of all before
//! ```

use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::{BlobId, Hasher};
use safelight_lineage::value::PathBytes;

use super::probe::ProbeDepth;
use super::stamp::Stamp;

const MAGIC: &[u8; 4] = b"SLRI";
/// Rises when the probe accepts other pictures, too.
const VERSION: u8 = 1;
const CONTEXT: &str = "safelight 2026-11-24 rescan v1";
const ROW: usize = 4 + 5 * 8 + 32;

/// One file as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where, relative to the folder.
    pub path: PathBytes,
    /// What the file system said of it.
    pub stamp: Stamp,
    /// Its bytes.
    pub blob: BlobId,
}

/// The files of a folder as they were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RescanIndex {
    /// The time by the file system when the walk began that made it.
    pub begun: i64,
    /// How thoroughly its pictures were checked.
    pub depth: ProbeDepth,
    /// The files, ascending by path.
    pub rows: Vec<Row>,
}

/// Where the index of a folder lies.
fn path(cache: &Path, folder: &Path) -> PathBuf {
    let name = blake3::hash(folder.as_os_str().as_bytes()).to_hex();
    cache.join("rescan").join(format!("{}.files", &name[..32]))
}

/// The time as the file system of `cache` sees it: that of a file made now.
///
/// # Errors
/// When no file can be made there.
pub fn file_system_time(cache: &Path) -> io::Result<i64> {
    fs::create_dir_all(cache)?;
    let file = tempfile::Builder::new().prefix("time-").tempfile_in(cache)?;
    Ok(Stamp::of(&file.as_file().metadata()?).modified)
}

impl RescanIndex {
    /// The index of a folder, given by its canonical path; none when there is
    /// none or it makes no sense.
    pub fn read(cache: &Path, folder: &Path) -> Option<Self> {
        parse(&fs::read(path(cache, folder)).ok()?)
    }

    /// Keeps the index for the next time. It is not synced: a damaged one is
    /// noticed and costs time only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, cache: &Path, folder: &Path) -> io::Result<()> {
        let target = path(cache, folder);
        let dir = target.parent().unwrap_or(cache);
        fs::create_dir_all(dir)?;
        let mut file = tempfile::Builder::new().prefix("new-").tempfile_in(dir)?;
        file.write_all(&self.to_bytes())?;
        file.persist(&target)?;
        Ok(())
    }

    /// What the file was when its stamp was this one; none when it may have
    /// other bytes now, or was checked less thoroughly than is wanted.
    pub fn unchanged<'a>(&self, row: &'a Row, stamp: Stamp, depth: ProbeDepth) -> Option<&'a Row> {
        let thorough = self.depth == depth || self.depth == ProbeDepth::Decode;
        (thorough && row.stamp == stamp && !stamp.is_as_new_as(self.begun)).then_some(row)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.rows.len() * (ROW + 40));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[VERSION, u8::from(self.depth == ProbeDepth::Decode), 0, 0]);
        bytes.extend_from_slice(&self.begun.to_le_bytes());
        bytes.extend_from_slice(&(self.rows.len() as u64).to_le_bytes());
        for Row { path, stamp, blob } in &self.rows {
            bytes.extend_from_slice(&(path.as_bytes().len() as u32).to_le_bytes());
            bytes.extend_from_slice(path.as_bytes());
            for number in [stamp.device, stamp.inode, stamp.size] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            for time in [stamp.modified, stamp.changed] {
                bytes.extend_from_slice(&time.to_le_bytes());
            }
            bytes.extend_from_slice(blob.as_bytes());
        }
        let sum = Hasher::derive_key(CONTEXT).update(&bytes).finish();
        bytes.extend_from_slice(&sum);
        bytes
    }
}

/// Fields from the front of a slice.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }
}

fn parse(bytes: &[u8]) -> Option<RescanIndex> {
    let (body, sum) = bytes.split_last_chunk::<32>()?;
    let mut fields = Fields(body);
    if fields.take(4)? != MAGIC || Hasher::derive_key(CONTEXT).update(body).finish() != *sum {
        return None;
    }
    let depth = match fields.array()? {
        [VERSION, 0, 0, 0] => ProbeDepth::Structure,
        [VERSION, 1, 0, 0] => ProbeDepth::Decode,
        _ => return None,
    };
    let (begun, count) = (fields.i64()?, usize::try_from(fields.u64()?).ok()?);
    let mut rows = Vec::with_capacity(count.min(body.len() / ROW));
    for _ in 0..count {
        let len = u32::from_le_bytes(fields.array()?) as usize;
        let path = PathBytes::new(fields.take(len)?.to_vec());
        let stamp = Stamp {
            device: fields.u64()?,
            inode: fields.u64()?,
            size: fields.u64()?,
            modified: fields.i64()?,
            changed: fields.i64()?,
        };
        rows.push(Row { path, stamp, blob: BlobId(fields.array()?) });
    }
    fields.0.is_empty().then_some(RescanIndex { begun, depth, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str, changed: i64) -> Row {
        let stamp = Stamp { device: 1, inode: 2, size: 3, modified: 4, changed };
        Row { path: PathBytes::new(path.as_bytes()), stamp, blob: BlobId::of(path.as_bytes()) }
    }

    fn index() -> RescanIndex {
        RescanIndex {
            begun: 100,
            depth: ProbeDepth::Structure,
            rows: vec![row("a", 5), row("b\n\u{ff}", 99)],
        }
    }

    #[test]
    fn an_index_is_read_as_it_was_written_or_not_at_all() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Path::new("/some/photos");
        assert_eq!(RescanIndex::read(dir.path(), folder), None);
        index().write(dir.path(), folder).expect("written");
        assert_eq!(RescanIndex::read(dir.path(), folder), Some(index()));
        assert_eq!(RescanIndex::read(dir.path(), Path::new("/other")), None);
        let whole = index().to_bytes();
        for place in 0..whole.len() {
            let mut bent = whole.clone();
            bent[place] ^= 8;
            assert_eq!(parse(&bent), None, "byte {place}");
            assert_eq!(parse(&whole[..place]), None, "cut to {place}");
        }
    }

    #[test]
    fn only_a_stamp_that_is_the_same_and_old_is_believed() {
        let index = index();
        let row = &index.rows[0];
        let believed = |stamp, depth| index.unchanged(row, stamp, depth).is_some();
        assert!(believed(row.stamp, ProbeDepth::Structure));
        assert!(!believed(row.stamp, ProbeDepth::Decode), "it was not decoded then");
        for other in [
            Stamp { inode: 9, ..row.stamp },
            Stamp { size: 9, ..row.stamp },
            Stamp { modified: 9, ..row.stamp },
            Stamp { changed: 9, ..row.stamp },
            Stamp { device: 9, ..row.stamp },
        ] {
            assert!(!believed(other, ProbeDepth::Structure), "{other:?}");
        }
        // Changed in the tick in which the walk began.
        let racy = Row { stamp: Stamp { changed: 100, ..row.stamp }, ..row.clone() };
        assert!(index.unchanged(&racy, racy.stamp, ProbeDepth::Structure).is_none());
        let decoded = RescanIndex { depth: ProbeDepth::Decode, ..index.clone() };
        assert!(decoded.unchanged(row, row.stamp, ProbeDepth::Structure).is_some());
    }
}
