//! Probabilities of a checkpoint on a split, recorded.

use std::collections::BTreeSet;

use safelight_lineage::digest::{BlobId, FrameDigest, ManifestDigest};
use safelight_lineage::event::{Honesty, PredictionSource, PredictionsRecorded, Split, ViewPolicy};
use safelight_lineage::id::{CheckpointId, ImageId, PredictionsId};
use safelight_lineage::manifest::Manifest;
use safelight_lineage::query::{ManifestFilter, ancestry, generated_images, manifest};
use safelight_lineage::state::State;
use safelight_lineage::value::Real;
use safelight_store::BlobError;

use super::StoredImages;
use super::calibrate::calibrate;
use super::prepare::{PrepareError, dataset_at, filter, stored_recipe};
use crate::clean::Embeddings;
use crate::predictions::{Calibration, Probabilities, ProbabilitiesError};
use crate::session::{Session, SessionError};
use crate::stop::Stop;
use crate::train::device::Machine;
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
    /// No images to fit a temperature on.
    #[error(
        "no image that checkpoint {0} had not learned from validated its run: there is nothing to fit a temperature on"
    )]
    NoValidation(CheckpointId),
    /// A temperature would be fitted on what it is to be used on.
    #[error(
        "{images} of these images validated the run of checkpoint {checkpoint}: a temperature fitted on them \
         would say nothing about them"
    )]
    ValidationPredicted {
        /// The model.
        checkpoint: CheckpointId,
        /// How many images are both.
        images: usize,
    },
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
    /// Whether to fit a temperature first, and apply it.
    pub calibrate: bool,
    /// What computes.
    pub machine: Machine,
}

/// What was computed and recorded.
#[derive(Debug, Clone)]
pub struct Predicted {
    /// Under which id.
    pub id: PredictionsId,
    /// The probabilities.
    pub probabilities: Probabilities,
    /// How they were calibrated, if they were.
    pub calibration: Option<Calibration>,
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
    on: impl Into<Machine>,
    stop: &Stop,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Probabilities, RunPredictError> {
    let images: Vec<(ImageId, BlobId)> = dataset.rows().iter().map(|row| (row.image, row.blob)).collect();
    let values = said(session, checkpoint, &images, dataset.classes(), views, on, stop, progress)?;
    Ok(Probabilities::new(
        dataset.classes().len(),
        images.into_iter().map(|(image, _)| image).collect(),
        values,
    )?)
}

/// What a checkpoint says of images, `n × classes`, in their order.
///
/// # Errors
/// When the checkpoint or an image is not there, or the engine fails.
#[expect(clippy::too_many_arguments, reason = "each is a fact of the one call, and none belongs to another")]
pub(super) fn said(
    session: &Session,
    checkpoint: CheckpointId,
    images: &[(ImageId, BlobId)],
    classes: &[String],
    views: ViewPolicy,
    on: impl Into<Machine>,
    stop: &Stop,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Vec<f32>, RunPredictError> {
    let record = session.state().checkpoints().get(checkpoint);
    let saved = &record.ok_or(RunPredictError::UnknownCheckpoint(checkpoint))?.event;
    let blobs = session.repository().blobs().clone();
    let weights = blobs.get(saved.weights)?;
    let prediction = torch::Prediction {
        weights: &weights,
        architecture: &saved.architecture,
        classes,
        size: saved.image_size,
        images,
        views: Views::try_from(views)?,
    };
    let cache = session.repository().cache_dir();
    Ok(torch::predict(&prediction, &StoredImages(blobs), Some(&cache), on, progress, stop.flag())?)
}

/// The embeddings of images by a checkpoint, plainly viewed.
///
/// # Errors
/// When the checkpoint or an image is not there, or the engine fails.
pub fn embed(
    session: &Session,
    checkpoint: CheckpointId,
    images: &[ImageId],
    on: impl Into<Machine>,
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
    let values = torch::embeddings(&prediction, &source, Some(&cache), on, progress, stop.flag())?;
    let images = images.into_iter().map(|(image, _)| image).collect();
    Embeddings::new(images, values).ok_or(RunPredictError::Embeddings)
}

/// Computes the probabilities of a checkpoint on a split as it is now, calibrated
/// if that is wanted, and records them.
///
/// # Errors
/// When they cannot be computed or recorded.
pub fn predict(
    session: &mut Session,
    request: Request,
    stop: &Stop,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Predicted, RunPredictError> {
    let at = session.head();
    let dataset = manifest(session.state(), &ManifestFilter::split(request.split));
    if dataset.rows().is_empty() {
        return Err(RunPredictError::EmptySplit(request.split));
    }
    let honesty = honesty(session, request.checkpoint, &dataset)?;
    let Request { checkpoint, views, machine, .. } = request;
    let calibration = match request.calibrate {
        true => Some(calibrate(session, checkpoint, &dataset, views, machine, stop, progress)?),
        false => None,
    };
    let mut probabilities = compute(session, checkpoint, &dataset, views, machine, stop, progress)?;
    if let Some(calibration) = calibration {
        probabilities = probabilities.at_temperature(calibration.temperature)?;
    }
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
            temperature: calibration.map(|calibration| calibration.temperature),
            machine,
            message: calibration.map(|calibration| calibration.to_string()),
        },
        &probabilities,
    )?;
    Ok(Predicted { id, probabilities, calibration })
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
    /// The divisor of their logits, if they were calibrated.
    pub temperature: Option<f64>,
    /// What computed.
    pub machine: Machine,
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
    let environment = Some(blobs.put(&torch::environment(facts.machine).to_json())?);
    let blob = blobs.put(&probabilities.to_bytes())?;
    let frame = session.record(facts.message.as_deref(), |_, transaction| PredictionsRecorded {
        predictions: PredictionsId(transaction.derive("predictions", 0)),
        source: facts.source.clone(),
        manifest: facts.manifest,
        split: facts.split,
        at: facts.at,
        views: facts.views,
        honesty: facts.honesty,
        temperature: facts.temperature.map(Real),
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
        let plan = Plan::from_manifest(recipe, &learned, &generated_images(state, &learned))
            .map_err(PrepareError::from)?;
        if plan.train.iter().any(|sample| dataset.row(sample.image).is_some()) {
            return Ok(Honesty::InSample);
        }
    }
    Ok(Honesty::HeldOut)
}
