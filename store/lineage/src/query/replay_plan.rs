//! What a submission was made from, as steps that make it again.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::digest::BlobId;
use crate::event::{
    CheckpointSaved, EnsembleVoted, EventRef, PredictionSource, PredictionsRecorded, RunStarted,
    SubmissionSource, SubmissionWritten,
};
use crate::id::{CheckpointId, EnsembleId, PredictionsId, RunId, SubmissionId};
use crate::state::{Recorded, State};
use crate::value::Seq;

/// What one step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum StepKind<'a> {
    /// Train a run from its recipe, manifest and parent.
    Train {
        /// The run.
        run: &'a RunStarted,
    },
    /// Arrive at a checkpoint's weights in that run.
    Reach {
        /// The checkpoint.
        checkpoint: &'a CheckpointSaved,
    },
    /// Compute probabilities, or take them as they are when they came from outside.
    Predict {
        /// The predictions.
        predictions: &'a PredictionsRecorded,
    },
    /// Count votes.
    Vote {
        /// The ensemble.
        ensemble: &'a EnsembleVoted,
    },
    /// Write the file.
    Write {
        /// The submission.
        submission: &'a SubmissionWritten,
    },
}

/// One step of a replay: an event and what it takes to repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayStep<'a> {
    /// What to do.
    pub kind: StepKind<'a>,
    /// The event that recorded it.
    pub at: EventRef,
    /// Where that is in this journal.
    pub seq: Seq,
    /// The blobs it starts from, besides what earlier steps give and the images
    /// of its manifest.
    pub inputs: Vec<BlobId>,
    /// The blobs that it made and that a replay compares with.
    pub outputs: Vec<BlobId>,
}

/// Steps in an order in which each finds what it needs; the last writes the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayPlan<'a> {
    /// The submission.
    pub submission: SubmissionId,
    /// The steps.
    pub steps: Vec<ReplayStep<'a>>,
}

impl ReplayPlan<'_> {
    /// Every blob that some step starts from or is compared with, each once.
    pub fn blobs(&self) -> BTreeSet<BlobId> {
        self.steps.iter().flat_map(|step| step.inputs.iter().chain(&step.outputs)).copied().collect()
    }
}

/// Why a submission cannot be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayPlanError {
    /// There is none with this id.
    #[error("there is no submission {0}")]
    UnknownSubmission(SubmissionId),
    /// The log lacks an ensemble that it was made from.
    #[error("ensemble {0} is not in the log")]
    MissingEnsemble(EnsembleId),
    /// The log lacks predictions that it was made from.
    #[error("predictions {0} are not in the log")]
    MissingPredictions(PredictionsId),
    /// The log lacks a checkpoint that it was made from.
    #[error("checkpoint {0} is not in the log")]
    MissingCheckpoint(CheckpointId),
    /// The log lacks a run that it was made from.
    #[error("run {0} is not in the log")]
    MissingRun(RunId),
}

/// Plans how to make a submission again, from the first training run on.
///
/// # Errors
///
/// When it, or something it was made from, is not in the log.
pub fn lineage_of_submission(
    state: &State,
    submission: SubmissionId,
) -> Result<ReplayPlan<'_>, ReplayPlanError> {
    let unknown = ReplayPlanError::UnknownSubmission(submission);
    let written = &state.submissions().get(submission).ok_or(unknown)?.written;
    let mut planner = Planner { state, steps: Vec::new(), done: BTreeSet::new() };
    match written.event.source {
        SubmissionSource::Ensemble { ensemble } => planner.vote(ensemble)?,
        SubmissionSource::Predictions { predictions } => planner.predict(predictions)?,
    }
    let kind = StepKind::Write { submission: &written.event };
    planner.step(kind, written, vec![written.event.format], vec![written.event.csv]);
    // Events come after what they rest on, so their order is a working one.
    planner.steps.sort_by_key(|step| step.seq);
    Ok(ReplayPlan { submission, steps: planner.steps })
}

struct Planner<'a> {
    state: &'a State,
    steps: Vec<ReplayStep<'a>>,
    /// The Seqs of the events that have a step.
    done: BTreeSet<Seq>,
}

impl<'a> Planner<'a> {
    /// Adds a step; false when it is there already.
    fn step<E>(
        &mut self,
        kind: StepKind<'a>,
        record: &Recorded<E>,
        inputs: Vec<BlobId>,
        outputs: Vec<BlobId>,
    ) -> bool {
        let new = self.done.insert(record.seq);
        if new {
            self.steps.push(ReplayStep { kind, at: record.at, seq: record.seq, inputs, outputs });
        }
        new
    }

    fn vote(&mut self, id: EnsembleId) -> Result<(), ReplayPlanError> {
        let record = self.state.ensembles().get(id).ok_or(ReplayPlanError::MissingEnsemble(id))?;
        let kind = StepKind::Vote { ensemble: &record.event };
        if self.step(kind, record, Vec::new(), vec![record.event.votes]) {
            for member in &record.event.members {
                self.predict(member.predictions)?;
            }
        }
        Ok(())
    }

    fn predict(&mut self, id: PredictionsId) -> Result<(), ReplayPlanError> {
        let record = self.state.predictions().get(id).ok_or(ReplayPlanError::MissingPredictions(id))?;
        let kind = StepKind::Predict { predictions: &record.event };
        let inputs = record.event.environment.into_iter().collect();
        if self.step(kind, record, inputs, vec![record.event.probabilities]) {
            match &record.event.source {
                PredictionSource::Checkpoint { checkpoint } => self.reach(*checkpoint)?,
                PredictionSource::Folds { checkpoints } => {
                    checkpoints.iter().try_for_each(|checkpoint| self.reach(*checkpoint))?;
                }
                PredictionSource::External { .. } => {}
            }
        }
        Ok(())
    }

    fn reach(&mut self, id: CheckpointId) -> Result<(), ReplayPlanError> {
        // A loop and not a recursion: a line of descent can be long.
        let mut next = Some(id);
        while let Some(id) = next.take() {
            let record = self.state.checkpoints().get(id).ok_or(ReplayPlanError::MissingCheckpoint(id))?;
            let kind = StepKind::Reach { checkpoint: &record.event };
            if !self.step(kind, record, Vec::new(), vec![record.event.weights]) {
                break;
            }
            let run = record.event.run;
            let started = &self.state.runs().get(run).ok_or(ReplayPlanError::MissingRun(run))?.started;
            let kind = StepKind::Train { run: &started.event };
            let inputs = vec![started.event.recipe, started.event.environment];
            self.step(kind, started, inputs, Vec::new());
            next = record.event.parent.or(started.event.parent);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Log, blob, models};

    fn kinds(plan: &ReplayPlan<'_>) -> Vec<&'static str> {
        let kind = |step: &ReplayStep<'_>| match step.kind {
            StepKind::Train { .. } => "train",
            StepKind::Reach { .. } => "reach",
            StepKind::Predict { .. } => "predict",
            StepKind::Vote { .. } => "vote",
            StepKind::Write { .. } => "write",
        };
        plan.steps.iter().map(kind).collect()
    }

    #[test]
    fn every_step_comes_after_what_it_needs_and_once() {
        let mut log = Log::with_classes(&["sea"]);
        log.whole_recipe(1, None);
        log.whole_recipe(2, Some(CheckpointId([0x81; 16])));
        // The first one needs nothing of the second.
        let first = lineage_of_submission(&log.state, SubmissionId([1; 16])).expect("all is in the log");
        assert_eq!(kinds(&first), ["train", "reach", "reach", "predict", "vote", "write"]);
        let second = lineage_of_submission(&log.state, SubmissionId([2; 16])).expect("all is in the log");
        let both =
            ["train", "reach", "reach", "predict", "train", "reach", "reach", "predict", "vote", "write"];
        assert_eq!(kinds(&second), both);
        let blobs = second.blobs();
        let id = |number: u8| format!("{number:02x}").repeat(16);
        let (one, two) = (id(1), id(2));
        for needed in [
            format!("recipe {one}"),
            format!("weights {}", id(0x81)),
            format!("probabilities {one}"),
            format!("recipe {two}"),
            format!("votes {two}"),
            "environment".to_owned(),
            "format".to_owned(),
            format!("csv {two}"),
        ] {
            assert!(blobs.contains(&blob(&needed)), "{needed}");
        }
        assert!(!blobs.contains(&blob(&format!("csv {one}"))));
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut log = Log::with_classes(&["sea"]);
        let (submission, ensemble) = (SubmissionId([1; 16]), EnsembleId([1; 16]));
        let plan = lineage_of_submission(&log.state, submission);
        assert_eq!(plan, Err(ReplayPlanError::UnknownSubmission(submission)));
        let source = SubmissionSource::Ensemble { ensemble };
        log.commit(vec![models::submission_written(submission, source).into()]);
        let plan = lineage_of_submission(&log.state, submission);
        assert_eq!(plan, Err(ReplayPlanError::MissingEnsemble(ensemble)));
    }
}
