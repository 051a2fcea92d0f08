//! What happens to models: runs, checkpoints, predictions, cleaning passes and
//! generators.

use std::collections::BTreeMap;

use serde::Serialize;

use super::dataset::Split;
use crate::digest::{BlobId, FrameDigest, ManifestDigest};
use crate::id::{CheckpointId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, WeightsId};
use crate::value::{ClassIndex, Real};

/// Registers weights that came from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeightsAdded {
    /// Their id.
    pub weights: WeightsId,
    /// What people call them.
    pub name: String,
    /// The architecture they fit.
    pub architecture: String,
    /// The file as it was found.
    pub original: BlobId,
    /// SHA-256 of that file, as publishers state it.
    pub original_sha256: [u8; 32],
    /// The weights as safetensors.
    pub tensors: BlobId,
}

/// Starts a training run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunStarted {
    /// The run.
    pub run: RunId,
    /// The recipe, TOML, with every default filled in.
    pub recipe: BlobId,
    /// The images it trains on and is validated by.
    pub manifest: ManifestDigest,
    /// The head of the log when that dataset was taken.
    pub at: FrameDigest,
    /// The checkpoint it starts from.
    pub parent: Option<CheckpointId>,
    /// Build, libtorch, device, threads, decoder: JSON.
    pub environment: BlobId,
}

/// Records the outcome of a learning rate finder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LearningRateFound {
    /// The run it was found for.
    pub run: RunId,
    /// The losses by learning rate, JSON.
    pub curve: BlobId,
    /// The suggestion.
    pub suggestion: Real,
    /// How it was derived: valley, steep, minimum, slide.
    pub method: String,
}

/// Saves the weights that a stage of a run ended with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointSaved {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The run that made it.
    pub run: RunId,
    /// The checkpoint of the stage before, or the run's parent.
    pub parent: Option<CheckpointId>,
    /// Which stage of the recipe, from zero.
    pub stage: u32,
    /// Edge of the square images of that stage, in pixels.
    pub image_size: u32,
    /// Epochs trained in that stage.
    pub epoch: u32,
    /// The network's architecture.
    pub architecture: String,
    /// The weights, safetensors with sorted names.
    pub weights: BlobId,
    /// Validation figures by name (`accuracy`, `valid_loss`, …).
    pub metrics: BTreeMap<String, Real>,
}

/// Ends a run that did all its stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunFinished {
    /// The run.
    pub run: RunId,
    /// Figures of every step and epoch, JSON.
    pub metrics: BlobId,
}

/// Ends a run that could not go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunFailed {
    /// The run.
    pub run: RunId,
    /// Why.
    pub reason: String,
    /// Figures up to then, JSON.
    pub metrics: Option<BlobId>,
    /// Weights, optimizer and step to go on from, when the run can be resumed.
    pub resume: Option<BlobId>,
}

/// Ends a run that was told to stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunCancelled {
    /// The run.
    pub run: RunId,
    /// By what.
    pub reason: String,
    /// Figures up to then, JSON.
    pub metrics: Option<BlobId>,
    /// Weights, optimizer and step to go on from, when the run can be resumed.
    pub resume: Option<BlobId>,
}

/// Where probabilities came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PredictionSource {
    /// A checkpoint of this repository.
    Checkpoint {
        /// Which.
        checkpoint: CheckpointId,
    },
    /// Several checkpoints, each for the images it was not trained on.
    Folds {
        /// The checkpoint of each fold.
        checkpoints: Vec<CheckpointId>,
    },
    /// Something outside.
    External {
        /// In the words of who added them.
        name: String,
    },
}

/// Which views of each image the probabilities are a mean of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ViewPolicy {
    /// The image as validation sees it.
    Plain,
    /// A weighted mean of the plain view and augmented ones.
    TestTimeAugmentation {
        /// How many augmented views.
        views: u32,
        /// The weight of the plain view, 0 to 1.
        plain_weight: Real,
        /// The seed of the augmentations.
        seed: u64,
    },
    /// Four corners and the centre, each also flipped.
    TenCrop {
        /// Edge of the image that the crops are taken from, in pixels.
        resize: u32,
    },
    /// Not known: made outside.
    Unknown,
}

/// Whether the images were kept from the model that judged them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Honesty {
    /// The model never saw these images.
    HeldOut,
    /// Each image was judged by a model that had not seen it.
    OutOfFold,
    /// The model was trained on these very images.
    InSample,
    /// Not known: made outside.
    Unknown,
}

/// Records the probabilities of a model on a set of images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PredictionsRecorded {
    /// The predictions.
    pub predictions: PredictionsId,
    /// What made them.
    pub source: PredictionSource,
    /// The images they are for.
    pub manifest: ManifestDigest,
    /// The split that those were.
    pub split: Split,
    /// The head of the log when that dataset was taken.
    pub at: FrameDigest,
    /// Which views they are a mean of.
    pub views: ViewPolicy,
    /// Whether the model had seen the images.
    pub honesty: Honesty,
    /// The divisor of the logits, when calibrated.
    pub temperature: Option<Real>,
    /// Image ids and probabilities; see the format of probabilities blobs.
    pub probabilities: BlobId,
    /// Build, libtorch, device, threads, decoder: JSON. None when made outside.
    pub environment: Option<BlobId>,
}

/// One rule of a cleaning pass with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleUse {
    /// Its name.
    pub rule: String,
    /// Its thresholds and switches by name.
    pub parameters: BTreeMap<String, Real>,
}

/// Records what the rules of a cleaning pass found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CleaningPassProposed {
    /// The pass.
    pub pass: PassId,
    /// The predictions it judged by.
    pub predictions: Vec<PredictionsId>,
    /// The rules, with their settings.
    pub rules: Vec<RuleUse>,
    /// The dataset that was judged.
    pub manifest: ManifestDigest,
    /// The head of the log when that dataset was taken.
    pub at: FrameDigest,
    /// The findings, JSON.
    pub findings: BlobId,
    /// How many images they name.
    pub found: u64,
}

/// Saves a trained generator of images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeneratorTrained {
    /// The generator.
    pub generator: GeneratorId,
    /// The class it draws; none when it draws any.
    pub class: Option<ClassIndex>,
    /// The recipe, TOML.
    pub recipe: BlobId,
    /// The images it learned from.
    pub manifest: ManifestDigest,
    /// The head of the log when that dataset was taken.
    pub at: FrameDigest,
    /// The weights, safetensors.
    pub weights: BlobId,
    /// Figures of every epoch, JSON.
    pub metrics: BlobId,
    /// Build, libtorch, device, threads: JSON.
    pub environment: BlobId,
    /// Its samples after each epoch, side by side: PNG.
    pub grids: Vec<BlobId>,
}

/// Records images that a generator drew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SamplesGenerated {
    /// The batch.
    pub samples: SamplesId,
    /// What drew them.
    pub generator: GeneratorId,
    /// The class they are meant to show.
    pub class: ClassIndex,
    /// The seed they were drawn from.
    pub seed: u64,
    /// The images, in order.
    pub blobs: Vec<BlobId>,
}

/// One generated image that enters the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AdmittedImage {
    /// The id it gets.
    pub image: ImageId,
    /// Its bytes.
    pub blob: BlobId,
}

/// Takes generated images into the train split, as one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SamplesAdmitted {
    /// The batch they are from.
    pub samples: SamplesId,
    /// Their label.
    pub label: ClassIndex,
    /// The images.
    pub images: Vec<AdmittedImage>,
    /// What the quality gates measured, JSON.
    pub quality: Option<BlobId>,
}

/// Takes every admitted image of a batch out again, as one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SamplesExpelled {
    /// The batch.
    pub samples: SamplesId,
    /// Why.
    pub reason: String,
}
