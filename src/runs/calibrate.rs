//! Fitting the temperature of a checkpoint on the images that its run was
//! validated by.

use std::collections::BTreeSet;

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::ViewPolicy;
use safelight_lineage::id::{CheckpointId, ImageId};
use safelight_lineage::manifest::Manifest;
use safelight_lineage::query::generated_images;
use safelight_lineage::value::ClassIndex;

use super::learned::learned;
use super::predict::{RunPredictError, said};
use super::prepare::{PrepareError, dataset_at, filter, stored_recipe};
use crate::predictions::{Calibration, fit};
use crate::session::Session;
use crate::stop::Stop;
use crate::train::device::Machine;
use crate::train::plan::{Plan, Sample};
use crate::train::progress::Progress;

/// Fits the temperature of a checkpoint, seen through `views`, on the images
/// that its run was validated by and that neither it nor what it grew from
/// learned from; none of them may be among those that are `predicted`.
///
/// # Errors
/// When there are no such images, some are to be predicted, or the engine fails.
pub fn calibrate(
    session: &Session,
    checkpoint: CheckpointId,
    predicted: &Manifest,
    views: ViewPolicy,
    machine: Machine,
    stop: &Stop,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Calibration, RunPredictError> {
    let samples = validation(session, checkpoint)?;
    let overlap = samples.iter().filter(|sample| predicted.row(sample.image).is_some()).count();
    if overlap > 0 {
        return Err(RunPredictError::ValidationPredicted { checkpoint, images: overlap });
    }
    let images: Vec<(ImageId, BlobId)> = samples.iter().map(|sample| (sample.image, sample.blob)).collect();
    let values = said(session, checkpoint, &images, predicted.classes(), views, machine, stop, progress)?;
    let rows: Vec<(&[f32], ClassIndex)> = values
        .chunks_exact(predicted.classes().len())
        .zip(&samples)
        .map(|(row, sample)| (row, ClassIndex(sample.label)))
        .collect();
    fit(&rows).ok_or(RunPredictError::NoValidation(checkpoint))
}

/// The labelled images that validated a checkpoint's run, without those that it
/// or what it grew from learned from, ascending by id.
fn validation(session: &Session, checkpoint: CheckpointId) -> Result<Vec<Sample>, RunPredictError> {
    let state = session.state();
    let blobs = session.repository().blobs();
    let run = state.checkpoints().get(checkpoint).and_then(|record| state.runs().get(record.event.run));
    let run = run.ok_or(RunPredictError::NoValidation(checkpoint))?;
    let started = &run.started.event;
    let recipe = stored_recipe(state, |blob| blobs.get(blob), started.run)?;
    let dataset = dataset_at(state, started.at, &filter(&recipe))?;
    let plan = Plan::from_manifest(recipe, &dataset, &generated_images(state, &dataset))
        .map_err(PrepareError::from)?;
    let known = learned(state, |blob| blobs.get(blob), checkpoint)?;
    let known: BTreeSet<ImageId> = known.map(|learned| learned.train).unwrap_or_default();
    let samples: Vec<Sample> =
        plan.valid.into_iter().filter(|sample| !known.contains(&sample.image)).collect();
    if samples.is_empty() {
        return Err(RunPredictError::NoValidation(checkpoint));
    }
    Ok(samples)
}
