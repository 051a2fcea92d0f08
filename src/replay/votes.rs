//! Replay at the depth of votes: recount, rebuild the file, compare.

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::event::{
    ReplayDepth, ReplayOutcome, SubmissionReplayed, SubmissionSource, SubmissionWritten,
};
use safelight_lineage::id::SubmissionId;
use safelight_lineage::query::{
    ManifestFilter, ReplayPlan, ReplayPlanError, ReplayStep, StepKind, lineage_of_submission,
};
use safelight_lineage::state::State;
use safelight_store::{BlobError, StoreError};

use super::receipt::{Receipt, StepReceipt};
use crate::ensemble::cast::{CastError, count};
use crate::runs::prepare::{PrepareError, dataset_at};
use crate::session::{Session, SessionError};
use crate::submit::commit::{CommitError, Decisions, decisions_of_predictions, decisions_of_votes, file};
use crate::submit::{FormatError, SubmissionFormat};

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
    /// The replay could not be recorded.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// A replay that was done.
#[derive(Debug)]
pub struct Replayed {
    /// What was compared.
    pub receipt: Receipt,
    /// The file as it was made again.
    pub csv: Vec<u8>,
}

/// What a replay tells while it goes on: the step that begins.
pub type Progress<'a> = &'a mut dyn FnMut(&str);

/// Makes a submission again from stored probabilities and compares every step.
///
/// # Errors
/// When something that the submission needs is missing or damaged: then no
/// verdict is given.
pub fn replay_votes(
    session: &Session,
    submission: SubmissionId,
    progress: Progress<'_>,
) -> Result<Replayed, ReplayError> {
    let now = session.state();
    let unknown = ReplayPlanError::UnknownSubmission(submission);
    let written = &now.submissions().get(submission).ok_or(unknown)?.written;
    let end = now.transactions().get(written.at.transaction).map_or(written.seq, |record| record.last_seq());
    progress(&format!("folding the log up to seq {end}"));
    // The log as it was: what happened since must not be able to matter.
    let then = session.repository().state_as_of(end)?;
    let plan = lineage_of_submission(&then, submission)?;
    let mut replay = Replay { session, then: &then, steps: Vec::new(), differs: None, csv: Vec::new() };
    replay.run(&plan, progress)?;
    let Replay { steps, differs, csv, .. } = replay;
    let outcome = match differs {
        None => ReplayOutcome::Identical,
        Some(cause) => {
            let last = steps.last();
            ReplayOutcome::Diverged {
                event: last.map(|step| step.event),
                expected: last.map_or(BlobId([0; 32]), |step| step.expected),
                actual: last.map_or(BlobId([0; 32]), |step| step.actual),
                cause,
            }
        }
    };
    let receipt = Receipt {
        submission,
        depth: ReplayDepth::Votes,
        frame: then.head(),
        seq: end,
        manifest: judged(&then, &written.event),
        steps,
        outcome,
        program: concat!("safelight ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    Ok(Replayed { receipt, csv })
}

fn judged(state: &State, written: &SubmissionWritten) -> Option<safelight_lineage::digest::ManifestDigest> {
    match written.source {
        SubmissionSource::Ensemble { ensemble } => Some(state.ensembles().get(ensemble)?.event.manifest),
        SubmissionSource::Predictions { predictions } => {
            Some(state.predictions().get(predictions)?.event.manifest)
        }
    }
}

struct Replay<'a> {
    session: &'a Session,
    then: &'a State,
    steps: Vec<StepReceipt>,
    differs: Option<String>,
    csv: Vec<u8>,
}

impl Replay<'_> {
    fn run(&mut self, plan: &ReplayPlan<'_>, progress: Progress<'_>) -> Result<(), ReplayError> {
        let mut decided: Option<Decisions> = None;
        for step in &plan.steps {
            match step.kind {
                // What lies before the probabilities is the business of deeper replays.
                StepKind::Train { .. } | StepKind::Reach { .. } => {}
                StepKind::Predict { predictions } => {
                    progress(&format!("reading predictions {}", predictions.predictions.short()));
                    let what = format!("the probabilities of predictions {}", predictions.predictions);
                    let bytes = self.read(&what, predictions.probabilities)?;
                    self.compare(
                        format!("probabilities of {}", predictions.predictions),
                        step,
                        predictions.probabilities,
                        &bytes,
                    );
                    self.same_images(predictions.at, predictions.split, predictions.manifest, step)?;
                    if matches!(plan_source(plan), Some(SubmissionSource::Predictions { .. })) {
                        let decisions = decisions_of_predictions(
                            self.then,
                            |blob| self.blob(blob),
                            predictions.predictions,
                        )?;
                        decided = Some(decisions);
                    }
                }
                StepKind::Vote { ensemble } => {
                    progress(&format!("counting the votes of {} members", ensemble.members.len()));
                    let votes = count(
                        self.then,
                        |blob| self.blob(blob),
                        &ensemble.members,
                        ensemble.rule,
                        ensemble.tie_seed,
                    )?;
                    self.compare(
                        format!("votes of ensemble {}", ensemble.ensemble),
                        step,
                        ensemble.votes,
                        &votes.to_bytes(),
                    );
                    decided = Some(decisions_of_votes(&votes));
                }
                StepKind::Write { submission } => {
                    progress("writing the file");
                    let what = "the format of the submission".to_owned();
                    let format = SubmissionFormat::from_bytes(&self.read(&what, submission.format)?)?;
                    let csv = file(self.then, decided.as_ref().unwrap_or(&Vec::new()), &format)?;
                    self.compare("the file".to_owned(), step, submission.csv, &csv);
                    self.csv = csv;
                }
            }
            if self.differs.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn blob(&self, blob: BlobId) -> Result<Vec<u8>, BlobError> {
        self.session.repository().blobs().get(blob)
    }

    fn read(&self, what: &str, blob: BlobId) -> Result<Vec<u8>, ReplayError> {
        self.blob(blob).map_err(|error| ReplayError::Blob { what: what.to_owned(), error })
    }

    fn compare(&mut self, what: String, step: &ReplayStep<'_>, expected: BlobId, bytes: &[u8]) {
        let actual = BlobId::of(bytes);
        if actual != expected {
            self.differs = Some(format!("{what} came out as other bytes than event {} recorded", step.seq));
        }
        self.steps.push(StepReceipt { what, event: step.at, seq: step.seq, expected, actual });
    }

    /// The images that predictions are for must be those of the log's prefix.
    fn same_images(
        &mut self,
        at: FrameDigest,
        split: safelight_lineage::event::Split,
        expected: safelight_lineage::digest::ManifestDigest,
        step: &ReplayStep<'_>,
    ) -> Result<(), ReplayError> {
        let dataset = dataset_at(self.then, at, &ManifestFilter::split(split))?;
        let actual = dataset.digest();
        if actual != expected {
            self.differs = Some(format!(
                "the {split} split at frame {} is another dataset than event {} recorded",
                at.short(),
                step.seq
            ));
        }
        self.steps.push(StepReceipt {
            what: format!("the {split} split as it was"),
            event: step.at,
            seq: step.seq,
            expected: BlobId(expected.0),
            actual: BlobId(actual.0),
        });
        Ok(())
    }
}

fn plan_source(plan: &ReplayPlan<'_>) -> Option<SubmissionSource> {
    plan.steps.iter().find_map(|step| match step.kind {
        StepKind::Write { submission } => Some(submission.source),
        _ => None,
    })
}

/// Records a replay with its receipt.
///
/// # Errors
/// When the store or the log cannot be written.
pub fn record(session: &mut Session, receipt: &Receipt) -> Result<BlobId, ReplayError> {
    let blobs = session.repository().blobs().clone();
    let put = |what: &str, bytes: &[u8]| {
        blobs.put(bytes).map_err(|error| ReplayError::Blob { what: what.to_owned(), error })
    };
    let environment =
        put("the environment", &crate::train::environment::describe("none", 1, None).to_json())?;
    let blob = put("the receipt", &receipt.to_json())?;
    session.record(None, |_, _| SubmissionReplayed {
        submission: receipt.submission,
        depth: receipt.depth,
        outcome: receipt.outcome.clone(),
        environment,
        receipt: blob,
    })?;
    Ok(blob)
}
