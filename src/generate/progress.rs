//! What a generator's training tells while it goes on, and what it hands over.

use serde::{Deserialize, Serialize};

use super::history::{GeneratorEnding, GeneratorEpoch, GeneratorHistory};
use crate::train::progress::SinkError;

/// One line of a generator child's output, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum GenerateLine {
    /// The work begins.
    GeneratorStarted {
        /// The generator that it will become, and what it is resumed by.
        generator: String,
        /// Images it learns from.
        images: usize,
        /// The classes it learns.
        classes: Vec<String>,
        /// Edge of its pictures, pixels.
        image_size: u32,
        /// Its epochs.
        epochs: u32,
        /// Steps of the critic in each.
        steps: u32,
        /// Threads that compute.
        threads: usize,
    },
    /// Pictures are being decoded and resized.
    Decoding {
        /// Pictures done.
        done: u64,
        /// Pictures in all.
        total: u64,
    },
    /// The critic made a step.
    CriticStep {
        /// The epoch, from zero.
        epoch: u32,
        /// The step in the epoch, from zero.
        step: u32,
        /// Steps in the epoch.
        steps: u32,
        /// How far it tells real pictures from generated ones.
        critic_distance: f64,
        /// Real pictures a second.
        images_per_second: f64,
    },
    /// An epoch ended.
    GeneratorEpochFinished {
        /// Its figures.
        #[serde(flatten)]
        figures: GeneratorEpoch,
        /// The file with the grid of samples, a PNG, below the repository's
        /// cache; it is there until the cache is deleted.
        grid_file: Option<String>,
    },
    /// The generator is in the log.
    GeneratorSaved {
        /// The generator.
        generator: String,
        /// The digest of its weights.
        weights: String,
    },
    /// The work ended.
    GeneratorEnded {
        /// `finished`, `collapsed`, `not_finite`, `cancelled` or `failed`.
        status: String,
        /// Why, unless it finished.
        reason: Option<String>,
    },
}

impl GenerateLine {
    /// Reads a line; none when a newer program wrote something else.
    pub fn parse(line: &str) -> Option<GenerateLine> {
        serde_json::from_str(line).ok()
    }
}

/// The samples of an epoch: for each class, pictures of `size × size` RGB bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochSamples {
    /// Edge in pixels.
    pub size: u32,
    /// The pictures of each class, in the order of the generator's classes.
    pub classes: Vec<Vec<Vec<u8>>>,
}

/// Who listens to the training of a generator. All calls come from the thread
/// that trains.
pub trait GenerateSink {
    /// Takes note of progress.
    fn progress(&mut self, line: &GenerateLine);

    /// How many samples of each class the sink wants to judge after an epoch.
    fn wants_to_judge(&self, epoch: u32) -> Option<usize>;

    /// The Fréchet distance of samples from real pictures.
    ///
    /// # Errors
    /// When they cannot be judged.
    fn judge(&mut self, samples: &EpochSamples) -> Result<f64, SinkError>;

    /// Keeps the grid of an epoch's samples and gives its blob's name and file.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn keep_grid(&mut self, epoch: u32, png: &[u8]) -> Result<(Option<String>, Option<String>), SinkError>;

    /// Called after every epoch but the last. `state` gives the bytes from which
    /// a killed run can be resumed at this place.
    ///
    /// # Errors
    /// When the sink cannot keep them.
    fn resume_point(&mut self, state: &dyn Fn() -> Result<Vec<u8>, SinkError>) -> Result<(), SinkError>;
}

/// How the training of a generator ended well enough to keep something.
#[derive(Debug, Clone, PartialEq)]
pub enum GenerateOutcome {
    /// There is a generator.
    Trained {
        /// Its averaged weights, safetensors; equal weights give equal bytes.
        weights: Vec<u8>,
        /// Everything that was measured.
        history: Box<GeneratorHistory>,
        /// How it ended.
        ending: GeneratorEnding,
    },
    /// It was told to stop.
    Cancelled {
        /// The bytes to go on from.
        resume: Vec<u8>,
    },
}
