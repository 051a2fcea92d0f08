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
    /// Which of the reverts up to `seq` stood then.
    standing: Vec<bool>,
}

impl State {
    /// The images as they were after the event at `seq`; as they are, when
    /// `seq` is not before the last event.
    pub fn as_of(&self, seq: Seq) -> AsOf<'_> {
        let count = self.reverts.records.partition_point(|record| record.seq <= seq);
        AsOf { state: self, seq, standing: standing(&self.reverts.records[..count]) }
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
        (0..rows as u32).filter_map(|row| {
            let current = self.current(row);
            current.present().then(|| ManifestRow {
                image: table.ids[row as usize],
                blob: current.blob,
                label: current.label,
                split: table.split(row),
            })
        })
    }

    fn current(&self, row: u32) -> Current {
        self.state.resolve(row, |seq| self.stood(seq), self.seq)
    }

    fn stood(&self, seq: Seq) -> bool {
        let records = self.state.reverts.records.iter().zip(&self.standing);
        !records.filter(|(_, stands)| **stands).any(|(record, _)| record.names(seq))
    }
}
