//! Which pack holds which blob, of all the packs that other processes and
//! earlier ones wrote.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use safelight_lineage::digest::BlobId;

use super::read::find_entry;
use super::table::Table;
use super::{Entry, Loaded, PackState, load, pack_path, packs, scan_records};
use crate::disk::{self, DiskError};

/// So many lookups through every pack are made before a table pays.
const PATIENCE: u32 = 64;
/// So few packs need no table.
const FEW_PACKS: usize = 8;

/// A blob's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) pack: u64,
    pub(crate) offset: u64,
    pub(crate) len: u32,
    /// It is on the disk, not only on its way there.
    pub(crate) durable: bool,
}

#[derive(Debug)]
struct Known {
    number: u64,
    state: PackState,
    entries: Vec<Entry>,
}

/// What is known of all packs but the one that this process is writing.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    dir: PathBuf,
    settled: Vec<Known>,
    open: Vec<(Known, HashMap<BlobId, Entry>)>,
    own: Vec<u64>,
    table: Option<Table>,
    lookups: AtomicU32,
    listed: Option<SystemTime>,
}

impl Catalog {
    pub(crate) fn new(dir: &Path) -> Self {
        Catalog { dir: dir.to_owned(), ..Catalog::default() }
    }

    /// Leaves a pack out: this process is writing it and knows better.
    pub(crate) fn leave_out(&mut self, number: u64) {
        self.own.push(number);
    }

    /// Takes in a pack that this process wrote and sealed.
    pub(crate) fn settle(&mut self, number: u64, entries: Vec<Entry>) {
        self.own.retain(|own| *own != number);
        self.settled.push(Known { number, state: PackState::Sealed, entries });
        self.table = None;
    }

    /// The numbers of the packs that nobody sealed.
    pub(crate) fn unsealed(&self) -> Vec<u64> {
        let closed = self.settled.iter().filter(|known| known.state == PackState::Closed);
        self.open.iter().map(|(known, _)| known).chain(closed).map(|known| known.number).collect()
    }

    /// Whether the folder was looked at yet.
    pub(crate) fn is_listed(&self) -> bool {
        self.listed.is_some()
    }

    /// Whether packs may have come or grown since they were listed.
    pub(crate) fn is_stale(&self) -> bool {
        let changed = modified(&self.dir);
        self.listed.is_none()
            || changed != self.listed
            || self.open.iter().any(|(known, _)| self.has_grown(known))
    }

    fn has_grown(&self, known: &Known) -> bool {
        let end = match known.state {
            PackState::Open { end } => end,
            _ => return false,
        };
        let data = disk::metadata(&pack_path(&self.dir, known.number));
        data.ok().flatten().is_none_or(|data| data.len() != end)
    }

    /// Looks at the folder again: new packs, grown packs, packs that are gone.
    pub(crate) fn refresh(&mut self) -> Result<(), DiskError> {
        let listed = modified(&self.dir);
        let numbers = packs(&self.dir)?;
        let gone = |known: &Known| numbers.binary_search(&known.number).is_err();
        let before = self.settled.len();
        self.settled.retain(|known| !gone(known) && known.state == PackState::Sealed);
        let mut changed = before != self.settled.len();
        let mut known: Vec<u64> = self.settled.iter().map(|known| known.number).collect();
        known.sort_unstable();
        let mut open = std::mem::take(&mut self.open);
        for number in numbers {
            if known.binary_search(&number).is_ok() || self.own.contains(&number) {
                continue;
            }
            let path = pack_path(&self.dir, number);
            let file = match disk::open(&path) {
                Ok(file) => file,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error),
            };
            let old = open.iter().position(|(known, _)| known.number == number);
            let loaded = match old.map(|place| open.swap_remove(place).0) {
                Some(Known { state: PackState::Open { end }, entries, .. }) if end > 0 => {
                    grow(&file, &path, number, end, entries)?
                }
                _ => load(&file, &path, number)?,
            };
            let Loaded { state, entries } = loaded;
            if let PackState::Open { .. } = state {
                let map = entries.iter().map(|entry| (entry.blob, *entry)).collect();
                self.open.push((Known { number, state, entries }, map));
            } else {
                self.settled.push(Known { number, state, entries });
                changed = true;
            }
        }
        if changed {
            self.table = None;
        }
        self.listed = listed;
        Ok(())
    }

    /// Every place that holds the blob, best first.
    pub(crate) fn find(&self, blob: &BlobId) -> Vec<Found> {
        let mut found = Vec::new();
        let mut push = |known: &Known, entry: Entry| {
            let durable = known.state == PackState::Sealed;
            found.push(Found { pack: known.number, offset: entry.offset, len: entry.len, durable });
        };
        match &self.table {
            Some(table) => {
                for (pack, entry) in table.find(blob) {
                    let known = self.settled.get(pack);
                    if let Some((known, entry)) =
                        known.and_then(|known| Some((known, known.entries.get(entry)?)))
                        && entry.blob == *blob
                    {
                        push(known, *entry);
                    }
                }
            }
            None => {
                for known in &self.settled {
                    if let Some(entry) = find_entry(&known.entries, blob) {
                        push(known, entry);
                    }
                }
            }
        }
        for (known, map) in &self.open {
            if let Some(entry) = map.get(blob) {
                push(known, *entry);
            }
        }
        found.sort_by_key(|place| !place.durable);
        found
    }

    /// Counts a lookup; true when a table would pay now.
    pub(crate) fn wants_table(&self) -> bool {
        self.table.is_none()
            && self.settled.len() > FEW_PACKS
            && self.lookups.fetch_add(1, Ordering::Relaxed) > PATIENCE
    }

    pub(crate) fn make_table(&mut self) {
        self.table = Some(Table::new(self.settled.iter().map(|known| known.entries.as_slice())));
    }
}

/// When a folder was changed last. Not to know it only costs another look.
fn modified(dir: &Path) -> Option<SystemTime> {
    disk::metadata(dir).ok().flatten()?.modified().ok()
}

/// Reads what has been added to an open pack, or its footer if it has one now.
fn grow(
    file: &std::fs::File,
    path: &Path,
    number: u64,
    end: u64,
    mut entries: Vec<Entry>,
) -> Result<Loaded, DiskError> {
    let len = disk::len(file, path)?;
    if len == end {
        return Ok(Loaded { state: PackState::Open { end }, entries });
    }
    let (more, behind) = scan_records(file, path, end, len)?;
    if more.is_empty() {
        return load(file, path, number);
    }
    entries.extend(more);
    if behind == len {
        return Ok(Loaded { state: PackState::Open { end: behind }, entries });
    }
    load(file, path, number)
}
