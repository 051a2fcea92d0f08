//! What a training run tells while it goes on, and what it hands over.

use std::collections::BTreeMap;
use std::error::Error;

use serde::{Deserialize, Serialize};

/// One piece of news; a training child writes each as a line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Progress {
    /// Pictures are being decoded and resized.
    Decoding {
        /// Pictures done.
        done: u64,
        /// Pictures in all.
        total: u64,
    },
    /// A stage begins.
    StageStarted {
        /// The stage, from zero.
        stage: u32,
        /// Stages in all.
        stages: u32,
        /// Edge of its images, pixels.
        image_size: u32,
        /// Its epochs.
        epochs: u32,
        /// Steps in each.
        steps: u32,
    },
    /// An epoch begins.
    EpochStarted {
        /// The stage, from zero.
        stage: u32,
        /// The epoch in the stage, from zero.
        epoch: u32,
        /// Epochs in the stage.
        epochs: u32,
    },
    /// A step was made.
    Step {
        /// The stage, from zero.
        stage: u32,
        /// The epoch in the stage, from zero.
        epoch: u32,
        /// The step in the epoch, from zero.
        step: u32,
        /// Steps in the epoch.
        steps: u32,
        /// The mean loss of its batch.
        loss: f64,
        /// The learning rate it was made with.
        learning_rate: f64,
        /// Speed over this step.
        images_per_second: f64,
    },
    /// The validation images are being judged.
    Validating {
        /// Images done.
        done: u64,
        /// Images in all.
        total: u64,
    },
    /// An epoch ended.
    EpochFinished {
        /// The stage, from zero.
        stage: u32,
        /// The epoch in the stage, from zero.
        epoch: u32,
        /// `train_loss`; with validation images also `valid_loss`, `accuracy`.
        metrics: BTreeMap<String, f64>,
        /// Wall time of training and validating, seconds.
        seconds: f64,
    },
    /// A stage ended and its checkpoint was handed over.
    StageFinished {
        /// The stage, from zero.
        stage: u32,
        /// Metrics after its last epoch.
        metrics: BTreeMap<String, f64>,
    },
    /// Images are being predicted.
    Predicting {
        /// Views of images done.
        done: u64,
        /// Views in all.
        total: u64,
    },
}

/// The weights that a stage ended with.
#[derive(Debug, Clone, PartialEq)]
pub struct StageCheckpoint {
    /// The stage, from zero.
    pub stage: u32,
    /// Edge of its images, pixels.
    pub image_size: u32,
    /// Epochs trained in the stage.
    pub epoch: u32,
    /// The network's name.
    pub architecture: String,
    /// Safetensors; equal weights give equal bytes.
    pub weights: Vec<u8>,
    /// Metrics after the last epoch.
    pub metrics: BTreeMap<String, f64>,
}

/// What goes wrong in a sink; it ends the run.
pub type SinkError = Box<dyn Error + Send + Sync>;

/// Who listens to a training run. All calls come from the thread that trains.
pub trait TrainSink {
    /// Takes note of progress.
    fn progress(&mut self, progress: &Progress);

    /// Keeps the checkpoint of a stage, before the next stage begins.
    fn checkpoint(&mut self, checkpoint: StageCheckpoint) -> Result<(), SinkError>;

    /// Called after every epoch but the last of a stage. `state` gives the
    /// bytes from which a killed run can be resumed at this place; they cost
    /// three times the weights, so a sink asks for them as often as it likes.
    fn resume_point(
        &mut self,
        _stage: u32,
        _epoch: u32,
        _state: &dyn Fn() -> Result<Vec<u8>, SinkError>,
    ) -> Result<(), SinkError> {
        Ok(())
    }

    /// Called when the run cannot go on, after the last good checkpoint was
    /// kept: the figures of its steps and epochs up to here, JSON, see
    /// [`super::metrics::History`].
    fn broken_off(&mut self, _metrics_json: Vec<u8>) {}
}

/// How a training run ended well.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All stages were trained.
    Finished {
        /// Figures of every step and epoch: JSON, see [`super::metrics::History`].
        metrics_json: Vec<u8>,
    },
    /// It was told to stop.
    Cancelled {
        /// Figures up to here.
        metrics_json: Vec<u8>,
        /// The bytes from which it can be resumed at this very step, for
        /// [`super::plan::Plan::resume`].
        resume: Vec<u8>,
    },
}
