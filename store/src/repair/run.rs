//! A repair, from what verify finds to what verify finds afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use safelight_lineage::digest::BlobId;

use super::search::{Wanted, candidates, matches};
use crate::blobs::Blobs;
use crate::disk::{self, DiskError};
use crate::error::StoreError;
use crate::format::STORE_DIR;
use crate::pack::{PackState, load, pack_path, packs};
use crate::verify::{VerifyDepth, VerifyProgress, VerifyReport, verify};

/// Where good copies may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepairSource {
    /// A folder of files, such as the originals that were imported.
    Folder(PathBuf),
    /// The root of another repository.
    Repository(PathBuf),
}

/// How far a repair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairProgress {
    /// Every byte is verified, before or after.
    Verifying(VerifyProgress),
    /// Files that may be wanted blobs are hashed.
    Searching(VerifyProgress),
}

/// What a repair did, and what is still wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// Blobs that were damaged or missing before.
    pub broken: BTreeSet<BlobId>,
    /// Of these, the ones that are whole now, each with where it came from.
    pub restored: BTreeMap<BlobId, PathBuf>,
    /// Damaged files that were put aside; nothing in them is lost.
    pub set_aside: Vec<PathBuf>,
    /// Good blobs that were copied out of files that were put aside.
    pub rescued: u64,
    /// What verify says afterwards.
    pub after: VerifyReport,
    /// It was told to stop.
    pub cancelled: bool,
}

/// Where damaged files go.
pub(crate) fn set_aside_dir(store: &Path) -> PathBuf {
    store.join("damaged")
}

/// Restores damaged and missing blobs of the repository in `dir` from
/// `sources`, in their order, wherever the digest fits; also of a repository
/// whose journal is damaged. Nothing is discarded.
///
/// # Errors
///
/// When there is no repository, when a source cannot be read at all, or when
/// something cannot be written. What was restored until then stays.
pub fn repair(
    dir: &Path,
    sources: &[RepairSource],
    stop: &AtomicBool,
    progress: &mut dyn FnMut(RepairProgress),
) -> Result<RepairReport, StoreError> {
    let store = dir.join(STORE_DIR);
    let before = verify(dir, VerifyDepth::Deep, &mut |seen| progress(RepairProgress::Verifying(seen)))?;
    let mut report = RepairReport { broken: before.broken_blobs(), ..RepairReport::default() };
    let blobs = Blobs::open(&store);
    let mut wanted = Wanted::default();
    for blob in &report.broken {
        // A damaged record still says how long the blob is; and if that is
        // wrong, verify has called it another problem.
        wanted.blobs.insert(*blob, blobs.len(*blob).map_err(StoreError::from)?);
    }
    for object in before.problems.iter().filter(|problem| problem.file.starts_with(store.join("objects"))) {
        // The length of a damaged object is that of the damage.
        if let Some(blob) = object.blob {
            wanted.blobs.insert(blob, None);
        }
    }
    for blob in report.broken.iter().copied() {
        if let Some(bytes) = blobs.salvage(blob) {
            blobs.restore(blob, &bytes, &set_aside_dir(&store))?;
            wanted.blobs.remove(&blob);
            report.restored.insert(blob, store.join("packs"));
        }
    }
    for source in sources {
        if stop.load(Ordering::Relaxed) || wanted.blobs.is_empty() {
            break;
        }
        match source {
            RepairSource::Folder(folder) => {
                let files = candidates(folder, &wanted)?;
                let total = files.iter().map(|(_, len)| len).sum();
                let mut done = 0;
                let found = matches(&files, &wanted, stop, &mut |bytes| {
                    done += bytes;
                    progress(RepairProgress::Searching(VerifyProgress { done, total }));
                });
                for (blob, path) in found {
                    let restored = blobs.restore_file(blob, &path, &set_aside_dir(&store))?;
                    if restored {
                        wanted.blobs.remove(&blob);
                        report.restored.insert(blob, path);
                    }
                }
            }
            RepairSource::Repository(root) => {
                let other = Blobs::open(&root.join(STORE_DIR));
                for blob in wanted.blobs.keys().copied().collect::<Vec<_>>() {
                    if let Ok(bytes) = other.get(blob) {
                        blobs.restore(blob, &bytes, &set_aside_dir(&store))?;
                        wanted.blobs.remove(&blob);
                        report.restored.insert(blob, root.clone());
                    }
                }
            }
        }
    }
    blobs.seal()?;
    report.cancelled = stop.load(Ordering::Relaxed);
    if !report.cancelled {
        put_packs_aside(&store, &blobs, &mut report)?;
    }
    report.after = verify(dir, VerifyDepth::Deep, &mut |seen| progress(RepairProgress::Verifying(seen)))?;
    report.restored.retain(|blob, _| !report.after.broken_blobs().contains(blob));
    Ok(report)
}

/// Copies what is good in packs that are damaged as a whole, and puts them
/// aside: a pack without a footer can lose no more that way.
fn put_packs_aside(store: &Path, blobs: &Blobs, report: &mut RepairReport) -> Result<(), StoreError> {
    let dir = store.join("packs");
    let mut going = Vec::new();
    for number in packs(&dir)? {
        let path = pack_path(&dir, number);
        let file = match disk::open(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error.into()),
        };
        let loaded = load(&file, &path, number)?;
        if !matches!(loaded.state, PackState::Damaged { .. }) || !disk::try_lock(&file, &path)? {
            continue;
        }
        for entry in loaded.entries {
            // From this pack, not from anywhere: another copy is another copy.
            if let Ok(bytes) = blobs.get_from(entry.blob, number, entry.offset, entry.len) {
                blobs.restore(entry.blob, &bytes, &set_aside_dir(store))?;
                report.rescued += 1;
            }
        }
        going.push(path);
    }
    if going.is_empty() {
        return Ok(());
    }
    // A number is never given twice, so there is a newer pack before one goes.
    blobs.begin_pack()?;
    blobs.seal()?;
    for path in going {
        report.set_aside.push(put_aside(&path, &set_aside_dir(store))?);
    }
    disk::sync_dir(&dir)?;
    blobs.look_again()?;
    Ok(())
}

/// Moves a damaged file out of the way, under a name that nothing has.
pub(crate) fn put_aside(path: &Path, aside: &Path) -> Result<PathBuf, DiskError> {
    disk::create_dir(aside)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut target = aside.join(&name);
    let mut count = 1;
    while target.exists() {
        count += 1;
        target = aside.join(format!("{name}.{count}"));
    }
    disk::rename(path, &target)?;
    disk::sync_dir(aside)?;
    Ok(target)
}
