//! Predicting: softmax probabilities of images, as means over views of them.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;
use tch::Device;

use super::super::device::Machine;
use super::super::plan::BlobSource;
use super::super::progress::Progress;
use super::super::recipe::{Architecture, Precision};
use super::super::renditions::{RenditionError, Renditions, Workshop};
use super::super::views::Views;
use super::super::weights::{WeightsError, decode_weights};
use super::device::prepare;
use super::error::PredictError;
use super::evaluate::{Judge, JudgeError, Wanted};
use super::network::Network;
use super::store::LoadError;

/// A prediction to make.
pub struct Prediction<'a> {
    /// The weights: safetensors, as a checkpoint has them.
    pub weights: &'a [u8],
    /// The architecture that the checkpoint names.
    pub architecture: &'a str,
    /// The names of the classes, which must be those of the weights.
    pub classes: &'a [String],
    /// Edge of the network's input in pixels: the checkpoint's image size.
    pub size: u32,
    /// What to predict.
    pub images: &'a [(ImageId, BlobId)],
    /// Which views the probabilities are a mean of.
    pub views: Views,
}

/// Predicts: `images × classes` probabilities, row after row.
///
/// Rows are functions of the weights, the views, the set of images and their
/// order (kernels differ by a bit between batch shapes), the build, and the
/// machine `on` which it is.
pub fn predict(
    prediction: &Prediction<'_>,
    blobs: &dyn BlobSource,
    cache: Option<&Path>,
    on: impl Into<Machine>,
    progress: &mut dyn FnMut(&Progress),
    cancel: &AtomicBool,
) -> Result<Vec<f32>, PredictError> {
    let machine = on.into();
    let workshop = Workshop { source: blobs, cache, threads: machine.threads, cancel };
    run(prediction, workshop, machine, Wanted::Probabilities, progress)
}

/// The mean of the last feature map of every image, plainly viewed: `images ×
/// features`, row after row. `views` is not looked at.
pub fn embeddings(
    prediction: &Prediction<'_>,
    blobs: &dyn BlobSource,
    cache: Option<&Path>,
    on: impl Into<Machine>,
    progress: &mut dyn FnMut(&Progress),
    cancel: &AtomicBool,
) -> Result<Vec<f32>, PredictError> {
    let plain = Prediction { views: Views::Plain, ..*prediction };
    let machine = on.into();
    let workshop = Workshop { source: blobs, cache, threads: machine.threads, cancel };
    run(&plain, workshop, machine, Wanted::Features, progress)
}

fn run(
    prediction: &Prediction<'_>,
    workshop: Workshop<'_>,
    machine: Machine,
    wanted: Wanted,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Vec<f32>, PredictError> {
    let device = prepare(machine, Precision::Fp32)?;
    let network = network(prediction, device)?;
    let Prediction { size, images, views, .. } = *prediction;
    let edge = NonZeroU32::new(views.rendition_edge(size)).unwrap_or(NonZeroU32::MIN);
    let mut report = |done, total| progress(&Progress::Decoding { done, total });
    let renditions =
        Renditions::prepare(images, edge, workshop, &mut report).map_err(|error| match error {
            RenditionError::Cancelled => PredictError::Cancelled,
            other => PredictError::Renditions(other),
        })?;
    let judge = Judge {
        network: &network,
        renditions: &renditions,
        size: size as usize,
        normalisation: network.note().normalisation,
        precision: Precision::Fp32,
        device,
        wanted,
        cancel: workshop.cancel,
    };
    let total = (images.len() * views.count()) as u64;
    let mut sums: Vec<f64> = Vec::new();
    for view in 0..views.count() {
        let before = (images.len() * view) as u64;
        let mut report = |done| progress(&Progress::Predicting { done: before + done as u64, total });
        let change = |image| views.view(view, image, size).0;
        let rows = judge.run(images, &change, &mut report).map_err(|error| match error {
            JudgeError::Cancelled => PredictError::Cancelled,
            JudgeError::Picture(picture) => picture.into(),
            JudgeError::Torch(error) => error.into(),
        })?;
        // The weight of a view is the same for every image.
        let weight = images.first().map_or(0.0, |(image, _)| views.view(view, *image, size).1);
        sums.resize(rows.len(), 0.0);
        sums.iter_mut().zip(rows).for_each(|(sum, value)| *sum += weight * f64::from(value));
    }
    Ok(sums.into_iter().map(|sum| sum as f32).collect())
}

fn network(prediction: &Prediction<'_>, device: Device) -> Result<Network, PredictError> {
    let (values, note) = decode_weights(prediction.weights)?;
    let note = note.ok_or(WeightsError::NoNote)?;
    let expected = prediction.architecture;
    let architecture = Architecture::from_name(expected).filter(|_| note.architecture == expected);
    let Some(architecture) = architecture else {
        let (found, expected) = (note.architecture, expected.to_owned());
        return Err(WeightsError::OtherArchitecture { found, expected }.into());
    };
    if note.classes != prediction.classes {
        let (found, expected) = (note.classes, prediction.classes.to_vec());
        return Err(WeightsError::OtherClasses { found, expected }.into());
    }
    Ok(Network::from_weights(architecture, note, &values, device)?)
}

impl From<LoadError> for PredictError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Weights(error) => error.into(),
            LoadError::Torch(error) => error.into(),
        }
    }
}
