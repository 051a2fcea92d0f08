//! Reading blobs: from the packs, from the large ones, in pieces or whole, and
//! never without checking them against their names.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safelight_lineage::digest::BlobId;

use super::{BlobError, Blobs, read, write};
use crate::disk::{self, DiskError, failed};
use crate::error::Mark;
use crate::pack::{RECORD_LEN, RecordHead, pack_path};

/// So many packs are kept open for reading.
const OPEN_FILES: usize = 128;

impl Blobs {
    /// Gives `each` the bytes of a blob in pieces, until it says no. A large
    /// blob is never all in memory; whether its bytes were right is known at
    /// the end only.
    pub(crate) fn read_through(
        &self,
        blob: BlobId,
        each: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), BlobError> {
        let path = self.inner.objects.path(blob);
        let mut file = match disk::open(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => {
                each(&self.get(blob)?);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; 1 << 20];
        loop {
            match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => {
                    hasher.update(&chunk[..read]);
                    if !each(&chunk[..read]) {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("read", &path)(error).into()),
            }
        }
        match BlobId(*hasher.finalize().as_bytes()) {
            actual if actual == blob => Ok(()),
            actual => Err(corrupt(blob, &path, 0, Mark::Blob(actual))),
        }
    }

    /// The bytes of a blob, checked against its name.
    ///
    /// # Errors
    ///
    /// [`BlobError::NotFound`], or [`BlobError::Corrupt`] when every copy of it
    /// is damaged.
    pub fn get(&self, blob: BlobId) -> Result<Vec<u8>, BlobError> {
        match self.try_get(blob) {
            // It may have come, been moved by gc or been repaired since the
            // packs were listed.
            Err(BlobError::NotFound(_) | BlobError::Corrupt { .. }) => {
                self.look_again()?;
                self.try_get(blob)
            }
            other => other,
        }
    }

    /// Lists the packs again and opens their files again.
    pub(crate) fn look_again(&self) -> Result<(), DiskError> {
        write(&self.inner.catalog).refresh()?;
        write(&self.inner.files).clear();
        Ok(())
    }

    /// As [`get`](Self::get), from where the index says that it lies. None when
    /// it does not lie there: then only `get` knows.
    pub(crate) fn get_at(&self, blob: BlobId, (pack, offset, len): (u64, u64, u32)) -> Option<Vec<u8>> {
        self.read_record(blob, pack, offset, len).ok()
    }

    /// The file that holds exactly this blob, when it has one to itself: those
    /// of 1 MiB and more do. Its bytes are not looked at, and it must never be
    /// written to.
    pub fn file_of(&self, blob: BlobId) -> Option<PathBuf> {
        self.inner.objects.len(blob).ok().flatten().map(|_| self.inner.objects.path(blob))
    }

    /// The length of a blob, if it is here. Its bytes are not looked at.
    ///
    /// # Errors
    ///
    /// When the packs cannot be listed.
    pub fn len(&self, blob: BlobId) -> Result<Option<u64>, BlobError> {
        if let Some((_, entry)) = read(&self.inner.own).get(&blob) {
            return Ok(Some(entry.len.into()));
        }
        self.list(false)?;
        for again in [false, true] {
            if again && !self.list(true)? {
                break;
            }
            if let Some(found) = self.find(blob).first() {
                return Ok(Some(found.len.into()));
            }
        }
        Ok(self.inner.objects.len(blob)?)
    }

    /// Whether a blob is here. Its bytes are not looked at.
    ///
    /// # Errors
    ///
    /// When the packs cannot be listed.
    pub fn contains(&self, blob: BlobId) -> Result<bool, BlobError> {
        Ok(self.len(blob)?.is_some())
    }

    pub(super) fn try_get(&self, blob: BlobId) -> Result<Vec<u8>, BlobError> {
        let own = read(&self.inner.own).get(&blob).copied();
        if let Some((number, entry)) = own {
            return self.read_record(blob, number, entry.offset, entry.len);
        }
        self.list(false)?;
        let mut worst = BlobError::NotFound(blob);
        for found in self.find(blob) {
            match self.read_record(blob, found.pack, found.offset, found.len) {
                Ok(bytes) => return Ok(bytes),
                Err(BlobError::Disk(error)) if error.is_not_found() => {}
                Err(error) => worst = error,
            }
        }
        let path = self.inner.objects.path(blob);
        match disk::read(&path) {
            Ok(bytes) => match BlobId::of(&bytes) {
                actual if actual == blob => Ok(bytes),
                actual => Err(corrupt(blob, &path, 0, Mark::Blob(actual))),
            },
            Err(error) if error.is_not_found() => Err(worst),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn read_record(
        &self,
        blob: BlobId,
        number: u64,
        offset: u64,
        len: u32,
    ) -> Result<Vec<u8>, BlobError> {
        let path = pack_path(&self.inner.packs, number);
        let file = self.pack_file(number, &path)?;
        let mut bytes = vec![0; RECORD_LEN + len as usize];
        let read = disk::read_at(&file, &path, &mut bytes, offset)?;
        if read < bytes.len() {
            return Err(corrupt(blob, &path, offset, Mark::Bytes(read as u64)));
        }
        let payload = bytes.split_off(RECORD_LEN);
        match RecordHead::from_bytes(&bytes) {
            Some(head) if head == (RecordHead { blob, len }) => {}
            Some(head) => return Err(corrupt(blob, &path, offset, Mark::Blob(head.blob))),
            None => return Err(corrupt(blob, &path, offset, Mark::Words("a damaged record head"))),
        }
        match BlobId::of(&payload) {
            actual if actual == blob => Ok(payload),
            actual => Err(corrupt(blob, &path, offset, Mark::Blob(actual))),
        }
    }

    pub(super) fn pack_file(&self, number: u64, path: &Path) -> Result<Arc<File>, DiskError> {
        if let Some(file) = read(&self.inner.files).get(&number) {
            return Ok(file.clone());
        }
        let file = Arc::new(disk::open(path)?);
        let mut files = write(&self.inner.files);
        if files.len() >= OPEN_FILES {
            files.clear();
        }
        files.insert(number, file.clone());
        Ok(file)
    }
}

pub(super) fn corrupt(blob: BlobId, file: &Path, offset: u64, actual: Mark) -> BlobError {
    BlobError::Corrupt { expected: blob, file: file.to_owned(), offset, actual }
}
