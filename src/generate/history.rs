//! What is measured while a generator learns; its metrics blob.

use serde::{Deserialize, Serialize};

/// The figures of a whole run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorHistory {
    /// The names of the classes it learned.
    pub classes: Vec<String>,
    /// Images it learned from.
    pub images: usize,
    /// For every step of the critic, how far it tells real pictures from
    /// generated ones: its estimate of the Wasserstein distance, up to scale.
    pub critic_distance: Vec<f64>,
    /// For every step of the critic, what its slopes cost; empty with clipping.
    pub gradient_penalty: Vec<f64>,
    /// For every step of the generator, the critic's mean score of its pictures.
    pub generator_loss: Vec<f64>,
    /// The epochs.
    pub epochs: Vec<GeneratorEpoch>,
    /// How it ended, once it has.
    pub ending: Option<GeneratorEnding>,
}

/// The figures of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneratorEpoch {
    /// The epoch, from zero.
    pub epoch: u32,
    /// The mean of the critic's distance over its steps.
    pub critic_distance: f64,
    /// How much samples differ, as a share of how much real pictures do.
    pub diversity: Option<f64>,
    /// The Fréchet distance of samples from real pictures on the embeddings of
    /// the judging checkpoint, where it was measured.
    pub frechet_distance: Option<f64>,
    /// Whether the generator had collapsed by then.
    pub collapsed: bool,
    /// The blob of its grid of samples, a PNG; none while nobody keeps blobs.
    pub grid: Option<String>,
    /// Wall time, seconds.
    pub seconds: f64,
}

/// How the training of a generator that was kept ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GeneratorEnding {
    /// All epochs were made.
    Finished,
    /// It had been stopped, and was to be kept as it was.
    Kept {
        /// Whole epochs that were made.
        epochs: u32,
    },
    /// Its samples became all alike, and the recipe says to stop then.
    Collapsed {
        /// The epoch, from zero.
        epoch: u32,
    },
    /// A number became infinite or none; what is kept is the state before.
    NotFinite {
        /// The epoch, from zero.
        epoch: u32,
        /// The step of the critic in the epoch, from zero.
        step: u32,
    },
}

impl GeneratorEnding {
    /// How it ended, in words.
    pub fn in_words(self) -> String {
        match self {
            GeneratorEnding::Finished => "after all its epochs".to_owned(),
            GeneratorEnding::Kept { epochs } => {
                format!("after {epochs} epochs, where it was stopped and then kept")
            }
            GeneratorEnding::Collapsed { epoch } => {
                format!("in epoch {}, because its samples were all alike", epoch + 1)
            }
            GeneratorEnding::NotFinite { epoch, step } => format!(
                "because a number was not finite in epoch {}, step {}; this is the state before",
                epoch + 1,
                step + 1
            ),
        }
    }
}

impl GeneratorHistory {
    /// The diversities of the epochs that have one.
    pub fn diversities(&self) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.diversity).collect()
    }

    /// As JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("finite numbers and texts have a JSON form")
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}
