//! What samples are worth: how far they are from real images of their class, how
//! much they differ, whether they are copies of training images, and how sure a
//! model is of them.

use std::sync::atomic::AtomicBool;

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Origin, Split};
use safelight_lineage::id::{CheckpointId, GeneratorId, ImageId, SamplesId};
use safelight_lineage::state::{SamplesRecord, State};
use serde::{Deserialize, Serialize};

use super::diversity::{diversity, mean_distance};
use super::frechet::{Moments, Reference};
use super::neighbours::{Neighbour, Neighbours};
use super::pictures::{PictureError, encoded, real_picture};
use crate::image::decode::decode;
use crate::train::keyed::Moment;
use crate::train::plan::BlobSource;
use crate::train::progress::SinkError;

/// Pictures that distances are measured on at most, real and generated each.
const MOST: usize = 500;
/// Pictures that diversity is measured on at most.
const DIVERSE: usize = 100;

/// Somebody that makes embeddings and probabilities of encoded pictures.
pub trait PictureJudge {
    /// Which checkpoint it is.
    fn checkpoint(&self) -> CheckpointId;

    /// Mean and covariance of the embeddings.
    ///
    /// # Errors
    /// When there are too few pictures or they cannot be judged.
    fn moments(&self, pictures: &[Vec<u8>], cancel: &AtomicBool) -> Result<Moments, SinkError>;

    /// The probabilities of every class, row after row.
    ///
    /// # Errors
    /// When they cannot be judged.
    fn probabilities(&self, pictures: &[Vec<u8>], cancel: &AtomicBool) -> Result<Vec<f32>, SinkError>;
}

/// What was measured of a batch; stored with its admission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// The batch.
    pub samples: SamplesId,
    /// What drew it.
    pub generator: GeneratorId,
    /// The class it is meant to show.
    pub class: String,
    /// How many samples.
    pub count: usize,
    /// Edge of the samples in pixels; real images were scaled to it.
    pub image_size: u32,
    /// Real training images of the class that it was compared with.
    pub real: usize,
    /// How much samples differ, as a share of how much real images do.
    pub diversity: Option<f64>,
    /// The median distance from a sample to the nearest training image, and the
    /// usual distance between a training image and the nearest other one.
    pub nearest: f64,
    /// See `nearest`.
    pub usual_nearest: f64,
    /// Samples that are copies of training images, nearest first.
    pub copies: Vec<Neighbour>,
    /// The few samples that are nearest to a training image, copies or not.
    pub closest: Vec<Neighbour>,
    /// What a checkpoint says, where one was asked.
    pub judged: Option<Judged>,
}

/// What a checkpoint says of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The checkpoint.
    pub by: CheckpointId,
    /// The Fréchet distance between samples and as many real images, on its
    /// embeddings. Not comparable with published ones, which use Inception v3,
    /// nor with those on another number of pictures.
    pub frechet_distance: f64,
    /// The same between two halves of the real images: what could be hoped for.
    pub frechet_distance_of_real: f64,
    /// On how many pictures each the two distances are.
    pub pictures: (usize, usize),
    /// For each sample, in order, the probability of its class.
    pub confidences: Vec<f32>,
    /// The share of samples whose most probable class is theirs.
    pub recognised: f64,
}

/// Why samples could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum QualityError {
    /// There is no such batch, or its generator or class is gone.
    #[error("there are no samples {0}")]
    UnknownSamples(SamplesId),
    /// A picture cannot be used.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A sample cannot be read or decoded.
    #[error("sample {place} ({blob}) cannot be used: {reason}")]
    Sample {
        /// Its place in the batch, from zero.
        place: usize,
        /// Its bytes.
        blob: BlobId,
        /// Why.
        reason: String,
    },
    /// There are too few pictures.
    #[error(
        "{samples} samples and {real} real images of the class are too few to compare; at least 4 of each are needed"
    )]
    TooFew {
        /// Samples.
        samples: usize,
        /// Real images.
        real: usize,
    },
    /// The judge failed.
    #[error("the samples could not be judged: {0}")]
    Judge(SinkError),
}

/// Measures a batch beside the real training images of its class as they are
/// now.
///
/// # Errors
/// When a picture cannot be used, there are too few, or the judge fails.
pub fn assess(
    state: &State,
    blobs: &dyn BlobSource,
    samples: SamplesId,
    judge: Option<&dyn PictureJudge>,
    cancel: &AtomicBool,
) -> Result<Quality, QualityError> {
    let record = state.samples().get(samples).ok_or(QualityError::UnknownSamples(samples))?;
    let drawn = &record.generated.event;
    let (pictures, edge) = sample_pictures(record, blobs)?;
    let real = real_images(state, record);
    if pictures.len() < 4 || real.len() < 4 {
        return Err(QualityError::TooFew { samples: pictures.len(), real: real.len() });
    }
    let mut real_pictures = Vec::with_capacity(real.len());
    for (image, blob) in &real {
        real_pictures.push((*image, real_picture(blobs, *image, *blob, edge)?));
    }
    let too_few = || QualityError::TooFew { samples: pictures.len(), real: real.len() };
    let neighbours = Neighbours::find(&pictures, &real_pictures, edge as usize).ok_or_else(too_few)?;
    let chosen = some(&real_pictures, MOST);
    let few: Vec<Vec<u8>> = chosen.iter().take(DIVERSE).cloned().collect();
    let diverse: Vec<Vec<u8>> = pictures.iter().take(DIVERSE).cloned().collect();
    let class = state.classes().get(usize::from(drawn.class.0)).cloned().unwrap_or_default();
    let mut closest = neighbours.nearest.clone();
    closest.sort_by(|one, other| one.distance.total_cmp(&other.distance).then(one.sample.cmp(&other.sample)));
    closest.truncate(5);
    let judged = match judge {
        None => None,
        Some(judge) => {
            let classes = state.classes().len();
            let judged = judged(judge, &pictures, &chosen, edge, usize::from(drawn.class.0), classes, cancel);
            Some(judged?)
        }
    };
    Ok(Quality {
        samples,
        generator: drawn.generator,
        class,
        count: pictures.len(),
        image_size: edge,
        real: real.len(),
        diversity: diversity(&[(diverse, mean_distance(&few))]),
        nearest: neighbours.median(),
        usual_nearest: neighbours.usual,
        copies: neighbours.copies(),
        closest,
        judged,
    })
}

fn judged(
    judge: &dyn PictureJudge,
    samples: &[Vec<u8>],
    real: &[Vec<u8>],
    edge: u32,
    class: usize,
    classes: usize,
    cancel: &AtomicBool,
) -> Result<Judged, QualityError> {
    let moments =
        |pictures: &[Vec<u8>]| judge.moments(&encoded(pictures, edge)?, cancel).map_err(QualityError::Judge);
    // As many of either, so that neither covariance is known better.
    let count = samples.len().min(real.len()).min(MOST);
    let half = real.len() / 2;
    let distance = |one: Moments, other: &Moments| {
        let widths = || QualityError::Judge("embeddings of two widths".into());
        Reference::new(one).distance(other).ok_or_else(widths)
    };
    let frechet_distance = distance(moments(&real[..count])?, &moments(&samples[..count])?)?;
    let frechet_distance_of_real = distance(moments(&real[..half])?, &moments(&real[half..half * 2])?)?;
    let probabilities = judge.probabilities(&encoded(samples, edge)?, cancel).map_err(QualityError::Judge)?;
    let rows = || probabilities.chunks_exact(classes.max(1));
    let best = |row: &[f32]| row.iter().all(|other| *other <= row[class]);
    Ok(Judged {
        by: judge.checkpoint(),
        frechet_distance,
        frechet_distance_of_real,
        pictures: (count, half),
        confidences: rows().map(|row| row[class]).collect(),
        recognised: rows().filter(|row| best(row)).count() as f64 / samples.len().max(1) as f64,
    })
}

/// The real, labelled training images of a batch's class, as they are now.
fn real_images(state: &State, record: &SamplesRecord) -> Vec<(ImageId, BlobId)> {
    let class = Some(record.generated.event.class);
    let mut images: Vec<(ImageId, BlobId)> = state
        .images()
        .filter(|image| image.present && image.split == Split::Train && image.label == class)
        .filter(|image| image.origin == Origin::File)
        .map(|image| (image.id, image.blob))
        .collect();
    images.sort_unstable();
    images
}

/// At most `most` of the pictures: those with the smallest hash of their image.
fn some(pictures: &[(ImageId, Vec<u8>)], most: usize) -> Vec<Vec<u8>> {
    let moment = Moment { seed: 0, stage: 0, epoch: 0 };
    let mut keyed: Vec<(u64, usize)> = pictures
        .iter()
        .enumerate()
        .map(|(place, (image, _))| (moment.draw("judged", image.as_bytes()).bits(), place))
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().take(most).map(|(_, place)| pictures[place].1.clone()).collect()
}

/// The samples of a batch as RGB bytes, and their edge.
fn sample_pictures(
    record: &SamplesRecord,
    blobs: &dyn BlobSource,
) -> Result<(Vec<Vec<u8>>, u32), QualityError> {
    let mut pictures = Vec::new();
    let mut edge = 0;
    for (place, blob) in record.generated.event.blobs.iter().enumerate() {
        let bad = |reason: String| QualityError::Sample { place, blob: *blob, reason };
        let bytes = blobs.read(*blob).map_err(|error| bad(error.to_string()))?;
        let picture = decode(&bytes).map_err(|error| bad(error.to_string()))?;
        if picture.width != picture.height || (edge != 0 && picture.width != edge) {
            return Err(bad(format!("it is {}×{} pixels", picture.width, picture.height)));
        }
        edge = picture.width;
        pictures.push(picture.pixels.to_vec());
    }
    Ok((pictures, edge))
}
