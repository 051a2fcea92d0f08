//! The state of an interrupted run as bytes, and back.
//!
//! Randomness and schedules are functions of the place in the run, so the state
//! is the weights, the optimizer's running means, the moving average if there is
//! one, the place, and the history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::metrics::History;
use super::super::weights::{Values, WeightsError, decode, encode};
use super::error::TrainError;
use super::network::Network;
use super::run::Learner;

/// The header entry that holds the [`Place`].
const ENTRY: &str = "safelight resume";

/// Where a run is: before this step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The stage, from zero.
    pub stage: u32,
    /// The epoch in the stage, from zero.
    pub epoch: u32,
    /// The step in the epoch, from zero.
    pub step: u32,
}

#[derive(Serialize, Deserialize)]
struct Header {
    plan: String,
    place: Place,
    optimizer_steps: u32,
    history: History,
}

/// A state that was read back.
pub struct Saved {
    /// Where the run was.
    pub place: Place,
    /// The steps of the stage's optimizer.
    pub optimizer_steps: u32,
    /// What was measured up to there.
    pub history: History,
    /// The tensors of the network.
    pub network: BTreeMap<String, Values>,
    /// The running means of the optimizer.
    pub optimizer: BTreeMap<String, Values>,
    /// The moving average of the network's tensors; empty without one.
    pub average: BTreeMap<String, Values>,
}

/// Writes the state of a run of the plan with this digest.
pub fn save(
    plan: &[u8; 32],
    place: Place,
    network: &Network,
    learner: &Learner,
    history: &History,
) -> Result<Vec<u8>, TrainError> {
    let header =
        Header { plan: hex(plan), place, optimizer_steps: learner.adam.steps(), history: history.clone() };
    let header = serde_json::to_string(&header).expect("numbers and texts have a JSON form");
    let mut tensors = BTreeMap::new();
    tensors.extend(network.values()?.into_iter().map(|(name, values)| (format!("network.{name}"), values)));
    let adam = learner.adam.values()?;
    tensors.extend(adam.into_iter().map(|(name, values)| (format!("adam.{name}"), values)));
    if let Some(average) = &learner.average {
        let average = average.values()?;
        tensors.extend(average.into_iter().map(|(name, values)| (format!("average.{name}"), values)));
    }
    Ok(encode(&tensors, ENTRY, &header))
}

/// Reads the state of a run of the plan with this digest.
pub fn read(bytes: &[u8], plan: &[u8; 32]) -> Result<Saved, TrainError> {
    let (tensors, header) = decode(bytes, ENTRY)?;
    let header: Header = header
        .and_then(|text| serde_json::from_str(&text).ok())
        .ok_or(WeightsError::Format { reason: "it is not the state of a run".to_owned() })?;
    if header.plan != hex(plan) {
        return Err(TrainError::OtherPlan { found: header.plan, expected: hex(plan) });
    }
    let mut saved = Saved {
        place: header.place,
        optimizer_steps: header.optimizer_steps,
        history: header.history,
        network: BTreeMap::new(),
        optimizer: BTreeMap::new(),
        average: BTreeMap::new(),
    };
    for (name, values) in tensors {
        if let Some(name) = name.strip_prefix("network.") {
            saved.network.insert(name.to_owned(), values);
        } else if let Some(name) = name.strip_prefix("adam.") {
            saved.optimizer.insert(name.to_owned(), values);
        } else if let Some(name) = name.strip_prefix("average.") {
            saved.average.insert(name.to_owned(), values);
        }
    }
    Ok(saved)
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
