//! One event of every kind, with every variant of every field in it.
//!
//! The golden repository holds exactly these: never change one, add new ones.

use std::collections::BTreeMap;

use safelight_lineage::digest::{BlobId, FrameDigest, ManifestDigest};
use safelight_lineage::event::{
    Actor, AdmittedImage, CheckpointSaved, ClassesAdded, CleaningPassProposed, DatasetCreated, Decision,
    EnsembleVoted, Event, EventRef, EventsReverted, Evidence, GeneratorTrained, Honesty, ImageImported,
    ImageRelabelled, ImageRemoved, ImageRestored, ImageRevised, LearningRateFound, Member, Origin,
    PredictionSource, PredictionsRecorded, ReplayDepth, ReplayOutcome, RevertTarget, ReviewDecided, RuleUse,
    RunCancelled, RunFailed, RunFinished, RunStarted, SamplesAdmitted, SamplesExpelled, SamplesGenerated,
    Split, SubmissionReplayed, SubmissionScored, SubmissionSource, SubmissionWritten, Unknown, ViewPolicy,
    VoteRule, WeightsAdded,
};
use safelight_lineage::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    TransactionId, WeightsId,
};
use safelight_lineage::value::{ClassIndex, PathBytes, Real};

fn blob(n: u8) -> BlobId {
    BlobId([n; 32])
}

fn manifest(n: u8) -> ManifestDigest {
    ManifestDigest([n; 32])
}

fn head(n: u8) -> FrameDigest {
    FrameDigest([n; 32])
}

fn image(n: u8) -> ImageId {
    ImageId([n; 16])
}

fn numbers() -> BTreeMap<String, Real> {
    BTreeMap::from([("accuracy".into(), Real(0.9499)), ("valid_loss".into(), Real(f64::NEG_INFINITY))])
}

fn evidence() -> Evidence {
    Evidence {
        pass: Some(PassId([33; 16])),
        predictions: Some(PredictionsId([34; 16])),
        rule: Some("confident".into()),
        score: Some(Real(0.93)),
    }
}

/// The actors there are.
pub fn actors() -> Vec<Actor> {
    vec![
        Actor::Person { name: "Анна ⌘".into() },
        Actor::Rule { pass: PassId([1; 16]), rule: "two classes".into() },
        Actor::Model { checkpoint: CheckpointId([2; 16]) },
        Actor::Program { name: "safelight 0.1.0".into() },
    ]
}

/// Every event, in the order of the golden repository.
pub fn events() -> Vec<Event> {
    let mut all = dataset();
    all.extend(models());
    all.extend(outcome());
    all
}

fn dataset() -> Vec<Event> {
    let import = |n: u8, label: Option<u16>, split, origin| ImageImported {
        image: image(n),
        blob: blob(n),
        path: PathBytes::new(*b"sea/\x00\xff\n\x1b[31m.jpg"),
        label: label.map(ClassIndex),
        split,
        origin,
    };
    vec![
        DatasetCreated { name: "scenes".into(), classes: vec!["sea".into(), "Straße".into()] }.into(),
        ClassesAdded { classes: vec!["forest".into()] }.into(),
        import(1, Some(0), Split::Train, Origin::File).into(),
        import(2, None, Split::Test, Origin::File).into(),
        import(3, Some(513), Split::Valid, Origin::Generated { samples: SamplesId([9; 16]) }).into(),
        ImageRevised { image: image(1), old: blob(1), new: blob(4), reason: "rotated".into() }.into(),
        ImageRelabelled {
            image: image(1),
            old: Some(ClassIndex(0)),
            new: None,
            reason: String::new(),
            evidence: evidence(),
        }
        .into(),
        ImageRemoved { image: image(1), reason: "blurred".into(), evidence: Evidence::default() }.into(),
        ImageRestored { image: image(1), reason: "not so blurred".into(), evidence: evidence() }.into(),
        ReviewDecided { image: image(1), pass: PassId([5; 16]), decision: Decision::Kept }.into(),
        ReviewDecided {
            image: image(1),
            pass: PassId([5; 16]),
            decision: Decision::Relabelled { label: ClassIndex(1) },
        }
        .into(),
        ReviewDecided { image: image(2), pass: PassId([5; 16]), decision: Decision::Removed }.into(),
        ReviewDecided { image: image(3), pass: PassId([5; 16]), decision: Decision::Skipped }.into(),
        EventsReverted {
            targets: vec![
                RevertTarget { transaction: TransactionId([1; 16]), events: vec![] },
                RevertTarget { transaction: TransactionId([2; 16]), events: vec![0, 7, u32::MAX] },
            ],
            reason: "undo".into(),
        }
        .into(),
    ]
}

fn models() -> Vec<Event> {
    let run = RunId([16; 16]);
    let predicted = |source, split, views, honesty, temperature, environment| PredictionsRecorded {
        predictions: PredictionsId([32; 16]),
        source,
        manifest: manifest(32),
        split,
        at: head(33),
        views,
        honesty,
        temperature,
        probabilities: blob(34),
        environment,
    };
    let checkpoint = CheckpointId([19; 16]);
    vec![
        WeightsAdded {
            weights: WeightsId([15; 16]),
            name: "Places365".into(),
            architecture: "resnet50".into(),
            original: blob(15),
            original_sha256: [16; 32],
            tensors: blob(17),
        }
        .into(),
        RunStarted {
            run,
            recipe: blob(18),
            manifest: manifest(19),
            at: head(20),
            parent: Some(checkpoint),
            environment: blob(21),
        }
        .into(),
        LearningRateFound { run, curve: blob(22), suggestion: Real(3e-3), method: "valley".into() }.into(),
        CheckpointSaved {
            checkpoint,
            run,
            parent: None,
            stage: 2,
            image_size: 224,
            epoch: 5,
            architecture: "resnet18".into(),
            weights: blob(23),
            metrics: numbers(),
        }
        .into(),
        RunFinished { run, metrics: blob(24) }.into(),
        RunFailed { run, reason: "out of memory".into(), metrics: None, resume: Some(blob(25)) }.into(),
        RunCancelled { run, reason: "SIGTERM".into(), metrics: Some(blob(26)), resume: None }.into(),
        predicted(
            PredictionSource::Checkpoint { checkpoint },
            Split::Test,
            ViewPolicy::Plain,
            Honesty::HeldOut,
            None,
            Some(blob(35)),
        )
        .into(),
        predicted(
            PredictionSource::Folds { checkpoints: vec![checkpoint, CheckpointId([20; 16])] },
            Split::Train,
            ViewPolicy::TestTimeAugmentation { views: 4, plain_weight: Real(0.4), seed: u64::MAX },
            Honesty::OutOfFold,
            Some(Real(1.25)),
            None,
        )
        .into(),
        predicted(
            PredictionSource::External { name: "a friend".into() },
            Split::Valid,
            ViewPolicy::TenCrop { resize: 256 },
            Honesty::InSample,
            None,
            None,
        )
        .into(),
        predicted(
            PredictionSource::External { name: String::new() },
            Split::Valid,
            ViewPolicy::Unknown,
            Honesty::Unknown,
            None,
            None,
        )
        .into(),
        CleaningPassProposed {
            pass: PassId([36; 16]),
            predictions: vec![PredictionsId([32; 16])],
            rules: vec![RuleUse { rule: "mislabelled".into(), parameters: numbers() }],
            manifest: manifest(37),
            at: head(38),
            findings: blob(39),
            found: 120,
        }
        .into(),
        GeneratorTrained {
            generator: GeneratorId([48; 16]),
            class: Some(ClassIndex(4)),
            recipe: blob(48),
            manifest: manifest(49),
            at: head(50),
            weights: blob(51),
            metrics: blob(52),
            environment: blob(53),
            grids: Vec::new(),
        }
        .into(),
        SamplesGenerated {
            samples: SamplesId([9; 16]),
            generator: GeneratorId([48; 16]),
            class: ClassIndex(4),
            seed: 7,
            blobs: vec![blob(54), blob(55)],
        }
        .into(),
        SamplesAdmitted {
            samples: SamplesId([9; 16]),
            label: ClassIndex(4),
            images: vec![AdmittedImage { image: image(56), blob: blob(54) }],
            quality: Some(blob(57)),
        }
        .into(),
        SamplesExpelled { samples: SamplesId([9; 16]), reason: "they all look alike".into() }.into(),
    ]
}

fn outcome() -> Vec<Event> {
    let submission = SubmissionId([65; 16]);
    let voted = |rule, weight| EnsembleVoted {
        ensemble: EnsembleId([64; 16]),
        members: vec![Member { predictions: PredictionsId([32; 16]), weight: Real(weight) }],
        rule,
        tie_seed: 42,
        manifest: manifest(64),
        votes: blob(64),
    };
    let written = |source, derived_from| SubmissionWritten {
        submission,
        source,
        format: blob(65),
        csv: blob(66),
        rows: 7301,
        derived_from,
    };
    let replayed = |depth, outcome| SubmissionReplayed {
        submission,
        depth,
        outcome,
        environment: blob(67),
        receipt: blob(68),
    };
    let tolerance =
        ReplayOutcome::WithinTolerance { largest_difference: Real(1e-6), equal_decisions: Real(1.0) };
    let diverged = ReplayOutcome::Diverged {
        event: Some(EventRef { transaction: TransactionId([3; 16]), index: 2 }),
        expected: blob(69),
        actual: blob(70),
        cause: "another libtorch".into(),
    };
    vec![
        voted(VoteRule::Majority, 1.0).into(),
        voted(VoteRule::Weighted, 0.5).into(),
        voted(VoteRule::Soft, -0.0).into(),
        written(SubmissionSource::Ensemble { ensemble: EnsembleId([64; 16]) }, None).into(),
        written(
            SubmissionSource::Predictions { predictions: PredictionsId([32; 16]) },
            Some(SubmissionId([66; 16])),
        )
        .into(),
        SubmissionScored { submission, public: Some(Real(0.9499)), private: None }.into(),
        replayed(ReplayDepth::Votes, ReplayOutcome::Identical).into(),
        replayed(ReplayDepth::Predictions, tolerance).into(),
        replayed(ReplayDepth::Training, diverged).into(),
        Event::Unknown(Unknown { kind: 3, schema: 2, payload: (*b"a later import").into() }),
        Event::Unknown(Unknown { kind: 65535, schema: 1, payload: [].into() }),
    ]
}
