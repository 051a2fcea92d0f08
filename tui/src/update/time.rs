//! Going into the past and back.

use std::sync::Arc;

use safelight_lineage::value::Seq;

use super::follow;
use crate::model::{Model, Past};
use crate::msg::Cmd;

/// Shows everything as of `seq`; the newest is the present.
pub(super) fn go(model: &mut Model, seq: Seq, cmds: &mut Vec<Cmd>) {
    if seq >= model.newest().seq() {
        return now(model, cmds);
    }
    if model.past.as_ref().is_some_and(|past| past.seq == seq) {
        return;
    }
    let state = Arc::clone(model.state());
    model.past = Some(Past { seq, state, loading: true });
    model.review.sent.clear();
    cmds.push(Cmd::LoadPast(seq));
}

/// Back to the present.
pub(super) fn now(model: &mut Model, cmds: &mut Vec<Cmd>) {
    if model.past.take().is_some() {
        follow::state_changed(model, cmds);
    }
}

fn place(model: &Model) -> Seq {
    model.past.as_ref().map_or(model.newest().seq(), |past| past.seq)
}

/// To the end of the frame before the one shown last.
pub(super) fn earlier(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let here = place(model);
    let Some(record) = model.newest().transactions().of_seq(here) else {
        return model.complain("there is nothing before");
    };
    let seq = Seq(record.first_seq.0.saturating_sub(1));
    go(model, seq, cmds);
}

/// To the end of the frame after the one shown last.
pub(super) fn later(model: &mut Model, cmds: &mut Vec<Cmd>) {
    if model.past.is_none() {
        return model.complain("this is the present");
    }
    let next = place(model).plus(1);
    match model.newest().transactions().of_seq(next).map(|record| record.last_seq()) {
        Some(seq) => go(model, seq, cmds),
        None => now(model, cmds),
    }
}
