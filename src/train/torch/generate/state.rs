//! The state of an interrupted generator's training as bytes, and back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::super::weights::{Values, WeightsError, decode, encode};
use super::super::error::TrainError;
use crate::generate::history::GeneratorHistory;

/// The header entry that holds the [`Header`].
const ENTRY: &str = "safelight generator resume";

/// Where a run is: before this step of the critic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The epoch, from zero.
    pub epoch: u32,
    /// The step of the critic in the epoch, from zero.
    pub step: u32,
    /// Steps of the critic made in all.
    pub steps: u64,
}

#[derive(Serialize, Deserialize)]
struct Header {
    plan: String,
    place: Place,
    history: GeneratorHistory,
}

/// The tensors of a state, by the parts that they belong to.
pub type Parts = BTreeMap<String, BTreeMap<String, Values>>;

/// Writes the state of a run of the plan with this digest.
pub fn save(plan: &[u8; 32], place: Place, parts: &Parts, history: &GeneratorHistory) -> Vec<u8> {
    let header = Header { plan: hex(plan), place, history: history.clone() };
    let header = serde_json::to_string(&header).expect("numbers and texts have a JSON form");
    let named = |part: &String, values: &BTreeMap<String, Values>| {
        let part = part.clone();
        values.clone().into_iter().map(move |(name, values)| (format!("{part}/{name}"), values))
    };
    let tensors = parts.iter().flat_map(|(part, values)| named(part, values)).collect();
    encode(&tensors, ENTRY, &header)
}

/// Reads the state of a run of the plan with this digest.
pub fn read(bytes: &[u8], plan: &[u8; 32]) -> Result<(Place, Parts, GeneratorHistory), TrainError> {
    let (tensors, header) = decode(bytes, ENTRY)?;
    let header: Header = header
        .and_then(|text| serde_json::from_str(&text).ok())
        .ok_or(WeightsError::Format { reason: "it is not the state of a generator's training".to_owned() })?;
    if header.plan != hex(plan) {
        return Err(TrainError::OtherPlan { found: header.plan, expected: hex(plan) });
    }
    let mut parts = Parts::new();
    for (name, values) in tensors {
        if let Some((part, name)) = name.split_once('/') {
            parts.entry(part.to_owned()).or_default().insert(name.to_owned(), values);
        }
    }
    Ok((header.place, parts, header.history))
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
