//! Training again: each training once, however many runs of the log it stands
//! for.

use std::collections::BTreeMap;

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::RunStarted;
use safelight_lineage::id::RunId;
use safelight_lineage::query::{ReplayPlan, StepKind, generated_images};
use safelight_lineage::state::State;
use safelight_store::BlobError;

use super::engine::{Engine, EngineError, TrainWork};
use super::error::ReplayError;
use super::surroundings::{machine_of, recorded};
use crate::runs::prepare::{dataset_at, filter, initial_weights, stored_recipe};
use crate::train::device::Machine;
use crate::train::plan::Plan;
use crate::train::progress::Progress;

/// What trainings gave, by what decides their weights. A run that was resumed
/// has the recipe, images and beginning of the run that was stopped, so both
/// are one training from its beginning.
#[derive(Debug, Default)]
pub struct Trainings {
    done: BTreeMap<([u8; 32], Machine), BTreeMap<u32, BlobId>>,
    of_run: BTreeMap<RunId, ([u8; 32], Machine)>,
}

impl Trainings {
    /// Trains a run again, unless that was done, up to the last stage that any
    /// run with its recipe has in the plan of the replay.
    pub fn train(
        &mut self,
        state: &State,
        read: &impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
        replay: &ReplayPlan<'_>,
        started: &RunStarted,
        (engine, threads): (&mut dyn Engine, Option<usize>),
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(), ReplayError> {
        let run = started.run;
        let blob = |what: &str, error| ReplayError::Blob { what: format!("{what} of run {run}"), error };
        let recipe = stored_recipe(state, read, run)?;
        let dataset = dataset_at(state, started.at, &filter(&recipe))?;
        let mut plan = Plan::from_manifest(recipe, &dataset, &generated_images(state, &dataset))
            .map_err(crate::runs::prepare::PrepareError::from)?;
        plan.initial = initial_weights(state, read, &plan.recipe, started.parent)?;
        let environment =
            recorded(read, Some(started.environment)).map_err(|error| blob("the environment", error))?;
        let machine = machine_of(environment.as_ref(), threads);
        let key = (plan.digest(), machine);
        self.of_run.insert(run, key);
        if self.done.contains_key(&key) {
            return Ok(());
        }
        let work = TrainWork { plan: &plan, last_stage: last_stage(replay, started), machine };
        let failed = |error: EngineError| ReplayError::Train { run, error };
        let weights = engine.train(&work, progress).map_err(failed)?;
        self.done.insert(key, weights);
        Ok(())
    }

    /// The digest of the weights that training a run again ended a stage with.
    pub fn weights(&self, run: RunId, stage: u32) -> Result<BlobId, ReplayError> {
        let weights = self.of_run.get(&run).and_then(|key| self.done.get(key)?.get(&stage));
        weights.copied().ok_or(ReplayError::NoSuchStage { run, stage })
    }
}

/// The last stage of which the replay has a checkpoint, over all runs that say
/// the same of what they train.
fn last_stage(replay: &ReplayPlan<'_>, started: &RunStarted) -> u32 {
    let same = |other: &RunStarted| {
        (other.recipe, other.manifest, other.parent) == (started.recipe, started.manifest, started.parent)
    };
    let runs: Vec<RunId> = replay
        .steps
        .iter()
        .filter_map(|step| match step.kind {
            StepKind::Train { run } if same(run) => Some(run.run),
            _ => None,
        })
        .collect();
    let stages = replay.steps.iter().filter_map(|step| match step.kind {
        StepKind::Reach { checkpoint } if runs.contains(&checkpoint.run) => Some(checkpoint.stage),
        _ => None,
    });
    stages.max().unwrap_or(0)
}
