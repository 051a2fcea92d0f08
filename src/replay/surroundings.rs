//! Where something was computed, compared with here: said before the work
//! starts, as equal bits are promised for equal surroundings only.

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{PredictionSource, ReplayDepth};
use safelight_lineage::query::{ReplayPlan, ReplayStep, StepKind};
use safelight_lineage::value::Seq;
use safelight_store::BlobError;
use serde::{Deserialize, Serialize};

use super::engine::Engine;
use crate::train::device::Machine;
use crate::train::environment::Environment;

/// One respect in which environments differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respect {
    /// Which: processor class, threads, …
    pub what: String,
    /// As it is recorded.
    pub recorded: String,
    /// As it is here.
    pub here: String,
}

/// How the recorded environment of a step differs from the present one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Surroundings {
    /// The step, in words.
    pub of: String,
    /// Where its event is in this journal.
    pub seq: Seq,
    /// In what they differ; empty when all is equal.
    pub differences: Vec<Respect>,
}

impl Surroundings {
    /// The differences in one line; none when there is none.
    pub fn in_words(&self) -> Option<String> {
        let words: Vec<String> = self
            .differences
            .iter()
            .map(|respect| format!("{}: {} then, {} here", respect.what, respect.recorded, respect.here))
            .collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// What a replay is going to repeat.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Work {
    /// Runs to train again, at that depth.
    pub runs: usize,
    /// Predictions to compute again, from that depth on.
    pub predictions: usize,
    /// Comparisons with recorded digests.
    pub comparisons: usize,
    /// What cannot be repeated and is taken as it is recorded, in words.
    pub taken_as_recorded: Vec<String>,
    /// How the environments differ from here, for what is computed again.
    pub environments: Vec<Surroundings>,
}

/// Why predictions cannot be computed again, if so.
pub fn not_repeatable(event: &safelight_lineage::event::PredictionsRecorded) -> Option<String> {
    if let PredictionSource::External { name } = &event.source {
        let id = event.predictions.short();
        let name = safelight_lineage::value::escape(name.as_bytes());
        return Some(format!("predictions {id} came from outside ({name}) and cannot be computed again"));
    }
    None
}

/// What a step was computed on, when its environment says so; otherwise one
/// thread of the processor. `threads` overrides the recorded number.
pub(super) fn machine_of(environment: Option<&Environment>, threads: Option<usize>) -> Machine {
    let recorded = environment.map_or_else(|| 1.into(), Environment::machine);
    Machine { threads: threads.unwrap_or(recorded.threads).max(1), ..recorded }
}

/// The recorded environment of a step; none where there is none to read.
///
/// # Errors
/// When its blob cannot be had.
pub(super) fn recorded(
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    blob: Option<BlobId>,
) -> Result<Option<Environment>, BlobError> {
    let bytes = blob.map(read).transpose()?;
    // What a newer version wrote otherwise informs nobody, and hinders nothing.
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Looks at what a replay of `plan` would repeat, and where that was computed.
/// `threads` overrides the recorded numbers.
///
/// # Errors
/// When an environment's blob cannot be had.
pub fn survey(
    plan: &ReplayPlan<'_>,
    depth: ReplayDepth,
    engine: &dyn Engine,
    threads: Option<usize>,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
) -> Result<Work, BlobError> {
    let mut work = Work::default();
    for step in &plan.steps {
        work.comparisons += step.outputs.len();
        let (of, environment) = match step.kind {
            StepKind::Train { run } if depth == ReplayDepth::Training => {
                work.runs += 1;
                (format!("run {}", run.run.short()), Some(run.environment))
            }
            StepKind::Predict { predictions } => {
                if let Some(why) = not_repeatable(predictions) {
                    work.taken_as_recorded.push(why);
                    continue;
                }
                if depth == ReplayDepth::Votes {
                    continue;
                }
                work.predictions += 1;
                if predictions.temperature.is_some() {
                    let id = predictions.predictions.short();
                    work.taken_as_recorded.push(format!("the temperature of predictions {id}"));
                }
                (format!("predictions {}", predictions.predictions.short()), predictions.environment)
            }
            _ => continue,
        };
        work.environments.push(compare(step, of, environment, engine, threads, &read)?);
    }
    Ok(work)
}

fn compare(
    step: &ReplayStep<'_>,
    of: String,
    environment: Option<BlobId>,
    engine: &dyn Engine,
    threads: Option<usize>,
    read: &impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
) -> Result<Surroundings, BlobError> {
    let then = recorded(read, environment)?;
    let differences = match &then {
        None => Vec::new(),
        Some(then) => {
            let here = engine.environment(machine_of(Some(then), threads));
            then.differences(&here)
                .into_iter()
                .map(|(what, recorded, here)| Respect { what: what.to_owned(), recorded, here })
                .collect()
        }
    };
    Ok(Surroundings { of, seq: step.seq, differences })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::device::DeviceName;
    use crate::train::environment::describe;

    #[test]
    fn a_step_is_repeated_on_what_it_was_computed_on() {
        let recorded = describe("cuda:1", 3, None);
        let machine = machine_of(Some(&recorded), None);
        assert_eq!((machine.device, machine.threads), (DeviceName::Cuda(1), 3));
        assert_eq!(machine_of(Some(&recorded), Some(5)).threads, 5);
        let newer = describe("tpu:0", 2, None);
        assert_eq!(machine_of(Some(&newer), None), Machine::from(2));
        assert_eq!(machine_of(None, None), Machine::from(1));
    }
}
