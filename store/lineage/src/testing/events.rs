//! Generators of every event.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::digest::{FrameDigest, ManifestDigest};
use crate::event::{
    AdmittedImage, CheckpointSaved, ClassesAdded, CleaningPassProposed, DatasetCreated, EnsembleVoted, Event,
    EventRef, EventsReverted, GeneratorTrained, Honesty, ImageImported, ImageRelabelled, ImageRemoved,
    ImageRestored, ImageRevised, LearningRateFound, Origin, PredictionSource, PredictionsRecorded,
    ReplayDepth, ReplayOutcome, ReviewDecided, RunCancelled, RunFailed, RunFinished, RunStarted,
    SamplesAdmitted, SamplesExpelled, SamplesGenerated, SubmissionReplayed, SubmissionScored,
    SubmissionSource, SubmissionWritten, Unknown, ViewPolicy, VoteRule, WeightsAdded,
};
use crate::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    TransactionId, WeightsId,
};

use super::values::{Universe, real, split};

/// Draws each field and makes the event of them.
macro_rules! draw {
    ($name:ident { $($field:ident: $strategy:expr),+ $(,)? }) => {
        ($($strategy,)+).prop_map(|($($field,)+)| Event::from($name { $($field),+ })).boxed()
    };
}

/// Draws an id of this type.
macro_rules! id {
    ($universe:ident, $name:ident) => {
        $universe.bytes().prop_map($name)
    };
}

/// Any event of any kind; of unknown kinds too.
pub fn event(universe: Universe) -> impl Strategy<Value = Event> {
    let kinds: Vec<u16> = Event::KINDS.iter().map(|(_, kind)| *kind).chain([u16::MAX]).collect();
    proptest::sample::select(kinds).prop_flat_map(move |kind| event_of_kind(universe, kind))
}

/// Any event of the kind with this stable number; a number without a kind gives
/// unknown events.
pub fn event_of_kind(universe: Universe, kind: u16) -> BoxedStrategy<Event> {
    match kind {
        ..16 => of_images(universe, kind),
        16..32 => of_models(universe, kind),
        32..64 => of_predictions(universe, kind),
        _ => of_results(universe, kind),
    }
}

fn of_images(u: Universe, kind: u16) -> BoxedStrategy<Event> {
    match kind {
        1 => draw!(DatasetCreated { name: u.text(), classes: vec(u.text(), 0..4) }),
        2 => draw!(ClassesAdded { classes: vec(u.text(), 0..3) }),
        3 => draw!(ImageImported {
            image: id!(u, ImageId),
            blob: u.blob(),
            path: u.path(),
            label: option::of(u.class()),
            split: split(),
            origin: origin(u),
        }),
        4 => {
            draw!(ImageRevised { image: id!(u, ImageId), old: u.blob(), new: u.blob(), reason: u.text() })
        }
        5 => draw!(ImageRelabelled {
            image: id!(u, ImageId),
            old: option::of(u.class()),
            new: option::of(u.class()),
            reason: u.text(),
            evidence: u.evidence(),
        }),
        6 => draw!(ImageRemoved { image: id!(u, ImageId), reason: u.text(), evidence: u.evidence() }),
        7 => draw!(ImageRestored { image: id!(u, ImageId), reason: u.text(), evidence: u.evidence() }),
        8 => draw!(ReviewDecided { image: id!(u, ImageId), pass: id!(u, PassId), decision: u.decision() }),
        _ => unknown(),
    }
}

fn of_models(u: Universe, kind: u16) -> BoxedStrategy<Event> {
    match kind {
        16 => draw!(WeightsAdded {
            weights: id!(u, WeightsId),
            name: u.text(),
            architecture: u.text(),
            original: u.blob(),
            original_sha256: any::<[u8; 32]>(),
            tensors: u.blob(),
        }),
        17 => draw!(RunStarted {
            run: id!(u, RunId),
            recipe: u.blob(),
            manifest: id!(u, ManifestDigest),
            at: id!(u, FrameDigest),
            parent: option::of(id!(u, CheckpointId)),
            environment: u.blob(),
        }),
        18 => draw!(LearningRateFound {
            run: id!(u, RunId),
            curve: u.blob(),
            suggestion: real(),
            method: u.text(),
        }),
        19 => draw!(CheckpointSaved {
            checkpoint: id!(u, CheckpointId),
            run: id!(u, RunId),
            parent: option::of(id!(u, CheckpointId)),
            stage: any::<u32>(),
            image_size: any::<u32>(),
            epoch: any::<u32>(),
            architecture: u.text(),
            weights: u.blob(),
            metrics: u.metrics(),
        }),
        20 => draw!(RunFinished { run: id!(u, RunId), metrics: u.blob() }),
        21 => draw!(RunFailed {
            run: id!(u, RunId),
            reason: u.text(),
            metrics: option::of(u.blob()),
            resume: option::of(u.blob()),
        }),
        22 => draw!(RunCancelled {
            run: id!(u, RunId),
            reason: u.text(),
            metrics: option::of(u.blob()),
            resume: option::of(u.blob()),
        }),
        _ => unknown(),
    }
}

fn of_predictions(u: Universe, kind: u16) -> BoxedStrategy<Event> {
    match kind {
        32 => draw!(PredictionsRecorded {
            predictions: id!(u, PredictionsId),
            source: prediction_source(u),
            manifest: id!(u, ManifestDigest),
            split: split(),
            at: id!(u, FrameDigest),
            views: views(),
            honesty: proptest::sample::select(vec![
                Honesty::HeldOut,
                Honesty::OutOfFold,
                Honesty::InSample,
                Honesty::Unknown,
            ]),
            temperature: option::of(real()),
            probabilities: u.blob(),
            environment: option::of(u.blob()),
        }),
        33 => draw!(CleaningPassProposed {
            pass: id!(u, PassId),
            predictions: vec(id!(u, PredictionsId), 0..3),
            rules: vec(u.rule(), 0..3),
            manifest: id!(u, ManifestDigest),
            at: id!(u, FrameDigest),
            findings: u.blob(),
            found: any::<u64>(),
        }),
        48 => draw!(GeneratorTrained {
            generator: id!(u, GeneratorId),
            class: option::of(u.class()),
            recipe: u.blob(),
            manifest: id!(u, ManifestDigest),
            at: id!(u, FrameDigest),
            weights: u.blob(),
            metrics: u.blob(),
            environment: u.blob(),
            grids: vec(u.blob(), 0..3),
        }),
        49 => draw!(SamplesGenerated {
            samples: id!(u, SamplesId),
            generator: id!(u, GeneratorId),
            class: u.class(),
            seed: any::<u64>(),
            blobs: vec(u.blob(), 0..5),
        }),
        50 => {
            let admitted =
                (id!(u, ImageId), u.blob()).prop_map(|(image, blob)| AdmittedImage { image, blob });
            draw!(SamplesAdmitted {
                samples: id!(u, SamplesId),
                label: u.class(),
                images: vec(admitted, 0..5),
                quality: option::of(u.blob()),
            })
        }
        51 => draw!(SamplesExpelled { samples: id!(u, SamplesId), reason: u.text() }),
        _ => unknown(),
    }
}

fn of_results(u: Universe, kind: u16) -> BoxedStrategy<Event> {
    match kind {
        64 => draw!(EnsembleVoted {
            ensemble: id!(u, EnsembleId),
            members: vec(u.member(), 0..4),
            rule: proptest::sample::select(vec![VoteRule::Majority, VoteRule::Weighted, VoteRule::Soft]),
            tie_seed: any::<u64>(),
            manifest: id!(u, ManifestDigest),
            votes: u.blob(),
        }),
        65 => draw!(SubmissionWritten {
            submission: id!(u, SubmissionId),
            source: submission_source(u),
            format: u.blob(),
            csv: u.blob(),
            rows: any::<u64>(),
            derived_from: option::of(id!(u, SubmissionId)),
        }),
        66 => draw!(SubmissionScored {
            submission: id!(u, SubmissionId),
            public: option::of(real()),
            private: option::of(real()),
        }),
        67 => draw!(SubmissionReplayed {
            submission: id!(u, SubmissionId),
            depth: proptest::sample::select(vec![
                ReplayDepth::Votes,
                ReplayDepth::Predictions,
                ReplayDepth::Training,
            ]),
            outcome: outcome(u),
            environment: u.blob(),
            receipt: u.blob(),
        }),
        80 => draw!(EventsReverted { targets: vec(u.target(), 0..4), reason: u.text() }),
        _ => unknown(),
    }
}

/// Of kinds that no version has.
fn unknown() -> BoxedStrategy<Event> {
    (9000..9003u16, 1..3u16, vec(any::<u8>(), 0..20))
        .prop_map(|(kind, schema, payload)| Event::Unknown(Unknown { kind, schema, payload: payload.into() }))
        .boxed()
}

fn origin(u: Universe) -> impl Strategy<Value = Origin> {
    prop_oneof![Just(Origin::File), id!(u, SamplesId).prop_map(|samples| Origin::Generated { samples })]
}

fn prediction_source(u: Universe) -> impl Strategy<Value = PredictionSource> {
    prop_oneof![
        id!(u, CheckpointId).prop_map(|checkpoint| PredictionSource::Checkpoint { checkpoint }),
        vec(id!(u, CheckpointId), 0..4).prop_map(|checkpoints| PredictionSource::Folds { checkpoints }),
        u.text().prop_map(|name| PredictionSource::External { name }),
    ]
}

fn views() -> impl Strategy<Value = ViewPolicy> {
    prop_oneof![
        Just(ViewPolicy::Plain),
        (any::<u32>(), real(), any::<u64>()).prop_map(|(views, plain_weight, seed)| {
            ViewPolicy::TestTimeAugmentation { views, plain_weight, seed }
        }),
        any::<u32>().prop_map(|resize| ViewPolicy::TenCrop { resize }),
        Just(ViewPolicy::Unknown),
    ]
}

fn submission_source(u: Universe) -> impl Strategy<Value = SubmissionSource> {
    prop_oneof![
        id!(u, EnsembleId).prop_map(|ensemble| SubmissionSource::Ensemble { ensemble }),
        id!(u, PredictionsId).prop_map(|predictions| SubmissionSource::Predictions { predictions }),
    ]
}

fn outcome(u: Universe) -> impl Strategy<Value = ReplayOutcome> {
    let event = (id!(u, TransactionId), any::<u32>())
        .prop_map(|(transaction, index)| EventRef { transaction, index });
    prop_oneof![
        Just(ReplayOutcome::Identical),
        (real(), real()).prop_map(|(largest_difference, equal_decisions)| {
            ReplayOutcome::WithinTolerance { largest_difference, equal_decisions }
        }),
        (option::of(event), u.blob(), u.blob(), u.text()).prop_map(|(event, expected, actual, cause)| {
            ReplayOutcome::Diverged { event, expected, actual, cause }
        }),
    ]
}
