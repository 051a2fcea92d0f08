//! What was read of models' judgements, and what was asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use safelight_lineage::id::{EnsembleId, ImageId, PredictionsId};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use crate::judgements::{Judgement, Known, Neighbours, VoteTable};

/// What of an image is kept for coming back to it.
const KEPT: usize = 256;

/// Which predictions there were: judgements are read anew when there are others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct PredictionsMark(usize, Option<PredictionsId>);

impl PredictionsMark {
    /// Those of a state.
    pub fn of(state: &State) -> PredictionsMark {
        let predictions = state.predictions();
        PredictionsMark(predictions.len(), predictions.last().map(|record| record.event.predictions))
    }
}

/// What came, or why it cannot be had.
pub type Answer<T> = Result<Arc<T>, String>;

/// What was read of models' judgements.
#[derive(Debug, Default)]
pub struct Judged {
    /// What is said of every image, by which predictions; without an answer it
    /// was asked for.
    pub known: Option<(PredictionsMark, Option<Answer<Known>>)>,
    /// What is said of single images.
    pub of_image: BTreeMap<(ImageId, PredictionsMark), Answer<Vec<Judgement>>>,
    /// Images that look alike; in the past, as of which Seq.
    pub neighbours: BTreeMap<(ImageId, Option<Seq>), Answer<Neighbours>>,
    /// The votes of ensembles.
    pub votes: BTreeMap<EnsembleId, Answer<VoteTable>>,
    /// The ensemble whose votes were asked for.
    pub asked_votes: Option<EnsembleId>,
    /// Whether an answer about a single image is on its way. Only then the next
    /// is asked for: who scrolls fast does not look at each.
    pub asked_image: bool,
    /// The same for images that look alike.
    pub asked_neighbours: bool,
}

impl Judged {
    /// What is known of all images, if it was read.
    pub fn known(&self) -> Option<&Arc<Known>> {
        self.known.as_ref()?.1.as_ref()?.as_ref().ok()
    }

    /// Forgets what is kept of single images when that has become much.
    pub fn forget_some(&mut self) {
        if self.of_image.len() > KEPT {
            self.of_image.clear();
        }
        if self.neighbours.len() > KEPT {
            self.neighbours.clear();
        }
    }
}
