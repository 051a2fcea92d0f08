//! Walking along what was made of what.

use std::sync::Arc;

use crossterm::event::KeyCode;

use super::navigate;
use crate::detail::Target;
use crate::key::Key;
use crate::lineage_graph::Thing;
use crate::model::Model;
use crate::overlay::Overlay;
use crate::screen::Screen;
use crate::walk::{Side, Walk, start};

/// Starts a walk from what the screen is about.
pub(super) fn open(model: &mut Model) {
    match start(model) {
        Some(thing) => {
            let walk = Walk::from(thing, model.state());
            model.overlay = Some(Overlay::Lineage(walk));
        }
        None => model.complain("nothing was made of this dataset yet"),
    }
}

/// A key on the way. The walk goes on unless the key ends it.
pub(super) fn press(model: &mut Model, mut walk: Walk, key: Key) {
    let state = Arc::clone(model.state());
    match key.code {
        KeyCode::Left | KeyCode::Char('h') => step(model, &mut walk, Side::Before),
        KeyCode::Right | KeyCode::Char('l') => step(model, &mut walk, Side::After),
        KeyCode::Up | KeyCode::Char('k') => walk.choose(-1, &state),
        KeyCode::Down | KeyCode::Char('j') => walk.choose(1, &state),
        KeyCode::Tab => {
            walk.side = if walk.side == Side::Before { Side::After } else { Side::Before };
        }
        KeyCode::Backspace => {
            if let Some(before) = walk.trail.pop() {
                walk = Walk { trail: walk.trail, ..Walk::from(before, &state) };
            }
        }
        KeyCode::Enter => return arrive(model, walk.here),
        KeyCode::Char('q') => return,
        _ => {}
    }
    model.overlay = Some(Overlay::Lineage(walk));
}

fn step(model: &mut Model, walk: &mut Walk, side: Side) {
    let state = Arc::clone(model.state());
    if !walk.step(side, &state) {
        model.say(match side {
            Side::Before => "it was made of nothing else",
            Side::After => "nothing was made of it yet",
        });
    }
}

/// Shows the thing on its screen.
fn arrive(model: &mut Model, thing: Thing) {
    let state = Arc::clone(model.state());
    match thing {
        Thing::Run(run) => navigate::go(model, Target::Run(run)),
        Thing::Ensemble(id) => {
            let newest_first = state.ensembles().iter().rev();
            let place = newest_first.into_iter().position(|record| record.event.ensemble == id);
            navigate::show(model, Screen::Ensembles);
            model.ensembles.selected = place.unwrap_or(0);
        }
        Thing::Generator(id) => {
            navigate::show(model, Screen::Generators);
            model.generator_views.anchor = Some(id);
        }
        Thing::Submission(id) => {
            let newest_first = state.submissions().iter().rev();
            let place = newest_first.into_iter().position(|record| record.written.event.submission == id);
            navigate::show(model, Screen::Submissions);
            model.submissions.selected = place.unwrap_or(0);
        }
        Thing::Pass(pass) => {
            navigate::show(model, Screen::Review);
            if model.pass() != Some(pass) {
                model.review.pass = Some(pass);
                model.review.findings = None;
            }
        }
        other => match other.seq(&state) {
            Some(seq) => navigate::go(model, Target::Frame(seq)),
            None => model.complain("it is not in the log"),
        },
    }
}
