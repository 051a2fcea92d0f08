//! Taking back earlier events, in any order that leaves no doubt.
//!
//! Undoing is refused when a later event built on what is undone: when it
//! stands, is not undone along with it, and touched the same field of the same
//! image. A later revert counts as touching what its targets touch, unless all
//! of its targets there are later than what is undone: then it only took back what had
//! come after.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, EventRef, EventsReverted, RevertTarget};
use crate::state::{LaterTouch, State};
use crate::value::Seq;

use super::rejection::{Rejection, Thing};

pub(super) fn revert(
    state: &State,
    targets: &[RevertTarget],
    reason: String,
) -> Result<Vec<Event>, Rejection> {
    if targets.is_empty() {
        return Err(Rejection::NothingToDo);
    }
    let mut seqs = BTreeSet::new();
    let mut kept = Vec::new();
    for target in merged(targets) {
        kept.push(resolve(state, &target, &mut seqs)?);
    }
    for seq in &seqs {
        if let Some(later) = state.later_touch(*seq, &seqs) {
            return Err(conflict(state, *seq, later));
        }
    }
    Ok(vec![EventsReverted { targets: kept, reason }.into()])
}

/// One target a transaction; naming all of it wins over naming some.
fn merged(targets: &[RevertTarget]) -> Vec<RevertTarget> {
    let mut order = Vec::new();
    let mut by_transaction: BTreeMap<_, Option<BTreeSet<u32>>> = BTreeMap::new();
    for target in targets {
        let events = by_transaction.entry(target.transaction).or_insert_with(|| {
            order.push(target.transaction);
            Some(BTreeSet::new())
        });
        match events {
            Some(_) if target.events.is_empty() => *events = None,
            Some(events) => events.extend(&target.events),
            None => {}
        }
    }
    let target = |transaction| {
        let events = by_transaction.get(&transaction).cloned().flatten().unwrap_or_default();
        RevertTarget { transaction, events: events.into_iter().collect() }
    };
    order.into_iter().map(target).collect()
}

/// Adds what a target names to `seqs`, and gives the target as it is to be
/// recorded: by number when only some of the transaction's events stand.
fn resolve(
    state: &State,
    target: &RevertTarget,
    seqs: &mut BTreeSet<Seq>,
) -> Result<RevertTarget, Rejection> {
    let transaction = target.transaction;
    let unknown = Rejection::Unknown(Thing::Transaction(transaction));
    let record = state.transactions().get(transaction).ok_or(unknown)?;
    let at = |index| EventRef { transaction, index };
    if !target.events.is_empty() {
        for index in &target.events {
            let event = at(*index);
            let Some(seq) = state.transactions().seq_of(event) else {
                return Err(Rejection::NoSuchEvent { event, count: record.events });
            };
            if !state.is_reversible(seq) {
                return Err(Rejection::NotReversible { event });
            }
            standing(state, event, seq)?;
            seqs.insert(seq);
        }
        return Ok(target.clone());
    }
    let all = (0..record.events as u32).map(|index| (index, record.first_seq.plus(u64::from(index))));
    let reversible: Vec<_> = all.filter(|(_, seq)| state.is_reversible(*seq)).collect();
    let live: Vec<_> = reversible.iter().copied().filter(|(_, seq)| state.stands(*seq)).collect();
    match (reversible.first(), live.len()) {
        (None, _) => Err(Rejection::NotReversible { event: at(0) }),
        (Some((index, seq)), 0) => {
            Err(standing(state, at(*index), *seq).err().unwrap_or(Rejection::NothingToDo))
        }
        (Some(_), count) => {
            seqs.extend(live.iter().map(|(_, seq)| *seq));
            let some = count < reversible.len();
            let events = if some { live.into_iter().map(|(index, _)| index).collect() } else { Vec::new() };
            Ok(RevertTarget { transaction, events })
        }
    }
}

fn standing(state: &State, event: EventRef, seq: Seq) -> Result<(), Rejection> {
    match state.reverter_of(seq) {
        Some(revert) => Err(Rejection::AlreadyReverted { event, by: revert.at }),
        None => Ok(()),
    }
}

fn conflict(state: &State, target: Seq, later: LaterTouch) -> Rejection {
    let name = |seq| state.transactions().event_at(seq);
    let (Some(target_event), Some(later_event)) = (name(target), name(later.seq)) else {
        return Rejection::NothingToDo;
    };
    Rejection::Conflict {
        target: target_event,
        target_seq: target,
        later: later_event,
        seq: later.seq,
        image: later.image,
        field: later.field,
    }
}
