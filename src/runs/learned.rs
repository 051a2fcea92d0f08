//! Which images a checkpoint knows: what it and those it grew from learned
//! from, and what its run was validated by.

use std::collections::BTreeSet;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::{CheckpointId, ImageId};
use safelight_lineage::query::{ancestry, generated_images};
use safelight_lineage::state::State;
use safelight_store::BlobError;

use super::prepare::{PrepareError, dataset_at, filter, stored_recipe};
use crate::train::plan::Plan;

/// The images that a checkpoint knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Learned {
    /// What it, or a checkpoint it grew from, was trained on.
    pub train: BTreeSet<ImageId>,
    /// What its own run was validated by.
    pub valid: BTreeSet<ImageId>,
}

/// Finds what a checkpoint learned from; none when the log lacks a run that it
/// grew from.
///
/// # Errors
/// When a recipe cannot be read or its dataset cannot be rebuilt.
pub fn learned(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    checkpoint: CheckpointId,
) -> Result<Option<Learned>, PrepareError> {
    let mut found = Learned::default();
    let mut seen = BTreeSet::new();
    for ancestor in ancestry(state, checkpoint) {
        let Some(run) = ancestor.run else { return Ok(None) };
        let started = &run.started.event;
        let own = seen.is_empty();
        if !seen.insert(started.run) {
            continue;
        }
        let recipe = stored_recipe(state, &read, started.run)?;
        let dataset = dataset_at(state, started.at, &filter(&recipe))?;
        let plan = Plan::from_manifest(recipe, &dataset, &generated_images(state, &dataset))?;
        found.train.extend(plan.train.iter().map(|sample| sample.image));
        if own {
            found.valid.extend(plan.valid.iter().map(|sample| sample.image));
        }
    }
    Ok((!seen.is_empty()).then_some(found))
}
