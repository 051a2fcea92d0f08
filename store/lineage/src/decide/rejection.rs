//! Why something cannot be done, and what to do about it.

use std::fmt;

use crate::digest::{BlobId, FrameDigest};
use crate::event::{EventRef, Split};
use crate::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    TransactionId, WeightsId,
};
use crate::state::Field;
use crate::value::{ClassIndex, Seq};

/// Anything that has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// An image.
    Image(ImageId),
    /// Weights from elsewhere.
    Weights(WeightsId),
    /// A run.
    Run(RunId),
    /// A checkpoint.
    Checkpoint(CheckpointId),
    /// Predictions.
    Predictions(PredictionsId),
    /// A cleaning pass.
    Pass(PassId),
    /// A generator.
    Generator(GeneratorId),
    /// A batch of samples.
    Samples(SamplesId),
    /// An ensemble.
    Ensemble(EnsembleId),
    /// A submission.
    Submission(SubmissionId),
    /// A transaction.
    Transaction(TransactionId),
    /// A frame.
    Frame(FrameDigest),
    /// A class.
    Class(ClassIndex),
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thing::Image(id) => write!(f, "image {id}"),
            Thing::Weights(id) => write!(f, "weights {id}"),
            Thing::Run(id) => write!(f, "run {id}"),
            Thing::Checkpoint(id) => write!(f, "checkpoint {id}"),
            Thing::Predictions(id) => write!(f, "predictions {id}"),
            Thing::Pass(id) => write!(f, "cleaning pass {id}"),
            Thing::Generator(id) => write!(f, "generator {id}"),
            Thing::Samples(id) => write!(f, "samples {id}"),
            Thing::Ensemble(id) => write!(f, "ensemble {id}"),
            Thing::Submission(id) => write!(f, "submission {id}"),
            Thing::Transaction(id) => write!(f, "transaction {id}"),
            Thing::Frame(digest) => write!(f, "frame {digest}"),
            Thing::Class(index) => write!(f, "class number {}", index.0),
        }
    }
}

/// Why a command is refused. A refusal is final for the state it was made on:
/// nothing of the command is done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no dataset yet.
    #[error("there is no dataset yet; create one first")]
    NoDataset,
    /// There is a dataset already.
    #[error("this repository has the dataset '{name}' already; start another repository for another dataset")]
    DatasetExists {
        /// Its name.
        name: String,
    },
    /// A name is empty.
    #[error("a {what} needs a name that is not empty")]
    EmptyName {
        /// Of what.
        what: &'static str,
    },
    /// There is no class of this name.
    #[error("there is no class '{name}'; the classes are: {}", known.join(", "))]
    UnknownClass {
        /// The name.
        name: String,
        /// The names of the classes.
        known: Vec<String>,
    },
    /// Two classes would differ in upper and lower case only.
    #[error("class '{new}' differs from '{existing}' in upper and lower case only; use one spelling")]
    ClassCaseClash {
        /// The name that came first.
        existing: String,
        /// The name that is refused.
        new: String,
    },
    /// The list would have one class twice.
    #[error("class '{name}' is given twice")]
    DuplicateClass {
        /// Its name.
        name: String,
    },
    /// There would be more classes than can be numbered.
    #[error("there can be {limit} classes, not {count}")]
    TooManyClasses {
        /// How many there would be.
        count: usize,
        /// How many there can be.
        limit: usize,
    },
    /// Something that the command names is not in the log.
    #[error("{0} is not in the log; check the id")]
    Unknown(Thing),
    /// The image came in once, but its import was reverted or its batch expelled.
    #[error(
        "image {image} is not in the dataset: its import was reverted or its batch expelled; bring it in again first"
    )]
    NotInDataset {
        /// The image.
        image: ImageId,
    },
    /// A generated image would become one that models are judged by.
    #[error(
        "the bytes of {blob} were drawn by a generator (samples {}); generated images may only be trained on, not be {split} images", samples.short()
    )]
    GeneratedOutsideTraining {
        /// Its bytes.
        blob: BlobId,
        /// The batch that it was drawn in.
        samples: SamplesId,
        /// The split that it was to be of.
        split: Split,
    },
    /// Everything is as wanted already.
    #[error("there is nothing to do: everything is as wanted already")]
    NothingToDo,
    /// A class would lose its last image.
    #[error("class '{class}' would lose its last image (of {count} to remove); use force if that is meant")]
    LastOfClass {
        /// The name of the class.
        class: String,
        /// How many of its images were to be removed.
        count: u64,
    },
    /// An event that is to be reverted states a fact, or had no effect.
    #[error("event {index} of transaction {} cannot be reverted: it records a fact, not a change of images or scores", event.transaction, index = event.index)]
    NotReversible {
        /// The event; of a whole transaction without any that can be, its first.
        event: EventRef,
    },
    /// An event that is to be reverted is not there.
    #[error("transaction {} has no event {index}; it has {count}", event.transaction, index = event.index)]
    NoSuchEvent {
        /// The event.
        event: EventRef,
        /// How many events the transaction has.
        count: u64,
    },
    /// An event that is to be reverted is reverted.
    #[error("event {index} of transaction {} is reverted already, by transaction {}; revert that to undo the undo", event.transaction, by.transaction, index = event.index)]
    AlreadyReverted {
        /// The event.
        event: EventRef,
        /// The revert.
        by: EventRef,
    },
    /// A later event built on one that is to be reverted.
    #[error("the {field} of image {image} was changed again by event {seq} (transaction {}) after event {target_seq} (transaction {}); revert the later one first, or both together", later.transaction, target.transaction)]
    Conflict {
        /// The event that is to be reverted.
        target: EventRef,
        /// Its place in this journal.
        target_seq: Seq,
        /// The later event.
        later: EventRef,
        /// Its place in this journal.
        seq: Seq,
        /// The image.
        image: ImageId,
        /// What both changed.
        field: Field,
    },
    /// The event is not one that [`Command::Record`](super::Command::Record) takes.
    #[error("{kind} cannot be recorded directly; use the command that decides it")]
    NotAFact {
        /// The name of its kind.
        kind: &'static str,
    },
    /// Something has this id already.
    #[error("{0} is in the log already; every new thing needs a new id")]
    DuplicateId(Thing),
    /// The run has ended.
    #[error("run {run} is {status}; start another run")]
    RunEnded {
        /// The run.
        run: RunId,
        /// How it ended.
        status: &'static str,
    },
    /// The members of an ensemble do not fit together.
    #[error("{predictions} cannot vote in this ensemble: {why}", predictions = Thing::Predictions(*predictions))]
    UnfitMember {
        /// The member.
        predictions: PredictionsId,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The event lacks something or has a value that cannot be.
    #[error("{kind} is not valid: {why}")]
    Invalid {
        /// The name of its kind.
        kind: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}
