//! Which blobs the log needs, and what for.

use std::fmt;

use serde::Serialize;

use crate::digest::BlobId;
use crate::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    WeightsId,
};
use crate::state::{Effect, RunStatus, State};

/// What needs a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "need", content = "id", rename_all = "snake_case")]
pub enum Need {
    /// An image, present or not: its bytes now or at any time before.
    Image(ImageId),
    /// Weights from elsewhere.
    Weights(WeightsId),
    /// A run: its recipe, environment, curves or figures.
    Run(RunId),
    /// A checkpoint's weights.
    Checkpoint(CheckpointId),
    /// Probabilities, or where they were made.
    Predictions(PredictionsId),
    /// The findings of a cleaning pass.
    Pass(PassId),
    /// A generator.
    Generator(GeneratorId),
    /// Generated images, or the quality measured of them.
    Samples(SamplesId),
    /// The votes of an ensemble.
    Ensemble(EnsembleId),
    /// A submission, or a replay of it.
    Submission(SubmissionId),
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Image(id) => write!(f, "image {id}"),
            Need::Weights(id) => write!(f, "weights {id}"),
            Need::Run(id) => write!(f, "run {id}"),
            Need::Checkpoint(id) => write!(f, "checkpoint {id}"),
            Need::Predictions(id) => write!(f, "predictions {id}"),
            Need::Pass(id) => write!(f, "cleaning pass {id}"),
            Need::Generator(id) => write!(f, "generator {id}"),
            Need::Samples(id) => write!(f, "samples {id}"),
            Need::Ensemble(id) => write!(f, "ensemble {id}"),
            Need::Submission(id) => write!(f, "submission {id}"),
        }
    }
}

/// Every blob that some event names, each with what needs it; a blob comes once
/// for every need.
///
/// What was removed, reverted or superseded needs its blobs like everything
/// else: the log can bring it back. The blobs of events of unknown kinds are
/// not known, so nothing may be thrown away while there are such events
/// ([`State::unknown_events`]).
pub fn reachable_blobs(state: &State) -> impl Iterator<Item = (BlobId, Need)> + '_ {
    images(state).chain(models(state)).chain(generated(state)).chain(results(state))
}

fn images(state: &State) -> impl Iterator<Item = (BlobId, Need)> + '_ {
    let first = state.images().flat_map(|image| {
        let before = if image.changed { state.imported_as(image.id).map(|(blob, _)| blob) } else { None };
        [Some(image.blob), before.filter(|blob| *blob != image.blob)]
            .into_iter()
            .flatten()
            .map(move |blob| (blob, Need::Image(image.id)))
    });
    let later = state.all_changes().filter_map(|change| match change.effect {
        Effect::Revised { new: blob, .. } | Effect::Imported { blob, .. } | Effect::Admitted { blob, .. } => {
            Some((blob, Need::Image(change.image)))
        }
        _ => None,
    });
    first.chain(later)
}

fn models(state: &State) -> impl Iterator<Item = (BlobId, Need)> + '_ {
    let weights = state.weights().iter().flat_map(|record| {
        let need = Need::Weights(record.event.weights);
        [(record.event.original, need), (record.event.tensors, need)]
    });
    let runs = state.runs().iter().flat_map(|run| {
        let started = &run.started.event;
        let mut blobs = vec![started.recipe, started.environment];
        blobs.extend(run.learning_rates.iter().map(|found| found.event.curve));
        match &run.status {
            RunStatus::Running => {}
            RunStatus::Finished { end } => blobs.push(end.event.metrics),
            RunStatus::Failed { end } => {
                blobs.extend([end.event.metrics, end.event.resume].into_iter().flatten())
            }
            RunStatus::Cancelled { end } => {
                blobs.extend([end.event.metrics, end.event.resume].into_iter().flatten());
            }
        }
        let need = Need::Run(started.run);
        blobs.into_iter().map(move |blob| (blob, need))
    });
    let checkpoints = state
        .checkpoints()
        .iter()
        .map(|record| (record.event.weights, Need::Checkpoint(record.event.checkpoint)));
    weights.chain(runs).chain(checkpoints)
}

fn generated(state: &State) -> impl Iterator<Item = (BlobId, Need)> + '_ {
    let generators = state.generators().iter().flat_map(|record| {
        let event = &record.event;
        let need = Need::Generator(event.generator);
        let own = [event.recipe, event.weights, event.metrics, event.environment];
        own.into_iter().chain(event.grids.iter().copied()).map(move |blob| (blob, need))
    });
    let samples = state.samples().iter().flat_map(|record| {
        let need = Need::Samples(record.generated.event.samples);
        let quality = record.admissions.iter().filter_map(|admission| admission.event.quality);
        record.generated.event.blobs.iter().copied().chain(quality).map(move |blob| (blob, need))
    });
    generators.chain(samples)
}

fn results(state: &State) -> impl Iterator<Item = (BlobId, Need)> + '_ {
    let predictions = state.predictions().iter().flat_map(|record| {
        let need = Need::Predictions(record.event.predictions);
        let blobs = [Some(record.event.probabilities), record.event.environment];
        blobs.into_iter().flatten().map(move |blob| (blob, need))
    });
    let passes = state
        .passes()
        .iter()
        .map(|record| (record.proposed.event.findings, Need::Pass(record.proposed.event.pass)));
    let ensembles =
        state.ensembles().iter().map(|record| (record.event.votes, Need::Ensemble(record.event.ensemble)));
    let submissions = state.submissions().iter().flat_map(|record| {
        let written = &record.written.event;
        let need = Need::Submission(written.submission);
        let replays =
            record.replays.iter().flat_map(|replay| [replay.event.environment, replay.event.receipt]);
        [written.format, written.csv].into_iter().chain(replays).map(move |blob| (blob, need))
    });
    predictions.chain(passes).chain(ensembles).chain(submissions)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::decide::Command;
    use crate::testing::{Log, blob};

    #[test]
    fn old_bytes_of_removed_images_are_needed_too() {
        let mut log = Log::with_classes(&["sea"]);
        let image = log.import("a.jpg", "sea");
        let revised = log.run(Command::Revise { image, new: blob("new"), reason: String::new() });
        let needed = |log: &Log| reachable_blobs(&log.state).map(|(blob, _)| blob).collect::<BTreeSet<_>>();
        assert_eq!(needed(&log), BTreeSet::from([blob("a.jpg"), blob("new")]), "the revision stands");
        log.undo(revised).expect("nothing happened since");
        log.remove(image);
        let needs: BTreeSet<_> = reachable_blobs(&log.state).collect();
        let need = Need::Image(image);
        assert_eq!(needs, BTreeSet::from([(blob("a.jpg"), need), (blob("new"), need)]));
    }

    #[test]
    fn a_recipe_needs_all_its_blobs() {
        let mut log = Log::with_classes(&["sea"]);
        log.whole_recipe(1, None);
        let needs: BTreeSet<_> = reachable_blobs(&log.state).map(|(blob, _)| blob).collect();
        let id = "01".repeat(16);
        let second = "81".repeat(16);
        for text in [
            format!("recipe {id}"),
            "environment".to_owned(),
            format!("weights {id}"),
            format!("weights {second}"),
            format!("metrics {id}"),
            format!("probabilities {id}"),
            format!("votes {id}"),
            "format".to_owned(),
            format!("csv {id}"),
        ] {
            assert!(needs.contains(&blob(&text)), "{text}");
        }
        assert_eq!(needs.len(), 9);
    }
}
