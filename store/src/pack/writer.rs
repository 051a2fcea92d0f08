//! Writing a pack: this process's own, from the first record to the seal.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_lineage::digest::BlobId;

use super::read::HEADER_LEN;
use super::{Entry, Footer, Header, Loaded, PackState, RECORD_LEN, RecordHead, load, pack_path, packs};
use crate::disk::{self, DiskError};

/// The pack that this process is writing. It holds the lock on it, so nobody
/// else takes it for the remains of a crash.
#[derive(Debug)]
pub(crate) struct OpenPack {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<File>,
    pub(crate) len: u64,
    entries: Vec<Entry>,
    scratch: Vec<u8>,
    unsynced: bool,
    /// There are bytes behind the end that could not be cut.
    pub(crate) broken: bool,
}

impl OpenPack {
    /// Makes a pack with the next free number.
    pub(crate) fn create(dir: &Path) -> Result<Self, DiskError> {
        let mut number = packs(dir)?.last().map_or(1, |last| last + 1);
        loop {
            let path = pack_path(dir, number);
            let file = match disk::create_new(&path) {
                Ok(file) => file,
                Err(error) if error.source.kind() == std::io::ErrorKind::AlreadyExists => {
                    number += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Between the two calls somebody may have found an empty pack that
            // nobody holds, and removed it.
            disk::lock(&file, &path)?;
            if !still_named(&file, &path) {
                number += 1;
                continue;
            }
            disk::write_at(&file, &path, &Header { number, sealed: false }.to_bytes(), 0)?;
            disk::sync_dir(dir)?;
            return Ok(OpenPack {
                number,
                path,
                file: Arc::new(file),
                len: HEADER_LEN as u64,
                entries: Vec::new(),
                scratch: Vec::new(),
                unsynced: true,
                broken: false,
            });
        }
    }

    /// Appends one blob, whose id the caller has computed.
    pub(crate) fn append(&mut self, blob: BlobId, bytes: &[u8]) -> Result<Entry, DiskError> {
        let len = bytes.len() as u32;
        self.scratch.clear();
        self.scratch.extend_from_slice(&RecordHead { blob, len }.to_bytes());
        self.scratch.extend_from_slice(bytes);
        self.unsynced = true;
        if let Err(error) = disk::write_at(&self.file, &self.path, &self.scratch, self.len) {
            // What is left of it must not stand behind the footer later.
            self.broken |= disk::set_len(&self.file, &self.path, self.len).is_err();
            return Err(error);
        }
        let entry = Entry { blob, offset: self.len, len };
        self.len += (RECORD_LEN + bytes.len()) as u64;
        self.entries.push(entry);
        Ok(entry)
    }

    /// Makes all that was appended survive a power cut.
    pub(crate) fn sync(&mut self) -> Result<(), DiskError> {
        if self.unsynced {
            disk::sync_data(&self.file, &self.path)?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Ends the pack: footer, sync, and only then the word in its header.
    pub(crate) fn seal(self) -> Result<Vec<Entry>, DiskError> {
        let (entries, footer) = Footer::seal(self.entries, self.len);
        disk::write_at(&self.file, &self.path, &footer, self.len)?;
        disk::sync_data(&self.file, &self.path)?;
        let header = Header { number: self.number, sealed: true };
        // Lost in a power cut, this costs the next one a look, nothing else.
        disk::write_at(&self.file, &self.path, &header.to_bytes(), 0)?;
        disk::unlock(&self.file);
        Ok(entries)
    }
}

fn still_named(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (disk::file_metadata(file, path), disk::metadata(path)) {
        (Ok(open), Ok(Some(named))) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Seals a pack that a crash has left, if nobody is writing it.
///
/// Every whole record is kept, also behind a damaged one; only an unfinished
/// write at the very end is cut.
pub(crate) fn adopt(dir: &Path, number: u64) -> Result<bool, DiskError> {
    let path = pack_path(dir, number);
    let file = match disk::open_rw(&path) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return Ok(false),
        Err(error) => return Err(error),
    };
    if !disk::try_lock(&file, &path)? || !still_named(&file, &path) {
        return Ok(false);
    }
    let Loaded { state, entries } = load(&file, &path, number)?;
    let written = file.metadata().and_then(|data| data.modified());
    match state {
        PackState::Sealed | PackState::Damaged { .. } => return Ok(false),
        PackState::Closed => disk::sync_data(&file, &path)?,
        PackState::Open { .. } if entries.is_empty() => {
            disk::remove(&path)?;
            return Ok(true);
        }
        PackState::Open { end } => {
            let (_, footer) = Footer::seal(entries, end);
            disk::set_len(&file, &path, end)?;
            disk::write_at(&file, &path, &footer, end)?;
            disk::sync_data(&file, &path)?;
        }
    }
    disk::write_at(&file, &path, &Header { number, sealed: true }.to_bytes(), 0)?;
    // Its blobs are as old as they were: the grace period counts from there.
    let _ = written.and_then(|written| file.set_modified(written));
    disk::unlock(&file);
    Ok(true)
}
