//! Undo and redo. The log itself is the memory: what is taken back next is
//! found in it, so undo knows no limit and survives the end of the program.

use safelight_lineage::decide::Command;
use safelight_lineage::event::{Actor, RevertTarget};
use safelight_lineage::id::{ImageId, TransactionId};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use super::curate;
use crate::action::Action;
use crate::model::Model;
use crate::msg::Cmd;
use crate::overlay::{Confirm, Consequence, Overlay};
use crate::text::counted;

/// More events than this are taken back only after a question.
const MANY: u64 = 20;

/// The newest change of an image by `actor` that stands.
fn newest_change(state: &State, actor: Option<&Actor>) -> Option<(Seq, TransactionId, ImageId)> {
    let change = state
        .all_changes()
        .rev()
        .find(|change| change.live && is_own(state, change.at.transaction, actor))?;
    Some((change.seq, change.at.transaction, change.image))
}

/// The newest undo by `actor` that stands, unless something was changed since.
fn newest_undo(state: &State, actor: Option<&Actor>) -> Option<TransactionId> {
    let takes_back_undo = |targets: &[RevertTarget]| {
        targets
            .iter()
            .any(|target| state.reverts().iter().any(|other| other.at.transaction == target.transaction))
    };
    let own = state.reverts().iter().rev().filter(|revert| is_own(state, revert.at.transaction, actor));
    let undo = own.into_iter().find(|revert| revert.live && !takes_back_undo(&revert.event.targets))?;
    let since = newest_change(state, actor).is_some_and(|(seq, _, _)| seq > undo.seq);
    (!since).then_some(undo.at.transaction)
}

fn is_own(state: &State, transaction: TransactionId, actor: Option<&Actor>) -> bool {
    let Some(record) = state.transactions().get(transaction) else { return false };
    match actor {
        Some(actor) => record.actor == *actor,
        None => matches!(record.actor, Actor::Person { .. }),
    }
}

/// Takes back the newest change, or the newest undo; later, when changes are on
/// their way.
pub(super) fn press(model: &mut Model, action: Action, cmds: &mut Vec<Cmd>) {
    if !curate::allowed(model) {
        return;
    }
    if model.sent.pending > 0 || model.sent.until.is_some() {
        model.sent.queue.push(action);
        return;
    }
    let state = std::sync::Arc::clone(model.newest());
    let actor = model.actor.clone();
    let (transaction, image) = if action == Action::Redo {
        let Some(undo) = newest_undo(&state, actor.as_ref()) else {
            return model.complain("there is no undo of yours to take back");
        };
        let undone = state.reverts().iter().find(|revert| revert.at.transaction == undo);
        let target = undone.and_then(|revert| revert.event.targets.first()).map(|target| target.transaction);
        let image = state.all_changes().rev().find(|change| Some(change.at.transaction) == target);
        (undo, image.map(|change| change.image))
    } else {
        let Some((_, transaction, image)) = newest_change(&state, actor.as_ref()) else {
            return model.complain("there is no change of yours to take back");
        };
        (transaction, Some(image))
    };
    model.sent.select = image;
    let reason = if action == Action::Redo { "redo" } else { "undo" };
    revert(model, transaction, reason, cmds);
}

/// Asks whether to take back the selected frame.
pub(super) fn ask_revert(model: &mut Model) {
    if !curate::allowed(model) {
        return;
    }
    let Some(record) = model.selected_transaction() else { return };
    let question = format!(
        "Take back {} of {} by {}?",
        counted(record.events, "event", "events"),
        record.transaction.short(),
        record.actor
    );
    let command = command(record.transaction, "taken back on the timeline");
    model.overlay =
        Some(Overlay::Confirm(Confirm { question, consequence: Consequence::Execute(vec![command]) }));
}

fn revert(model: &mut Model, transaction: TransactionId, reason: &str, cmds: &mut Vec<Cmd>) {
    let command = command(transaction, reason);
    let events = model.newest().transactions().get(transaction).map_or(0, |record| record.events);
    if events > MANY {
        let question = format!("Take back {} at once?", counted(events, "event", "events"));
        let consequence = Consequence::Execute(vec![command]);
        model.overlay = Some(Overlay::Confirm(Confirm { question, consequence }));
    } else {
        curate::execute(model, vec![command], cmds);
    }
}

fn command(transaction: TransactionId, reason: &str) -> Command {
    Command::Revert {
        targets: vec![RevertTarget { transaction, events: Vec::new() }],
        reason: reason.to_owned(),
    }
}
