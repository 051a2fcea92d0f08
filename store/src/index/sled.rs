//! sled 0.34.7, contained: see `notes` on why.
//!
//! It is opened under a lock of ours, after removing the torn snapshot files
//! that it chokes on, and every call is guarded against its panics. Whatever
//! goes wrong, the answer is [`Broken`], and the folder is deleted.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::disk;

/// Why the index cannot be used. It will be made again.
#[derive(Debug)]
pub(super) struct Broken(pub(super) String);

/// A key and its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// A sorted map of bytes that survives, most of the time.
#[derive(Debug)]
pub(super) struct Map {
    db: Option<::sled::Db>,
    dir: PathBuf,
    _lock: File,
}

fn guarded<T>(act: impl FnOnce() -> Result<T, ::sled::Error>) -> Result<T, Broken> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(result) => result.map_err(|error| Broken(error.to_string())),
        Err(_) => Err(Broken("sled panicked".into())),
    }
}

impl Map {
    /// Opens the map in `index`; none when another process has it.
    pub(super) fn open(index: &Path) -> Result<Option<Map>, Broken> {
        let disk_error = |error: disk::DiskError| Broken(error.to_string());
        disk::create_dir(index).map_err(disk_error)?;
        let lock_path = index.join("lock");
        let lock = disk::open_or_create(&lock_path).map_err(disk_error)?;
        if !disk::try_lock(&lock, &lock_path).map_err(disk_error)? {
            return Ok(None);
        }
        let dir = index.join("sled");
        remove_torn_snapshots(&dir);
        let config = ::sled::Config::default()
            .path(&dir)
            .cache_capacity(16 << 20)
            .mode(::sled::Mode::LowSpace)
            .flush_every_ms(None);
        let db = guarded(|| config.open()).inspect_err(|_| {
            let _ = disk::remove_all(&dir);
        })?;
        Ok(Some(Map { db: Some(db), dir, _lock: lock }))
    }

    fn with<T>(&self, act: impl FnOnce(&::sled::Db) -> Result<T, ::sled::Error>) -> Result<T, Broken> {
        match &self.db {
            Some(db) => guarded(|| act(db)),
            None => Err(Broken("it was given up".into())),
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        self.with(|db| Ok(db.get(key)?.map(|value| value.to_vec())))
    }

    /// The last pair whose key is not above `key`.
    pub(super) fn at_or_before(&self, key: &[u8]) -> Result<Option<Pair>, Broken> {
        self.with(|db| {
            let pair = db.range(..=key).next_back().transpose()?;
            Ok(pair.map(|(key, value)| (key.to_vec(), value.to_vec())))
        })
    }

    /// The keys that begin with `prefix`, ascending.
    pub(super) fn keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, Broken> {
        self.with(|db| db.scan_prefix(prefix).keys().map(|key| Ok(key?.to_vec())).collect())
    }

    /// Writes pairs, one after another. Not as a batch of sled's: of a batch of
    /// thousands it never frees some three kilobytes a pair, which for a million
    /// events is gigabytes, and it takes twice as long.
    pub(super) fn insert(&self, pairs: Vec<Pair>) -> Result<(), Broken> {
        self.with(|db| pairs.into_iter().try_for_each(|(key, value)| db.insert(key, value).map(drop)))
    }

    /// Brings what was written to the disk.
    pub(super) fn flush(&self) -> Result<(), Broken> {
        self.with(|db| db.flush().map(|_| ()))
    }

    /// Gives the map up and deletes its files.
    pub(super) fn destroy(mut self) {
        self.close();
        let _ = disk::remove_all(&self.dir);
    }

    fn close(&mut self) {
        let db = self.db.take();
        // Its last flush may panic as well as any other.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(db)));
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        self.close();
    }
}

/// sled's loader stumbles over snapshots that it did not finish writing.
fn remove_torn_snapshots(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && (name.ends_with(".generating") || name.ends_with(".in___motion")) {
            let _ = disk::remove(&entry.path());
        }
    }
}
