//! The byte forms of ids, values and the events that a state keeps.
//!
//! Snapshots and the state digest use them; the journal has its own, which
//! outlive any version of this program.

use crate::codec::{Code, Reader, SnapshotError, enum_code, newtype_code, struct_code};
use crate::digest::{BlobId, FrameDigest, ManifestDigest};
use crate::event::{
    Actor, AdmittedImage, CheckpointSaved, CleaningPassProposed, Decision, EnsembleVoted, EventRef, Evidence,
    GeneratorTrained, Honesty, LearningRateFound, Member, PredictionSource, PredictionsRecorded, ReplayDepth,
    ReplayOutcome, RuleUse, RunCancelled, RunFailed, RunFinished, RunStarted, SamplesAdmitted,
    SamplesExpelled, SamplesGenerated, Split, SubmissionReplayed, SubmissionScored, SubmissionSource,
    SubmissionWritten, ViewPolicy, VoteRule, WeightsAdded,
};
use crate::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    TransactionId, WeightsId,
};
use crate::value::{ClassIndex, Real, Seq, Timestamp};

newtype_code!(
    BlobId,
    FrameDigest,
    ManifestDigest,
    CheckpointId,
    EnsembleId,
    GeneratorId,
    ImageId,
    PassId,
    PredictionsId,
    RunId,
    SamplesId,
    SubmissionId,
    TransactionId,
    WeightsId,
    ClassIndex,
    Seq,
    Timestamp,
);

impl Code for Real {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.to_bits().encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Ok(Real(f64::from_bits(u64::decode(reader)?)))
    }
}

enum_code! {
    Actor {
        0 => Person { name },
        1 => Rule { pass, rule },
        2 => Model { checkpoint },
        3 => Program { name },
    }
    Split { 0 => Train, 1 => Valid, 2 => Test }
    Decision { 0 => Kept, 1 => Relabelled { label }, 2 => Removed, 3 => Skipped }
    PredictionSource {
        0 => Checkpoint { checkpoint },
        1 => Folds { checkpoints },
        2 => External { name },
    }
    ViewPolicy {
        0 => Plain,
        1 => TestTimeAugmentation { views, plain_weight, seed },
        2 => TenCrop { resize },
        3 => Unknown,
    }
    Honesty { 0 => HeldOut, 1 => OutOfFold, 2 => InSample, 3 => Unknown }
    VoteRule { 0 => Majority, 1 => Weighted, 2 => Soft }
    SubmissionSource { 0 => Ensemble { ensemble }, 1 => Predictions { predictions } }
    ReplayDepth { 0 => Votes, 1 => Predictions, 2 => Training }
    ReplayOutcome {
        0 => Identical,
        1 => WithinTolerance { largest_difference, equal_decisions },
        2 => Diverged { event, expected, actual, cause },
    }
}

struct_code! {
    EventRef { transaction, index }
    Evidence { pass, predictions, rule, score }
    WeightsAdded { weights, name, architecture, original, original_sha256, tensors }
    RunStarted { run, recipe, manifest, at, parent, environment }
    LearningRateFound { run, curve, suggestion, method }
    CheckpointSaved {
        checkpoint, run, parent, stage, image_size, epoch, architecture, weights, metrics,
    }
    RunFinished { run, metrics }
    RunFailed { run, reason, metrics, resume }
    RunCancelled { run, reason, metrics, resume }
    PredictionsRecorded {
        predictions, source, manifest, split, at, views, honesty, temperature, probabilities, environment,
    }
    RuleUse { rule, parameters }
    CleaningPassProposed { pass, predictions, rules, manifest, at, findings, found }
    GeneratorTrained { generator, class, recipe, manifest, at, weights, metrics, environment, grids }
    SamplesGenerated { samples, generator, class, seed, blobs }
    AdmittedImage { image, blob }
    SamplesAdmitted { samples, label, images, quality }
    SamplesExpelled { samples, reason }
    Member { predictions, weight }
    EnsembleVoted { ensemble, members, rule, tie_seed, manifest, votes }
    SubmissionWritten { submission, source, format, csv, rows, derived_from }
    SubmissionScored { submission, public, private }
    SubmissionReplayed { submission, depth, outcome, environment, receipt }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use proptest::prelude::*;

    use super::*;
    use crate::event::Event;
    use crate::testing::{Universe, event};

    fn round_trips<T: Code + Debug + PartialEq>(value: &T) {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        assert!(!bytes.is_empty());
        let mut reader = Reader::new(&bytes);
        assert_eq!(T::decode(&mut reader).as_ref(), Ok(value));
        assert_eq!(reader.left(), 0);
        let mut shorter = Reader::new(&bytes[..bytes.len() - 1]);
        assert!(T::decode(&mut shorter).is_err());
    }

    proptest! {
        #[test]
        fn every_event_that_is_kept_round_trips(event in event(Universe::Wide)) {
            match &event {
                Event::WeightsAdded(event) => round_trips(event),
                Event::RunStarted(event) => round_trips(event),
                Event::LearningRateFound(event) => round_trips(event),
                Event::CheckpointSaved(event) => round_trips(event),
                Event::RunFinished(event) => round_trips(event),
                Event::RunFailed(event) => round_trips(event),
                Event::RunCancelled(event) => round_trips(event),
                Event::PredictionsRecorded(event) => round_trips(event),
                Event::CleaningPassProposed(event) => round_trips(event),
                Event::GeneratorTrained(event) => round_trips(event),
                Event::SamplesGenerated(event) => round_trips(event),
                Event::SamplesAdmitted(event) => round_trips(event),
                Event::SamplesExpelled(event) => round_trips(event),
                Event::EnsembleVoted(event) => round_trips(event),
                Event::SubmissionWritten(event) => round_trips(event),
                Event::SubmissionScored(event) => round_trips(event),
                Event::SubmissionReplayed(event) => round_trips(event),
                Event::EventsReverted(event) => round_trips(event),
                Event::ImageRemoved(event) => round_trips(&event.evidence),
                Event::ReviewDecided(event) => round_trips(&event.decision),
                _ => {}
            }
        }
    }
}
