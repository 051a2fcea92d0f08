//! A vote over recorded predictions, recorded.

use safelight_lineage::digest::{BlobId, ManifestDigest};
use safelight_lineage::event::{EnsembleVoted, Member, PredictionsRecorded, VoteRule};
use safelight_lineage::id::{EnsembleId, PredictionsId};
use safelight_lineage::state::State;
use safelight_lineage::value::Real;
use safelight_store::BlobError;

use super::{Agreement, Ballot, VoteError, Votes, agreement, vote};
use crate::predictions::{Probabilities, ProbabilitiesError};
use crate::session::{Session, SessionError};

/// Why a vote could not be held or recorded.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// There are no such predictions.
    #[error("there are no predictions {0}")]
    UnknownPredictions(PredictionsId),
    /// Their blob cannot be read.
    #[error("the probabilities of predictions {predictions} cannot be used: {error}")]
    Probabilities {
        /// Whose.
        predictions: PredictionsId,
        /// Why.
        error: ProbabilitiesError,
    },
    /// A member judged other images than the first.
    #[error(
        "predictions {member} are for other images (manifest {actual}) than {reference} (manifest {expected})"
    )]
    OtherImages {
        /// The member.
        member: PredictionsId,
        /// The first member.
        reference: PredictionsId,
        /// The first member's manifest.
        expected: String,
        /// The member's.
        actual: String,
    },
    /// The members do not go together.
    #[error(transparent)]
    Vote(#[from] VoteError),
    /// A blob cannot be read or written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The log could not be written.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// A vote that was recorded.
#[derive(Debug)]
pub struct Cast {
    /// Its id.
    pub ensemble: EnsembleId,
    /// Its members, by id.
    pub members: Vec<Member>,
    /// What they said and what was decided.
    pub votes: Votes,
    /// How alike they are.
    pub agreement: Agreement,
}

/// The recorded probabilities of some predictions.
///
/// # Errors
/// When there are none, or their blob is damaged or of another format.
pub fn probabilities(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    predictions: PredictionsId,
) -> Result<Probabilities, CastError> {
    let record = state.predictions().get(predictions).ok_or(CastError::UnknownPredictions(predictions))?;
    Probabilities::from_bytes(&read(record.event.probabilities)?)
        .map_err(|error| CastError::Probabilities { predictions, error })
}

/// A vote that was counted and not recorded yet.
#[derive(Debug)]
pub struct Counted {
    /// Its members, by id.
    pub members: Vec<Member>,
    /// What they said and what was decided.
    pub votes: Votes,
    /// How alike they are.
    pub agreement: Agreement,
    rule: VoteRule,
    tie_seed: u64,
    manifest: ManifestDigest,
}

/// Lets these members vote. Their order decides nothing; under
/// [`VoteRule::Majority`] neither do their weights.
///
/// # Errors
/// When members are unknown, damaged, or judged other images.
pub fn ballot(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    members: &[(PredictionsId, f64)],
    rule: VoteRule,
    tie_seed: u64,
) -> Result<Counted, CastError> {
    let mut members: Vec<Member> = members
        .iter()
        .map(|(predictions, weight)| Member {
            predictions: *predictions,
            weight: Real(if rule == VoteRule::Majority { 1.0 } else { *weight }),
        })
        .collect();
    members.sort_by_key(|member| member.predictions);
    let Some(first) = members.first() else { return Err(VoteError::NoMembers.into()) };
    let facts = |id: PredictionsId| -> Result<&PredictionsRecorded, CastError> {
        state.predictions().get(id).map(|record| &record.event).ok_or(CastError::UnknownPredictions(id))
    };
    let manifest = facts(first.predictions)?.manifest;
    for member in &members {
        let actual = facts(member.predictions)?.manifest;
        if actual != manifest {
            return Err(CastError::OtherImages {
                member: member.predictions,
                reference: first.predictions,
                expected: manifest.short(),
                actual: actual.short(),
            });
        }
    }
    let said: Vec<Probabilities> = members
        .iter()
        .map(|member| probabilities(state, &read, member.predictions))
        .collect::<Result<_, _>>()?;
    let votes = vote(&ballots(&members, &said), rule, tie_seed)?;
    let labels: std::collections::BTreeMap<_, _> =
        votes.images().iter().filter_map(|image| Some((*image, state.image(*image)?.label?))).collect();
    let agreement = agreement(&ballots(&members, &said), &labels)?;
    Ok(Counted { members, votes, agreement, rule, tie_seed, manifest })
}

/// Records a vote that was counted.
///
/// # Errors
/// When the store or the log cannot be written.
pub fn hold(session: &mut Session, counted: Counted) -> Result<Cast, CastError> {
    let Counted { members, votes, agreement, rule, tie_seed, manifest } = counted;
    let blob = session.repository().blobs().put(&votes.to_bytes())?;
    let frame = session.record(None, |_, transaction| EnsembleVoted {
        ensemble: EnsembleId(transaction.derive("ensemble", 0)),
        members: members.clone(),
        rule,
        tie_seed,
        manifest,
        votes: blob,
    })?;
    let ensemble = EnsembleId(frame.header.transaction.derive("ensemble", 0));
    Ok(Cast { ensemble, members, votes, agreement })
}

/// Lets these members vote and records the outcome: [`ballot`] and [`hold`].
///
/// # Errors
/// When members are unknown, damaged, or judged other images.
pub fn cast(
    session: &mut Session,
    members: &[(PredictionsId, f64)],
    rule: VoteRule,
    tie_seed: u64,
) -> Result<Cast, CastError> {
    let blobs = session.repository().blobs().clone();
    let counted = ballot(session.state(), |blob| blobs.get(blob), members, rule, tie_seed)?;
    hold(session, counted)
}

/// Counts the votes of recorded predictions; a function of what is stored.
///
/// # Errors
/// When members are unknown or damaged, or do not go together.
pub fn count(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    members: &[Member],
    rule: VoteRule,
    tie_seed: u64,
) -> Result<Votes, CastError> {
    let said: Vec<Probabilities> = members
        .iter()
        .map(|member| probabilities(state, &read, member.predictions))
        .collect::<Result<_, _>>()?;
    Ok(vote(&ballots(members, &said), rule, tie_seed)?)
}

fn ballots<'a>(members: &[Member], said: &'a [Probabilities]) -> Vec<Ballot<'a>> {
    members
        .iter()
        .zip(said)
        .map(|(member, probabilities)| Ballot {
            predictions: member.predictions,
            weight: member.weight.0,
            probabilities,
        })
        .collect()
}
