//! Embeddings of pictures that are no images of the dataset, by a checkpoint of
//! this repository.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::AtomicBool;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::{CheckpointId, ImageId};
use safelight_lineage::state::State;
use safelight_store::{BlobError, Blobs};

use super::frechet::Moments;
use super::pictures::PictureError;
use super::quality::PictureJudge;
use crate::train::plan::BlobSource;
use crate::train::progress::SinkError;
use crate::train::torch::{PredictError, Prediction, embeddings, predict};
use crate::train::views::Views;

/// Why pictures could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// There is no such checkpoint.
    #[error("there is no checkpoint {0}")]
    UnknownCheckpoint(CheckpointId),
    /// A blob could not be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The engine failed.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// There is no picture to judge.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// There are too few pictures, or the network gave no numbers.
    #[error("{0} pictures give no distribution to compare; at least two are needed, and finite embeddings")]
    TooFew(usize),
}

/// A checkpoint that judges.
#[derive(Debug, Clone)]
pub struct Judge {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    weights: Vec<u8>,
    architecture: String,
    classes: Vec<String>,
    size: u32,
    threads: usize,
}

/// Pictures in memory, by blob.
struct Held(BTreeMap<BlobId, Vec<u8>>);

impl BlobSource for Held {
    fn read(&self, blob: BlobId) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        self.0.get(&blob).cloned().ok_or_else(|| "no such picture".into())
    }
}

impl Judge {
    /// A checkpoint of the log.
    ///
    /// # Errors
    /// When there is no such checkpoint or its weights cannot be read.
    pub fn new(
        state: &State,
        blobs: &Blobs,
        checkpoint: CheckpointId,
        threads: usize,
    ) -> Result<Judge, JudgeError> {
        let record = state.checkpoints().get(checkpoint).ok_or(JudgeError::UnknownCheckpoint(checkpoint))?;
        Ok(Judge {
            checkpoint,
            weights: blobs.get(record.event.weights)?,
            architecture: record.event.architecture.clone(),
            classes: state.classes().to_vec(),
            size: record.event.image_size,
            threads,
        })
    }

    fn judged<T>(
        &self,
        pictures: &[Vec<u8>],
        engine: impl FnOnce(&Prediction<'_>, &Held, usize) -> Result<T, PredictError>,
    ) -> Result<T, JudgeError> {
        let mut held = BTreeMap::new();
        let mut images = Vec::new();
        for (place, png) in pictures.iter().enumerate() {
            let blob = BlobId::of(png);
            held.insert(blob, png.clone());
            let mut image = [0; 16];
            image[..8].copy_from_slice(&(place as u64).to_be_bytes());
            images.push((ImageId(image), blob));
        }
        let prediction = Prediction {
            weights: &self.weights,
            architecture: &self.architecture,
            classes: &self.classes,
            size: self.size,
            images: &images,
            views: Views::Plain,
        };
        Ok(engine(&prediction, &Held(held), self.threads)?)
    }

    /// Mean and covariance of the embeddings of encoded pictures.
    ///
    /// # Errors
    /// When there are too few or the engine fails.
    pub fn moments(&self, pictures: &[Vec<u8>], cancel: &AtomicBool) -> Result<Moments, JudgeError> {
        let values = self.judged(pictures, |prediction, held, threads| {
            embeddings(prediction, held, None, threads, &mut |_| {}, cancel)
        })?;
        let width = values.len() / pictures.len().max(1);
        Moments::of(&values, width).ok_or(JudgeError::TooFew(pictures.len()))
    }
}

impl PictureJudge for Judge {
    fn checkpoint(&self) -> CheckpointId {
        self.checkpoint
    }

    fn moments(&self, pictures: &[Vec<u8>], cancel: &AtomicBool) -> Result<Moments, SinkError> {
        Ok(Judge::moments(self, pictures, cancel)?)
    }

    fn probabilities(&self, pictures: &[Vec<u8>], cancel: &AtomicBool) -> Result<Vec<f32>, SinkError> {
        let judged = self.judged(pictures, |prediction, held, threads| {
            predict(prediction, held, None, threads, &mut |_| {}, cancel)
        });
        Ok(judged?)
    }
}
