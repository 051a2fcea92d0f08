//! Every image that ever was imported or admitted, column by column.
//!
//! A row is never taken away: what becomes absent is only marked so. The
//! columns hold current values; the [change log](super::change) holds the way
//! there, for the images that changed at all.

use crate::digest::BlobId;
use crate::event::{Origin, Split};
use crate::id::{ImageId, SamplesId};
use crate::value::{ClassIndex, Seq};

use super::column::Column;
use super::path_column::PathColumn;
use super::row_index::{LazyIndex, RowIndex, hash_bytes};

pub(super) const NO_LABEL: u16 = u16::MAX;
/// No change of this row.
pub(super) const NO_CHANGE: u32 = u32::MAX;
/// The low bits of the flags are the split's code.
pub(super) const SPLIT_MASK: u8 = 0b11;
/// An import or admission is in force.
pub(super) const EXISTS: u8 = 1 << 2;
/// A removal is in force.
pub(super) const REMOVED: u8 = 1 << 3;

/// What can change about an image, as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Current {
    pub(super) blob: BlobId,
    pub(super) label: Option<ClassIndex>,
    pub(super) exists: bool,
    pub(super) removed: bool,
}

impl Current {
    pub(super) fn present(&self) -> bool {
        self.exists && !self.removed
    }
}

/// One row to be.
pub(super) struct NewRow<'a> {
    pub(super) id: ImageId,
    pub(super) blob: BlobId,
    pub(super) path: &'a [u8],
    pub(super) label: Option<ClassIndex>,
    pub(super) split: Split,
    pub(super) origin: Origin,
    pub(super) seq: Seq,
}

/// The columns. All have one entry a row, and copies of the table share what
/// they have in common.
#[derive(Debug, Clone, Default)]
pub(super) struct ImageTable {
    pub(super) ids: Column<ImageId>,
    pub(super) blobs: Column<BlobId>,
    pub(super) labels: Column<u16>,
    pub(super) flags: Column<u8>,
    /// 0 for a file, otherwise one more than a place in `batches`.
    pub(super) origins: Column<u32>,
    /// Ascending, because rows are added as events are folded.
    pub(super) seqs: Column<u64>,
    /// The newest change of each row.
    pub(super) latest: Column<u32>,
    pub(super) paths: PathColumn,
    /// The batches of samples that `origins` names.
    pub(super) batches: Vec<SamplesId>,
    // Made when first asked for: a fold asks for ids and never for paths, and
    // after a snapshot was loaded many a question needs neither.
    pub(super) by_id: LazyIndex,
    pub(super) by_path: LazyIndex,
    /// In a glimpse: which row each of these is in the whole table, and how
    /// many that has.
    pub(super) numbers: Option<(Vec<u32>, u32)>,
    /// Present images by split and by label, where place 0 is for none.
    pub(super) counts: [Vec<u64>; 3],
    pub(super) present: u64,
}

impl ImageTable {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Which row of the whole table this is.
    pub(super) fn number(&self, row: u32) -> u32 {
        self.numbers.as_ref().map_or(row, |(numbers, _)| numbers[row as usize])
    }

    pub(super) fn find(&self, id: ImageId) -> Option<u32> {
        self.by_id().find(hash_id(id), |row| self.ids[row as usize] == id)
    }

    /// Every row with this split and path, oldest first.
    pub(super) fn find_path(&self, split: Split, path: &[u8]) -> Vec<u32> {
        let mut rows = Vec::new();
        self.by_path().find(hash_path(split, path), |row| {
            if self.split(row) == split && self.path(row) == path {
                rows.push(row);
            }
            false
        });
        rows
    }

    /// Every row with this path, oldest first, found by looking at every row:
    /// for a single question that is far quicker than making the index.
    pub(super) fn scan_path(&self, path: &[u8]) -> Vec<u32> {
        self.paths.scan(path)
    }

    /// Adds a row that exists; the id must be new. None when the table is full.
    pub(super) fn push(&mut self, new: NewRow<'_>) -> Option<u32> {
        if self.len() >= RowIndex::MAX_ROWS - 1 {
            return None;
        }
        let row = self.len() as u32;
        self.ids.push(new.id);
        self.blobs.push(new.blob);
        self.labels.push(label_code(new.label));
        self.flags.push(new.split.code() | EXISTS);
        let origin = self.origin_code(new.origin);
        self.origins.push(origin);
        self.seqs.push(new.seq.0);
        self.latest.push(NO_CHANGE);
        self.paths.push(new.path);
        if let Some((numbers, total)) = &mut self.numbers {
            numbers.push(*total);
            *total += 1;
        }
        // An index that is not there yet is made from the columns.
        self.by_id.push(hash_id(new.id));
        self.by_path.push(hash_path(new.split, new.path));
        self.count(row, 1);
        Some(row)
    }

    fn by_id(&self) -> &RowIndex {
        self.by_id.get_or_init(|| self.new_by_id())
    }

    pub(super) fn new_by_id(&self) -> RowIndex {
        RowIndex::of(self.len(), self.ids.iter().map(|id| hash_id(*id)))
    }

    fn by_path(&self) -> &RowIndex {
        self.by_path.get_or_init(|| self.new_by_path())
    }

    pub(super) fn new_by_path(&self) -> RowIndex {
        let hashes = (0..self.len() as u32).map(|row| hash_path(self.split(row), self.path(row)));
        RowIndex::of(self.len(), hashes)
    }

    fn origin_code(&mut self, origin: Origin) -> u32 {
        let Origin::Generated { samples } = origin else { return 0 };
        // Images of one batch come together.
        if let Some(place) = self.batches.iter().rposition(|batch| *batch == samples) {
            return place as u32 + 1;
        }
        self.batches.push(samples);
        self.batches.len() as u32
    }

    pub(super) fn split(&self, row: u32) -> Split {
        Split::from_code(self.flags[row as usize] & SPLIT_MASK).unwrap_or(Split::Train)
    }

    pub(super) fn path(&self, row: u32) -> &[u8] {
        self.paths.get(row as usize)
    }

    pub(super) fn origin(&self, row: u32) -> Origin {
        match self.origins[row as usize].checked_sub(1) {
            None => Origin::File,
            Some(place) => Origin::Generated { samples: self.batches[place as usize] },
        }
    }

    pub(super) fn current(&self, row: u32) -> Current {
        let flags = self.flags[row as usize];
        Current {
            blob: self.blobs[row as usize],
            label: label_of(self.labels[row as usize]),
            exists: flags & EXISTS != 0,
            removed: flags & REMOVED != 0,
        }
    }

    pub(super) fn set_current(&mut self, row: u32, current: Current) {
        self.count(row, -1);
        let at = row as usize;
        self.blobs.set(at, current.blob);
        self.labels.set(at, label_code(current.label));
        let mut flags = self.flags[at] & SPLIT_MASK;
        if current.exists {
            flags |= EXISTS;
        }
        if current.removed {
            flags |= REMOVED;
        }
        self.flags.set(at, flags);
        self.count(row, 1);
    }

    /// The rows that the event at `seq` added.
    pub(super) fn rows_of(&self, seq: Seq) -> std::ops::Range<u32> {
        let start = self.seqs.partition_point(|other| *other < seq.0);
        let count = self.seqs.iter_from(start).take_while(|other| **other == seq.0).count();
        start as u32..(start + count) as u32
    }

    pub(super) fn present_count(&self) -> u64 {
        self.present
    }

    pub(super) fn count_of(&self, split: Split, label: Option<ClassIndex>) -> u64 {
        let place = label.map_or(0, |label| usize::from(label.0) + 1);
        self.counts[usize::from(split.code())].get(place).copied().unwrap_or(0)
    }

    /// Counts the row in or out, when it is present.
    fn count(&mut self, row: u32, by: i8) {
        if self.flags[row as usize] & (EXISTS | REMOVED) != EXISTS {
            return;
        }
        let split = usize::from(self.split(row).code());
        // Without a label 65535 + 1 wraps to place 0.
        let place = usize::from(self.labels[row as usize].wrapping_add(1));
        let counts = &mut self.counts[split];
        if counts.len() <= place {
            counts.resize(place + 1, 0);
        }
        counts[place] = counts[place].saturating_add_signed(i64::from(by));
        self.present = self.present.saturating_add_signed(i64::from(by));
    }

    /// Counts everything again, after columns were loaded.
    pub(super) fn recount(&mut self) {
        let mut counts: [Vec<u64>; 3] = Default::default();
        let largest = self.labels.iter().map(|label| label.wrapping_add(1)).max().unwrap_or_default();
        counts.fill(vec![0; usize::from(largest) + 1]);
        self.present = 0;
        for (flags, label) in self.flags.iter().zip(self.labels.iter()) {
            if flags & (EXISTS | REMOVED) == EXISTS
                && let Some(counts) = counts.get_mut(usize::from(flags & SPLIT_MASK))
            {
                counts[usize::from(label.wrapping_add(1))] += 1;
                self.present += 1;
            }
        }
        self.counts = counts;
    }
}

pub(super) fn label_code(label: Option<ClassIndex>) -> u16 {
    label.map_or(NO_LABEL, |label| label.0)
}

pub(super) fn label_of(code: u16) -> Option<ClassIndex> {
    (code != NO_LABEL).then_some(ClassIndex(code))
}

pub(super) fn hash_id(id: ImageId) -> u64 {
    hash_bytes(0, &id.0)
}

pub(super) fn hash_path(split: Split, path: &[u8]) -> u64 {
    hash_bytes(u64::from(split.code()) + 1, path)
}
