//! The dataset as it was: every image at an earlier Seq, from the newest state.
//!
//! The change log keeps what happened, so the past of the images needs no
//! second fold.

use crate::id::ImageId;
use crate::manifest::ManifestRow;
use crate::value::Seq;

use super::fold::State;
use super::image_table::Current;
use super::revert::standing;

/// A view of the images as of one Seq. What is asked of it is what the state
/// after that event would have answered.
pub struct AsOf<'a> {
    state: &'a State,
    seq: Seq,
    /// The events that were taken back then, as ascending stretches.
    dead: Vec<(Seq, Seq)>,
}

impl State {
    /// The images as they were after the event at `seq`; as they are, when
    /// `seq` is not before the last event.
    pub fn as_of(&self, seq: Seq) -> AsOf<'_> {
        let count = self.reverts.records.partition_point(|record| record.seq <= seq);
        let records = &self.reverts.records[..count];
        let stood = records.iter().zip(standing(records)).filter(|(_, stands)| *stands);
        let mut dead: Vec<_> = stood.flat_map(|(record, _)| record.ranges.iter().copied()).collect();
        dead.sort_unstable();
        // Join those that overlap, so that the last to start is the last to end.
        dead.dedup_by(|next, kept| {
            let overlap = next.0 <= kept.1;
            if overlap {
                kept.1 = kept.1.max(next.1);
            }
            overlap
        });
        AsOf { state: self, seq, dead }
    }
}

impl AsOf<'_> {
    /// The Seq.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The names of the classes that there were.
    pub fn classes(&self) -> &[String] {
        self.state.dataset.as_ref().map_or(&[], |dataset| dataset.classes_at(self.seq))
    }

    /// Whether the image was in the dataset.
    pub fn present(&self, image: ImageId) -> bool {
        self.state.table.find(image).is_some_and(|row| self.current(row).present())
    }

    /// The images that were in the dataset, in order of import.
    pub fn images(&self) -> impl Iterator<Item = ManifestRow> {
        let table = &self.state.table;
        let rows = table.seqs.partition_point(|seq| *seq <= self.seq.0);
        (0..rows as u32).filter_map(|row| self.row(row))
    }

    /// The image that came in as the `row`-th, from zero, if it was in the dataset.
    pub fn row(&self, row: u32) -> Option<ManifestRow> {
        let table = &self.state.table;
        if table.seqs.get(row as usize).is_none_or(|seq| *seq > self.seq.0) {
            return None;
        }
        let current = self.current(row);
        current.present().then(|| ManifestRow {
            image: table.ids[row as usize],
            blob: current.blob,
            label: current.label,
            split: table.split(row),
        })
    }

    fn current(&self, row: u32) -> Current {
        self.state.resolve(row, |seq| self.stood(seq), self.seq)
    }

    fn stood(&self, seq: Seq) -> bool {
        let after = self.dead.partition_point(|(first, _)| *first <= seq);
        after.checked_sub(1).is_none_or(|place| self.dead[place].1 < seq)
    }
}
