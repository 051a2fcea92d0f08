//! Keeping a blob again that is damaged where it lies.

use std::path::Path;

use safelight_lineage::digest::BlobId;

use super::reading::corrupt;
use super::{BlobError, Blobs, read};
use crate::disk;
use crate::error::Mark;
use crate::format::LARGE_BLOB;
use crate::objects::hash_of;
use crate::pack::{RECORD_LEN, pack_path};
use crate::repair::put_aside;

impl Blobs {
    /// Keeps `bytes` as `blob`, whatever is stored under that name already. A
    /// damaged file that bears the name goes to `aside`.
    ///
    /// # Errors
    ///
    /// [`BlobError::Corrupt`] when the bytes are not this blob's; otherwise as
    /// [`put`](Self::put).
    pub(crate) fn restore(&self, blob: BlobId, bytes: &[u8], aside: &Path) -> Result<(), BlobError> {
        let actual = BlobId::of(bytes);
        if actual != blob {
            return Err(corrupt(blob, Path::new("memory"), 0, Mark::Blob(actual)));
        }
        self.arrive()?;
        if (bytes.len() as u64) < LARGE_BLOB {
            return self.append(blob, bytes);
        }
        self.clear_object(blob, aside)?;
        let (_, unsynced) = self.inner.objects.put(&mut &*bytes, Path::new("memory"))?;
        self.writer().unsynced_folders.extend(unsynced);
        Ok(())
    }

    /// As [`restore`](Self::restore), from a file; false when its bytes are not
    /// this blob's any more.
    pub(crate) fn restore_file(&self, blob: BlobId, path: &Path, aside: &Path) -> Result<bool, BlobError> {
        let mut file = disk::open(path)?;
        if disk::len(&file, path)? < LARGE_BLOB {
            let bytes = disk::read(path)?;
            let fits = BlobId::of(&bytes) == blob;
            return if fits { self.restore(blob, &bytes, aside).map(|()| true) } else { Ok(false) };
        }
        self.arrive()?;
        self.clear_object(blob, aside)?;
        let (stored, unsynced) = self.inner.objects.put(&mut file, path)?;
        self.writer().unsynced_folders.extend(unsynced);
        Ok(stored == blob)
    }

    /// Puts the object of this name aside when it is damaged.
    fn clear_object(&self, blob: BlobId, aside: &Path) -> Result<(), BlobError> {
        let path = self.inner.objects.path(blob);
        match hash_of(&path) {
            Ok((actual, _)) if actual == blob => {}
            Ok(_) => {
                put_aside(&path, aside)?;
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The bytes of a blob when only what stands around them is damaged.
    pub(crate) fn salvage(&self, blob: BlobId) -> Option<Vec<u8>> {
        self.list(false).ok()?;
        self.find(blob).iter().find_map(|found| {
            let path = pack_path(&self.inner.packs, found.pack);
            let file = self.pack_file(found.pack, &path).ok()?;
            let mut bytes = vec![0; found.len as usize];
            disk::read_at(&file, &path, &mut bytes, found.offset + RECORD_LEN as u64).ok()?;
            (BlobId::of(&bytes) == blob).then_some(bytes)
        })
    }

    /// The bytes of a blob from one place, checked.
    pub(crate) fn get_from(
        &self,
        blob: BlobId,
        pack: u64,
        offset: u64,
        len: u32,
    ) -> Result<Vec<u8>, BlobError> {
        self.read_record(blob, pack, offset, len)
    }

    /// Begins a pack if none is being written.
    pub(crate) fn begin_pack(&self) -> Result<(), BlobError> {
        self.arrive()?;
        let mut writer = self.writer();
        if writer.pack.is_none() {
            let pack = self.begin(&mut writer)?;
            writer.pack = Some(pack);
        }
        Ok(())
    }

    /// Whether this process has put a blob and not yet sealed it.
    pub(super) fn is_own(&self, blob: BlobId) -> bool {
        read(&self.inner.own).contains_key(&blob)
    }
}
