//! What a submission was made from, as a tree that one can walk.

use safelight_lineage::event::{PredictionSource, SubmissionSource};
use safelight_lineage::id::{CheckpointId, EnsembleId, PredictionsId, RunId, SubmissionId};
use safelight_lineage::query::ancestry;
use safelight_lineage::state::{CheckpointRecord, State};
use safelight_lineage::value::Seq;

use crate::event_text;
use crate::text::{counted, safe};

/// What a line of the tree stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// A submission.
    Submission(SubmissionId),
    /// A vote.
    Ensemble(EnsembleId),
    /// Probabilities.
    Predictions(PredictionsId),
    /// Weights.
    Checkpoint(CheckpointId),
    /// A training run.
    Run(RunId),
    /// Something about the line above: a score, a replay.
    Remark,
}

/// One line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeLine {
    /// How deep.
    pub depth: usize,
    /// What it stands for.
    pub node: Node,
    /// The event that made it.
    pub seq: Option<Seq>,
    /// What it says.
    pub text: String,
}

/// Whatever a submission was made from, outermost first. What the log lacks is
/// said, not left out.
pub fn tree(state: &State, submission: SubmissionId) -> Vec<TreeLine> {
    let mut tree = Tree { state, lines: Vec::new() };
    tree.submission(submission);
    tree.lines
}

struct Tree<'a> {
    state: &'a State,
    lines: Vec<TreeLine>,
}

impl Tree<'_> {
    fn line(&mut self, depth: usize, node: Node, seq: Option<Seq>, text: String) {
        self.lines.push(TreeLine { depth, node, seq, text });
    }

    fn submission(&mut self, id: SubmissionId) {
        let Some(record) = self.state.submissions().get(id) else {
            return self.line(0, Node::Submission(id), None, missing("submission", &id.short()));
        };
        let written = &record.written;
        let rows = counted(written.event.rows, "row", "rows");
        let text = format!("submission {} · {rows} · csv {}", id.short(), written.event.csv.short());
        self.line(0, Node::Submission(id), Some(written.seq), text);
        for score in &record.scores {
            let scored = &score.scored;
            let undone = if score.reverted { " (taken back)" } else { "" };
            let text = format!(
                "scored {} public, {} private{undone}",
                event_text::score(scored.event.public.map(|real| real.0)),
                event_text::score(scored.event.private.map(|real| real.0))
            );
            self.line(1, Node::Remark, Some(scored.seq), text);
        }
        for replay in &record.replays {
            let depth = event_text::depth(replay.event.depth);
            let text = format!("replayed to {depth}: {}", event_text::outcome(&replay.event.outcome));
            self.line(1, Node::Remark, Some(replay.seq), text);
        }
        match written.event.source {
            SubmissionSource::Ensemble { ensemble } => self.ensemble(ensemble, 1),
            SubmissionSource::Predictions { predictions } => self.predictions(predictions, None, 1),
        }
    }

    fn ensemble(&mut self, id: EnsembleId, depth: usize) {
        let Some(record) = self.state.ensembles().get(id) else {
            return self.line(depth, Node::Ensemble(id), None, missing("ensemble", &id.short()));
        };
        let event = &record.event;
        let members = counted(event.members.len() as u64, "member", "members");
        let text = format!(
            "ensemble {} · {} vote of {members} · ties by seed {}",
            id.short(),
            event_text::vote_rule(event.rule),
            event.tie_seed
        );
        self.line(depth, Node::Ensemble(id), Some(record.seq), text);
        for member in &event.members {
            self.predictions(member.predictions, Some(member.weight.0), depth + 1);
        }
    }

    fn predictions(&mut self, id: PredictionsId, weight: Option<f64>, depth: usize) {
        let Some(record) = self.state.predictions().get(id) else {
            return self.line(depth, Node::Predictions(id), None, missing("predictions", &id.short()));
        };
        let event = &record.event;
        let weight = weight.filter(|weight| *weight != 1.0).map(|weight| format!(" · weight {weight}"));
        let text = format!(
            "predictions {} · {} · {}{}",
            id.short(),
            event.split,
            event_text::views(event.views),
            weight.unwrap_or_default()
        );
        self.line(depth, Node::Predictions(id), Some(record.seq), text);
        match &event.source {
            PredictionSource::Checkpoint { checkpoint } => self.checkpoint(*checkpoint, depth + 1),
            PredictionSource::Folds { checkpoints } => {
                for checkpoint in checkpoints {
                    self.checkpoint(*checkpoint, depth + 1);
                }
            }
            PredictionSource::External { .. } => {
                self.line(depth + 1, Node::Remark, None, event_text::source(&event.source));
            }
        }
    }

    fn checkpoint(&mut self, id: CheckpointId, depth: usize) {
        let line = ancestry(self.state, id);
        if line.is_empty() {
            return self.line(depth, Node::Checkpoint(id), None, missing("checkpoint", &id.short()));
        }
        let mut depth = depth;
        let mut run = None;
        for ancestor in line {
            let event = &ancestor.checkpoint.event;
            self.line(
                depth,
                Node::Checkpoint(event.checkpoint),
                Some(ancestor.checkpoint.seq),
                checkpoint(ancestor.checkpoint),
            );
            depth += 1;
            if run != Some(event.run) {
                run = Some(event.run);
                match ancestor.run {
                    Some(record) => {
                        let text = format!("run {} · {}", event.run.short(), record.status.name());
                        self.line(depth, Node::Run(event.run), Some(record.started.seq), text);
                    }
                    None => self.line(depth, Node::Run(event.run), None, missing("run", &event.run.short())),
                }
            }
        }
    }
}

/// A checkpoint in words.
pub fn checkpoint(record: &CheckpointRecord) -> String {
    let event = &record.event;
    let accuracy = event.metrics.get("accuracy").map(|real| format!(" · accuracy {:.4}", real.0));
    format!(
        "checkpoint {} · {} · {} px · stage {}{}",
        event.checkpoint.short(),
        safe(&event.architecture),
        event.image_size,
        event.stage,
        accuracy.unwrap_or_default()
    )
}

fn missing(kind: &str, id: &str) -> String {
    format!("{kind} {id} is not in the log")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::history;

    #[test]
    fn a_submission_leads_to_the_runs_behind_it() {
        let state = history::small();
        let submission = state.submissions().last().expect("one").written.event.submission;
        let lines = tree(&state, submission);
        assert!(matches!(lines[0].node, Node::Submission(id) if id == submission));
        let depth =
            |wanted: fn(&Node) -> bool| lines.iter().find(|line| wanted(&line.node)).expect("there").depth;
        assert_eq!(depth(|node| matches!(node, Node::Ensemble(_))), 1);
        assert_eq!(depth(|node| matches!(node, Node::Predictions(_))), 2);
        assert_eq!(depth(|node| matches!(node, Node::Checkpoint(_))), 3);
        assert!(lines.iter().any(|line| matches!(line.node, Node::Run(_))));
        assert!(lines.iter().any(|line| line.text.starts_with("scored 0.9")));
    }

    #[test]
    fn what_is_missing_is_said() {
        let lines = tree(&State::new(), SubmissionId([7; 16]));
        assert_eq!(lines[0].text, "submission 07070707 is not in the log");
    }
}
