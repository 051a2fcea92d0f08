//! Blobs: bytes named by their hash, wherever they lie.

mod reading;
mod restore;

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use safelight_lineage::digest::BlobId;

use crate::disk::{self, DiskError, failed, shown};
use crate::error::Mark;
use crate::format::{LARGE_BLOB, PACK_ROLL};
use crate::index::BlobPlaces;
use crate::objects::Objects;
use crate::pack::{Catalog, Entry, Found, OpenPack, adopt};
use crate::presence::Presence;

/// Why a blob cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No pack and no object holds it.
    #[error("blob {0} is not in this repository")]
    NotFound(BlobId),
    /// What is stored under its name are other bytes.
    #[error("blob {expected} is damaged in {} at byte {offset}: found {actual}", shown(.file))]
    Corrupt {
        /// The file that it lies in.
        file: PathBuf,
        /// Where in that file.
        offset: u64,
        /// The blob that should be there.
        expected: BlobId,
        /// What is there.
        actual: Mark,
    },
    /// An earlier write may be lost, so nothing more is written. Open again.
    #[error("an earlier write to the packs failed; open the repository again to go on")]
    Poisoned,
    /// Garbage is being collected, and until that is done nothing is written.
    #[error("another process is collecting garbage in this repository, so nothing can be written to it now")]
    Collecting,
    /// A file call failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The blobs of a repository. Cheap to clone, and every clone is the same store.
#[derive(Debug, Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: PathBuf,
    packs: PathBuf,
    objects: Objects,
    catalog: RwLock<Catalog>,
    /// What this process has put into packs that are not in the catalog yet.
    own: RwLock<HashMap<BlobId, (u64, Entry)>>,
    writer: Mutex<Writer>,
    files: RwLock<HashMap<u64, Arc<File>>>,
    /// Held from the first put until the work is sealed.
    presence: Mutex<Option<Arc<Presence>>>,
}

#[derive(Debug, Default)]
struct Writer {
    pack: Option<OpenPack>,
    sealing: Vec<Sealing>,
    unsynced_folders: BTreeSet<PathBuf>,
    started: bool,
    poisoned: bool,
}

#[derive(Debug)]
struct Sealing {
    number: u64,
    thread: std::thread::JoinHandle<Result<Vec<Entry>, DiskError>>,
}

// A panic while a lock was held leaves maps that are whole: each is changed by
// single inserts. So a poisoned lock is used as it is.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Blobs {
    pub(crate) fn open(store: &Path) -> Self {
        let packs = store.join("packs");
        Blobs {
            inner: Arc::new(Inner {
                catalog: RwLock::new(Catalog::new(&packs)),
                objects: Objects::new(&store.join("objects")),
                own: RwLock::default(),
                writer: Mutex::default(),
                files: RwLock::default(),
                presence: Mutex::default(),
                store: store.to_owned(),
                packs,
            }),
        }
    }

    /// Keeps `bytes` and names them. What is kept already is not kept twice.
    ///
    /// The blob is durable only after [`sync`](Self::sync), which every append
    /// does first. Hashing happens outside the lock, so many threads may put at
    /// once.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn put(&self, bytes: &[u8]) -> Result<BlobId, BlobError> {
        let blob = BlobId::of(bytes);
        self.put_hashed(blob, bytes)?;
        Ok(blob)
    }

    /// As [`put`](Self::put), for bytes whose id the caller has computed.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn put_hashed(&self, blob: BlobId, bytes: &[u8]) -> Result<(), BlobError> {
        debug_assert_eq!(blob, BlobId::of(bytes));
        self.arrive()?;
        if bytes.len() as u64 >= LARGE_BLOB {
            let (_, unsynced) = self.inner.objects.put(&mut &*bytes, Path::new("memory"))?;
            self.writer().unsynced_folders.extend(unsynced);
            return Ok(());
        }
        if self.is_safe(blob)? {
            return Ok(());
        }
        self.append(blob, bytes)
    }

    /// Writes a small blob into this process's pack, unless it is there.
    fn append(&self, blob: BlobId, bytes: &[u8]) -> Result<(), BlobError> {
        let mut writer = self.writer();
        if writer.poisoned {
            return Err(BlobError::Poisoned);
        }
        if self.is_own(blob) {
            return Ok(());
        }
        if writer.pack.as_ref().is_some_and(|pack| pack.len >= PACK_ROLL) {
            self.seal_behind(&mut writer);
        }
        if writer.pack.is_none() {
            let pack = self.begin(&mut writer)?;
            writer.pack = Some(pack);
        }
        let Some(pack) = writer.pack.as_mut() else { return Err(BlobError::Poisoned) };
        let number = pack.number;
        match pack.append(blob, bytes) {
            Ok(entry) => {
                write(&self.inner.own).insert(blob, (number, entry));
                Ok(())
            }
            Err(error) => {
                writer.poisoned = pack.broken;
                Err(error.into())
            }
        }
    }

    /// Keeps the bytes of a file. From 1 MiB on they are never all in memory.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or the store not be written.
    pub fn put_file(&self, path: &Path) -> Result<BlobId, BlobError> {
        let mut file = disk::open(path)?;
        let mut bytes = Vec::new();
        let head = Read::take(&mut file, LARGE_BLOB).read_to_end(&mut bytes);
        if head.map_err(failed("read", path))? < LARGE_BLOB as usize {
            return self.put(&bytes);
        }
        self.arrive()?;
        let (blob, unsynced) = self.inner.objects.put(&mut (&*bytes).chain(file), path)?;
        self.writer().unsynced_folders.extend(unsynced);
        Ok(blob)
    }

    /// Keeps what `source` gives, 1 MiB or more, if it is this blob; says which
    /// blob it is.
    pub(crate) fn put_large(&self, blob: BlobId, source: &mut dyn Read) -> Result<BlobId, BlobError> {
        self.arrive()?;
        let (actual, unsynced) = self.inner.objects.put_expected(blob, source, Path::new("archive"))?;
        self.writer().unsynced_folders.extend(unsynced);
        Ok(actual)
    }

    /// Makes every blob that was put survive a power cut.
    ///
    /// # Errors
    ///
    /// When the disk says it cannot. Then nothing more can be put: what is on
    /// the disk is not known any more, and asking again would not tell.
    pub fn sync(&self) -> Result<(), BlobError> {
        let mut writer = self.writer();
        if writer.poisoned {
            return Err(BlobError::Poisoned);
        }
        let result = self.sync_all(&mut writer);
        writer.poisoned = result.is_err();
        result
    }

    fn sync_all(&self, writer: &mut Writer) -> Result<(), BlobError> {
        if let Some(pack) = writer.pack.as_mut() {
            pack.sync()?;
        }
        for sealing in writer.sealing.drain(..) {
            self.settle(sealing)?;
        }
        for folder in std::mem::take(&mut writer.unsynced_folders) {
            disk::sync_dir(&folder)?;
        }
        Ok(())
    }

    /// Ends the pack that is being written, so that others can rely on it.
    /// Happens by itself when the last clone goes.
    ///
    /// # Errors
    ///
    /// As [`sync`](Self::sync).
    pub fn seal(&self) -> Result<(), BlobError> {
        let mut writer = self.writer();
        if writer.poisoned {
            return Err(BlobError::Poisoned);
        }
        self.seal_behind(&mut writer);
        let result = self.sync_all(&mut writer);
        writer.poisoned = result.is_err();
        if result.is_ok() {
            self.inner.presence.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        result
    }

    /// Keeps the collector of garbage away from here on: what is put, and what
    /// is found to be there already, stays until [`seal`](Self::seal).
    fn arrive(&self) -> Result<(), BlobError> {
        let mut presence = self.inner.presence.lock().unwrap_or_else(PoisonError::into_inner);
        if presence.is_none() {
            *presence = Some(Arc::new(Presence::writer(&self.inner.store)?));
        }
        Ok(())
    }

    /// Keeps the collector away for as long as the answer lives.
    pub(crate) fn present(&self) -> Result<Arc<Presence>, BlobError> {
        match &*self.inner.presence.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(presence) => Ok(presence.clone()),
            None => Ok(Arc::new(Presence::writer(&self.inner.store)?)),
        }
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a blob is here in a way that this process need not care for.
    fn is_safe(&self, blob: BlobId) -> Result<bool, BlobError> {
        if read(&self.inner.own).contains_key(&blob) {
            return Ok(true);
        }
        self.list(false)?;
        Ok(self.find(blob).iter().any(|found| found.durable))
    }

    /// Lists the packs the first time, or again when they have changed.
    fn list(&self, again: bool) -> Result<bool, DiskError> {
        let stale = {
            let catalog = read(&self.inner.catalog);
            if again { catalog.is_stale() } else { !catalog.is_listed() }
        };
        if stale {
            write(&self.inner.catalog).refresh()?;
        }
        Ok(stale)
    }

    fn find(&self, blob: BlobId) -> Vec<Found> {
        let catalog = read(&self.inner.catalog);
        if !catalog.wants_table() {
            return catalog.find(&blob);
        }
        drop(catalog);
        let mut catalog = write(&self.inner.catalog);
        catalog.make_table();
        catalog.find(&blob)
    }

    /// Begins a pack; the first time, after sealing what crashes have left.
    fn begin(&self, writer: &mut Writer) -> Result<OpenPack, DiskError> {
        if !writer.started {
            self.list(true)?;
            let unsealed = read(&self.inner.catalog).unsealed();
            for number in unsealed {
                adopt(&self.inner.packs, number)?;
            }
            writer.started = true;
        }
        let pack = OpenPack::create(&self.inner.packs)?;
        write(&self.inner.catalog).leave_out(pack.number);
        Ok(pack)
    }

    /// Lets a thread seal the current pack while the next one is filled.
    fn seal_behind(&self, writer: &mut Writer) {
        if let Some(pack) = writer.pack.take() {
            let number = pack.number;
            writer.sealing.push(Sealing { number, thread: std::thread::spawn(|| pack.seal()) });
        }
    }

    fn settle(&self, sealing: Sealing) -> Result<(), DiskError> {
        let entries = match sealing.thread.join() {
            Ok(result) => result?,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        write(&self.inner.catalog).settle(sealing.number, entries);
        write(&self.inner.own).retain(|_, (number, _)| *number != sealing.number);
        Ok(())
    }
}

impl BlobPlaces for Blobs {
    fn place(&self, blob: BlobId) -> Option<(u64, u64, u32)> {
        if let Some((pack, entry)) = read(&self.inner.own).get(&blob) {
            return Some((*pack, entry.offset, entry.len));
        }
        self.list(false).ok()?;
        self.find(blob).first().map(|found| (found.pack, found.offset, found.len))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        for sealing in writer.sealing.drain(..) {
            let _ = sealing.thread.join();
        }
        if let Some(pack) = writer.pack.take()
            && !writer.poisoned
        {
            // Not sealed, it is sealed by whoever writes next.
            let _ = pack.seal();
        }
    }
}
