//! What a run did and how runs differ, from what the log keeps of them.

use std::collections::{BTreeMap, BTreeSet};

use safelight_lineage::digest::{BlobId, ManifestDigest};
use safelight_lineage::id::{CheckpointId, RunId};
use safelight_lineage::state::{RunRecord, RunStatus, State};
use safelight_store::BlobError;
use serde::Serialize;

use super::prepare::{PrepareError, stored_recipe};
use crate::train::environment::Environment;
use crate::train::metrics::{EpochFigures, History};
use crate::train::recipe::Recipe;
use crate::train::recipe_fields::fields;

/// Everything that is kept of one run.
#[derive(Debug, Clone, Serialize)]
pub struct RunFacts {
    /// The run.
    pub run: RunId,
    /// How it stands: running, finished, failed or cancelled.
    pub status: &'static str,
    /// Why it ended, unless it finished.
    pub reason: Option<String>,
    /// Its recipe.
    pub recipe: Recipe,
    /// Its dataset.
    pub manifest: ManifestDigest,
    /// What its bits depended on, where it can be read.
    pub environment: Option<Environment>,
    /// Its checkpoints, oldest first.
    pub checkpoints: Vec<CheckpointId>,
    /// The figures of its steps and epochs, when it has ended.
    pub history: Option<History>,
}

impl RunFacts {
    /// The last epoch's figures.
    pub fn last_epoch(&self) -> Option<&EpochFigures> {
        self.history.as_ref().and_then(|history| history.epochs.last())
    }

    /// The accuracy of the last epoch and of the best one.
    pub fn accuracies(&self) -> Option<(f64, f64)> {
        let of = |epoch: &EpochFigures| epoch.judgement.as_ref().map(|judgement| judgement.accuracy());
        let all: Vec<f64> = self.history.as_ref()?.epochs.iter().filter_map(of).collect();
        Some((*all.last()?, all.iter().copied().fold(0.0, f64::max)))
    }

    /// The stages in short, such as `64×5 128×3`: pixels and epochs.
    pub fn stages(&self) -> String {
        let stage = |stage: &crate::train::stage::Stage| format!("{}×{}", stage.size, stage.epochs());
        self.recipe.stage.iter().map(stage).collect::<Vec<_>>().join(" ")
    }
}

/// Gathers what is kept of a run. Figures and environment that a newer version
/// wrote in another form are left out; a recipe that cannot be read is an error.
///
/// # Errors
/// When there is no such run, or a blob of it is missing or damaged.
pub fn facts(
    state: &State,
    read: &impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    run: RunId,
) -> Result<RunFacts, PrepareError> {
    let record: &RunRecord = state.runs().get(run).ok_or(PrepareError::UnknownRun(run))?;
    let (metrics, reason) = match &record.status {
        RunStatus::Running => (None, None),
        RunStatus::Finished { end } => (Some(end.event.metrics), None),
        RunStatus::Failed { end } => (end.event.metrics, Some(end.event.reason.clone())),
        RunStatus::Cancelled { end } => (end.event.metrics, Some(end.event.reason.clone())),
    };
    let history = metrics.map(read).transpose()?;
    let started = &record.started.event;
    Ok(RunFacts {
        run,
        status: record.status.name(),
        reason,
        recipe: stored_recipe(state, read, run)?,
        manifest: started.manifest,
        environment: serde_json::from_slice(&read(started.environment)?).ok(),
        checkpoints: record.checkpoints.clone(),
        history: history.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
    })
}

/// One thing in which runs differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What: a recipe's key with its path, `dataset`, or `environment: …`.
    pub what: String,
    /// What each run has, in the order of the runs; `None` where it has nothing.
    pub values: Vec<Option<String>>,
}

/// In what the recipes, datasets and environments of runs differ, sorted.
pub fn differences(runs: &[RunFacts]) -> Vec<Difference> {
    let tables: Vec<BTreeMap<String, String>> = runs.iter().map(described).collect();
    let keys: BTreeSet<&String> = tables.iter().flat_map(BTreeMap::keys).collect();
    let of = |key: &String| -> Vec<Option<String>> {
        tables.iter().map(|table| table.get(key).cloned()).collect()
    };
    keys.into_iter()
        .map(|key| Difference { what: key.clone(), values: of(key) })
        .filter(|difference| difference.values.windows(2).any(|pair| pair[0] != pair[1]))
        .collect()
}

/// Recipe, dataset and environment of a run: what, and its value in words.
pub fn described(run: &RunFacts) -> BTreeMap<String, String> {
    let mut found = BTreeMap::from([("dataset".to_owned(), run.manifest.to_string())]);
    found.extend(fields(&run.recipe));
    if let Some(Ok(serde_json::Value::Object(environment))) =
        run.environment.as_ref().map(serde_json::to_value)
    {
        for (key, value) in environment {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            found.insert(format!("environment: {key}"), text);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(recipe: &str, manifest: u8) -> RunFacts {
        RunFacts {
            run: RunId([manifest; 16]),
            status: "finished",
            reason: None,
            recipe: Recipe::parse(recipe).expect("valid"),
            manifest: ManifestDigest([manifest; 32]),
            environment: None,
            checkpoints: Vec::new(),
            history: None,
        }
    }

    #[test]
    fn only_what_differs_is_named_with_its_path() {
        let one = run("seed = 1\n[[stage]]\nsize = 64", 1);
        let two = run("seed = 2\n[[stage]]\nsize = 64\n[[stage]]\nsize = 128", 1);
        let found = differences(&[one.clone(), two.clone()]);
        let seed = Difference { what: "seed".into(), values: vec![Some("1".into()), Some("2".into())] };
        assert!(found.contains(&seed), "{found:?}");
        let size = Difference { what: "stage[1].size".into(), values: vec![None, Some("128".into())] };
        assert!(found.contains(&size), "{found:?}");
        assert!(found.iter().all(|difference| !difference.what.starts_with("stage[0]")));
        assert_eq!(differences(&[one.clone(), one.clone()]), []);
        let other = RunFacts { manifest: ManifestDigest([9; 32]), ..one.clone() };
        assert_eq!(differences(&[one, other]).len(), 1, "the dataset");
        assert_eq!(two.stages(), "64×5 128×5");
    }
}
