//! After every message: selections are brought into view, and what the screen
//! lacks is asked for.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::{navigate, review};
use crate::detail;
use crate::generator_view::admissions;
use crate::generators::{self, Row};
use crate::judged::PredictionsMark;
use crate::layout;
use crate::model::Model;
use crate::msg::Cmd;
use crate::run_view::standing;
use crate::screen::Screen;
use crate::wanted;

/// So many frames in words are kept; each is small unless it is an import.
const FRAMES_KEPT: usize = 512;

pub(super) fn settle(model: &mut Model, cmds: &mut Vec<Cmd>) {
    reselect_generator(model);
    let areas = layout::areas(model);
    let len = model.list_len();
    let (columns, lines) = layout::wall(model).map_or((1, usize::from(areas.list.height)), |wall| {
        (usize::from(wall.columns), usize::from(wall.lines))
    });
    model.cursor_mut().settle_wall(len, columns, lines);
    if model.in_detail && len == 0 {
        model.in_detail = false;
    }
    let lines = detail::lines(model).len();
    model.detail.settle(lines, usize::from(areas.detail.height));
    frames(model, usize::from(areas.list.height).max(1), cmds);
    log_search(model, cmds);
    findings(model, cmds);
    judgements(model, cmds);
    runs(model, cmds);
    receipts(model, cmds);
    generator(model, cmds);
    review::count(model);
    pictures(model, cmds);
}

/// Asks for the frames in view that were not read yet.
fn frames(model: &mut Model, height: usize, cmds: &mut Vec<Cmd>) {
    if model.screen != Screen::Timeline {
        return;
    }
    let window = model.timeline.cursor.window(model.timeline_len(), height);
    if model.timeline.frames.len() > FRAMES_KEPT.max(2 * height) {
        model.timeline.frames.clear();
        model.timeline.asked.clear();
    }
    let first_missing = window.clone().find_map(|place| {
        let record = model.transaction(place)?;
        let last = record.last_seq();
        let known =
            model.timeline.frames.contains_key(&record.first_seq) || model.timeline.asked.contains(&last);
        (!known && record.events > 0).then_some((place, last))
    });
    if let Some((place, newest)) = first_missing {
        model.timeline.asked.insert(newest);
        // Under a filter the frames in view do not follow each other.
        let limit = if model.timeline.found.is_some() { 1 } else { window.end - place };
        cmds.push(Cmd::LoadFrames { newest, limit });
    }
}

/// Has the events of all frames looked through for the words of the filter, as
/// far as that was not done.
fn log_search(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let wanted = model.timeline.filter.to_lowercase();
    let reading = model.live.is_none() || model.past.as_ref().is_some_and(|past| past.loading);
    if model.screen != Screen::Timeline || wanted.is_empty() || !model.abilities.log_search || reading {
        return;
    }
    let newest = model.state().seq();
    if !model.timeline.search.covers(&wanted, newest) {
        let search = model.timeline.search.next(&wanted, newest);
        let (generation, after) = (search.generation, search.after);
        model.timeline.search = search;
        cmds.push(Cmd::SearchLog { generation, wanted, newest, after });
    }
}

fn findings(model: &mut Model, cmds: &mut Vec<Cmd>) {
    if model.screen != Screen::Review || !model.abilities.findings {
        return;
    }
    let Some(pass) = model.pass() else { return };
    if model.review.findings.is_none() || model.review.pass != Some(pass) {
        model.review.pass = Some(pass);
        model.review.findings = Some(Ok(Arc::default()));
        cmds.push(Cmd::LoadFindings(pass));
    }
}

/// Asks for what is kept of the selected run and of those that are compared,
/// again when one has come further.
fn runs(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let reading = model.live.is_none() || model.past.as_ref().is_some_and(|past| past.loading);
    if model.screen != Screen::Training || !model.abilities.runs || reading {
        return;
    }
    let state = Arc::clone(model.state());
    let selected = state.runs().iter().rev().nth(model.runs.selected);
    let marked = model.run_views.marked.iter().filter_map(|run| state.runs().get(*run));
    for record in selected.into_iter().chain(marked.collect::<Vec<_>>()) {
        let (run, standing) = (record.started.event.run, standing(record));
        if model.run_views.asked.get(&run) != Some(&standing) {
            model.run_views.asked.insert(run, standing);
            cmds.push(Cmd::LoadRun(Arc::clone(&state), run));
        }
    }
}

/// Asks for the newest receipt of the selected submission.
fn receipts(model: &mut Model, cmds: &mut Vec<Cmd>) {
    if model.screen != Screen::Submissions || !model.abilities.receipts {
        return;
    }
    let newest = navigate::submission(model).and_then(|record| record.replays.last());
    let Some(blob) = newest.map(|replay| replay.event.receipt) else { return };
    if let Entry::Vacant(place) = model.receipts.entry(blob) {
        place.insert(None);
        cmds.push(Cmd::LoadReceipt(blob));
    }
}

/// Finds the selected generator again: others come before it, and one whose
/// training ended goes into the log.
fn reselect_generator(model: &mut Model) {
    let place = match model.generator_views.anchor {
        Some(generator) => generators::place(model, generator),
        None => Some(0),
    };
    if let Some(place) = place {
        model.generators.selected = place;
    }
}

/// Asks for what is kept of the selected generator, again when more of its
/// samples were let in.
fn generator(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let reading = model.live.is_none() || model.past.as_ref().is_some_and(|past| past.loading);
    if model.screen != Screen::Generators || !model.abilities.generators || reading {
        return;
    }
    let Some(Row::Trained(record)) = generators::selected(model) else { return };
    let (generator, admissions) = (record.event.generator, admissions(model.state(), record));
    if model.generator_views.asked.insert(generator, admissions) != Some(admissions) {
        cmds.push(Cmd::LoadGenerator(Arc::clone(model.state()), generator));
    }
}

/// Asks for what models say, where the screen shows it.
fn judgements(model: &mut Model, cmds: &mut Vec<Cmd>) {
    if model.live.is_none() || model.past.as_ref().is_some_and(|past| past.loading) {
        return;
    }
    let state = Arc::clone(model.state());
    if model.abilities.judgements {
        let mark = PredictionsMark::of(&state);
        let pictured = matches!(model.screen, Screen::Images | Screen::Review);
        // Before anybody filters or sorts by it: reading takes a moment.
        let said = !state.predictions().is_empty() || model.screen == Screen::Review;
        let wanted = pictured && (said || model.images.needs_opinions());
        if wanted && model.judged.known.as_ref().is_none_or(|(of, _)| *of != mark) {
            model.judged.known = Some((mark, None));
            cmds.push(Cmd::LoadKnown(Arc::clone(&state)));
        }
        if let Some(image) = model.selected_image().map(|view| view.id).filter(|_| pictured)
            && !state.predictions().is_empty()
            && !model.judged.asked_image
            && !model.judged.of_image.contains_key(&(image, mark))
        {
            model.judged.asked_image = true;
            cmds.push(Cmd::LoadJudgements(Arc::clone(&state), image));
        }
        let ensemble = state.ensembles().iter().rev().nth(model.ensembles.selected);
        if model.screen == Screen::Ensembles
            && let Some(ensemble) = ensemble.map(|record| record.event.ensemble)
            && model.judged.asked_votes != Some(ensemble)
            && !model.judged.votes.contains_key(&ensemble)
        {
            model.judged.asked_votes = Some(ensemble);
            cmds.push(Cmd::LoadVotes(Arc::clone(&state), ensemble));
        }
    }
    if model.abilities.likeness
        && model.screen == Screen::Images
        && let Some(image) = model.selected_image().map(|view| view.id)
    {
        let past = model.past.as_ref().map(|past| past.seq);
        if !model.judged.asked_neighbours && !model.judged.neighbours.contains_key(&(image, past)) {
            model.judged.asked_neighbours = true;
            cmds.push(Cmd::FindNeighbours { state, image, past });
        }
    }
}

/// Asks for the pictures that are wanted and not there, when those are others
/// than before.
fn pictures(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let wanted = wanted::pictures(model);
    let missing = model.pictures.missing(&wanted);
    if missing != model.pictures.asked {
        model.pictures.asked.clone_from(&missing);
        if !missing.is_empty() {
            cmds.push(Cmd::Pictures(missing));
        }
    }
}
