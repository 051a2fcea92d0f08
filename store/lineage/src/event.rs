//! The vocabulary: everything that can happen to a dataset and its models.
//!
//! An [`Event`] states a fact; it is never changed and never taken out. Undoing
//! is itself an event, [`EventsReverted`]. What an event says in full (a
//! recipe, probabilities, weights, a CSV) is a blob that the event names.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::digest::{BlobId, FrameDigest, ManifestDigest};
use crate::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    TransactionId, WeightsId,
};
use crate::value::{ClassIndex, PathBytes, Real, Seq, Timestamp};

/// Who or what caused a frame.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A person.
    Person {
        /// As configured, or the login name.
        name: String,
    },
    /// A rule of a cleaning pass, applied without a person looking.
    Rule {
        /// The pass.
        pass: PassId,
        /// The rule's name.
        rule: String,
    },
    /// A model.
    Model {
        /// The checkpoint that decided.
        checkpoint: CheckpointId,
    },
    /// The program itself: a training child, an importer.
    Program {
        /// Its name and version.
        name: String,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Person { name } => write!(f, "{}", crate::value::escape(name.as_bytes())),
            Actor::Rule { pass, rule } => write!(f, "rule {rule} of pass {}", pass.short()),
            Actor::Model { checkpoint } => write!(f, "model {}", checkpoint.short()),
            Actor::Program { name } => write!(f, "program {name}"),
        }
    }
}

/// Names one event wherever its transaction is kept: which transaction, and
/// which of its events, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EventRef {
    /// The transaction.
    pub transaction: TransactionId,
    /// The place of the event in it.
    pub index: u32,
}

/// What a frame says about its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrameHeader {
    /// The digest of this frame's bytes: after this frame, the head.
    pub digest: FrameDigest,
    /// The digest of the frame before it.
    pub parent: FrameDigest,
    /// The transaction that this frame commits.
    pub transaction: TransactionId,
    /// Who or what caused it.
    pub actor: Actor,
    /// When, by the clock of the machine that wrote it.
    pub time: Timestamp,
    /// Why, in the words of the person who caused it.
    pub message: Option<String>,
    /// The Seq of its first event in this journal.
    pub first_seq: Seq,
}

/// One atomic commit as it is read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Who, when, and where in the chain.
    #[serde(flatten)]
    pub header: FrameHeader,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Frame {
    /// The Seq of the last event (the Seq before the first when there is none).
    pub fn last_seq(&self) -> Seq {
        Seq((self.header.first_seq.0 + self.events.len() as u64).saturating_sub(1))
    }
}

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Models learn from it.
    Train,
    /// Models are compared and chosen by it.
    Valid,
    /// Predictions are made for it.
    Test,
}

impl Split {
    /// Every split, in order.
    pub const ALL: [Split; 3] = [Split::Train, Split::Valid, Split::Test];

    /// The stable number of the split.
    pub const fn code(self) -> u8 {
        match self {
            Split::Train => 0,
            Split::Valid => 1,
            Split::Test => 2,
        }
    }

    /// The split with this stable number.
    pub const fn from_code(code: u8) -> Option<Split> {
        match code {
            0 => Some(Split::Train),
            1 => Some(Split::Valid),
            2 => Some(Split::Test),
            _ => None,
        }
    }

    /// Its name: `train`, `valid` or `test`.
    pub const fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Valid => "valid",
            Split::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A file that was imported.
    File,
    /// A generator drew it.
    Generated {
        /// Which batch of samples it belongs to.
        samples: SamplesId,
    },
}

/// On what a change to an image rests. Empty when a person just said so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Evidence {
    /// The cleaning pass that proposed it.
    pub pass: Option<PassId>,
    /// The predictions that it rests on.
    pub predictions: Option<PredictionsId>,
    /// The rule's name.
    pub rule: Option<String>,
    /// The rule's score for this image.
    pub score: Option<Real>,
}

/// Starts a dataset; the first event of every repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatasetCreated {
    /// Its name.
    pub name: String,
    /// Its classes; their order gives the [`ClassIndex`] of each. May be empty,
    /// then [`ClassesAdded`] brings them.
    pub classes: Vec<String>,
}

/// Appends classes to the dataset's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassesAdded {
    /// Their names, in order.
    pub classes: Vec<String>,
}

/// Brings one image into the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageImported {
    /// The image; see [`ImageId::of_import`].
    pub image: ImageId,
    /// Its bytes.
    pub blob: BlobId,
    /// Where it was, relative to the folder that was imported.
    pub path: PathBytes,
    /// Its label, if it has one.
    pub label: Option<ClassIndex>,
    /// What it is for.
    pub split: Split,
    /// Where it came from.
    pub origin: Origin,
}

/// Gives an image new bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRevised {
    /// The image.
    pub image: ImageId,
    /// Its bytes before.
    pub old: BlobId,
    /// Its bytes after.
    pub new: BlobId,
    /// Why.
    pub reason: String,
}

/// Gives an image another label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRelabelled {
    /// The image.
    pub image: ImageId,
    /// Its label before.
    pub old: Option<ClassIndex>,
    /// Its label after.
    pub new: Option<ClassIndex>,
    /// Why.
    pub reason: String,
    /// On what it rests.
    pub evidence: Evidence,
}

/// Takes an image out of the dataset. It stays auditable for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRemoved {
    /// The image.
    pub image: ImageId,
    /// Why.
    pub reason: String,
    /// On what it rests.
    pub evidence: Evidence,
}

/// Takes a removed image back into the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRestored {
    /// The image.
    pub image: ImageId,
    /// Why.
    pub reason: String,
    /// On what it rests.
    pub evidence: Evidence,
}

/// What a reviewer made of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Decision {
    /// The image is right as it is.
    Kept,
    /// It got another label.
    Relabelled {
        /// Which.
        label: ClassIndex,
    },
    /// It was taken out.
    Removed,
    /// The reviewer did not say.
    Skipped,
}

/// Records a decision on one finding of a cleaning pass. Its effect on the
/// dataset, if any, is an event of its own in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewDecided {
    /// The image.
    pub image: ImageId,
    /// The pass whose finding was decided.
    pub pass: PassId,
    /// The decision.
    pub decision: Decision,
}

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

/// How votes become a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteRule {
    /// Each member has one vote.
    Majority,
    /// Each member's vote counts its weight.
    Weighted,
    /// The weighted mean of the probabilities decides.
    Soft,
}

/// One member of an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Member {
    /// Its predictions.
    pub predictions: PredictionsId,
    /// Its weight; 1 under majority.
    pub weight: Real,
}

/// Records a vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnsembleVoted {
    /// The ensemble.
    pub ensemble: EnsembleId,
    /// Its members, ordered by id: their order decides nothing.
    pub members: Vec<Member>,
    /// How votes become a decision.
    pub rule: VoteRule,
    /// Ties are broken by a hash of this and the image id.
    pub tie_seed: u64,
    /// The images voted on.
    pub manifest: ManifestDigest,
    /// Every member's vote and the decision; see the format of votes blobs.
    pub votes: BlobId,
}

/// What a submission states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SubmissionSource {
    /// The decisions of an ensemble.
    Ensemble {
        /// Which.
        ensemble: EnsembleId,
    },
    /// The most probable classes of one model.
    Predictions {
        /// Which.
        predictions: PredictionsId,
    },
}

/// Records a file as handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubmissionWritten {
    /// The submission.
    pub submission: SubmissionId,
    /// What it states.
    pub source: SubmissionSource,
    /// Columns, order, id style, label style: JSON.
    pub format: BlobId,
    /// The file.
    pub csv: BlobId,
    /// How many images it names.
    pub rows: u64,
    /// The submission it is a variation of ("what if …").
    pub derived_from: Option<SubmissionId>,
}

/// Records a leaderboard's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubmissionScored {
    /// The submission.
    pub submission: SubmissionId,
    /// The public score.
    pub public: Option<Real>,
    /// The private score.
    pub private: Option<Real>,
}

/// How deep a replay goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayDepth {
    /// Recount stored predictions and rebuild the file.
    Votes,
    /// Also recompute the predictions from the checkpoints.
    Predictions,
    /// Also train the checkpoints again.
    Training,
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReplayOutcome {
    /// Every byte is equal.
    Identical,
    /// Probabilities differ a little.
    WithinTolerance {
        /// The largest difference of a probability.
        largest_difference: Real,
        /// The share of images with the same decision, 0 to 1.
        equal_decisions: Real,
    },
    /// Something differs.
    Diverged {
        /// The first event that does, when it is one.
        event: Option<EventRef>,
        /// The digest recorded.
        expected: BlobId,
        /// The digest found.
        actual: BlobId,
        /// The likely cause, in words.
        cause: String,
    },
}

/// Records a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubmissionReplayed {
    /// The submission.
    pub submission: SubmissionId,
    /// How deep.
    pub depth: ReplayDepth,
    /// What it found.
    pub outcome: ReplayOutcome,
    /// Where it ran: JSON.
    pub environment: BlobId,
    /// The receipt: JSON.
    pub receipt: BlobId,
}

/// Which events of one transaction to revert.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct RevertTarget {
    /// The transaction.
    pub transaction: TransactionId,
    /// The events in it, counted from zero, ascending; empty means all that
    /// can be reverted.
    pub events: Vec<u32>,
}

/// Takes back the effect of earlier events; reverting this event takes that
/// back in turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventsReverted {
    /// What to take back.
    pub targets: Vec<RevertTarget>,
    /// Why.
    pub reason: String,
}

/// An event of a kind or schema that this version does not know, kept as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The number of its kind.
    pub kind: u16,
    /// The number of its schema.
    pub schema: u16,
    /// Its bytes.
    #[serde(skip)]
    pub payload: Box<[u8]>,
}

macro_rules! events {
    ($($(#[$meta:meta])* $name:ident = $kind:literal),+ $(,)?) => {
        /// Something that happened.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(tag = "event")]
        pub enum Event {
            $($(#[$meta])* $name($name),)+
            /// Of a newer version.
            Unknown(Unknown),
        }

        impl Event {
            /// Every kind known here, with its stable number.
            pub const KINDS: &'static [(&'static str, u16)] = &[$((stringify!($name), $kind)),+];

            /// The name of its kind.
            pub fn kind_name(&self) -> &'static str {
                match self {
                    $(Event::$name(_) => stringify!($name),)+
                    Event::Unknown(_) => "Unknown",
                }
            }

            /// The stable number of its kind.
            pub fn kind(&self) -> u16 {
                match self {
                    $(Event::$name(_) => $kind,)+
                    Event::Unknown(unknown) => unknown.kind,
                }
            }
        }

        $(impl From<$name> for Event {
            fn from(event: $name) -> Event {
                Event::$name(event)
            }
        })+
    };
}

// A number is never reused and never changes its meaning: it is in the files.
events! {
    /// Starts a dataset.
    DatasetCreated = 1,
    /// Appends classes.
    ClassesAdded = 2,
    /// Brings an image in.
    ImageImported = 3,
    /// Gives an image new bytes.
    ImageRevised = 4,
    /// Gives an image another label.
    ImageRelabelled = 5,
    /// Takes an image out.
    ImageRemoved = 6,
    /// Takes an image back in.
    ImageRestored = 7,
    /// Decides a finding.
    ReviewDecided = 8,
    /// Registers weights from elsewhere.
    WeightsAdded = 16,
    /// Starts a run.
    RunStarted = 17,
    /// Records a learning rate finder.
    LearningRateFound = 18,
    /// Saves weights.
    CheckpointSaved = 19,
    /// Ends a run well.
    RunFinished = 20,
    /// Ends a run that failed.
    RunFailed = 21,
    /// Ends a run that was stopped.
    RunCancelled = 22,
    /// Records probabilities.
    PredictionsRecorded = 32,
    /// Records findings.
    CleaningPassProposed = 33,
    /// Saves a generator.
    GeneratorTrained = 48,
    /// Records generated images.
    SamplesGenerated = 49,
    /// Takes generated images in.
    SamplesAdmitted = 50,
    /// Takes generated images out.
    SamplesExpelled = 51,
    /// Records a vote.
    EnsembleVoted = 64,
    /// Records a file as handed in.
    SubmissionWritten = 65,
    /// Records a leaderboard's verdict.
    SubmissionScored = 66,
    /// Records a replay.
    SubmissionReplayed = 67,
    /// Takes back earlier events.
    EventsReverted = 80,
}
