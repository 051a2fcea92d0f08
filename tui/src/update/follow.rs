//! What is to be found anew when another state is shown.

use std::sync::Arc;

use safelight_lineage::state::TransactionRecord;

use crate::image_list::Rows;
use crate::judged::PredictionsMark;
use crate::log_search::contains;
use crate::model::Model;
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
    let has = |text: &str| contains(text, wanted);
    let search = &model.timeline.search;
    let found = search.wanted == wanted && search.frames.contains(&record.first_seq);
    found
        || record.message.as_deref().is_some_and(has)
        || has(&record.actor.to_string())
        || record.transaction.to_string().starts_with(wanted)
        || record.digest.to_string().starts_with(wanted)
        || model
            .timeline
            .frames
            .get(&record.first_seq)
            .is_some_and(|frame| has(&frame.summary) || frame.lines.iter().any(|line| has(&line.text)))
}

/// Looks through the images again, at once when all are shown as they came in.
pub(super) fn images(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let state = Arc::clone(model.state());
    model.images.generation += 1;
    if !model.images.needs_search() {
        model.images.searching = false;
        model.images.rows = Rows::All(state.image_count());
        reselect(model);
        return;
    }
    // What was found stays until the new is there, without what is not there
    // any more.
    model.images.rows = match &model.images.rows {
        Rows::All(_) => Rows::All(state.image_count()),
        found => found.below(state.image_count() as u32),
    };
    reselect(model);
    model.images.searching = true;
    if model.images.needs_opinions() && model.abilities.judgements {
        let mark = PredictionsMark::of(&state);
        match &model.judged.known {
            Some((of, Some(_))) if *of == mark => {}
            // The search begins when they are there.
            _ => return,
        }
    }
    cmds.push(Cmd::FilterImages {
        generation: model.images.generation,
        state,
        filter: model.images.filter.clone(),
        order: model.images.order,
        known: model.judged.known().cloned(),
    });
}

/// A search ended.
pub(super) fn found(model: &mut Model, rows: Rows) {
    model.images.searching = false;
    model.images.rows = rows;
    reselect(model);
}

/// Finds the selected image again, or the one after it. The row stays what the
/// user chose, so that it is selected again when it comes back into the list.
fn reselect(model: &mut Model) {
    let place = model.images.rows.place(model.images.row);
    model.images.cursor.selected = place.min(model.images.rows.len().saturating_sub(1));
}
