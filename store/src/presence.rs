//! Who is at work in a repository: writers of blobs, or the collector of garbage.
//!
//! A blob is written before the frame that names it, and a blob that is there
//! already is not written again. Between that decision and the frame, only
//! this lock stands between the blob and a collector that finds no event
//! naming it. So whoever puts blobs or appends holds `writers` shared, and the
//! collector holds it alone. Neither waits for the other: each is told.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::blobs::BlobError;
use crate::disk::{self, DiskError};

/// The lock, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Presence {
    file: File,
}

impl Presence {
    fn path(store: &Path) -> PathBuf {
        store.join("writers")
    }

    /// Present as one writer of many.
    ///
    /// # Errors
    ///
    /// [`BlobError::Collecting`] while garbage is being collected.
    pub(crate) fn writer(store: &Path) -> Result<Self, BlobError> {
        let path = Self::path(store);
        let file = disk::open_or_create(&path)?;
        match disk::try_lock_shared(&file, &path)? {
            true => Ok(Presence { file }),
            false => Err(BlobError::Collecting),
        }
    }

    /// Present alone; none while anybody writes.
    pub(crate) fn alone(store: &Path) -> Result<Option<Self>, DiskError> {
        let path = Self::path(store);
        let file = disk::open_or_create(&path)?;
        Ok(disk::try_lock(&file, &path)?.then_some(Presence { file }))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        disk::unlock(&self.file);
    }
}
