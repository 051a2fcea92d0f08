//! A walk along what was made of what.

use safelight_lineage::state::State;

use crate::generators::{self, Row};
use crate::lineage_graph::Thing;
use crate::model::Model;

/// Which way one looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// To what it was made of.
    Before,
    /// To what was made of it.
    After,
}

/// Where a walk has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// The thing in the middle.
    pub here: Thing,
    /// Which way one looks.
    pub side: Side,
    /// Which of the things before it is selected.
    pub before: usize,
    /// Which of the things after it is selected.
    pub after: usize,
    /// Where it came along.
    pub trail: Vec<Thing>,
}

impl Walk {
    /// A walk that starts here, looking to where there is something.
    pub fn from(here: Thing, state: &State) -> Walk {
        let side = if here.made_of(state).is_empty() { Side::After } else { Side::Before };
        Walk { here, side, before: 0, after: 0, trail: Vec::new() }
    }

    /// The things on one side.
    pub fn things(&self, side: Side, state: &State) -> Vec<Thing> {
        match side {
            Side::Before => self.here.made_of(state),
            Side::After => self.here.made_into(state),
        }
    }

    /// Which is selected on a side of so many.
    pub fn selected(&self, side: Side, count: usize) -> usize {
        let selected = if side == Side::Before { self.before } else { self.after };
        selected.min(count.saturating_sub(1))
    }

    /// Goes to the selected thing on a side; false when there is none. Looking
    /// back, the thing it came from is selected.
    pub fn step(&mut self, side: Side, state: &State) -> bool {
        let things = self.things(side, state);
        let Some(next) = things.get(self.selected(side, things.len())).copied() else { return false };
        let from = std::mem::replace(&mut self.here, next);
        self.trail.push(from);
        self.side = side;
        let place = |things: Vec<Thing>| things.iter().position(|thing| *thing == from).unwrap_or(0);
        match side {
            Side::Before => (self.before, self.after) = (0, place(next.made_into(state))),
            Side::After => (self.before, self.after) = (place(next.made_of(state)), 0),
        }
        true
    }

    /// Selects the next or the one before, on the side one looks to.
    pub fn choose(&mut self, delta: isize, state: &State) {
        let count = self.things(self.side, state).len();
        let selected =
            self.selected(self.side, count).saturating_add_signed(delta).min(count.saturating_sub(1));
        match self.side {
            Side::Before => self.before = selected,
            Side::After => self.after = selected,
        }
    }
}

/// The thing that the screen is about, to start a walk from.
pub fn start(model: &Model) -> Option<Thing> {
    use crate::screen::Screen;
    let state = model.state();
    let newest = || crate::lineage_graph::everything(state).pop();
    match model.screen {
        Screen::Timeline => {
            let record = model.selected_transaction()?;
            let within = record.first_seq..=record.last_seq();
            let made = crate::lineage_graph::everything(state)
                .into_iter()
                .find(|thing| thing.seq(state).is_some_and(|seq| within.contains(&seq)));
            made.or(Some(Thing::Dataset(record.digest)))
        }
        Screen::Images | Screen::Jobs => newest(),
        Screen::Review => model.pass().map(Thing::Pass),
        Screen::Generators => match generators::selected(model)? {
            Row::Trained(record) => Some(Thing::Generator(record.event.generator)),
            // Nothing was made of it yet.
            Row::Unfinished(_) => newest(),
        },
        Screen::Training => {
            let record = state.runs().iter().rev().nth(model.runs.selected)?;
            Some(Thing::Run(record.started.event.run))
        }
        Screen::Ensembles => {
            let record = state.ensembles().iter().rev().nth(model.ensembles.selected)?;
            Some(Thing::Ensemble(record.event.ensemble))
        }
        Screen::Submissions => {
            let record = state.submissions().iter().rev().nth(model.submissions.selected)?;
            Some(Thing::Submission(record.written.event.submission))
        }
    }
}
