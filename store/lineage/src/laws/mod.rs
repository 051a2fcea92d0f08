//! The laws of the log, tried on generated histories.

mod fold;
mod past;
mod snapshot;
mod undo;

use crate::event::Split;
use crate::query;
use crate::state::State;
use crate::value::{ClassIndex, Seq};

/// Asks everything that can be asked of a state, so that none of it panics.
fn ask_everything(state: &State) {
    let filter = query::ManifestFilter::default();
    query::manifest(state, &filter);
    query::manifest_as_of(state, Seq(state.seq().0 / 2), &filter);
    assert!(query::removals(state).count() <= state.all_changes().count());
    query::relabels(state).for_each(drop);
    query::reachable_blobs(state).for_each(drop);
    for image in state.images() {
        let _life = query::biography(state, image.id);
        query::blast_radius(state, image.id);
        state.images_at_path(image.split, image.path);
    }
    for checkpoint in state.checkpoints().ids() {
        query::ancestry(state, checkpoint);
    }
    for submission in state.submissions().ids() {
        let _plan = query::lineage_of_submission(state, submission);
    }
    for pass in state.passes().ids() {
        state.reviews(pass).for_each(drop);
    }
    for record in state.transactions() {
        let _owner = state.transactions().of_seq(record.last_seq());
    }
    state.digest();
}

/// Counts present images by looking at each.
fn recount(state: &State, split: Split, label: Option<ClassIndex>) -> u64 {
    state.images().filter(|image| image.present && image.split == split && image.label == label).count()
        as u64
}
