//! What is made of predictions: votes, submissions, scores, replays.

use serde::Serialize;

use super::frame::EventRef;
use crate::digest::{BlobId, ManifestDigest};
use crate::id::{EnsembleId, PredictionsId, SubmissionId};
use crate::value::Real;

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
