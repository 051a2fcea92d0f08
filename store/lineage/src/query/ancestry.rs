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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RunId;
    use crate::testing::{Log, models};

    #[test]
    fn a_line_of_descent_goes_to_the_root() {
        let mut log = Log::with_classes(&["sea"]);
        log.whole_recipe(1, None);
        log.whole_recipe(2, Some(CheckpointId([0x81; 16])));
        let line: Vec<_> = ancestry(&log.state, CheckpointId([0x82; 16]))
            .iter()
            .map(|ancestor| {
                let run = ancestor.run.map(|run| run.started.event.run);
                (ancestor.checkpoint.event.checkpoint.0[0], run)
            })
            .collect();
        let runs = [2, 1].map(|number| Some(RunId([number; 16])));
        assert_eq!(line, [(0x82, runs[0]), (0x02, runs[0]), (0x81, runs[1]), (0x01, runs[1])]);
        assert!(ancestry(&log.state, CheckpointId([9; 16])).is_empty());
    }

    #[test]
    fn a_ring_of_parents_ends() {
        let mut log = Log::with_classes(&["sea"]);
        let (run, one, two) = (RunId([1; 16]), CheckpointId([1; 16]), CheckpointId([2; 16]));
        let mut first = models::checkpoint_saved(&log.state, run, one);
        first.parent = Some(two);
        let mut second = models::checkpoint_saved(&log.state, run, two);
        second.parent = Some(one);
        log.commit(vec![first.into(), second.into()]);
        assert_eq!(ancestry(&log.state, two).len(), 2);
        assert_eq!(ancestry(&log.state, one).len(), 1);
    }
}
