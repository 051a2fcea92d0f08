//! What if: another submission from the same stored facts, marked as derived.

use safelight_lineage::event::{EnsembleVoted, Member, SubmissionSource, SubmissionWritten};
use safelight_lineage::id::{EnsembleId, PredictionsId, SubmissionId};

use super::commit::{CommitError, Decisions, decisions, decisions_of_votes, file};
use super::{FormatError, SubmissionFormat};
use crate::ensemble::cast::count;
use crate::session::Session;

/// Why there is no such variation.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// There is no such submission.
    #[error("there is no submission {0}")]
    UnknownSubmission(SubmissionId),
    /// It states one model's decisions.
    #[error("submission {0} states the decisions of one model: there is no member to leave out")]
    NoEnsemble(SubmissionId),
    /// The predictions did not vote.
    #[error("predictions {member} are no member of ensemble {ensemble}")]
    NoMember {
        /// The predictions.
        member: PredictionsId,
        /// The ensemble.
        ensemble: EnsembleId,
    },
    /// Nobody would be left.
    #[error("ensemble {0} would have no member left")]
    NobodyLeft(EnsembleId),
    /// The stored format cannot be used.
    #[error("the format of the submission cannot be used: {0}")]
    Format(#[from] FormatError),
    /// The votes cannot be counted or the file not be made.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// A variation of a submission, recorded.
#[derive(Debug)]
pub struct WhatIf {
    /// Its ensemble.
    pub ensemble: EnsembleId,
    /// Its id.
    pub submission: SubmissionId,
    /// Its file.
    pub csv: Vec<u8>,
    /// How many members voted.
    pub members: usize,
    /// How many images it decides otherwise than the submission it derives from.
    pub changed: usize,
    /// How many images it decides.
    pub rows: usize,
}

/// Lets the members of a submission's ensemble vote again without some of
/// them, under the same rule and tie seed, and records a submission in the same
/// format that says what it derives from.
///
/// # Errors
/// When the submission has no ensemble, somebody named did not vote, nobody is
/// left, or the log cannot be written.
pub fn without(
    session: &mut Session,
    submission: SubmissionId,
    left_out: &[PredictionsId],
    message: &str,
) -> Result<WhatIf, WhatIfError> {
    let blobs = session.repository().blobs().clone();
    let read = |blob| blobs.get(blob);
    let state = session.state();
    let record = state.submissions().get(submission).ok_or(WhatIfError::UnknownSubmission(submission))?;
    let written = record.written.event.clone();
    let SubmissionSource::Ensemble { ensemble } = written.source else {
        return Err(WhatIfError::NoEnsemble(submission));
    };
    let voted = &state.ensembles().get(ensemble).ok_or(CommitError::UnknownEnsemble(ensemble))?.event;
    if let Some(member) =
        left_out.iter().find(|id| !voted.members.iter().any(|member| member.predictions == **id))
    {
        return Err(WhatIfError::NoMember { member: *member, ensemble });
    }
    let members: Vec<Member> =
        voted.members.iter().filter(|member| !left_out.contains(&member.predictions)).copied().collect();
    if members.is_empty() {
        return Err(WhatIfError::NobodyLeft(ensemble));
    }
    let before = decisions(state, read, written.source)?;
    let votes = count(state, read, &members, voted.rule, voted.tie_seed).map_err(CommitError::from)?;
    let after = decisions_of_votes(&votes);
    let format = SubmissionFormat::from_bytes(&read(written.format).map_err(CommitError::from)?)?;
    let csv = file(state, &after, &format)?;
    let changed = differing(&before, &after);
    let (rule, tie_seed, manifest) = (voted.rule, voted.tie_seed, voted.manifest);
    let count = members.len();
    let votes = blobs.put(&votes.to_bytes()).map_err(CommitError::from)?;
    let blob = blobs.put(&csv).map_err(CommitError::from)?;
    let frame = session
        .record(Some(message), |_, transaction| EnsembleVoted {
            ensemble: EnsembleId(transaction.derive("ensemble", 0)),
            members: members.clone(),
            rule,
            tie_seed,
            manifest,
            votes,
        })
        .map_err(CommitError::from)?;
    let ensemble = EnsembleId(frame.header.transaction.derive("ensemble", 0));
    let frame = session
        .record(Some(message), |_, transaction| SubmissionWritten {
            submission: SubmissionId(transaction.derive("submission", 0)),
            source: SubmissionSource::Ensemble { ensemble },
            format: written.format,
            csv: blob,
            rows: after.len() as u64,
            derived_from: Some(submission),
        })
        .map_err(CommitError::from)?;
    Ok(WhatIf {
        ensemble,
        submission: SubmissionId(frame.header.transaction.derive("submission", 0)),
        csv,
        members: count,
        changed,
        rows: after.len(),
    })
}

fn differing(before: &Decisions, after: &Decisions) -> usize {
    before.iter().zip(after).filter(|(one, other)| one != other).count()
}
