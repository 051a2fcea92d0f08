//! The one entry: a message in, commands out.

use std::sync::Arc;

use safelight_lineage::state::State;

use super::{curate, follow, keys, navigate, overlays, review, settle};
use crate::judged::PredictionsMark;
use crate::judgements::Known;
use crate::model::Model;
use crate::msg::{Cmd, Msg};

/// Changes the model by what happened, and says what is to be done outside.
/// Pure: no input, no output, no clock.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Cmd> {
    let mut cmds = Vec::new();
    match msg {
        Msg::Key(key) => {
            model.notice = None;
            keys::press(model, key, &mut cmds);
        }
        Msg::Paste(text) => overlays::paste(model, &text),
        Msg::Wheel(rows) => navigate::step(model, rows),
        Msg::Click(x, y) => navigate::click(model, x, y),
        Msg::Resize(size) => model.size = size,
        Msg::Drawn => {
            review::seen(model);
            return cmds;
        }
        Msg::State(state) => live(model, state, &mut cmds),
        Msg::Past(seq, result) => past(model, seq, result, &mut cmds),
        Msg::Frames { newest, frames } => match frames {
            Ok(frames) => {
                model
                    .timeline
                    .frames
                    .extend(frames.into_iter().map(|frame| (frame.first_seq, Arc::new(frame))));
            }
            // Asking again would fail again; a newer state asks anew.
            Err(error) => model.complain(format!("frames up to {newest} cannot be read: {error}")),
        },
        Msg::LogSearched { generation, found, down_to, error } => {
            if generation == model.timeline.search.generation {
                model.timeline.search.frames.extend(found);
                model.timeline.search.down_to = down_to;
                if let Some(error) = error {
                    model.complain(format!("the log cannot be looked through: {error}"));
                }
                follow::timeline(model);
            }
        }
        Msg::Rows { generation, rows } => {
            if generation == model.images.generation {
                follow::found(model, rows);
            }
        }
        Msg::Picture(key, result) => model.pictures.put(key, result),
        Msg::Executed { frame, error } => curate::executed(model, frame.as_ref(), error, &mut cmds),
        Msg::Known(mark, answer) => known(model, mark, answer, &mut cmds),
        Msg::Judged(image, mark, answer) => {
            model.judged.asked_image = false;
            model.judged.forget_some();
            model.judged.of_image.insert((image, mark), answer);
        }
        Msg::Votes(ensemble, answer) => {
            model.judged.asked_votes = None;
            model.judged.votes.insert(ensemble, answer);
        }
        Msg::Neighbours(image, past, answer) => {
            model.judged.asked_neighbours = false;
            model.judged.forget_some();
            model.judged.neighbours.insert((image, past), answer);
        }
        Msg::Findings(pass, findings) => review::findings(model, pass, findings),
        Msg::Run(run, answer) => drop(model.run_views.read.insert(run, answer)),
        Msg::Receipt(blob, answer) => drop(model.receipts.insert(blob, Some(answer))),
        Msg::Generator(generator, answer) => drop(model.generator_views.read.insert(generator, answer)),
        Msg::Unfinished(unfinished) => model.generator_views.unfinished = unfinished,
        Msg::Jobs(views) => model.jobs.views = views,
        Msg::Saved(path, Ok(())) => model.say(format!("saved as {}", crate::text::safe(&path))),
        Msg::Saved(path, Err(error)) => model.complain(format!("{}: {error}", crate::text::safe(&path))),
        Msg::Failed(error) => model.complain(error),
    }
    settle::settle(model, &mut cmds);
    cmds
}

fn known(model: &mut Model, mark: PredictionsMark, answer: Result<Arc<Known>, String>, cmds: &mut Vec<Cmd>) {
    if let Err(error) = &answer {
        model.complain(format!("what models say cannot be read: {error}"));
    }
    model.judged.known = Some((mark, Some(answer)));
    // A filter or an order may have waited for this.
    if model.images.needs_opinions() {
        follow::images(model, cmds);
    }
}

fn live(model: &mut Model, state: Arc<State>, cmds: &mut Vec<Cmd>) {
    model.timeline.asked.clear();
    model.live = Some(state);
    if model.past.is_none() {
        follow::state_changed(model, cmds);
    }
    curate::log_grew(model, cmds);
}

fn past(
    model: &mut Model,
    seq: safelight_lineage::value::Seq,
    result: Result<Arc<State>, String>,
    cmds: &mut Vec<Cmd>,
) {
    // An answer to an older question is of no use.
    let Some(past) = model.past.as_mut().filter(|past| past.seq == seq) else { return };
    match result {
        Ok(state) => {
            past.state = state;
            past.loading = false;
        }
        Err(error) => {
            model.past = None;
            model.complain(format!("the past cannot be read: {error}"));
        }
    }
    follow::state_changed(model, cmds);
}
