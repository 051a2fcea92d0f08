//! What a training child writes to its output: one JSON object a line.

use serde::{Deserialize, Serialize};

use crate::train::progress::Progress;

/// One line of a training child's output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JobEvent {
    /// The run is in the log.
    RunStarted {
        /// The run.
        run: String,
        /// Images it trains on.
        train: usize,
        /// Images that validate.
        valid: usize,
        /// Images of these splits that have no label and take no part.
        unlabelled: usize,
        /// The network.
        architecture: String,
        /// Threads that compute.
        threads: usize,
    },
    /// A checkpoint is in the log.
    CheckpointSaved {
        /// The checkpoint.
        checkpoint: String,
        /// The stage, from zero.
        stage: u32,
        /// The digest of its weights.
        weights: String,
    },
    /// A learning rate finder's curve is in the log.
    RateFound {
        /// The run it was found for.
        run: String,
        /// The digest of the curve.
        curve: String,
        /// The suggested rate.
        suggestion: f64,
        /// How it was read from the curve.
        method: String,
    },
    /// The run ended and that is in the log.
    RunEnded {
        /// `finished`, `cancelled` or `failed`.
        status: String,
        /// Why, unless it finished.
        reason: Option<String>,
    },
}

/// A line of a training child's output: about the log, or about the work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JobLine {
    /// About the log.
    Log(JobEvent),
    /// About the work.
    Work(Progress),
}

impl JobLine {
    /// Reads a line; none when a newer program wrote something else.
    pub fn parse(line: &str) -> Option<JobLine> {
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_line_are_told_apart() {
        let ended = JobEvent::RunEnded { status: "finished".to_owned(), reason: None };
        let line = serde_json::to_string(&ended).expect("writes");
        assert_eq!(JobLine::parse(&line), Some(JobLine::Log(ended)));
        let work = Progress::Decoding { done: 1, total: 2 };
        let line = serde_json::to_string(&work).expect("writes");
        assert_eq!(JobLine::parse(&line), Some(JobLine::Work(work)));
        assert_eq!(JobLine::parse("{\"event\":\"something_newer\"}"), None);
    }
}
