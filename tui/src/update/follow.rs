//! What is to be found anew when another state is shown.

use std::sync::Arc;

use safelight_lineage::state::TransactionRecord;

use crate::model::{Model, Rows};
use crate::msg::Cmd;

/// Another state is shown: the log grew, or another time was chosen.
pub(super) fn state_changed(model: &mut Model, cmds: &mut Vec<Cmd>) {
    timeline(model);
    images(model, cmds);
    model.review.sent.retain(|_, _| model.past.is_none());
    if let Some(pass) = model.pass() {
        let state = Arc::clone(model.state());
        model.review.sent.retain(|image, decision| state.review(pass, *image) != Some(*decision));
    }
}

/// Finds the frames that the filter lets through, and the selected one again.
pub(super) fn timeline(model: &mut Model) {
    let wanted = model.timeline.filter.to_lowercase();
    model.timeline.found = (!wanted.is_empty()).then(|| {
        let numbered = model.transactions().iter().enumerate();
        let fits = numbered.filter(|(_, record)| mentions(model, record, &wanted));
        fits.map(|(place, _)| place as u32).collect()
    });
    let Some(anchor) = model.timeline.anchor else {
        model.timeline.cursor.selected = 0;
        return;
    };
    let len = model.timeline_len();
    // Newest first: descending by Seq.
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = (low + high) / 2;
        if model.transaction(middle).is_some_and(|record| record.first_seq > anchor) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    model.timeline.cursor.selected = low.min(len.saturating_sub(1));
}

fn mentions(model: &Model, record: &TransactionRecord, wanted: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(wanted);
    record.message.as_deref().is_some_and(has)
        || has(&record.actor.to_string())
        || record.transaction.to_string().starts_with(wanted)
        || record.digest.to_string().starts_with(wanted)
        || model
            .timeline
            .frames
            .get(&record.first_seq)
            .is_some_and(|frame| has(&frame.summary) || frame.lines.iter().any(|line| has(&line.text)))
}

/// Looks through the images again, at once when there is no filter.
pub(super) fn images(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let state = Arc::clone(model.state());
    model.images.generation += 1;
    if model.images.filter.is_empty() {
        model.images.searching = false;
        model.images.rows = Rows::All(state.image_count());
        reselect(model);
        return;
    }
    // What was found stays until the new is there, without what is not there
    // any more.
    let count = state.image_count() as u32;
    if let Rows::Found(rows) = &model.images.rows {
        if rows.last().is_some_and(|last| *last >= count) {
            let kept = rows.iter().copied().filter(|row| *row < count).collect();
            model.images.rows = Rows::Found(Arc::new(kept));
        }
    } else {
        model.images.rows = Rows::All(state.image_count());
    }
    reselect(model);
    model.images.searching = true;
    let (generation, filter) = (model.images.generation, model.images.filter.clone());
    cmds.push(Cmd::FilterImages { generation, state, filter });
}

/// A search ended.
pub(super) fn found(model: &mut Model, rows: Vec<u32>) {
    model.images.searching = false;
    model.images.rows = Rows::Found(Arc::new(rows));
    reselect(model);
}

/// Finds the selected image again, or the one after it. The row stays what the
/// user chose, so that it is selected again when it comes back into the list.
fn reselect(model: &mut Model) {
    let place = model.images.rows.place(model.images.row);
    model.images.cursor.selected = place.min(model.images.rows.len().saturating_sub(1));
}
