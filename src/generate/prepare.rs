//! From a recipe and a log to what a generator is trained on, and the files that
//! its training keeps while it is under way.

use std::fs;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::{FrameDigest, ManifestDigest};
use safelight_lineage::id::{CheckpointId, GeneratorId};
use safelight_lineage::query::generator_dataset;
use safelight_lineage::state::State;
use safelight_lineage::value::ClassIndex;
use serde::{Deserialize, Serialize};

use super::plan::{GeneratorPlan, GeneratorPlanError, class};
use super::recipe::GeneratorRecipe;
use crate::train::recipe::RecipeError;

/// Why the training of a generator cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareGeneratorError {
    /// The recipe does not fit the dataset.
    #[error(transparent)]
    Plan(#[from] GeneratorPlanError),
    /// The recipe that was kept cannot be read.
    #[error("the recipe of the training that was stopped cannot be read: {0}")]
    Recipe(#[from] RecipeError),
    /// The frame that the dataset was taken at is not in this log.
    #[error("the log holds no frame {0}, which the dataset was taken at")]
    UnknownFrame(FrameDigest),
    /// The dataset is not the one that the training began with.
    #[error("the dataset at frame {at} is {actual}, but the training began with {expected}")]
    OtherDataset {
        /// Where it was taken.
        at: FrameDigest,
        /// What it began with.
        expected: String,
        /// What the log gives.
        actual: ManifestDigest,
    },
    /// Nothing was kept to go on from.
    #[error("there is nothing to go on from for generator {0}: {1}")]
    NotResumable(String, String),
}

/// A plan and what the log will say about its dataset.
#[derive(Debug, Clone)]
pub struct PreparedGenerator {
    /// What to train.
    pub plan: GeneratorPlan,
    /// The dataset's digest.
    pub manifest: ManifestDigest,
    /// The head when it was taken.
    pub at: FrameDigest,
    /// The class, when it is one.
    pub class: Option<ClassIndex>,
}

/// Plans a generator of `recipe` on the dataset as it was at frame `at`.
///
/// # Errors
/// When the recipe does not fit the dataset or the log lacks the frame.
pub fn prepare_generator(
    state: &State,
    recipe: GeneratorRecipe,
    at: FrameDigest,
) -> Result<PreparedGenerator, PrepareGeneratorError> {
    let seq = state.transactions().seq_after(at).ok_or(PrepareGeneratorError::UnknownFrame(at))?;
    let class = class(&recipe, state.classes())?;
    let dataset = generator_dataset(state, seq, class);
    let manifest = dataset.digest();
    let plan = GeneratorPlan::from_manifest(recipe, &dataset)?;
    Ok(PreparedGenerator { plan, manifest, at, class })
}

/// What the training of a generator keeps in files while it is under way, so
/// that it can be gone on with after whatever ended it. They lie in the
/// repository's cache and go when the generator is in the log; its grids of
/// samples stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneratorJob {
    /// The recipe, TOML.
    pub recipe: String,
    /// The digest of the dataset that it began with.
    pub manifest: String,
    /// The head when that was taken.
    pub at: String,
    /// The checkpoint whose embeddings the samples are judged by.
    pub judge: Option<CheckpointId>,
    /// After how many epochs each.
    pub judge_every: u32,
    /// Threads that compute: going on with as many gives the bits that it would
    /// have given. A training begun before this was kept has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
}

impl GeneratorJob {
    /// The folder of a generator: `generators/ID` below the cache. The grid of
    /// an epoch is `epoch-0001.png` in it.
    pub fn folder(cache: &Path, generator: GeneratorId) -> PathBuf {
        cache.join("generators").join(generator.to_string())
    }

    /// The file of an epoch's grid of samples; the epoch counts from zero, the
    /// file from one.
    pub fn grid_file(cache: &Path, generator: GeneratorId, epoch: u32) -> PathBuf {
        GeneratorJob::folder(cache, generator).join(format!("epoch-{:04}.png", epoch + 1))
    }

    /// Where the state to go on from lies.
    pub fn resume_file(cache: &Path, generator: GeneratorId) -> PathBuf {
        GeneratorJob::folder(cache, generator).join("resume")
    }

    fn file(cache: &Path, generator: GeneratorId) -> PathBuf {
        GeneratorJob::folder(cache, generator).join("job.json")
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn save(&self, cache: &Path, generator: GeneratorId) -> std::io::Result<()> {
        fs::create_dir_all(GeneratorJob::folder(cache, generator))?;
        fs::write(GeneratorJob::file(cache, generator), serde_json::to_vec(self)?)
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is not there or is something else.
    pub fn load(cache: &Path, generator: GeneratorId) -> Result<GeneratorJob, PrepareGeneratorError> {
        let no = |why: String| PrepareGeneratorError::NotResumable(generator.to_string(), why);
        let file = GeneratorJob::file(cache, generator);
        let bytes = fs::read(&file).map_err(|error| no(format!("{}: {error}", file.display())))?;
        serde_json::from_slice(&bytes).map_err(|error| no(format!("{}: {error}", file.display())))
    }

    /// Deletes what is only for going on.
    pub fn clear(cache: &Path, generator: GeneratorId) {
        // What cannot be deleted lies in the cache and harms nobody.
        let _ = fs::remove_file(GeneratorJob::resume_file(cache, generator));
        let _ = fs::remove_file(GeneratorJob::file(cache, generator));
    }

    /// The generators whose training was begun and can be gone on with.
    pub fn unfinished(cache: &Path) -> Vec<GeneratorId> {
        let Ok(entries) = fs::read_dir(cache.join("generators")) else { return Vec::new() };
        let mut found: Vec<GeneratorId> = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|generator| GeneratorJob::file(cache, *generator).is_file())
            .collect();
        found.sort_unstable();
        found
    }
}

/// Plans the rest of a generator's training, on the dataset that it had, and
/// gives what it keeps.
///
/// # Errors
/// When nothing was kept, or the dataset cannot be rebuilt.
pub fn prepare_generator_resume(
    state: &State,
    cache: &Path,
    generator: GeneratorId,
) -> Result<(PreparedGenerator, GeneratorJob), PrepareGeneratorError> {
    let job = GeneratorJob::load(cache, generator)?;
    let recipe = GeneratorRecipe::parse(&job.recipe)?;
    let at = job.at.parse().map_err(|_| {
        PrepareGeneratorError::NotResumable(generator.to_string(), format!("{} is no digest", job.at))
    })?;
    let mut prepared = prepare_generator(state, recipe, at)?;
    let actual = prepared.manifest;
    if actual.to_string() != job.manifest {
        return Err(PrepareGeneratorError::OtherDataset { at, expected: job.manifest, actual });
    }
    // Killed before its first epoch ended, it begins anew, to the same end.
    prepared.plan.resume = fs::read(GeneratorJob::resume_file(cache, generator)).ok();
    Ok((prepared, job))
}
