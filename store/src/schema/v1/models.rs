//! Schema 1 of the events about runs, checkpoints, predictions and generators.

use std::collections::BTreeMap;

use safelight_lineage::event::{
    AdmittedImage, CheckpointSaved, CleaningPassProposed, GeneratorTrained, Honesty, LearningRateFound,
    PredictionSource, PredictionsRecorded, RuleUse, RunCancelled, RunFailed, RunFinished, RunStarted,
    SamplesAdmitted, SamplesExpelled, SamplesGenerated, ViewPolicy, WeightsAdded,
};

use super::dataset::SplitV1;
use crate::schema::shape::{Bits, Digest, Id, Shape, stored_enum, stored_struct};

stored_struct! {
    /// Kind 16.
    WeightsAddedV1 = WeightsAdded {
        weights: Id,
        name: String,
        architecture: String,
        original: Digest,
        original_sha256: Digest,
        tensors: Digest,
    }

    /// Kind 17.
    RunStartedV1 = RunStarted {
        run: Id,
        recipe: Digest,
        manifest: Digest,
        at: Digest,
        parent: Option<Id>,
        environment: Digest,
    }

    /// Kind 18.
    LearningRateFoundV1 = LearningRateFound {
        run: Id,
        curve: Digest,
        suggestion: Bits,
        method: String,
    }

    /// Kind 19.
    CheckpointSavedV1 = CheckpointSaved {
        checkpoint: Id,
        run: Id,
        parent: Option<Id>,
        stage: u32,
        image_size: u32,
        epoch: u32,
        architecture: String,
        weights: Digest,
        metrics: BTreeMap<String, Bits>,
    }

    /// Kind 20.
    RunFinishedV1 = RunFinished {
        run: Id,
        metrics: Digest,
    }

    /// Kind 21.
    RunFailedV1 = RunFailed {
        run: Id,
        reason: String,
        metrics: Option<Digest>,
        resume: Option<Digest>,
    }

    /// Kind 22.
    RunCancelledV1 = RunCancelled {
        run: Id,
        reason: String,
        metrics: Option<Digest>,
        resume: Option<Digest>,
    }

    /// Kind 32.
    PredictionsRecordedV1 = PredictionsRecorded {
        predictions: Id,
        source: PredictionSourceV1,
        manifest: Digest,
        split: SplitV1,
        at: Digest,
        views: ViewPolicyV1,
        honesty: HonestyV1,
        temperature: Option<Bits>,
        probabilities: Digest,
        environment: Option<Digest>,
    }

    /// Kind 33.
    CleaningPassProposedV1 = CleaningPassProposed {
        pass: Id,
        predictions: Vec<Id>,
        rules: Vec<RuleUseV1>,
        manifest: Digest,
        at: Digest,
        findings: Digest,
        found: u64,
    }

    /// Kind 49.
    SamplesGeneratedV1 = SamplesGenerated {
        samples: Id,
        generator: Id,
        class: u16,
        seed: u64,
        blobs: Vec<Digest>,
    }

    /// Kind 50.
    SamplesAdmittedV1 = SamplesAdmitted {
        samples: Id,
        label: u16,
        images: Vec<AdmittedImageV1>,
        quality: Option<Digest>,
    }

    /// Kind 51.
    SamplesExpelledV1 = SamplesExpelled {
        samples: Id,
        reason: String,
    }

    /// Within kind 33.
    RuleUseV1 = RuleUse {
        rule: String,
        parameters: BTreeMap<String, Bits>,
    }

    /// Within kind 50.
    AdmittedImageV1 = AdmittedImage {
        image: Id,
        blob: Digest,
    }
}

stored_enum! {
    /// Within kind 32.
    PredictionSourceV1 = PredictionSource {
        Checkpoint { checkpoint: Id },
        Folds { checkpoints: Vec<Id> },
        External { name: String },
    }

    /// Within kind 32.
    ViewPolicyV1 = ViewPolicy {
        Plain,
        TestTimeAugmentation { views: u32, plain_weight: Bits, seed: u64 },
        TenCrop { resize: u32 },
        Unknown,
    }

    /// Within kind 32.
    HonestyV1 = Honesty { HeldOut, OutOfFold, InSample, Unknown }
}

/// Kind 48. By hand, because the event has outgrown it: it is what is written of
/// a generator without grids.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::schema) struct GeneratorTrainedV1 {
    generator: Id,
    class: Option<u16>,
    recipe: Digest,
    manifest: Digest,
    at: Digest,
    weights: Digest,
    metrics: Digest,
    environment: Digest,
}

impl From<&GeneratorTrained> for GeneratorTrainedV1 {
    fn from(domain: &GeneratorTrained) -> Self {
        GeneratorTrainedV1 {
            generator: Shape::store(&domain.generator),
            class: Shape::store(&domain.class),
            recipe: Shape::store(&domain.recipe),
            manifest: Shape::store(&domain.manifest),
            at: Shape::store(&domain.at),
            weights: Shape::store(&domain.weights),
            metrics: Shape::store(&domain.metrics),
            environment: Shape::store(&domain.environment),
        }
    }
}

impl From<GeneratorTrainedV1> for GeneratorTrained {
    fn from(stored: GeneratorTrainedV1) -> Self {
        GeneratorTrained {
            generator: stored.generator.load(),
            class: stored.class.load(),
            recipe: stored.recipe.load(),
            manifest: stored.manifest.load(),
            at: stored.at.load(),
            weights: stored.weights.load(),
            metrics: stored.metrics.load(),
            environment: stored.environment.load(),
            grids: Vec::new(),
        }
    }
}
