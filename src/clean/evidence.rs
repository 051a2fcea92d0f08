//! Honest evidence: probabilities of every training image by a model that had
//! not seen it, put together from the models of several folds.

use safelight_lineage::digest::{BlobId, FrameDigest, ManifestDigest};
use safelight_lineage::event::Split;
use safelight_lineage::id::{CheckpointId, ImageId};
use safelight_lineage::manifest::{Manifest, ManifestRow};
use safelight_lineage::query::{ManifestFilter, generated_images, manifest};
use safelight_lineage::state::State;
use safelight_store::BlobError;

use crate::predictions::{Probabilities, ProbabilitiesError};
use crate::runs::prepare::{PrepareError, dataset_at, filter, stored_recipe};
use crate::train::plan::Plan;

/// Why the models of folds do not add up to evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The plan of a fold's run cannot be told.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Folds were trained on different datasets.
    #[error("the dataset changed while the folds were trained (frame {first}, then {then}); propose again")]
    Moved {
        /// Where the first fold's dataset was taken.
        first: FrameDigest,
        /// Where another's was.
        then: FrameDigest,
    },
    /// Some image is in no fold, or in two.
    #[error("image {0} was not judged exactly once by the folds")]
    NotOnce(ImageId),
    /// The probabilities are none.
    #[error(transparent)]
    Probabilities(#[from] ProbabilitiesError),
}

/// The images that a fold's model was kept from, as a manifest to predict.
#[derive(Debug, Clone)]
pub struct HeldOut {
    /// The fold's model.
    pub checkpoint: CheckpointId,
    /// The images.
    pub images: Manifest,
    /// Where the dataset was taken.
    pub at: FrameDigest,
}

/// Finds the images that the run of `checkpoint` was kept from.
///
/// # Errors
/// When its recipe or dataset cannot be rebuilt.
pub fn held_out(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    checkpoint: CheckpointId,
) -> Result<HeldOut, EvidenceError> {
    let record = state.checkpoints().get(checkpoint).ok_or(PrepareError::UnknownCheckpoint(checkpoint))?;
    let run = record.event.run;
    let started = &state.runs().get(run).ok_or(PrepareError::UnknownRun(run))?.started.event;
    let recipe = stored_recipe(state, read, run)?;
    let dataset = dataset_at(state, started.at, &filter(&recipe))?;
    let classes = dataset.classes().to_vec();
    let plan = Plan::from_manifest(recipe, &dataset, &generated_images(state, &dataset))
        .map_err(PrepareError::from)?;
    let rows = plan.valid.iter().filter_map(|sample| dataset.row(sample.image).copied()).collect();
    Ok(HeldOut { checkpoint, images: Manifest::new(classes, rows), at: started.at })
}

/// What the folds judged together.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Every image's probabilities.
    pub probabilities: Probabilities,
    /// The images.
    pub manifest: ManifestDigest,
    /// Where the dataset was taken.
    pub at: FrameDigest,
}

/// Puts together what each fold's model says of the images it was kept from.
/// They must cover the labelled training images of one dataset, each once.
///
/// # Errors
/// When they do not.
pub fn put_together(state: &State, folds: &[(HeldOut, Probabilities)]) -> Result<Evidence, EvidenceError> {
    let first = folds.first().map_or(FrameDigest::ROOT, |(held, _)| held.at);
    let wanted = ManifestFilter::labelled([Split::Train]);
    let mut dataset = dataset_at(state, first, &wanted)?;
    for (held, _) in folds {
        // Each run was recorded after the one before, so their frames differ;
        // what counts is that no image or label changed in between.
        let then = dataset_at(state, held.at, &wanted)?;
        if then.digest() != dataset.digest() {
            return Err(EvidenceError::Moved { first, then: held.at });
        }
        dataset = then;
    }
    let classes = dataset.classes().len();
    let mut images: Vec<ImageId> = Vec::new();
    let mut values: Vec<f32> = Vec::new();
    for (_, probabilities) in folds {
        images.extend_from_slice(probabilities.images());
        values.extend_from_slice(probabilities.values());
    }
    let probabilities = Probabilities::new(classes, images, values)?;
    let rows = dataset.rows();
    // Generated images are in no fold.
    let generated = generated_images(state, &dataset);
    let asked = |row: &&ManifestRow| !generated.contains(&row.image);
    if let Some(missing) = rows.iter().filter(asked).find(|row| probabilities.row(row.image).is_none()) {
        return Err(EvidenceError::NotOnce(missing.image));
    }
    if let Some(extra) = probabilities.images().iter().find(|image| dataset.row(**image).is_none()) {
        return Err(EvidenceError::NotOnce(*extra));
    }
    Ok(Evidence {
        probabilities,
        manifest: dataset.digest(),
        at: folds.last().map_or(first, |(held, _)| held.at),
    })
}

/// The labelled training images now, which a pass is about.
pub fn dataset_now(state: &State) -> Manifest {
    manifest(state, &ManifestFilter::labelled([Split::Train]))
}
