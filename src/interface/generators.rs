//! What is kept of generators, in the log and in training.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::{GeneratorId, SamplesId};
use safelight_lineage::state::{SamplesRecord, State};
use safelight_store::Blobs;
use safelight_tui::{
    GeneratorEpochView, GeneratorView, Generators, PortError, SampleQuality, UnfinishedGenerator,
};

use crate::generate::admission::Evidence;
use crate::generate::history::{GeneratorEpoch, GeneratorHistory};
use crate::generate::prepare::GeneratorJob;
use crate::generate::recipe::GeneratorRecipe;

/// Where the grids of generators in training lie, by their digest: what another
/// process put into the store is readable only once it is in the log.
#[derive(Debug, Clone, Default)]
pub(super) struct GridFiles(Arc<Mutex<BTreeMap<BlobId, PathBuf>>>);

impl GridFiles {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<BlobId, PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of a grid, when a file holds just those.
    pub(super) fn read(&self, blob: BlobId) -> Option<Vec<u8>> {
        let path = self.lock().get(&blob)?.clone();
        fs::read(path).ok().filter(|bytes| BlobId::of(bytes) == blob)
    }
}

/// A file as it was when its digest was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
}

/// The generators of a repository.
pub(super) struct StoredGenerators {
    blobs: Blobs,
    cache: PathBuf,
    grids: GridFiles,
    known: BTreeMap<PathBuf, (Stamp, BlobId)>,
}

impl StoredGenerators {
    pub(super) fn new(blobs: Blobs, cache: PathBuf, grids: GridFiles) -> StoredGenerators {
        StoredGenerators { blobs, cache, grids, known: BTreeMap::new() }
    }

    /// The digest of a file's bytes; one that did not change is not read again.
    fn digest(&self, path: &Path) -> Option<(Stamp, BlobId)> {
        let metadata = fs::metadata(path).ok()?;
        let stamp = Stamp { length: metadata.len(), modified: metadata.modified().ok() };
        if let Some(known) = self.known.get(path).filter(|(of, _)| *of == stamp) {
            return Some(*known);
        }
        Some((stamp, BlobId::of(&fs::read(path).ok()?)))
    }

    /// The grids that a generator's folder holds, by epoch from one.
    fn grid_files(&self, generator: GeneratorId) -> Vec<(u32, PathBuf)> {
        let Ok(entries) = fs::read_dir(GeneratorJob::folder(&self.cache, generator)) else {
            return Vec::new();
        };
        let mut found: Vec<(u32, PathBuf)> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let number = path.file_name()?.to_str()?.strip_prefix("epoch-")?.strip_suffix(".png")?;
                Some((number.parse().ok()?, path))
            })
            .collect();
        found.sort_unstable();
        found
    }

    fn read_quality(&self, batch: &SamplesRecord) -> Option<SampleQuality> {
        let blob = batch.admissions.iter().rev().find_map(|admission| admission.event.quality)?;
        // Evidence that an older program wrote otherwise is not shown.
        let evidence: Evidence = serde_json::from_slice(&self.blobs.get(blob).ok()?).ok()?;
        let quality = evidence.quality;
        let judged = quality.judged.as_ref();
        Some(SampleQuality {
            diversity: quality.diversity,
            copies: quality.copies.len(),
            frechet_distances: judged.map(|it| (it.frechet_distance, it.frechet_distance_of_real)),
            recognised: judged.map(|it| it.recognised),
            by: judged.map(|it| it.by),
            min_confidence: evidence.min_confidence,
        })
    }
}

/// What was measured after an epoch, for one who looks.
pub(super) fn epoch_view(epoch: &GeneratorEpoch) -> GeneratorEpochView {
    GeneratorEpochView {
        epoch: epoch.epoch + 1,
        critic_distance: Some(epoch.critic_distance),
        diversity: epoch.diversity,
        frechet_distance: epoch.frechet_distance,
        collapsed: epoch.collapsed,
        grid: epoch.grid.as_ref().and_then(|grid| grid.parse().ok()),
    }
}

/// The facts of a recipe, each with its value.
fn recipe_facts(text: &str) -> Result<Vec<(String, String)>, toml::de::Error> {
    let table: toml::Table = toml::from_str(text)?;
    let plain = |value: toml::Value| match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(table.into_iter().map(|(name, value)| (name, plain(value))).collect())
}

impl Generators for StoredGenerators {
    fn generator(&mut self, state: &State, generator: GeneratorId) -> Result<GeneratorView, PortError> {
        let record = state.generators().get(generator);
        let event =
            &record.ok_or_else(|| PortError::new(format!("there is no generator {generator}")))?.event;
        let metrics = self.blobs.get(event.metrics).map_err(PortError::new)?;
        let history = GeneratorHistory::from_json(&metrics).map_err(PortError::new)?;
        let recipe = self.blobs.get(event.recipe).map_err(PortError::new)?;
        let recipe = recipe_facts(&String::from_utf8_lossy(&recipe)).map_err(PortError::new)?;
        let mut facts = vec![("learned from".to_owned(), format!("{} images", history.images))];
        facts.extend(history.ending.map(|ending| ("ended".to_owned(), ending.in_words())));
        facts.extend(recipe);
        let batches = state.samples().iter().filter(|batch| batch.generated.event.generator == generator);
        let qualities: BTreeMap<SamplesId, SampleQuality> = batches
            .filter_map(|batch| Some((batch.generated.event.samples, self.read_quality(batch)?)))
            .collect();
        Ok(GeneratorView {
            facts,
            epochs: history.epochs.iter().map(epoch_view).collect(),
            critic_distances: history.critic_distance,
            gradient_penalties: history.gradient_penalty,
            generator_losses: history.generator_loss,
            qualities,
        })
    }

    fn unfinished(&mut self) -> Result<Vec<UnfinishedGenerator>, PortError> {
        let mut found = Vec::new();
        let mut known = BTreeMap::new();
        for generator in GeneratorJob::unfinished(&self.cache) {
            // One that ends at this moment is in the log at the next look.
            let Ok(job) = GeneratorJob::load(&self.cache, generator) else { continue };
            let recipe = GeneratorRecipe::parse(&job.recipe).map_err(PortError::new)?;
            let mut grids = Vec::new();
            for (epoch, path) in self.grid_files(generator) {
                let Some((stamp, blob)) = self.digest(&path) else { continue };
                grids.push((epoch, blob));
                known.insert(path, (stamp, blob));
            }
            found.push(UnfinishedGenerator {
                generator,
                class: recipe.class,
                image_size: recipe.size,
                epochs: recipe.epochs,
                grids,
            });
        }
        // Before anybody is told of them.
        *self.grids.lock() = known.iter().map(|(path, (_, blob))| (*blob, path.clone())).collect();
        self.known = known;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safelight_store::Repository;

    const GENERATOR: GeneratorId = GeneratorId([7; 16]);

    #[test]
    fn a_generator_in_training_is_found_with_the_grids_that_lie_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(folder.path()).expect("a repository");
        let cache = repository.cache_dir();
        let files = GridFiles::default();
        let mut port = StoredGenerators::new(repository.blobs().clone(), cache.clone(), files.clone());
        assert_eq!(port.unfinished().expect("a list"), []);
        let job = GeneratorJob {
            recipe: "class = \"sea\"\nepochs = 9".to_owned(),
            manifest: String::new(),
            at: String::new(),
            judge: None,
            judge_every: 1,
            threads: None,
        };
        job.save(&cache, GENERATOR).expect("written");
        fs::write(GeneratorJob::grid_file(&cache, GENERATOR, 1), b"second").expect("written");
        fs::write(GeneratorJob::grid_file(&cache, GENERATOR, 0), b"first").expect("written");
        fs::write(GeneratorJob::resume_file(&cache, GENERATOR), b"state").expect("written");
        let found = port.unfinished().expect("a list");
        let grids = vec![(1, BlobId::of(b"first")), (2, BlobId::of(b"second"))];
        assert_eq!((found.len(), found[0].epochs, &found[0].grids), (1, 9, &grids));
        assert_eq!(found[0].class.as_deref(), Some("sea"));
        assert_eq!(files.read(BlobId::of(b"second")).as_deref(), Some(&b"second"[..]));

        // Written anew, the file holds another grid; of the old one nothing is shown.
        fs::write(GeneratorJob::grid_file(&cache, GENERATOR, 1), b"again").expect("written");
        assert_eq!(files.read(BlobId::of(b"second")), None);
        let grids = port.unfinished().expect("a list").remove(0).grids;
        assert_eq!(grids[1], (2, BlobId::of(b"again")));
        GeneratorJob::clear(&cache, GENERATOR);
        assert_eq!(port.unfinished().expect("a list"), []);
        assert_eq!(files.read(BlobId::of(b"first")), None);
    }

    #[test]
    fn facts_are_those_of_the_recipe() {
        let facts = recipe_facts("class = \"sea\"\nsize = 32").expect("valid");
        assert_eq!(facts, [("class".into(), "sea".into()), ("size".into(), "32".into())]);
    }
}
