//! The facts around models, with everything filled in that a test rarely cares
//! about.

use crate::event::{
    CheckpointSaved, EnsembleVoted, Honesty, Member, PredictionSource, PredictionsRecorded, RunFinished,
    RunStarted, Split, SubmissionSource, SubmissionWritten, ViewPolicy, VoteRule,
};
use crate::id::{CheckpointId, EnsembleId, PredictionsId, RunId, SubmissionId};
use crate::query::{ManifestFilter, manifest};
use crate::state::State;
use crate::value::Real;

use super::log::blob;

/// A run on the labelled images of the train and valid splits as they are now.
pub fn run_started(state: &State, run: RunId, parent: Option<CheckpointId>) -> RunStarted {
    RunStarted {
        run,
        recipe: blob(&format!("recipe {run}")),
        manifest: manifest(state, &ManifestFilter::labelled([Split::Train, Split::Valid])).digest(),
        at: state.head(),
        parent,
        environment: blob("environment"),
    }
}

/// The next checkpoint of a run: its parent is the one before.
pub fn checkpoint_saved(state: &State, run: RunId, checkpoint: CheckpointId) -> CheckpointSaved {
    let record = state.runs().get(run);
    let before = record.map_or(&[][..], |record| &record.checkpoints);
    CheckpointSaved {
        checkpoint,
        run,
        parent: before.last().copied().or(record.and_then(|record| record.started.event.parent)),
        stage: before.len() as u32,
        image_size: 64 << before.len().min(2),
        epoch: 1,
        architecture: "resnet18".to_owned(),
        weights: blob(&format!("weights {checkpoint}")),
        metrics: [("accuracy".to_owned(), Real(0.5))].into(),
    }
}

/// The end of a run.
pub fn run_finished(run: RunId) -> RunFinished {
    RunFinished { run, metrics: blob(&format!("metrics {run}")) }
}

/// What a checkpoint says of the test split as it is now.
pub fn predictions_recorded(
    state: &State,
    predictions: PredictionsId,
    checkpoint: CheckpointId,
) -> PredictionsRecorded {
    PredictionsRecorded {
        predictions,
        source: PredictionSource::Checkpoint { checkpoint },
        manifest: manifest(state, &ManifestFilter::split(Split::Test)).digest(),
        split: Split::Test,
        at: state.head(),
        views: ViewPolicy::Plain,
        honesty: Honesty::HeldOut,
        temperature: None,
        probabilities: blob(&format!("probabilities {predictions}")),
        environment: Some(blob("environment")),
    }
}

/// A majority vote of all predictions for the images of the newest ones; none
/// when there are no predictions.
pub fn ensemble_voted(state: &State, ensemble: EnsembleId) -> Option<EnsembleVoted> {
    let manifest = state.predictions().last()?.event.manifest;
    let fit = state.predictions().by_id().filter(|record| record.event.manifest == manifest);
    let members =
        fit.map(|record| Member { predictions: record.event.predictions, weight: Real(1.0) }).collect();
    let votes = blob(&format!("votes {ensemble}"));
    Some(EnsembleVoted { ensemble, members, rule: VoteRule::Majority, tie_seed: 7, manifest, votes })
}

/// A file that states what `source` decided.
pub fn submission_written(submission: SubmissionId, source: SubmissionSource) -> SubmissionWritten {
    SubmissionWritten {
        submission,
        source,
        format: blob("format"),
        csv: blob(&format!("csv {submission}")),
        rows: 3,
        derived_from: None,
    }
}
