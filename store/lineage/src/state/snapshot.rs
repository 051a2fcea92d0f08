//! A state as one flat run of bytes, and back.
//!
//! The columns of the image table go in as they are, so that loading a million
//! images is a few large copies. Numbers are little-endian. The bytes carry no
//! checksum (the store adds one), but no bytes whatever make the reader panic,
//! hang, or allocate more than a small multiple of their length.

use bytemuck::Pod;

use crate::codec::{Code, Reader, SnapshotError, struct_code};
use crate::digest::{BlobId, FrameDigest};
use crate::id::{ImageId, SamplesId};
use crate::value::Seq;

use super::anomaly::{Anomalies, UnknownEvents};
use super::change::ChangeLog;
use super::column::{Column, PART};
use super::fold::State;
use super::image_table::{ImageTable, NO_CHANGE, SPLIT_MASK};
use super::path_column::PathColumn;
use super::row_index::RowIndex;

const MAGIC: [u8; 8] = *b"SLstate\n";

/// Where the first part begins: behind the magic bytes, the version, and where
/// the images begin.
pub(super) const START: usize = 20;

/// No log gets this long; below it, counting on never overflows.
const MAX_SEQ: u64 = 1 << 48;

struct_code! { UnknownEvents { kind, schema, count } }

impl Code for Anomalies {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Code::decode(reader).map(Anomalies)
    }
}

impl State {
    /// The version of the bytes that [`State::to_snapshot`] writes and
    /// [`State::from_snapshot`] reads. It rises with every change of what a
    /// state keeps or of what a fold means; an older snapshot is not read but
    /// folded anew.
    ///
    /// 1: the first. 2: the images come last, behind the place where they
    /// begin, so that [`State::glimpse`] can read single ones. 3: generators
    /// have grids of samples.
    pub const SNAPSHOT_VERSION: u32 = 3;

    /// This state as bytes.
    pub fn to_snapshot(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.table.len() * 128 + self.log.changes.len() * 96 + 4096);
        out.extend_from_slice(&MAGIC);
        Self::SNAPSHOT_VERSION.encode(&mut out);
        0u64.encode(&mut out);
        self.seq.encode(&mut out);
        self.head.encode(&mut out);
        self.dataset.encode(&mut out);
        self.log.encode(&mut out);
        self.reverts.encode(&mut out);
        self.transactions.encode(&mut out);
        self.weights.encode(&mut out);
        self.runs.encode(&mut out);
        self.checkpoints.encode(&mut out);
        self.predictions.encode(&mut out);
        self.passes.encode(&mut out);
        self.generators.encode(&mut out);
        self.samples.encode(&mut out);
        self.ensembles.encode(&mut out);
        self.submissions.encode(&mut out);
        self.scores.encode(&mut out);
        self.anomalies.encode(&mut out);
        self.unknown.encode(&mut out);
        self.table.batches.encode(&mut out);
        let images = out.len() as u64;
        out[12..START].copy_from_slice(&images.to_le_bytes());
        self.table.encode(&mut out);
        out
    }

    /// The state that [`State::to_snapshot`] made these bytes of.
    ///
    /// # Errors
    ///
    /// When the bytes are no snapshot, one of another version, too short or
    /// long, or hold a value that no state has. Bytes that were tampered with
    /// may give a wrong state instead: check them against a checksum first.
    pub fn from_snapshot(bytes: &[u8]) -> Result<State, SnapshotError> {
        let mut reader = Reader::new(bytes);
        let images = images_at(&mut reader)?;
        let mut state = State::decode_parts(&mut reader)?;
        let batches = std::mem::take(&mut state.table.batches);
        if reader.place() as u64 != images {
            return Err(reader.malformed("the images begin elsewhere"));
        }
        state.table = decode_table(&mut reader, batches)?;
        if reader.left() > 0 {
            return Err(SnapshotError::TrailingBytes { extra: reader.left() as u64 });
        }
        match state.inconsistency(state.table.len(), state.table.latest.iter()) {
            None => Ok(state),
            Some(what) => Err(reader.malformed(what)),
        }
    }

    /// Everything but the images.
    pub(super) fn decode_parts(reader: &mut Reader<'_>) -> Result<State, SnapshotError> {
        Ok(State {
            seq: Seq::decode(reader)?,
            head: FrameDigest::decode(reader)?,
            dataset: Code::decode(reader)?,
            log: Code::decode(reader)?,
            reverts: Code::decode(reader)?,
            transactions: Code::decode(reader)?,
            weights: Code::decode(reader)?,
            runs: Code::decode(reader)?,
            checkpoints: Code::decode(reader)?,
            predictions: Code::decode(reader)?,
            passes: Code::decode(reader)?,
            generators: Code::decode(reader)?,
            samples: Code::decode(reader)?,
            ensembles: Code::decode(reader)?,
            submissions: Code::decode(reader)?,
            scores: Code::decode(reader)?,
            anomalies: Code::decode(reader)?,
            unknown: Code::decode(reader)?,
            table: ImageTable { batches: Code::decode(reader)?, ..ImageTable::default() },
        })
    }

    /// What makes the parts of a decoded state not fit together.
    pub(super) fn inconsistency<'a>(
        &self,
        rows: usize,
        mut latest: impl Iterator<Item = &'a u32>,
    ) -> Option<&'static str> {
        let ChangeLog { changes, becauses, bases } = &self.log;
        let count = changes.len();
        if !latest.all(|place| *place == NO_CHANGE || (*place as usize) < count) {
            return Some("the newest change of an image is not there");
        }
        for (place, change) in changes.iter().enumerate() {
            // Backwards only, so that no chain is a ring.
            let chained = change.previous == NO_CHANGE || (change.previous as usize) < place;
            let inside = (change.row as usize) < rows && (change.because as usize) < becauses.len();
            if !chained || !inside {
                return Some("a change points outside the state");
            }
        }
        if bases.iter().any(|(row, _)| row as usize >= rows) {
            return Some("what an image came in with has no image");
        }
        if self.seq != self.transactions.last().map_or(Seq::ZERO, |last| last.last_seq()) {
            return Some("the last transaction does not end with the last event");
        }
        if self.seq.0 > MAX_SEQ {
            return Some("there are more events than can be");
        }
        // Every event that a revert names did something, once.
        let effects = (rows + changes.len() + self.scores.len()) as u64;
        for record in &self.reverts.records {
            let lengths = record.ranges.iter().map(|(first, last)| last.0 - first.0 + 1);
            let named = lengths.fold(0u64, u64::saturating_add);
            if named > effects {
                return Some("a revert names more events than did anything");
            }
        }
        None
    }
}

/// Reads the first bytes of a snapshot: where its images begin.
pub(super) fn images_at(reader: &mut Reader<'_>) -> Result<u64, SnapshotError> {
    if reader.take(MAGIC.len(), "the magic bytes")? != MAGIC {
        return Err(SnapshotError::NotASnapshot);
    }
    let version = u32::decode(reader)?;
    if version != State::SNAPSHOT_VERSION {
        return Err(SnapshotError::Version { found: version, expected: State::SNAPSHOT_VERSION });
    }
    u64::decode(reader)
}

/// Writes so many values that come in pieces. Ids and digests are counted by
/// their bytes, and have no byte order to correct.
fn encode_column<'a, T: Pod>(count: usize, parts: impl Iterator<Item = &'a [T]>, out: &mut Vec<u8>) {
    (count as u64).encode(out);
    let start = out.len();
    parts.for_each(|part| out.extend_from_slice(bytemuck::cast_slice(part)));
    if cfg!(target_endian = "big") {
        out[start..].chunks_exact_mut(size_of::<T>()).for_each(<[u8]>::reverse);
    }
}

/// Reads as many bytes as so many numbers have.
fn take_column<'a, T>(reader: &mut Reader<'a>, what: &'static str) -> Result<&'a [u8], SnapshotError> {
    let count = reader.count()?;
    let size = count.checked_mul(size_of::<T>()).ok_or(reader.malformed("a column is too long"))?;
    reader.take(size, what)
}

/// The numbers that these bytes are, which lie anywhere.
fn numbers<T: Pod>(bytes: &[u8]) -> Vec<T> {
    let mut numbers = bytemuck::zeroed_vec::<T>(bytes.len() / size_of::<T>());
    let target: &mut [u8] = bytemuck::cast_slice_mut(&mut numbers);
    target.copy_from_slice(bytes);
    if cfg!(target_endian = "big") {
        target.chunks_exact_mut(size_of::<T>()).for_each(<[u8]>::reverse);
    }
    numbers
}

fn decode_column<T: Pod>(reader: &mut Reader<'_>, what: &'static str) -> Result<Column<T>, SnapshotError> {
    let bytes = take_column::<T>(reader, what)?;
    Ok(Column::of_parts(bytes.chunks(PART * size_of::<T>()).map(numbers)))
}

fn decode_paths(reader: &mut Reader<'_>) -> Result<PathColumn, SnapshotError> {
    let ends: Vec<u64> = numbers(take_column::<u64>(reader, "ends of paths")?);
    let bytes = take_column::<u8>(reader, "paths")?;
    if !ends.is_sorted() || ends.last().is_some_and(|end| *end != bytes.len() as u64) {
        return Err(reader.malformed("the paths of images overlap"));
    }
    Ok(PathColumn::of(&ends, bytes))
}

impl ImageTable {
    /// The columns, and then the indexes, which only a glimpse reads: for
    /// everything else they are made when asked for.
    fn encode(&self, out: &mut Vec<u8>) {
        let rows = self.len();
        encode_column::<u8>(rows * size_of::<ImageId>(), self.ids.parts().map(bytemuck::cast_slice), out);
        encode_column::<u8>(rows * size_of::<BlobId>(), self.blobs.parts().map(bytemuck::cast_slice), out);
        encode_column(self.labels.len(), self.labels.parts(), out);
        encode_column(self.flags.len(), self.flags.parts(), out);
        encode_column(self.origins.len(), self.origins.parts(), out);
        encode_column(self.seqs.len(), self.seqs.parts(), out);
        encode_column(self.latest.len(), self.latest.parts(), out);
        let ends: Vec<u64> = self.paths.ends().collect();
        encode_column(ends.len(), [ends.as_slice()].into_iter(), out);
        encode_column(self.paths.bytes().map(<[u8]>::len).sum(), self.paths.bytes(), out);
        // Made anew: how an index grew must not show in the bytes.
        for slots in [self.new_by_id().rows(), self.new_by_path().rows()] {
            encode_column(slots.len(), [slots.as_slice()].into_iter(), out);
        }
    }
}

fn decode_table(reader: &mut Reader<'_>, batches: Vec<SamplesId>) -> Result<ImageTable, SnapshotError> {
    let mut table = ImageTable {
        ids: decode_bytes(reader, "image ids")?,
        blobs: decode_bytes(reader, "image bytes")?,
        labels: decode_column(reader, "labels")?,
        flags: decode_column(reader, "flags")?,
        origins: decode_column(reader, "origins")?,
        seqs: decode_column(reader, "Seqs of images")?,
        latest: decode_column(reader, "newest changes")?,
        paths: decode_paths(reader)?,
        batches,
        ..ImageTable::default()
    };
    for index in ["the index of ids", "the index of paths"] {
        take_column::<u32>(reader, index)?;
    }
    let rows = table.ids.len();
    let lengths = [
        table.blobs.len(),
        table.labels.len(),
        table.flags.len(),
        table.origins.len(),
        table.seqs.len(),
        table.latest.len(),
        table.paths.len(),
    ];
    if lengths != [rows; 7] || rows >= RowIndex::MAX_ROWS {
        return Err(reader.malformed("the columns of images differ in length"));
    }
    if !table.seqs.iter().is_sorted() {
        return Err(reader.malformed("the Seqs of images do not ascend"));
    }
    if table.flags.iter().any(|flags| flags & SPLIT_MASK == SPLIT_MASK) {
        return Err(reader.malformed("an image has no known split"));
    }
    if table.origins.iter().any(|origin| *origin as usize > table.batches.len()) {
        return Err(reader.malformed("an image is of an unknown batch"));
    }
    table.recount();
    Ok(table)
}

fn decode_bytes<T: Pod>(reader: &mut Reader<'_>, what: &'static str) -> Result<Column<T>, SnapshotError> {
    let bytes = take_column::<u8>(reader, what)?;
    if bytes.len() % size_of::<T>() != 0 {
        return Err(reader.malformed("a column ends inside a value"));
    }
    let parts = bytes.chunks(PART * size_of::<T>());
    Ok(Column::of_parts(parts.map(|part| bytemuck::cast_slice(part).to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Log;

    /// One import, one change of it, one revert.
    fn state() -> State {
        let mut log = Log::with_classes(&["sea", "forest"]);
        let image = log.import("a.jpg", "sea");
        let relabelled = log.relabel(image, "forest");
        assert!(log.undo(relabelled).is_ok());
        log.state
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        type Damage = fn(&mut State);
        let damages: [(&str, Damage); 15] = [
            ("a chain that is a ring", |state| state.log.changes[0].previous = 0),
            ("a chain into nothing", |state| state.log.changes[0].previous = 7),
            ("a change of no row", |state| state.log.changes[0].row = 1),
            ("a change for no reason", |state| state.log.changes[0].because = 1),
            ("a newest change that is not there", |state| state.table.latest[0] = 1),
            ("a base without a row", |state| {
                let base = state.base(0);
                state.log.bases.keep(1, base);
            }),
            ("a column too short", |state| state.table.labels = Column::default()),
            ("a path beyond the end", |state| *state.table.paths.end_mut(0) += 1),
            ("an unknown split", |state| state.table.flags[0] |= SPLIT_MASK),
            ("an unknown batch", |state| state.table.origins[0] = 1),
            ("another last event", |state| state.seq = state.seq.plus(1)),
            ("a revert of the future", |state| state.reverts.records[0].ranges[0].1 = Seq(9)),
            ("a revert backwards", |state| state.reverts.records[0].ranges[0].0 = Seq(4)),
            ("a revert of itself", |state| state.reverts.records[0].reverts.push(0)),
            ("a revert of what did nothing", |state| {
                let record = &mut state.reverts.records[0];
                record.seq = Seq(1000);
                record.ranges[0] = (Seq(1), Seq(999));
            }),
        ];
        assert!(State::from_snapshot(&state().to_snapshot()).is_ok());
        for (damage, inflict) in damages {
            let mut state = state();
            inflict(&mut state);
            let refusal = State::from_snapshot(&state.to_snapshot()).err();
            assert!(matches!(refusal, Some(SnapshotError::Malformed { .. })), "{damage}: {refusal:?}");
        }
    }

    #[test]
    fn rows_out_of_order_are_refused() {
        let mut log = Log::with_classes(&["sea"]);
        log.import("a.jpg", "sea");
        log.import("b.jpg", "sea");
        let refused = |damage: fn(&mut State)| {
            let mut state = log.state.clone();
            damage(&mut state);
            State::from_snapshot(&state.to_snapshot()).is_err()
        };
        assert!(!refused(|_| {}));
        assert!(refused(|state| state.table.seqs = [9, 8].into_iter().collect()));
        assert!(refused(|state| *state.table.paths.end_mut(0) = 11));
    }
}
