//! Looking for wanted blobs in folders and in other repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use safelight_lineage::digest::BlobId;

use crate::disk::{DiskError, failed};
use crate::format::STORE_DIR;
use crate::objects::hash_of;

/// So many files are hashed between two looks at whether to stop.
const ROUND: usize = 256;

/// The blobs that are wanted: with their lengths, where those are known.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) blobs: BTreeMap<BlobId, Option<u64>>,
}

impl Wanted {
    /// Whether a file of this length may be one of them.
    fn may_be(&self, len: u64) -> bool {
        self.blobs.values().any(|known| known.is_none_or(|known| known == len))
    }
}

/// Every file below `folder` that may be wanted, with its length, sorted.
/// Links are not followed: what they lead to is found where it lies.
pub(super) fn candidates(folder: &Path, wanted: &Wanted) -> Result<Vec<(PathBuf, u64)>, DiskError> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    let lengths: BTreeSet<u64> = wanted.blobs.values().flatten().copied().collect();
    let any = wanted.blobs.values().any(Option::is_none);
    while let Some(dir) = pending.pop() {
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if dir == folder => return Err(failed("list", folder)(error)),
            // What cannot be listed cannot help; what it lacks stays broken and
            // is reported as such.
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if entry.file_name() != STORE_DIR {
                    pending.push(entry.path());
                }
            } else if kind.is_file()
                && let Ok(data) = entry.metadata()
                && (any || lengths.contains(&data.len()))
            {
                found.push((entry.path(), data.len()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Hashes files until every wanted blob is found; gives where each was.
pub(super) fn matches(
    files: &[(PathBuf, u64)],
    wanted: &Wanted,
    stop: &AtomicBool,
    hashed: &mut dyn FnMut(u64),
) -> BTreeMap<BlobId, PathBuf> {
    let mut found = BTreeMap::new();
    for round in files.chunks(ROUND) {
        if stop.load(Ordering::Relaxed) || found.len() == wanted.blobs.len() {
            break;
        }
        let here: Vec<(BlobId, PathBuf)> = round
            .par_iter()
            .filter(|(_, len)| wanted.may_be(*len))
            .filter_map(|(path, _)| Some((hash_of(path).ok()?.0, path.clone())))
            .filter(|(blob, _)| wanted.blobs.contains_key(blob))
            .collect();
        for (blob, path) in here {
            found.entry(blob).or_insert(path);
        }
        hashed(round.iter().map(|(_, len)| len).sum());
    }
    found
}
