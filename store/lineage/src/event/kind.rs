//! Every kind of event, with its stable number.

use serde::Serialize;

use super::dataset::{
    ClassesAdded, DatasetCreated, EventsReverted, ImageImported, ImageRelabelled, ImageRemoved,
    ImageRestored, ImageRevised, ReviewDecided,
};
use super::model::{
    CheckpointSaved, CleaningPassProposed, GeneratorTrained, LearningRateFound, PredictionsRecorded,
    RunCancelled, RunFailed, RunFinished, RunStarted, SamplesAdmitted, SamplesExpelled, SamplesGenerated,
    WeightsAdded,
};
use super::submission::{EnsembleVoted, SubmissionReplayed, SubmissionScored, SubmissionWritten};

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
