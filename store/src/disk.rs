//! Every call on a file goes through here: it names the path in its error, and
//! a test can make the n-th call fail.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use safelight_lineage::value::escape;

use crate::fault::{self, Call};

/// A file call that failed: which, on what, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {call} {}: {source}", shown(.path))]
pub struct DiskError {
    /// What was tried, in words.
    pub call: &'static str,
    /// On which file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl DiskError {
    /// Whether the file or folder was not there.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Whether the place cannot be written by us at all.
    pub fn is_read_only(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
    }
}

/// The bytes of a path, harmless on a terminal.
pub(crate) fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}

pub(crate) fn failed(call: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    move |source| DiskError { call, path: path.to_owned(), source }
}

fn call<T>(name: &'static str, path: &Path, act: impl FnOnce() -> io::Result<T>) -> Result<T, DiskError> {
    fault::strike(Call::Changes).and_then(|()| act()).map_err(failed(name, path))
}

/// As [`call`], for calls that change nothing.
fn look<T>(name: &'static str, path: &Path, act: impl FnOnce() -> io::Result<T>) -> Result<T, DiskError> {
    fault::strike(Call::Looks).and_then(|()| act()).map_err(failed(name, path))
}

/// Opens for reading only.
pub(crate) fn open(path: &Path) -> Result<File, DiskError> {
    look("open", path, || File::open(path))
}

/// Opens an existing file for reading and writing.
pub(crate) fn open_rw(path: &Path) -> Result<File, DiskError> {
    call("open for writing", path, || OpenOptions::new().read(true).write(true).open(path))
}

/// Opens a file for reading and writing, making it when missing.
pub(crate) fn open_or_create(path: &Path) -> Result<File, DiskError> {
    call("open or create", path, || {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    })
}

/// Makes a file that must not be there yet.
pub(crate) fn create_new(path: &Path) -> Result<File, DiskError> {
    call("create", path, || OpenOptions::new().read(true).write(true).create_new(true).mode(0o644).open(path))
}

/// Makes a folder; one that is there already is fine. True when it was made.
pub(crate) fn create_dir(path: &Path) -> Result<bool, DiskError> {
    call("create folder", path, || match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(error),
    })
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_at(file: &File, path: &Path, bytes: &[u8], offset: u64) -> Result<(), DiskError> {
    match fault::strike(Call::Changes) {
        Ok(()) => file.write_all_at(bytes, offset),
        Err(error) => {
            // A real failing write often leaves a part behind: so does this one.
            if let Some(part) = bytes.get(..bytes.len() / 2) {
                let _ = file.write_all_at(part, offset);
            }
            Err(error)
        }
    }
    .map_err(failed("write", path))
}

/// Cuts or extends a file.
pub(crate) fn set_len(file: &File, path: &Path, len: u64) -> Result<(), DiskError> {
    call("set the length of", path, || file.set_len(len))
}

/// Makes the contents and length of a file survive a power cut.
pub(crate) fn sync_data(file: &File, path: &Path) -> Result<(), DiskError> {
    call("sync", path, || Ok(rustix::fs::fdatasync(file)?))
}

/// Makes the names in a folder survive a power cut.
pub(crate) fn sync_dir(path: &Path) -> Result<(), DiskError> {
    call("sync folder", path, || File::open(path)?.sync_all())
}

/// Renames, replacing.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), DiskError> {
    call("rename to", to, || fs::rename(from, to))
}

/// Unlinks a file; one that is gone already is fine.
pub(crate) fn remove(path: &Path) -> Result<(), DiskError> {
    call("remove", path, || match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    })
}

/// Removes a folder and all in it; one that is gone already is fine.
pub(crate) fn remove_all(path: &Path) -> Result<(), DiskError> {
    call("remove folder", path, || match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    })
}

/// Waits for the exclusive lock on an open file.
pub(crate) fn lock(file: &File, path: &Path) -> Result<(), DiskError> {
    look("lock", path, || {
        loop {
            match rustix::fs::flock(file, FlockOperation::LockExclusive) {
                Err(rustix::io::Errno::INTR) => continue,
                other => return Ok(other?),
            }
        }
    })
}

/// Takes the exclusive lock on an open file if it is free.
pub(crate) fn try_lock(file: &File, path: &Path) -> Result<bool, DiskError> {
    look("lock", path, || match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno.into()),
    })
}

/// Takes a share of the lock on an open file unless somebody holds it alone.
pub(crate) fn try_lock_shared(file: &File, path: &Path) -> Result<bool, DiskError> {
    look("lock", path, || match rustix::fs::flock(file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno.into()),
    })
}

/// Gives a lock back.
pub(crate) fn unlock(file: &File) {
    // Closing the file gives it back too, so a failure here costs nothing.
    let _ = rustix::fs::flock(file, FlockOperation::Unlock);
}

/// The length of an open file.
pub(crate) fn len(file: &File, path: &Path) -> Result<u64, DiskError> {
    Ok(file_metadata(file, path)?.len())
}

/// What is known of a file or folder; none when it is not there.
pub(crate) fn metadata(path: &Path) -> Result<Option<fs::Metadata>, DiskError> {
    look("examine", path, || match fs::metadata(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        other => other.map(Some),
    })
}

/// Whether there is a file or folder of this name. Not knowing is an error: who
/// took it for a no would write over what is there.
pub(crate) fn exists(path: &Path) -> Result<bool, DiskError> {
    Ok(metadata(path)?.is_some())
}

/// Whether there is a folder of this name.
pub(crate) fn is_dir(path: &Path) -> Result<bool, DiskError> {
    Ok(metadata(path)?.is_some_and(|data| data.is_dir()))
}

/// What is known of an open file.
pub(crate) fn file_metadata(file: &File, path: &Path) -> Result<fs::Metadata, DiskError> {
    look("examine", path, || file.metadata())
}

/// What is in a folder, in no order; nothing when it is not there.
pub(crate) fn entries(dir: &Path) -> Result<Vec<fs::DirEntry>, DiskError> {
    look("list", dir, || match fs::read_dir(dir) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    })
}

/// Whether a folder is there and has anything in it.
pub(crate) fn is_filled(dir: &Path) -> Result<bool, DiskError> {
    Ok(!entries(dir)?.is_empty())
}

/// Reads up to `buffer.len()` bytes at `offset`; less only at the end.
pub(crate) fn read_at(file: &File, path: &Path, buffer: &mut [u8], offset: u64) -> Result<usize, DiskError> {
    look("read", path, || {
        let mut done = 0;
        while done < buffer.len() {
            match file.read_at(&mut buffer[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    })
}

/// The whole of a small file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DiskError> {
    look("read", path, || fs::read(path))
}

/// The files in a folder named by a number and `.suffix`, ascending.
pub(crate) fn numbered(dir: &Path, suffix: &str) -> Result<Vec<u64>, DiskError> {
    let mut numbers = Vec::new();
    for entry in look("list", dir, || fs::read_dir(dir))? {
        let name = entry.map_err(failed("list", dir))?.file_name();
        let path = Path::new(&name);
        if path.extension() != Some(OsStr::new(suffix)) {
            continue;
        }
        let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        if stem.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(number) = stem.parse()
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// The folders in a folder, in no order; none when it cannot be listed.
pub(crate) fn folders(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
