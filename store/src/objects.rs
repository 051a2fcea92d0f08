//! Blobs of 1 MiB and more: one file each, named by its hash.
//!
//! `objects/ab/cdef…` holds the bytes as they are. A file gets its name only
//! after all of it is on the disk.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use safelight_lineage::digest::BlobId;

use crate::disk::{self, DiskError, failed};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// The folder of single-file blobs.
#[derive(Debug)]
pub(crate) struct Objects {
    dir: PathBuf,
}

impl Objects {
    pub(crate) fn new(dir: &Path) -> Self {
        Objects { dir: dir.to_owned() }
    }

    /// Where a blob is or would be.
    pub(crate) fn path(&self, blob: BlobId) -> PathBuf {
        let name = blob.to_string();
        self.dir.join(&name[..2]).join(&name[2..])
    }

    /// The length of a blob, if it is here.
    pub(crate) fn len(&self, blob: BlobId) -> Result<Option<u64>, DiskError> {
        Ok(disk::metadata(&self.path(blob))?.filter(|data| data.is_file()).map(|data| data.len()))
    }

    /// Stores all that `source` gives, and says which folders must be synced
    /// before the blob's name is durable.
    pub(crate) fn put(
        &self,
        source: &mut dyn Read,
        source_path: &Path,
    ) -> Result<(BlobId, Vec<PathBuf>), DiskError> {
        let temporary = self.temporary()?;
        let result = self.write(source, source_path, &temporary);
        if result.is_err() {
            let _ = disk::remove(&temporary.0);
        }
        result
    }

    /// As [`put`](Self::put), but keeps nothing when the bytes are not those of
    /// `expected`.
    pub(crate) fn put_expected(
        &self,
        expected: BlobId,
        source: &mut dyn Read,
        source_path: &Path,
    ) -> Result<(BlobId, Vec<PathBuf>), DiskError> {
        let temporary = self.temporary()?;
        let result = self.write_if(source, source_path, &temporary, Some(expected));
        if !matches!(&result, Ok((blob, _)) if *blob == expected) {
            let _ = disk::remove(&temporary.0);
        }
        result
    }

    fn temporary(&self) -> Result<(PathBuf, File), DiskError> {
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = self.dir.join(format!("new-{}-{number}", std::process::id()));
            match disk::create_new(&path) {
                Ok(file) => {
                    // Held while it is written, so that gc knows it is in use.
                    disk::lock(&file, &path)?;
                    return Ok((path, file));
                }
                Err(error) if error.source.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn write(
        &self,
        source: &mut dyn Read,
        source_path: &Path,
        temporary: &(PathBuf, File),
    ) -> Result<(BlobId, Vec<PathBuf>), DiskError> {
        self.write_if(source, source_path, temporary, None)
    }

    fn write_if(
        &self,
        source: &mut dyn Read,
        source_path: &Path,
        (path, file): &(PathBuf, File),
        expected: Option<BlobId>,
    ) -> Result<(BlobId, Vec<PathBuf>), DiskError> {
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; 1 << 20];
        let mut len = 0;
        loop {
            let read = match source.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed("read", source_path)(error)),
            };
            hasher.update(&chunk[..read]);
            disk::write_at(file, path, &chunk[..read], len)?;
            len += read as u64;
        }
        let blob = BlobId(*hasher.finalize().as_bytes());
        if expected.is_some_and(|expected| expected != blob) {
            return Ok((blob, Vec::new()));
        }
        let target = self.path(blob);
        let Some(folder) = target.parent().map(Path::to_owned) else { return Ok((blob, Vec::new())) };
        // Should the folder have been made by somebody who did not sync it, we do.
        let unsynced = vec![self.dir.clone(), folder.clone()];
        disk::create_dir(&folder)?;
        if self.len(blob)? == Some(len) && hash_of(&target)?.0 == blob {
            disk::remove(path)?;
            return Ok((blob, unsynced));
        }
        disk::sync_data(file, path)?;
        disk::rename(path, &target)?;
        Ok((blob, unsynced))
    }
}

/// The hash and length of a file's bytes.
pub(crate) fn hash_of(path: &Path) -> Result<(BlobId, u64), DiskError> {
    let mut file = disk::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; 1 << 20];
    let mut len = 0;
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok((BlobId(*hasher.finalize().as_bytes()), len)),
            Ok(read) => {
                hasher.update(&chunk[..read]);
                len += read as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed("read", path)(error)),
        }
    }
}
