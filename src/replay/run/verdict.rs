//! What a replay says of what it made again: each comparison, the cause of the
//! first that fails, and the verdict at the end.

use safelight_lineage::digest::{BlobId, FrameDigest, ManifestDigest};
use safelight_lineage::event::ReplayOutcome;
use safelight_lineage::manifest::Manifest;
use safelight_lineage::query::{ReplayStep, StepKind};
use safelight_lineage::value::Real;

use super::{Depth, Replay, Report};
use crate::replay::compare::TOLERANCE;
use crate::replay::error::ReplayError;
use crate::replay::receipt::{Difference, StepReceipt};
use crate::submit::commit::decisions;

impl Replay<'_> {
    pub(super) fn compare(&mut self, what: String, step: &ReplayStep<'_>, expected: BlobId, bytes: &[u8]) {
        self.compare_digests(what, step, expected, BlobId::of(bytes), None);
    }

    pub(super) fn compare_digests(
        &mut self,
        what: String,
        step: &ReplayStep<'_>,
        expected: BlobId,
        actual: BlobId,
        difference: Option<Difference>,
    ) {
        let forgiven = match step.kind {
            StepKind::Predict { .. } => difference.is_some_and(|it| it.largest <= TOLERANCE),
            // What rests on probabilities that differ a little may differ as well.
            StepKind::Vote { .. } | StepKind::Write { .. } => !self.recomputed.is_empty(),
            StepKind::Train { .. } | StepKind::Reach { .. } => false,
        };
        if actual != expected && !forgiven {
            self.differs = Some(self.cause(&what, step, difference));
        }
        let receipt = StepReceipt { what, event: step.at, seq: step.seq, expected, actual, difference };
        (self.report)(Report::Compared(&receipt));
        self.steps.push(receipt);
    }

    /// Why a step came out differently, as far as that can be told.
    fn cause(&self, what: &str, step: &ReplayStep<'_>, difference: Option<Difference>) -> String {
        let mut cause = format!("{what} came out as other bytes than event {} recorded", step.seq);
        if let Some(found) = difference {
            cause.push_str(&format!(" ({})", found.in_words()));
        }
        let nothing_computed = matches!(step.kind, StepKind::Vote { .. } | StepKind::Write { .. });
        if nothing_computed || self.depth == Depth::Votes {
            cause.push_str("; counting and writing are the same on every machine, so the record or what it rests on was changed");
            return cause;
        }
        // A step rests on all that came before it.
        let surroundings = self.work.environments.iter().filter(|at| at.seq <= step.seq);
        match surroundings.filter_map(|at| Some((at, at.in_words()?))).next() {
            Some((at, words)) => {
                cause.push_str(&format!("; {} was computed elsewhere ({words})", at.of));
            }
            None => cause.push_str(
                "; the environment is the recorded one, so the record or what it rests on (recipe, seed, labels, weights) was changed",
            ),
        }
        cause
    }

    /// The images that something was made from must be those of the log's prefix.
    pub(super) fn same_images(
        &mut self,
        what: String,
        dataset: &Manifest,
        at: FrameDigest,
        expected: ManifestDigest,
        step: &ReplayStep<'_>,
    ) {
        let actual = dataset.digest();
        if actual != expected {
            self.differs = Some(format!(
                "{what}, taken at frame {}, are another dataset than event {} recorded: an image, a label or a \
                 class before it was changed",
                at.short(),
                step.seq
            ));
        }
        let receipt = StepReceipt {
            what,
            event: step.at,
            seq: step.seq,
            expected: BlobId(expected.0),
            actual: BlobId(actual.0),
            difference: None,
        };
        (self.report)(Report::Compared(&receipt));
        self.steps.push(receipt);
    }

    pub(super) fn outcome(&self) -> Result<ReplayOutcome, ReplayError> {
        if let Some(cause) = &self.differs {
            let last = self.steps.last();
            return Ok(ReplayOutcome::Diverged {
                event: last.map(|step| step.event),
                expected: last.map_or(BlobId([0; 32]), |step| step.expected),
                actual: last.map_or(BlobId([0; 32]), |step| step.actual),
                cause: cause.clone(),
            });
        }
        if self.recomputed.is_empty() {
            return Ok(ReplayOutcome::Identical);
        }
        let stored =
            decisions(self.then, |blob| self.session.repository().blobs().get(blob), self.written.source)?;
        let equal = stored.iter().zip(&self.decided).filter(|(one, other)| one == other).count();
        let share = if stored.is_empty() { 1.0 } else { equal as f64 / stored.len() as f64 };
        Ok(ReplayOutcome::WithinTolerance {
            largest_difference: Real(self.largest),
            equal_decisions: Real(share),
        })
    }
}
