//! Checking a receipt that somebody else made against the log.

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{EventRef, ReplayOutcome};
use safelight_lineage::id::{SubmissionId, TransactionId};
use safelight_lineage::query::{ReplayPlanError, StepKind, lineage_of_submission};
use serde::Deserialize;

use super::error::ReplayError;
use super::run::then;
use crate::session::Session;

/// Why a file is not a receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It is not the JSON of one.
    #[error("not a receipt: {0}")]
    Json(#[from] serde_json::Error),
    /// An id or digest in it is none.
    #[error("not a receipt: {0}")]
    Id(#[from] safelight_lineage::id::ParseIdError),
    /// The log could not be asked.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

#[derive(Deserialize)]
struct Stated {
    submission: String,
    depth: String,
    frame: String,
    steps: Vec<StatedStep>,
    outcome: serde_json::Value,
}

#[derive(Deserialize)]
struct StatedStep {
    what: String,
    event: StatedEvent,
    expected: String,
    actual: String,
}

#[derive(Deserialize)]
struct StatedEvent {
    transaction: String,
    index: u32,
}

/// What came of checking a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The submission that it is about.
    pub submission: SubmissionId,
    /// The depth that it states.
    pub depth: String,
    /// The verdict that it states, in a word.
    pub verdict: String,
    /// How many of its comparisons the log confirms.
    pub confirmed: usize,
    /// Whether the log records this very receipt.
    pub recorded: bool,
    /// What the log says otherwise, in words; empty when the receipt holds.
    pub problems: Vec<String>,
}

/// Compares what a receipt states with what the log records: the frame, every
/// digest that it says was expected, and whether its verdict follows from its
/// comparisons. Whether the comparisons were made honestly, only a replay tells.
///
/// # Errors
/// When the bytes are no receipt, or the log cannot be read.
pub fn check(session: &Session, bytes: &[u8]) -> Result<Checked, ReceiptError> {
    let stated: Stated = serde_json::from_slice(bytes)?;
    let submission: SubmissionId = stated.submission.parse()?;
    let mut problems = Vec::new();
    let then = match then(session, submission) {
        Err(ReplayError::Plan(ReplayPlanError::UnknownSubmission(_))) => {
            problems.push(format!("the log holds no submission {submission}"));
            return Ok(Checked {
                submission,
                depth: stated.depth,
                verdict: verdict(&stated.outcome),
                confirmed: 0,
                recorded: false,
                problems,
            });
        }
        other => other?,
    };
    let frame = then.state.head().to_string();
    if stated.frame != frame {
        problems.push(format!(
            "it names frame {} as the submission's, but the log has it in {frame}",
            stated.frame
        ));
    }
    let plan = lineage_of_submission(&then.state, submission).map_err(ReplayError::from)?;
    let mut confirmed = 0;
    let mut equal = true;
    for step in &stated.steps {
        let (expected, actual): (BlobId, BlobId) = (step.expected.parse()?, step.actual.parse()?);
        equal &= expected == actual;
        let transaction: TransactionId = step.event.transaction.parse()?;
        let at = EventRef { transaction, index: step.event.index };
        let of_log = plan.steps.iter().find(|planned| planned.at == at).map(|planned| {
            let mut digests = planned.outputs.clone();
            match planned.kind {
                StepKind::Train { run } => digests.push(BlobId(run.manifest.0)),
                StepKind::Predict { predictions } => digests.push(BlobId(predictions.manifest.0)),
                _ => {}
            }
            digests
        });
        match of_log {
            None => problems.push(format!("{}: the submission rests on no event like that", step.what)),
            Some(digests) if !digests.contains(&expected) => {
                problems.push(format!("{}: the log does not record {expected}", step.what));
            }
            Some(_) => confirmed += 1,
        }
    }
    let verdict = verdict(&stated.outcome);
    if (verdict == "identical") != equal {
        problems.push(format!("its verdict is '{verdict}', which is not what its comparisons say"));
    }
    let wrote = stated.steps.last().is_some_and(|step| step.what == "the file");
    if verdict == "identical" && !wrote {
        problems.push("it compares no file".to_owned());
    }
    let file = BlobId::of(bytes);
    let now = session.state().submissions().get(submission);
    let record = now.and_then(|record| record.replays.iter().find(|replay| replay.event.receipt == file));
    if let Some(replay) = record {
        let recorded = match replay.event.outcome {
            ReplayOutcome::Identical => "identical",
            ReplayOutcome::WithinTolerance { .. } => "within_tolerance",
            ReplayOutcome::Diverged { .. } => "diverged",
        };
        if recorded != verdict {
            problems.push(format!("its verdict is '{verdict}', but the log records '{recorded}'"));
        }
    }
    Ok(Checked { submission, depth: stated.depth, verdict, confirmed, recorded: record.is_some(), problems })
}

fn verdict(outcome: &serde_json::Value) -> String {
    outcome.get("kind").and_then(|kind| kind.as_str()).unwrap_or("none").to_owned()
}
