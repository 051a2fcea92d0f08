//! A submission from recorded facts, recorded.

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{SubmissionSource, SubmissionWritten};
use safelight_lineage::id::{EnsembleId, ImageId, PredictionsId, SubmissionId};
use safelight_lineage::state::State;
use safelight_lineage::value::ClassIndex;
use safelight_store::BlobError;

use super::{SubmissionFormat, SubmissionRow, WriteError, write_csv};
use crate::ensemble::cast::{CastError, probabilities};
use crate::ensemble::{Votes, VotesError};
use crate::predictions::argmax;
use crate::session::{Session, SessionError};

/// Why a submission could not be made or recorded.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// There is no such ensemble.
    #[error("there is no ensemble {0}")]
    UnknownEnsemble(EnsembleId),
    /// An image that was judged is not in the log.
    #[error("image {0} was judged but is not in the log")]
    UnknownImage(ImageId),
    /// The votes cannot be read.
    #[error("the votes of ensemble {ensemble} cannot be used: {error}")]
    Votes {
        /// Whose.
        ensemble: EnsembleId,
        /// Why.
        error: VotesError,
    },
    /// The predictions cannot be used.
    #[error(transparent)]
    Predictions(#[from] CastError),
    /// The file cannot be written in this format.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A blob cannot be read or written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The log could not be written.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// What was decided for each image.
pub type Decisions = Vec<(ImageId, ClassIndex)>;

/// The decisions of a recorded vote.
///
/// # Errors
/// When it is not there or damaged.
pub fn decisions_of_ensemble(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    ensemble: EnsembleId,
) -> Result<Decisions, CommitError> {
    let record = state.ensembles().get(ensemble).ok_or(CommitError::UnknownEnsemble(ensemble))?;
    let votes = Votes::from_bytes(&read(record.event.votes)?)
        .map_err(|error| CommitError::Votes { ensemble, error })?;
    Ok(decisions_of_votes(&votes))
}

/// The decisions of a vote.
pub fn decisions_of_votes(votes: &Votes) -> Decisions {
    votes.images().iter().copied().zip(votes.decisions().iter().copied()).collect()
}

/// The most probable classes of recorded predictions.
///
/// # Errors
/// When they are not there or damaged.
pub fn decisions_of_predictions(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    predictions: PredictionsId,
) -> Result<Decisions, CommitError> {
    let said = probabilities(state, read, predictions)?;
    Ok(said.rows().map(|(image, row)| (image, argmax(row))).collect())
}

/// The decisions that a submission of this source states.
///
/// # Errors
/// When the source is not there or damaged.
pub fn decisions(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    source: SubmissionSource,
) -> Result<Decisions, CommitError> {
    match source {
        SubmissionSource::Ensemble { ensemble } => decisions_of_ensemble(state, read, ensemble),
        SubmissionSource::Predictions { predictions } => decisions_of_predictions(state, read, predictions),
    }
}

/// The file; a function of the decisions, the format, and the paths and class
/// names in the state.
///
/// # Errors
/// When an image is not in the log or the format does not fit.
pub fn file(state: &State, decisions: &Decisions, format: &SubmissionFormat) -> Result<Vec<u8>, CommitError> {
    let rows: Vec<SubmissionRow<'_>> = decisions
        .iter()
        .map(|(image, label)| {
            let view = state.image(*image).ok_or(CommitError::UnknownImage(*image))?;
            Ok(SubmissionRow { image: *image, path: view.path, label: *label })
        })
        .collect::<Result<_, CommitError>>()?;
    Ok(write_csv(format, &rows, state.classes())?)
}

/// A submission that was recorded.
#[derive(Debug)]
pub struct Committed {
    /// Its id.
    pub submission: SubmissionId,
    /// The file.
    pub csv: Vec<u8>,
    /// The file's digest.
    pub blob: BlobId,
    /// Its rows.
    pub rows: u64,
}

/// Makes the file and records it.
///
/// # Errors
/// When the source is not there, the format does not fit, or the log cannot be
/// written.
pub fn commit(
    session: &mut Session,
    source: SubmissionSource,
    format: &SubmissionFormat,
    message: Option<&str>,
) -> Result<Committed, CommitError> {
    commit_derived(session, source, format, message, None)
}

/// As [`commit`], for a submission that is a variation of another one.
///
/// # Errors
/// As [`commit`].
pub fn commit_derived(
    session: &mut Session,
    source: SubmissionSource,
    format: &SubmissionFormat,
    message: Option<&str>,
    derived_from: Option<SubmissionId>,
) -> Result<Committed, CommitError> {
    let blobs = session.repository().blobs().clone();
    let decisions = decisions(session.state(), |blob| blobs.get(blob), source)?;
    let csv = file(session.state(), &decisions, format)?;
    let rows = decisions.len() as u64;
    let (format, blob) = (blobs.put(&format.to_bytes())?, blobs.put(&csv)?);
    let frame = session.record(message, |_, transaction| SubmissionWritten {
        submission: SubmissionId(transaction.derive("submission", 0)),
        source,
        format,
        csv: blob,
        rows,
        derived_from,
    })?;
    let submission = SubmissionId(frame.header.transaction.derive("submission", 0));
    Ok(Committed { submission, csv, blob, rows })
}
