//! From a recipe and a log to a plan.

use safelight_lineage::digest::{BlobId, FrameDigest, ManifestDigest};
use safelight_lineage::event::Split;
use safelight_lineage::id::{CheckpointId, RunId, WeightsId};
use safelight_lineage::manifest::Manifest;
use safelight_lineage::query::{ManifestFilter, generated_images, manifest, manifest_as_of};
use safelight_lineage::state::{RunStatus, State};
use safelight_lineage::value::Seq;
use safelight_store::BlobError;

use crate::train::device::Machine;
use crate::train::environment::Environment;
use crate::train::plan::{Plan, PlanError};
use crate::train::recipe::{Architecture, Recipe, RecipeError, ValidationSplit};

/// Where a run starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Fresh weights.
    Fresh,
    /// The weights of a checkpoint.
    Checkpoint(CheckpointId),
    /// The place where another run was stopped.
    Resume(RunId),
}

/// Why a run cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The recipe does not fit the dataset.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A stored recipe cannot be read.
    #[error("the recipe of run {run} cannot be read: {error}")]
    StoredRecipe {
        /// The run.
        run: RunId,
        /// What is wrong with it.
        error: RecipeError,
    },
    /// A stored recipe is not text.
    #[error("the recipe of run {run} is not text")]
    RecipeNotText {
        /// The run.
        run: RunId,
    },
    /// A stored blob cannot be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// There is no such checkpoint.
    #[error("there is no checkpoint {0}")]
    UnknownCheckpoint(CheckpointId),
    /// There are no such weights.
    #[error("there are no weights {0}")]
    UnknownWeights(WeightsId),
    /// The weights are for another network.
    #[error("weights {weights} are for {found}, but the recipe trains {expected}")]
    OtherArchitecture {
        /// The weights.
        weights: WeightsId,
        /// What they are for.
        found: String,
        /// What the recipe trains.
        expected: Architecture,
    },
    /// A recipe with weights of its own was to start from a checkpoint too.
    #[error("the recipe starts from weights {weights}, but checkpoint {checkpoint} was given to start from")]
    TwoStarts {
        /// The recipe's weights.
        weights: WeightsId,
        /// The checkpoint.
        checkpoint: CheckpointId,
    },
    /// There is no such run.
    #[error("there is no run {0}")]
    UnknownRun(RunId),
    /// A run that ended well, or goes on, or left nothing to go on from.
    #[error("run {run} is {status} and left nothing to go on from")]
    NotResumable {
        /// The run.
        run: RunId,
        /// How it stands.
        status: &'static str,
    },
    /// The frame that the dataset was taken at is not in this log.
    #[error("the log holds no frame {0}, which the dataset was taken at")]
    UnknownFrame(FrameDigest),
    /// The dataset of the log's prefix is not the one recorded.
    #[error("the dataset at frame {at} is {actual}, but the run recorded {expected}")]
    OtherDataset {
        /// Where it was taken.
        at: FrameDigest,
        /// What the run recorded.
        expected: ManifestDigest,
        /// What the log gives.
        actual: ManifestDigest,
    },
}

/// The images that a recipe is about: the training split and the split that
/// validates, if it names one. Images without a label are in it and take no
/// part, so that the manifest says what there was.
pub fn filter(recipe: &Recipe) -> ManifestFilter {
    let mut splits = vec![Split::Train];
    match recipe.validation.split {
        Some(ValidationSplit::Valid) => splits.push(Split::Valid),
        Some(ValidationSplit::Test) => splits.push(Split::Test),
        None => {}
    }
    ManifestFilter { splits, labelled_only: false }
}

/// A plan and what the log will say about its dataset.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What to train.
    pub plan: Plan,
    /// The dataset's digest.
    pub manifest: ManifestDigest,
    /// The head when it was taken.
    pub at: FrameDigest,
    /// The checkpoint to start from.
    pub parent: Option<CheckpointId>,
}

/// What a run computed on, as it recorded; none when nothing legible says so.
/// Going on with it there gives the bits that it would have given.
///
/// # Errors
/// When the record cannot be had.
pub fn machine_of(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    run: RunId,
) -> Result<Option<Machine>, BlobError> {
    let Some(record) = state.runs().get(run) else { return Ok(None) };
    let bytes = read(record.started.event.environment)?;
    // What a newer version wrote otherwise hinders nothing.
    Ok(serde_json::from_slice::<Environment>(&bytes).ok().map(|environment| environment.machine()))
}

/// Plans a run of `recipe` on the dataset as it is now.
///
/// # Errors
/// When the recipe does not fit the dataset or the start is not there.
pub fn prepare(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    recipe: Recipe,
    parent: Option<CheckpointId>,
) -> Result<Prepared, PrepareError> {
    prepare_on(state, read, recipe, parent, state.head())
}

/// Plans a run of `recipe` on the dataset as it was when the head was `at`.
///
/// # Errors
/// When the recipe does not fit the dataset, or the frame or the start is not
/// there.
pub fn prepare_on(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    recipe: Recipe,
    parent: Option<CheckpointId>,
    at: FrameDigest,
) -> Result<Prepared, PrepareError> {
    let dataset = match at == state.head() {
        true => manifest(state, &filter(&recipe)),
        false => dataset_at(state, at, &filter(&recipe))?,
    };
    let digest = dataset.digest();
    let mut plan = Plan::from_manifest(recipe, &dataset, &generated_images(state, &dataset))?;
    plan.initial = initial_weights(state, read, &plan.recipe, parent)?;
    Ok(Prepared { plan, manifest: digest, at, parent })
}

/// The weights that a run starts from: those of the checkpoint, those that the
/// recipe names, or none.
///
/// # Errors
/// When they are not there, are for another network, or both are given.
pub fn initial_weights(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    recipe: &Recipe,
    parent: Option<CheckpointId>,
) -> Result<Option<Vec<u8>>, PrepareError> {
    match (parent, recipe.weights) {
        (None, None) => Ok(None),
        (Some(checkpoint), Some(weights)) => Err(PrepareError::TwoStarts { weights, checkpoint }),
        (Some(parent), None) => {
            let record = state.checkpoints().get(parent).ok_or(PrepareError::UnknownCheckpoint(parent))?;
            Ok(Some(read(record.event.weights)?))
        }
        (None, Some(weights)) => {
            let record = state.weights().get(weights).ok_or(PrepareError::UnknownWeights(weights))?;
            let (found, expected) = (record.event.architecture.clone(), recipe.architecture);
            if found != expected.name() {
                return Err(PrepareError::OtherArchitecture { weights, found, expected });
            }
            Ok(Some(read(record.event.tensors)?))
        }
    }
}

/// The recipe that a run recorded.
///
/// # Errors
/// When there is no such run or its recipe cannot be read.
pub fn stored_recipe(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    run: RunId,
) -> Result<Recipe, PrepareError> {
    let record = state.runs().get(run).ok_or(PrepareError::UnknownRun(run))?;
    let bytes = read(record.started.event.recipe)?;
    let text = String::from_utf8(bytes).map_err(|_| PrepareError::RecipeNotText { run })?;
    Recipe::parse(&text).map_err(|error| PrepareError::StoredRecipe { run, error })
}

/// The dataset that was there when the head was `at`.
///
/// # Errors
/// When the log holds no such frame.
pub fn dataset_at(state: &State, at: FrameDigest, filter: &ManifestFilter) -> Result<Manifest, PrepareError> {
    let seq = if at == FrameDigest::ROOT {
        Seq::ZERO
    } else {
        state.transactions().seq_after(at).ok_or(PrepareError::UnknownFrame(at))?
    };
    Ok(manifest_as_of(state, seq, filter))
}

/// Plans the rest of a run that was stopped, on the dataset that it had.
///
/// # Errors
/// When the run left nothing to go on from, or its dataset cannot be rebuilt.
pub fn prepare_resume(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    run: RunId,
) -> Result<Prepared, PrepareError> {
    let record = state.runs().get(run).ok_or(PrepareError::UnknownRun(run))?;
    let resume = match &record.status {
        RunStatus::Cancelled { end } => end.event.resume,
        RunStatus::Failed { end } => end.event.resume,
        RunStatus::Running | RunStatus::Finished { .. } => None,
    };
    let resume = resume.ok_or(PrepareError::NotResumable { run, status: record.status.name() })?;
    let started = &record.started.event;
    let recipe = stored_recipe(state, &read, run)?;
    let dataset = dataset_at(state, started.at, &filter(&recipe))?;
    let actual = dataset.digest();
    if actual != started.manifest {
        return Err(PrepareError::OtherDataset { at: started.at, expected: started.manifest, actual });
    }
    let mut plan = Plan::from_manifest(recipe, &dataset, &generated_images(state, &dataset))?;
    plan.initial = initial_weights(state, &read, &plan.recipe, started.parent)?;
    plan.resume = Some(read(resume)?);
    Ok(Prepared { plan, manifest: actual, at: started.at, parent: started.parent })
}
