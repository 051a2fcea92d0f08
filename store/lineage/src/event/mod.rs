//! The vocabulary: everything that can happen to a dataset and its models.
//!
//! An [`Event`] states a fact; it is never changed and never taken out. Undoing
//! is itself an event, [`EventsReverted`]. What an event says in full (a
//! recipe, probabilities, weights, a CSV) is a blob that the event names.

mod blobs;
mod dataset;
mod frame;
mod kind;
mod model;
mod submission;

pub use dataset::{
    ClassesAdded, DatasetCreated, Decision, EventsReverted, Evidence, ImageImported, ImageRelabelled,
    ImageRemoved, ImageRestored, ImageRevised, Origin, RevertTarget, ReviewDecided, Split,
};
pub use frame::{Actor, EventRef, Frame, FrameHeader};
pub use kind::{Event, Unknown};
pub use model::{
    AdmittedImage, CheckpointSaved, CleaningPassProposed, GeneratorTrained, Honesty, LearningRateFound,
    PredictionSource, PredictionsRecorded, RuleUse, RunCancelled, RunFailed, RunFinished, RunStarted,
    SamplesAdmitted, SamplesExpelled, SamplesGenerated, ViewPolicy, WeightsAdded,
};
pub use submission::{
    EnsembleVoted, Member, ReplayDepth, ReplayOutcome, SubmissionReplayed, SubmissionScored,
    SubmissionSource, SubmissionWritten, VoteRule,
};
