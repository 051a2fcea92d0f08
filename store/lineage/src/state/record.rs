//! What a state keeps of runs, checkpoints and everything else but images.

use serde::Serialize;

use crate::codec::{Code, Reader, SnapshotError, enum_code, struct_code};
use crate::event::{
    CheckpointSaved, CleaningPassProposed, EnsembleVoted, EventRef, GeneratorTrained, LearningRateFound,
    PredictionsRecorded as PredictionsEvent, RunCancelled, RunFailed, RunFinished, RunStarted,
    SamplesAdmitted, SamplesExpelled, SamplesGenerated, SubmissionReplayed, SubmissionScored,
    SubmissionWritten, WeightsAdded,
};
use crate::id::{
    CheckpointId, EnsembleId, GeneratorId, PassId, PredictionsId, RunId, SamplesId, SubmissionId, WeightsId,
};
use crate::value::{Seq, Timestamp};

use super::registry::Registered;

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorded<E> {
    /// What happened.
    #[serde(flatten)]
    pub event: E,
    /// Its name in every journal.
    pub at: EventRef,
    /// Its place in this journal.
    pub seq: Seq,
    /// When, by the clock of the machine that wrote it.
    pub time: Timestamp,
}

impl<E: Code> Code for Recorded<E> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.event.encode(out);
        self.at.encode(out);
        self.seq.encode(out);
        self.time.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Ok(Recorded {
            event: Code::decode(reader)?,
            at: Code::decode(reader)?,
            seq: Code::decode(reader)?,
            time: Code::decode(reader)?,
        })
    }
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunStatus {
    /// It has not ended, as far as the log knows.
    Running,
    /// It did all its stages.
    Finished {
        /// Its end.
        end: Recorded<RunFinished>,
    },
    /// It could not go on.
    Failed {
        /// Its end.
        end: Recorded<RunFailed>,
    },
    /// It was told to stop.
    Cancelled {
        /// Its end.
        end: Recorded<RunCancelled>,
    },
}

impl RunStatus {
    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        matches!(self, RunStatus::Running)
    }

    /// One word for it.
    pub const fn name(&self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Finished { .. } => "finished",
            RunStatus::Failed { .. } => "failed",
            RunStatus::Cancelled { .. } => "cancelled",
        }
    }
}

/// A training run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRecord {
    /// Its start.
    pub started: Recorded<RunStarted>,
    /// How it stands.
    pub status: RunStatus,
    /// What learning rate finders said for it.
    pub learning_rates: Vec<Recorded<LearningRateFound>>,
    /// Its checkpoints, oldest first.
    pub checkpoints: Vec<CheckpointId>,
}

/// A checkpoint.
pub type CheckpointRecord = Recorded<CheckpointSaved>;
/// The probabilities of a model on a set of images.
pub type PredictionsRecord = Recorded<PredictionsEvent>;
/// Weights that came from elsewhere.
pub type WeightsRecord = Recorded<WeightsAdded>;
/// A trained generator.
pub type GeneratorRecord = Recorded<GeneratorTrained>;
/// A vote.
pub type EnsembleRecord = Recorded<EnsembleVoted>;

/// A cleaning pass. What reviewers decided is asked of the state:
/// [`State::reviews`](super::State::reviews).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassRecord {
    /// What it proposed.
    pub proposed: Recorded<CleaningPassProposed>,
    /// Places of its decisions in the change log.
    #[serde(skip)]
    pub(super) reviews: Vec<u32>,
}

/// A batch of generated images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SamplesRecord {
    /// How they were drawn.
    pub generated: Recorded<SamplesGenerated>,
    /// Which of them entered the dataset, each time.
    pub admissions: Vec<Recorded<SamplesAdmitted>>,
    /// When they were taken out again.
    pub expulsions: Vec<Recorded<SamplesExpelled>>,
}

/// A leaderboard's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScoreRecord {
    /// The verdict.
    pub scored: Recorded<SubmissionScored>,
    /// Whether it was taken back.
    pub reverted: bool,
}

/// A file as handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubmissionRecord {
    /// The file and what it states.
    pub written: Recorded<SubmissionWritten>,
    /// Every verdict, oldest first, those taken back too.
    pub scores: Vec<ScoreRecord>,
    /// Every replay, oldest first.
    pub replays: Vec<Recorded<SubmissionReplayed>>,
}

impl SubmissionRecord {
    /// The verdicts that stand, oldest first.
    pub fn live_scores(&self) -> impl DoubleEndedIterator<Item = &SubmissionScored> {
        self.scores.iter().filter(|score| !score.reverted).map(|score| &score.scored.event)
    }

    /// The newest public score that stands.
    pub fn public_score(&self) -> Option<f64> {
        self.live_scores().rev().find_map(|score| score.public).map(|score| score.0)
    }

    /// The newest private score that stands.
    pub fn private_score(&self) -> Option<f64> {
        self.live_scores().rev().find_map(|score| score.private).map(|score| score.0)
    }
}

enum_code! {
    RunStatus {
        0 => Running,
        1 => Finished { end },
        2 => Failed { end },
        3 => Cancelled { end },
    }
}

struct_code! {
    RunRecord { started, status, learning_rates, checkpoints }
    PassRecord { proposed, reviews }
    SamplesRecord { generated, admissions, expulsions }
    ScoreRecord { scored, reverted }
    SubmissionRecord { written, scores, replays }
}

macro_rules! registered {
    ($($record:ty, $id:ty, $($path:ident).+;)+) => {$(
        impl Registered for $record {
            type Id = $id;

            fn id(&self) -> $id {
                self.$($path).+
            }
        }
    )+};
}

registered! {
    RunRecord, RunId, started.event.run;
    CheckpointRecord, CheckpointId, event.checkpoint;
    PredictionsRecord, PredictionsId, event.predictions;
    PassRecord, PassId, proposed.event.pass;
    WeightsRecord, WeightsId, event.weights;
    GeneratorRecord, GeneratorId, event.generator;
    SamplesRecord, SamplesId, generated.event.samples;
    EnsembleRecord, EnsembleId, event.ensemble;
    SubmissionRecord, SubmissionId, written.event.submission;
}
