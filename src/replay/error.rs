//! Why a replay gives no verdict.

use safelight_lineage::id::{CheckpointId, PredictionsId, RunId};
use safelight_lineage::query::ReplayPlanError;
use safelight_store::{BlobError, StoreError};

use super::engine::EngineError;
use crate::clean::evidence::EvidenceError;
use crate::ensemble::cast::CastError;
use crate::predictions::ProbabilitiesError;
use crate::runs::prepare::PrepareError;
use crate::session::SessionError;
use crate::submit::FormatError;
use crate::submit::commit::CommitError;

/// Why a replay could not be done at all. A replay that was done and differs is
/// no error but an outcome.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log does not say how the submission was made.
    #[error(transparent)]
    Plan(#[from] ReplayPlanError),
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A blob that the submission needs cannot be read.
    #[error("{what} cannot be read: {error}")]
    Blob {
        /// What it is, in words.
        what: String,
        /// What is wrong with it.
        error: BlobError,
    },
    /// The recorded format cannot be read.
    #[error("the format of the submission cannot be used: {0}")]
    Format(#[from] FormatError),
    /// The votes cannot be counted.
    #[error(transparent)]
    Cast(#[from] CastError),
    /// The file cannot be made.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The dataset cannot be rebuilt.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// What fold models were kept from cannot be told.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The log lacks the checkpoint that made predictions.
    #[error("checkpoint {0} is not in the log")]
    MissingCheckpoint(CheckpointId),
    /// Stored probabilities cannot be read.
    #[error("the probabilities of predictions {predictions} cannot be used: {error}")]
    Probabilities {
        /// Whose.
        predictions: PredictionsId,
        /// Why.
        error: ProbabilitiesError,
    },
    /// The probabilities cannot be computed again.
    #[error("predictions {predictions} cannot be computed again: {error}")]
    Predict {
        /// Which.
        predictions: PredictionsId,
        /// Why.
        error: EngineError,
    },
    /// The run cannot be trained again.
    #[error("run {run} cannot be trained again: {error}")]
    Train {
        /// Which.
        run: RunId,
        /// Why.
        error: EngineError,
    },
    /// Training again came to no checkpoint of a stage that the log has one of.
    #[error("training run {run} again left no checkpoint of stage {stage}, which the log has one of")]
    NoSuchStage {
        /// The run.
        run: RunId,
        /// The stage, from zero.
        stage: u32,
    },
    /// Something is to be computed again, and this build cannot.
    #[error("this build of safelight has no training and predicting in it")]
    NoEngine,
    /// The replay could not be recorded.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl ReplayError {
    /// Whether somebody asked it to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            ReplayError::Predict { error: EngineError::Cancelled, .. }
                | ReplayError::Train { error: EngineError::Cancelled, .. }
        )
    }
}
