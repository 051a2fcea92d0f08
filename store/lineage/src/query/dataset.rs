//! The images a dataset holds, now and earlier.

use crate::event::Split;
use crate::manifest::{Manifest, ManifestRow};
use crate::state::State;
use crate::value::Seq;

/// Which of the present images a manifest is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFilter {
    /// Images of these splits only.
    pub splits: Vec<Split>,
    /// Images with a label only.
    pub labelled_only: bool,
}

impl Default for ManifestFilter {
    /// Every present image.
    fn default() -> Self {
        ManifestFilter { splits: Split::ALL.to_vec(), labelled_only: false }
    }
}

impl ManifestFilter {
    /// Every present image of one split.
    pub fn split(split: Split) -> Self {
        ManifestFilter { splits: vec![split], labelled_only: false }
    }

    /// The labelled images of these splits.
    pub fn labelled(splits: impl Into<Vec<Split>>) -> Self {
        ManifestFilter { splits: splits.into(), labelled_only: true }
    }

    /// Whether a present image is wanted.
    pub fn admits(&self, row: &ManifestRow) -> bool {
        self.splits.contains(&row.split) && (row.label.is_some() || !self.labelled_only)
    }
}

/// The images that are in the dataset now.
pub fn manifest(state: &State, filter: &ManifestFilter) -> Manifest {
    let rows = state.images().filter(|image| image.present).map(|image| ManifestRow {
        image: image.id,
        blob: image.blob,
        label: image.label,
        split: image.split,
    });
    Manifest::new(state.classes().to_vec(), rows.filter(|row| filter.admits(row)).collect())
}

/// The images that were in the dataset after the event at `seq`: what
/// [`manifest`] gave then, whatever happened since.
pub fn manifest_as_of(state: &State, seq: Seq, filter: &ManifestFilter) -> Manifest {
    let then = state.as_of(seq);
    Manifest::new(then.classes().to_vec(), then.images().filter(|row| filter.admits(row)).collect())
}
