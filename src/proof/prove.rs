//! Making a proof.

use std::collections::BTreeSet;

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::id::SubmissionId;
use safelight_lineage::query::{ReplayPlanError, lineage_of_submission};
use safelight_lineage::value::Seq;
use safelight_store::frame_link::FrameLink;
use safelight_store::{BlobError, StoreError, frame};

use super::Bundle;
use crate::session::Session;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The log does not say how the submission was made.
    #[error(transparent)]
    Plan(#[from] ReplayPlanError),
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file or a receipt cannot be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// Proves that the history up to the present head holds a submission and what
/// it was made from: the head that the proof is against, and the proof.
///
/// Frames that say something of the submission go in whole, the others as
/// short as they can.
///
/// # Errors
/// When there is no such submission, or the journal or a blob is damaged.
pub fn prove(session: &Session, submission: SubmissionId) -> Result<(FrameDigest, Bundle), ProveError> {
    let state = session.state();
    let plan = lineage_of_submission(state, submission)?;
    let unknown = ReplayPlanError::UnknownSubmission(submission);
    let record = state.submissions().get(submission).ok_or(unknown)?;
    let mut named: BTreeSet<Seq> = plan.steps.iter().map(|step| step.seq).collect();
    named.extend(record.scores.iter().map(|score| score.scored.seq));
    named.extend(record.replays.iter().map(|replay| replay.seq));
    let oldest = named.first().copied().unwrap_or(Seq::ZERO);
    let blobs = session.repository().blobs();
    let mut bundle =
        Bundle { submission, links: Vec::new(), blobs: vec![blobs.get(record.written.event.csv)?] };
    for replay in &record.replays {
        bundle.blobs.push(blobs.get(replay.event.receipt)?);
    }
    let mut last = Seq(u64::MAX);
    for raw in session.repository().raw_frames_rev() {
        let (bytes, first) = raw?;
        let says = named.range(first..last).next().is_some();
        bundle.links.push(if says { FrameLink::Whole(bytes) } else { FrameLink::shortest(bytes) });
        last = first;
        if first <= oldest {
            break;
        }
    }
    let head = match bundle.links.first() {
        Some(FrameLink::Whole(bytes)) => frame::digest(bytes),
        Some(link) => link.digests().map_or(session.head(), |(digest, _)| digest),
        None => session.head(),
    };
    Ok((head, bundle))
}
