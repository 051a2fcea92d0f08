//! A dataset as it was, written as a folder of images.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;
use safelight_lineage::digest::{BlobId, ManifestDigest};
use safelight_lineage::query::{ManifestFilter, manifest};
use safelight_lineage::state::State;
use safelight_lineage::value::escape;
use safelight_store::{BlobError, Blobs};
use serde_json::json;

use super::names::{Named, names};

/// Why a folder could not be written. What is there of it is not complete: its
/// `manifest.csv` is written last.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// The folder holds something already.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// A file cannot be written.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A blob cannot be had.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The table of images is none.
    #[error("could not write the manifest: {0}")]
    Csv(#[from] csv::Error),
    /// What a submission was made of cannot be told or read.
    #[error(transparent)]
    Replay(#[from] crate::replay::ReplayError),
    /// It was told to stop.
    #[error("stopped")]
    Cancelled,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedOut {
    /// Images.
    pub images: u64,
    /// Of these, how many share their blocks with the store.
    pub reflinked: u64,
    /// The bytes of all images.
    pub bytes: u64,
    /// Names the dataset: classes, images and labels.
    pub manifest: ManifestDigest,
}

pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CheckoutError {
    let path = path.to_owned();
    move |source| CheckoutError::Io { doing, path, source }
}

/// Makes a folder, which must be missing or empty.
///
/// # Errors
/// When it holds something or cannot be made.
pub fn empty_folder(dir: &Path) -> Result<(), CheckoutError> {
    fs::create_dir_all(dir).map_err(io("could not make the folder", dir))?;
    let mut entries = fs::read_dir(dir).map_err(io("could not look into", dir))?;
    if entries.next().is_some() {
        return Err(CheckoutError::NotEmpty(dir.to_owned()));
    }
    Ok(())
}

/// Writes the images that are in the dataset of `state` and pass `filter` below
/// `dir`, which must be missing or empty: `split/class/file`.
///
/// Beside them, `checksums.b3` has a line for every image that `b3sum --check`
/// understands, and `manifest.csv` says of every image which it is, its bytes,
/// label, split and the path it was imported by. Blobs that have a file of
/// their own in the store share its blocks where the file system can.
///
/// # Errors
/// When the folder is not empty, a file cannot be written, or a blob is
/// missing or damaged.
pub fn checkout(
    state: &State,
    blobs: &Blobs,
    filter: &ManifestFilter,
    dir: &Path,
    cancel: &AtomicBool,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<CheckedOut, CheckoutError> {
    empty_folder(dir)?;
    let dataset = manifest(state, filter);
    let named = names(&dataset, |image| state.image(image).map_or(&[][..], |view| view.path));
    let mut folders: Vec<PathBuf> =
        named.iter().filter_map(|named| dir.join(&named.place).parent().map(Path::to_owned)).collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in &folders {
        fs::create_dir_all(folder).map_err(io("could not make the folder", folder))?;
    }
    let total = named.len() as u64;
    let (done, reflinked, bytes) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    named.par_iter().try_for_each(|named| {
        if cancel.load(Ordering::Relaxed) {
            return Err(CheckoutError::Cancelled);
        }
        let (len, shared) = write_blob(blobs, named.blob, &dir.join(&named.place))?;
        bytes.fetch_add(len, Ordering::Relaxed);
        reflinked.fetch_add(u64::from(shared), Ordering::Relaxed);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok(())
    })?;
    let digest = dataset.digest();
    let sums: String = named.iter().map(|named| format!("{}  {}\n", named.blob, named.place)).collect();
    write_new(&dir.join("checksums.b3"), sums.as_bytes())?;
    let about = json!({
        "dataset": state.dataset().map(|dataset| dataset.name.clone()),
        "classes": dataset.classes(),
        "frame": state.head(),
        "seq": state.seq(),
        "manifest": digest,
        "images": named.len(),
    });
    write_new(&dir.join("dataset.json"), format!("{about:#}\n").as_bytes())?;
    write_new(&dir.join("manifest.csv"), &table(state, &named)?)?;
    Ok(CheckedOut {
        images: named.len() as u64,
        reflinked: reflinked.into_inner(),
        bytes: bytes.into_inner(),
        manifest: digest,
    })
}

fn table(state: &State, named: &[Named]) -> Result<Vec<u8>, CheckoutError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["path", "image", "blake3", "label", "split", "imported_as"])?;
    for named in named {
        let imported = state.image(named.image).map_or_else(String::new, |view| escape(view.path));
        writer.write_record([
            named.place.as_str(),
            &named.image.to_string(),
            &named.blob.to_string(),
            named.label.as_deref().unwrap_or(""),
            named.split,
            &imported,
        ])?;
    }
    writer.into_inner().map_err(|error| {
        let source = io::Error::other(error.to_string());
        CheckoutError::Io { doing: "could not write", path: PathBuf::from("manifest.csv"), source }
    })
}

/// Writes a new file; one that is there is never touched.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CheckoutError> {
    let mut file = File::create_new(path).map_err(io("could not make", path))?;
    file.write_all(bytes).map_err(io("could not write", path))
}

/// Writes a blob, checked against its name, as a new file: its length, and
/// whether it shares blocks with the store.
pub(super) fn write_blob(blobs: &Blobs, blob: BlobId, path: &Path) -> Result<(u64, bool), CheckoutError> {
    let bytes = blobs.get(blob)?;
    let len = bytes.len() as u64;
    if let Some(source) = blobs.file_of(blob)
        && reflink(&source, path).is_ok()
    {
        return Ok((len, true));
    }
    write_new(path, &bytes)?;
    Ok((len, false))
}

/// Makes `path` a copy of `source` that shares its blocks, as btrfs and XFS can.
#[cfg(target_os = "linux")]
fn reflink(source: &Path, path: &Path) -> io::Result<()> {
    let from = File::open(source)?;
    let to = File::create_new(path)?;
    rustix::fs::ioctl_ficlone(&to, &from).inspect_err(|_| {
        // This very call made it, so it may take it away again.
        let _ = fs::remove_file(path);
    })?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn reflink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
