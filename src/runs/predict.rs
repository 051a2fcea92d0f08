//! Probabilities of a checkpoint on a split, recorded.

use std::collections::BTreeSet;

use safelight_lineage::digest::{BlobId, FrameDigest, ManifestDigest};
use safelight_lineage::event::{Honesty, PredictionSource, PredictionsRecorded, Split, ViewPolicy};
use safelight_lineage::id::{CheckpointId, ImageId, PredictionsId};
use safelight_lineage::manifest::Manifest;
use safelight_lineage::query::{ManifestFilter, ancestry, manifest};
use safelight_lineage::state::State;
use safelight_store::BlobError;

use super::StoredImages;
use super::prepare::{PrepareError, dataset_at, filter, stored_recipe};
use crate::clean::Embeddings;
use crate::predictions::{Probabilities, ProbabilitiesError};
use crate::session::{Session, SessionError};
use crate::stop::Stop;
use crate::train::plan::Plan;
use crate::train::progress::Progress;
use crate::train::torch::{self, PredictError};
use crate::train::views::{UnknownViews, Views};

/// Why probabilities could not be computed or recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunPredictError {
    /// The engine failed.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// The log could not be written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A blob could not be read or written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// What the checkpoint learned from cannot be told.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The engine gave what are no probabilities.
    #[error(transparent)]
    Probabilities(#[from] ProbabilitiesError),
    /// The views cannot be computed.
    #[error(transparent)]
    Views(#[from] UnknownViews),
    /// There is no such checkpoint.
    #[error("there is no checkpoint {0}")]
    UnknownCheckpoint(CheckpointId),
    /// The engine gave what are no embeddings.
    #[error("the network gave numbers that are not finite; its weights are of no use")]
    Embeddings,
    /// There is nothing to predict.
    #[error("the {0} split holds no image")]
    EmptySplit(Split),
}

/// What to compute.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// The model.
    pub checkpoint: CheckpointId,
    /// The images.
    pub split: Split,
    /// Which views of them.
    pub views: ViewPolicy,
    /// Threads that compute.
    pub threads: usize,
}

/// The probabilities of a checkpoint on these images, in the order of `rows`.
///
/// # Errors
/// When the checkpoint is not there or the engine fails.
pub fn compute(
    session: &Session,
    checkpoint: CheckpointId,
    dataset: &Manifest,
    views: ViewPolicy,
    threads: usize,
    stop: &Stop,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Probabilities, RunPredictError> {
    let record = session
        .state()
        .checkpoints()
        .get(checkpoint)
        .ok_or(RunPredictError::UnknownCheckpoint(checkpoint))?;
    let blobs = session.repository().blobs().clone();
    let weights = blobs.get(record.event.weights)?;
    let images: Vec<(ImageId, BlobId)> = dataset.rows().iter().map(|row| (row.image, row.blob)).collect();
    let prediction = torch::Prediction {
        weights: &weights,
        architecture: &record.event.architecture,
        classes: dataset.classes(),
        size: record.event.image_size,
        images: &images,
        views: Views::try_from(views)?,
    };
    let cache = session.repository().cache_dir();
    let values =
        torch::predict(&prediction, &StoredImages(blobs), Some(&cache), threads, progress, stop.flag())?;
    Ok(Probabilities::new(
        dataset.classes().len(),
        images.into_iter().map(|(image, _)| image).collect(),
        values,
    )?)
}

/// The embeddings of images by a checkpoint, plainly viewed.
///
/// # Errors
/// When the checkpoint or an image is not there, or the engine fails.
pub fn embed(
    session: &Session,
    checkpoint: CheckpointId,
    images: &[ImageId],
    threads: usize,
    stop: &Stop,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Embeddings, RunPredictError> {
    let state = session.state();
    let record = state.checkpoints().get(checkpoint).ok_or(RunPredictError::UnknownCheckpoint(checkpoint))?;
    let blobs = session.repository().blobs().clone();
    let weights = blobs.get(record.event.weights)?;
    let images: Vec<(ImageId, BlobId)> =
        images.iter().filter_map(|image| Some((*image, state.image(*image)?.blob))).collect();
    let prediction = torch::Prediction {
        weights: &weights,
        architecture: &record.event.architecture,
        classes: state.classes(),
        size: record.event.image_size,
        images: &images,
        views: Views::Plain,
    };
    let cache = session.repository().cache_dir();
    let source = StoredImages(blobs);
    let values = torch::embeddings(&prediction, &source, Some(&cache), threads, progress, stop.flag())?;
    let images = images.into_iter().map(|(image, _)| image).collect();
    Embeddings::new(images, values).ok_or(RunPredictError::Embeddings)
}

/// Computes the probabilities of a checkpoint on a split as it is now, and
/// records them.
///
/// # Errors
/// When they cannot be computed or recorded.
pub fn predict(
    session: &mut Session,
    request: Request,
    stop: &Stop,
    progress: &mut dyn FnMut(&Progress),
) -> Result<(PredictionsId, Probabilities), RunPredictError> {
    let at = session.head();
    let dataset = manifest(session.state(), &ManifestFilter::split(request.split));
    if dataset.rows().is_empty() {
        return Err(RunPredictError::EmptySplit(request.split));
    }
    let honesty = honesty(session, request.checkpoint, &dataset)?;
    let probabilities =
        compute(session, request.checkpoint, &dataset, request.views, request.threads, stop, progress)?;
    let source = PredictionSource::Checkpoint { checkpoint: request.checkpoint };
    let id = record(
        session,
        &Facts {
            source,
            manifest: dataset.digest(),
            at,
            split: request.split,
            views: request.views,
            honesty,
            threads: request.threads,
            message: None,
        },
        &probabilities,
    )?;
    Ok((id, probabilities))
}

/// What is recorded beside probabilities.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What made them.
    pub source: PredictionSource,
    /// The images they are for.
    pub manifest: ManifestDigest,
    /// The head when those were taken.
    pub at: FrameDigest,
    /// Their split.
    pub split: Split,
    /// Which views.
    pub views: ViewPolicy,
    /// Whether the model had seen them.
    pub honesty: Honesty,
    /// Threads that computed.
    pub threads: usize,
    /// What to remember about them.
    pub message: Option<String>,
}

/// Records probabilities that were computed here.
///
/// # Errors
/// When the log or the store cannot be written.
pub fn record(
    session: &mut Session,
    facts: &Facts,
    probabilities: &Probabilities,
) -> Result<PredictionsId, RunPredictError> {
    let blobs = session.repository().blobs().clone();
    let environment = Some(blobs.put(&torch::environment(facts.threads).to_json())?);
    let blob = blobs.put(&probabilities.to_bytes())?;
    let frame = session.record(facts.message.as_deref(), |_, transaction| PredictionsRecorded {
        predictions: PredictionsId(transaction.derive("predictions", 0)),
        source: facts.source.clone(),
        manifest: facts.manifest,
        split: facts.split,
        at: facts.at,
        views: facts.views,
        honesty: facts.honesty,
        temperature: None,
        probabilities: blob,
        environment,
    })?;
    Ok(PredictionsId(frame.header.transaction.derive("predictions", 0)))
}

/// Whether a checkpoint, or one that it grew from, learned from any of these
/// images.
///
/// # Errors
/// When what it learned from cannot be told.
pub fn honesty(
    session: &Session,
    checkpoint: CheckpointId,
    dataset: &Manifest,
) -> Result<Honesty, RunPredictError> {
    let state: &State = session.state();
    let blobs = session.repository().blobs();
    let mut runs = BTreeSet::new();
    for ancestor in ancestry(state, checkpoint) {
        let Some(run) = ancestor.run else { return Ok(Honesty::Unknown) };
        let started = &run.started.event;
        if !runs.insert(started.run) {
            continue;
        }
        let recipe = stored_recipe(state, |blob| blobs.get(blob), started.run)?;
        let learned = dataset_at(state, started.at, &filter(&recipe))?;
        let plan = Plan::from_manifest(recipe, &learned).map_err(PrepareError::from)?;
        if plan.train.iter().any(|sample| dataset.row(sample.image).is_some()) {
            return Ok(Honesty::InSample);
        }
    }
    Ok(Honesty::HeldOut)
}
