//! Where a checkpoint comes from.

use serde::Serialize;

use crate::id::CheckpointId;
use crate::state::{CheckpointRecord, RunRecord, State};

/// A checkpoint in a line of descent and the run that made it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ancestor<'a> {
    /// The checkpoint.
    pub checkpoint: &'a CheckpointRecord,
    /// The run that made it, with its recipe and environment; none when the log
    /// lacks it, which is an anomaly.
    pub run: Option<&'a RunRecord>,
}

/// The checkpoint itself, then its parent, and so on to the root. Empty when
/// there is no such checkpoint; ends early where a parent is missing.
pub fn ancestry(state: &State, checkpoint: CheckpointId) -> Vec<Ancestor<'_>> {
    let mut line: Vec<Ancestor<'_>> = Vec::new();
    let mut next = Some(checkpoint);
    while let Some(checkpoint) = next.and_then(|id| state.checkpoints().get(id)) {
        // Ids come from outside: a log could claim a ring of parents, but then
        // some parent is not older than its child.
        if line.last().is_some_and(|child| child.checkpoint.seq <= checkpoint.seq) {
            break;
        }
        let run = state.runs().get(checkpoint.event.run);
        line.push(Ancestor { checkpoint, run });
        next = checkpoint.event.parent.or_else(|| run.and_then(|run| run.started.event.parent));
    }
    line
}
