//! A few images of a snapshot, without reading the others.
//!
//! A snapshot of a million images is a hundred megabytes; the life of one image
//! is in a few hundred bytes of them, which the indexes at its end lead to.

use std::collections::BTreeMap;
use std::ops::Range;

use bytemuck::Pod;

use crate::codec::{Reader, SnapshotError};
use crate::digest::BlobId;
use crate::event::Split;
use crate::id::ImageId;

use super::column::Column;
use super::fold::State;
use super::image_table::{ImageTable, NO_CHANGE, SPLIT_MASK, hash_id, hash_path};
use super::row_index::EMPTY_ROW;
use super::snapshot::{START, images_at};

/// Which images are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought<'a> {
    /// The one with this id.
    Id(ImageId),
    /// Those that were at this path, of every split.
    Path(&'a [u8]),
}

/// Gives a part of a snapshot's bytes; none when it ends before or is damaged.
pub type Fetch<'a> = &'a dyn Fn(Range<usize>) -> Option<&'a [u8]>;

impl State {
    /// A state in which only the images are that are looked for, out of the
    /// bytes that [`State::to_snapshot`] made, of which `fetch` gives parts.
    ///
    /// It says of these images, of the classes and of the models what the whole
    /// state says, and goes on to do so when the frames after it are applied.
    /// It says nothing of other images, of counts and anomalies, nor which row
    /// an image has that came in with those frames; its digest is nobody's.
    ///
    /// # Errors
    ///
    /// As [`State::from_snapshot`].
    pub fn glimpse<'a>(fetch: Fetch<'a>, sought: Sought<'_>) -> Result<State, SnapshotError> {
        let start = fetch(0..START).ok_or(missing(0, "its beginning is not there"))?;
        let images = images_at(&mut Reader::new(start))?;
        let images = usize::try_from(images).ok().filter(|place| *place >= START);
        let images = images.ok_or(missing(START, "the images begin nowhere"))?;
        let parts = fetch(START..images).ok_or(missing(START, "a part is not there"))?;
        let mut reader = Reader::new(parts);
        let mut state = State::decode_parts(&mut reader)?;
        if reader.left() > 0 {
            return Err(missing(images, "the images begin elsewhere"));
        }
        let columns = Columns::new(fetch, images)?;
        if let Some(what) = state.inconsistency(columns.rows, [].iter()) {
            return Err(missing(images, what));
        }
        let rows = columns.find(sought)?;
        state.keep_only(&columns, &rows)?;
        Ok(state)
    }

    fn keep_only(&mut self, columns: &Columns<'_>, rows: &[u32]) -> Result<(), SnapshotError> {
        let mut table = ImageTable { batches: std::mem::take(&mut self.table.batches), ..Default::default() };
        for row in rows {
            columns.copy(*row, &mut table)?;
        }
        table.numbers = Some((rows.to_vec(), columns.rows as u32));
        let place = |row: u32| rows.binary_search(&row).ok().map(|place| place as u32);
        let mut moved = BTreeMap::new();
        let mut kept = Column::default();
        for (old, change) in std::mem::take(&mut self.log.changes).iter().enumerate() {
            let Some(row) = place(change.row) else { continue };
            let mut change = change.clone();
            moved.insert(old as u32, kept.len() as u32);
            change.row = row;
            change.previous = std::mem::replace(&mut table.latest[row as usize], kept.len() as u32);
            kept.push(change);
        }
        self.log.changes = kept;
        let bases = std::mem::take(&mut self.log.bases);
        self.log.bases = bases.iter().filter_map(|(row, base)| place(row).map(|row| (row, base))).collect();
        let passes: Vec<_> = self.passes.ids().collect();
        for id in passes {
            let Some(pass) = self.passes.get_mut(id) else { continue };
            pass.reviews = pass.reviews.iter().filter_map(|place| moved.get(place).copied()).collect();
        }
        table.recount();
        self.table = table;
        Ok(())
    }
}

fn missing(place: usize, what: &'static str) -> SnapshotError {
    SnapshotError::Malformed { offset: place as u64, what }
}

/// Where the columns of images lie in a snapshot.
struct Columns<'a> {
    fetch: Fetch<'a>,
    rows: usize,
    /// Ids, blobs, labels, flags, origins, Seqs, newest changes, ends of paths,
    /// paths, slots by id, slots by path.
    starts: [usize; 11],
    slots: [usize; 2],
}

/// The length of one value in each column as its count counts them.
const SIZES: [usize; 11] = [1, 1, 2, 1, 4, 8, 4, 8, 1, 4, 4];

impl<'a> Columns<'a> {
    fn new(fetch: Fetch<'a>, images: usize) -> Result<Self, SnapshotError> {
        let (mut starts, mut counts) = ([0; 11], [0usize; 11]);
        let mut place = images;
        for (column, size) in SIZES.iter().enumerate() {
            let count = number::<u64>(fetch, place)?;
            starts[column] = place + 8;
            let count = usize::try_from(count).ok().filter(|count| *count < 1 << 40);
            counts[column] = count.ok_or(missing(place, "a column is too long"))?;
            place = starts[column] + counts[column] * size;
        }
        let rows = counts[0] / size_of::<ImageId>();
        let [ids, blobs, labels, flags, origins, seqs, latest, path_ends, _, by_id, by_path] = counts;
        let equal = [labels, flags, origins, seqs, latest, path_ends] == [rows; 6];
        let bytes = (ids, blobs) == (rows * size_of::<ImageId>(), rows * size_of::<BlobId>());
        let sized = by_id.is_power_of_two() && by_path.is_power_of_two();
        if !equal || !bytes || !sized {
            return Err(missing(images, "the columns of images differ in length"));
        }
        Ok(Columns { fetch, rows, starts, slots: [by_id, by_path] })
    }

    fn value<T: Pod>(&self, column: usize, row: u32) -> Result<T, SnapshotError> {
        number(self.fetch, self.starts[column] + row as usize * size_of::<T>())
    }

    fn split(&self, row: u32) -> Result<Split, SnapshotError> {
        let flags: u8 = self.value(3, row)?;
        Split::from_code(flags & SPLIT_MASK).ok_or(missing(self.starts[3], "an image has no known split"))
    }

    fn path(&self, row: u32) -> Result<&'a [u8], SnapshotError> {
        let start = match row.checked_sub(1) {
            Some(before) => self.value::<u64>(7, before)?,
            None => 0,
        };
        let end = self.value::<u64>(7, row)?;
        let (start, end) = (self.starts[8] as u64 + start, self.starts[8] as u64 + end);
        let bytes = if start <= end { (self.fetch)(start as usize..end as usize) } else { None };
        bytes.ok_or(missing(self.starts[8], "the paths of images overlap"))
    }

    /// The rows of what is looked for, ascending.
    fn find(&self, sought: Sought<'_>) -> Result<Vec<u32>, SnapshotError> {
        let mut rows = Vec::new();
        match sought {
            Sought::Id(id) => self.probe(0, hash_id(id), &mut |row| {
                let found = self.value::<[u8; 16]>(0, row)? == id.0;
                rows.extend(found.then_some(row));
                Ok(found)
            })?,
            Sought::Path(path) => {
                for split in Split::ALL {
                    self.probe(1, hash_path(split, path), &mut |row| {
                        if self.split(row)? == split && self.path(row)? == path {
                            rows.push(row);
                        }
                        Ok(false)
                    })?;
                }
            }
        }
        rows.sort_unstable();
        Ok(rows)
    }

    /// Gives the rows that may have this hash, until one is what was meant.
    fn probe(
        &self,
        index: usize,
        hash: u64,
        is: &mut dyn FnMut(u32) -> Result<bool, SnapshotError>,
    ) -> Result<(), SnapshotError> {
        let mask = self.slots[index] - 1;
        // Never more steps than slots: these bytes may be anybody's.
        for step in 0..self.slots[index] {
            let slot = (hash as u32 as usize + step) & mask;
            let row: u32 = self.value(9 + index, slot as u32)?;
            if row == EMPTY_ROW {
                return Ok(());
            }
            if row as usize >= self.rows {
                return Err(missing(self.starts[9 + index], "an index leads outside its table"));
            }
            if is(row)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Adds one row to a table. Its changes are not looked at.
    fn copy(&self, row: u32, table: &mut ImageTable) -> Result<(), SnapshotError> {
        let origin: u32 = self.value(4, row)?;
        if origin as usize > table.batches.len() {
            return Err(missing(self.starts[4], "an image is of an unknown batch"));
        }
        self.split(row)?;
        table.ids.push(ImageId(self.value(0, row)?));
        table.blobs.push(BlobId(self.value(1, row)?));
        table.labels.push(self.value(2, row)?);
        table.flags.push(self.value(3, row)?);
        table.origins.push(origin);
        table.seqs.push(self.value(5, row)?);
        table.latest.push(NO_CHANGE);
        table.paths.push(self.path(row)?);
        Ok(())
    }
}

/// A little-endian number, or an array of bytes, at a place.
fn number<T: Pod>(fetch: Fetch<'_>, place: usize) -> Result<T, SnapshotError> {
    let end = place.checked_add(size_of::<T>());
    let bytes = end.and_then(|end| fetch(place..end)).ok_or(missing(place, "a value is not there"))?;
    let mut value = T::zeroed();
    let target = bytemuck::bytes_of_mut(&mut value);
    target.copy_from_slice(bytes);
    if cfg!(target_endian = "big") && size_of::<T>() <= 8 {
        target.reverse();
    }
    Ok(value)
}
