//! Runs that are validated by images which a generator learned from.
//!
//! A recipe may hold out a fraction or a fold of the training split to validate
//! by, and a generator learns from all of that split. So its samples carry
//! something of those images into what is trained, and the accuracy on them says
//! too much. Images of the validation and test splits no generator sees.

use std::collections::{BTreeMap, BTreeSet};

use safelight_lineage::digest::{BlobId, ManifestDigest};
use safelight_lineage::id::{ImageId, RunId};
use safelight_lineage::query::generated_images;
use safelight_lineage::state::{RunRecord, State};
use safelight_store::BlobError;
use serde::Serialize;

use crate::runs::prepare::{PrepareError, dataset_at, filter, stored_recipe};
use crate::train::plan::Plan;

/// What a generator knows of images that validate runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HeldOut {
    /// The runs, oldest first.
    pub runs: Vec<RunId>,
    /// How many of the images that the generator learned from validate at least
    /// one of them.
    pub images: usize,
    /// How many images the generator learned from.
    pub learned: usize,
    /// Runs of which that cannot be told: their recipe or dataset cannot be read.
    pub unknown: Vec<RunId>,
}

impl HeldOut {
    /// What there is to say, in a sentence; nothing when no run is concerned.
    pub fn in_words(&self) -> Option<String> {
        let first = self.runs.first()?;
        let runs = match self.runs.len() {
            1 => format!("run {}", first.short()),
            count => format!("{count} runs (first {})", first.short()),
        };
        Some(format!(
            "{} of the {} images that the generator learns from validate {runs}: trained with its samples, \
             such a model is judged by what they were made of, and looks better than it is; \
             validate by the valid or the test split instead",
            self.images, self.learned
        ))
    }
}

/// Finds the runs that hold out images of `learned`, which a generator learns
/// from; `read` gives stored bytes.
pub fn held_out(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    learned: &BTreeSet<ImageId>,
) -> HeldOut {
    let mut found = HeldOut { learned: learned.len(), ..HeldOut::default() };
    let mut images = BTreeSet::new();
    // Many runs hold out the same images: those of one recipe on one dataset.
    let mut known: BTreeMap<(BlobId, ManifestDigest), Option<BTreeSet<ImageId>>> = BTreeMap::new();
    for run in state.runs() {
        let started = &run.started.event;
        let held = known
            .entry((started.recipe, started.manifest))
            .or_insert_with(|| validation(state, &read, run).ok());
        match held {
            None => found.unknown.push(started.run),
            Some(held) => {
                let mut shared = held.intersection(learned).copied().peekable();
                if shared.peek().is_some() {
                    found.runs.push(started.run);
                }
                images.extend(shared);
            }
        }
    }
    found.images = images.len();
    found
}

/// The images of the training split that a run holds out.
fn validation(
    state: &State,
    read: &impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    run: &RunRecord,
) -> Result<BTreeSet<ImageId>, PrepareError> {
    let recipe = stored_recipe(state, read, run.started.event.run)?;
    if recipe.validation.split.is_some() {
        return Ok(BTreeSet::new());
    }
    let dataset = dataset_at(state, run.started.event.at, &filter(&recipe))?;
    let plan = Plan::from_manifest(recipe, &dataset, &generated_images(state, &dataset))?;
    Ok(plan.valid.iter().map(|sample| sample.image).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_runs_and_counts_the_images() {
        let run = |number: u8| RunId([number; 16]);
        let none = HeldOut { learned: 52, unknown: vec![run(3)], ..HeldOut::default() };
        assert_eq!(none.in_words(), None);
        let one = HeldOut { runs: vec![run(1)], images: 10, ..none.clone() };
        let words = one.in_words().expect("a sentence");
        assert!(
            words.starts_with("10 of the 52 images that the generator learns from validate run 01010101:")
        );
        let two = HeldOut { runs: vec![run(1), run(2)], ..one };
        assert!(two.in_words().expect("a sentence").contains("validate 2 runs (first 01010101)"));
    }
}
