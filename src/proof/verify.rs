//! Believing a proof, or not: needs the bundle and a head that is known, and no
//! repository.

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::event::{Actor, Event, ReplayDepth, ReplayOutcome};
use safelight_lineage::id::SubmissionId;
use safelight_lineage::query::{ReplayPlanError, ReplayStep, StepKind, lineage_of_submission};
use safelight_lineage::state::State;
use safelight_lineage::value::Timestamp;
use safelight_store::frame_link::FrameLink;
use safelight_store::{FrameError, frame};

use super::{Bundle, BundleError};

/// Why a proof is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The bytes are no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A link is no frame.
    #[error("link {link} is no frame: {error}")]
    Frame {
        /// Which, from zero at the head.
        link: usize,
        /// Why not.
        error: FrameError,
    },
    /// The chain does not begin at the head.
    #[error("the proof is for head {actual}, not for {expected}")]
    OtherHead {
        /// The head that is known.
        expected: FrameDigest,
        /// What the first link is.
        actual: FrameDigest,
    },
    /// A link is not the one that its successor names.
    #[error("the chain is broken at link {link}: its successor names {expected}, it is {actual}")]
    Broken {
        /// Which, from zero at the head.
        link: usize,
        /// What the successor names.
        expected: FrameDigest,
        /// What it is.
        actual: FrameDigest,
    },
    /// Something that the submission was made from is not in the chain shown.
    #[error("the frames shown do not say how the submission was made: {0}")]
    Plan(#[from] ReplayPlanError),
    /// A blob is not the one that an event names.
    #[error("{what} is {actual}, but the log records {expected}")]
    Blob {
        /// What it is, in words.
        what: String,
        /// The digest that the event records.
        expected: BlobId,
        /// That of the bytes shown.
        actual: BlobId,
    },
    /// There are blobs too many or too few.
    #[error("the bundle has {actual} blobs, but the log names {expected}")]
    Blobs {
        /// How many the events name.
        expected: usize,
        /// How many there are.
        actual: usize,
    },
}

/// One thing that the submission was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What happened, in words.
    pub what: String,
    /// When, by the clock of the machine that wrote it.
    pub time: Option<Timestamp>,
    /// The digests that it recorded.
    pub digests: Vec<BlobId>,
}

/// A replay that the history records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenReplay {
    /// How deep.
    pub depth: ReplayDepth,
    /// The verdict.
    pub outcome: ReplayOutcome,
    /// The receipt, as it was written.
    pub receipt: Vec<u8>,
}

/// What a proof shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Proven {
    /// The submission.
    pub submission: SubmissionId,
    /// The frame that recorded it.
    pub frame: FrameDigest,
    /// When, by the clock of the machine that wrote it.
    pub time: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// How many frames were appended between it and the head.
    pub frames_since: usize,
    /// The file as handed in.
    pub csv: Vec<u8>,
    /// Its digest.
    pub csv_digest: BlobId,
    /// What it was made from, oldest first.
    pub origins: Vec<Origin>,
    /// The public and private score that stand.
    pub scores: (Option<f64>, Option<f64>),
    /// Its replays, oldest first.
    pub replays: Vec<ProvenReplay>,
}

/// Checks a bundle against a head that is known from elsewhere.
///
/// # Errors
/// When anything in it is not what the head stands for.
pub fn verify(bytes: &[u8], head: FrameDigest) -> Result<Proven, ProofError> {
    let bundle = Bundle::from_bytes(bytes)?;
    let mut expected = head;
    let mut frames = Vec::new();
    for (place, link) in bundle.links.iter().enumerate() {
        let (digest, parent) = link.digests().map_err(|error| ProofError::Frame { link: place, error })?;
        if digest != expected {
            return Err(match place {
                0 => ProofError::OtherHead { expected, actual: digest },
                _ => ProofError::Broken { link: place, expected, actual: digest },
            });
        }
        expected = parent;
        if let FrameLink::Whole(bytes) = link {
            frames.push((place, bytes));
        }
    }
    // What these frames say is folded as any log is. Seqs count what is shown.
    let mut state = State::new();
    let mut written = None;
    for (place, bytes) in frames.into_iter().rev() {
        let frame = frame::open(bytes, state.seq().plus(1))
            .map_err(|error| ProofError::Frame { link: place, error })?;
        let here = |event: &Event| matches!(event, Event::SubmissionWritten(it) if it.submission == bundle.submission);
        if written.is_none() && frame.events.iter().any(here) {
            written = Some((place, frame.header.clone()));
        }
        state.apply(&frame);
    }
    let unknown = ProofError::Plan(ReplayPlanError::UnknownSubmission(bundle.submission));
    let (place, header) = written.ok_or(unknown.clone())?;
    let record = state.submissions().get(bundle.submission).ok_or(unknown)?;
    let plan = lineage_of_submission(&state, bundle.submission)?;
    let mut blobs = bundle.blobs.into_iter();
    let (count, named) = (blobs.len(), 1 + record.replays.len());
    if count != named {
        return Err(ProofError::Blobs { expected: named, actual: count });
    }
    let mut next = |what: &str, expected: BlobId| {
        let bytes = blobs.next().unwrap_or_default();
        match BlobId::of(&bytes) {
            actual if actual == expected => Ok(bytes),
            actual => Err(ProofError::Blob { what: what.to_owned(), expected, actual }),
        }
    };
    let csv_digest = record.written.event.csv;
    let csv = next("the file", csv_digest)?;
    let mut replays = Vec::new();
    for replay in &record.replays {
        replays.push(ProvenReplay {
            depth: replay.event.depth,
            outcome: replay.event.outcome.clone(),
            receipt: next("a receipt", replay.event.receipt)?,
        });
    }
    Ok(Proven {
        submission: bundle.submission,
        frame: header.digest,
        time: header.time,
        actor: header.actor,
        frames_since: place,
        csv,
        csv_digest,
        origins: plan.steps.iter().map(|step| origin(&state, step)).collect(),
        scores: (record.public_score(), record.private_score()),
        replays,
    })
}

fn origin(state: &State, step: &ReplayStep<'_>) -> Origin {
    let what = match step.kind {
        StepKind::Train { run } => {
            format!("run {} trained on manifest {}, recipe {}", run.run, run.manifest, run.recipe)
        }
        StepKind::Reach { checkpoint } => {
            format!(
                "checkpoint {} of run {}, weights {}",
                checkpoint.checkpoint,
                checkpoint.run.short(),
                checkpoint.weights
            )
        }
        StepKind::Predict { predictions } => format!(
            "predictions {} on manifest {}, probabilities {}",
            predictions.predictions, predictions.manifest, predictions.probabilities
        ),
        StepKind::Vote { ensemble } => format!(
            "ensemble {} of {} members, tie seed {}, votes {}",
            ensemble.ensemble,
            ensemble.members.len(),
            ensemble.tie_seed,
            ensemble.votes
        ),
        StepKind::Write { submission } => {
            format!(
                "submission {} of {} rows, file {}",
                submission.submission, submission.rows, submission.csv
            )
        }
    };
    let time = state.transactions().of_seq(step.seq).map(|record| record.time);
    Origin { what, time, digests: step.inputs.iter().chain(&step.outputs).copied().collect() }
}
