//! What any job writes to its output beside the lines of a training child: one
//! JSON object a line.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line of a job's output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Line {
    /// Something that takes long goes on.
    Progress {
        /// What.
        what: String,
        /// How much of it is done.
        done: u64,
        /// How much there is, where that is known.
        total: Option<u64>,
        /// More about it.
        message: String,
        /// Seconds that are left, where that can be told.
        eta_seconds: Option<f64>,
    },
    /// A line of the result, for people.
    Said {
        /// The line.
        text: String,
    },
    /// Something that people should know.
    Noticed {
        /// What.
        text: String,
    },
    /// A replay begins.
    ReplayStarted {
        /// The submission, in hexadecimal digits.
        submission: String,
        /// `votes`, `predictions` or `training`.
        depth: String,
    },
    /// A replay goes on to its next step.
    ReplayStep {
        /// The step, in words.
        what: String,
    },
    /// A replay has compared what it made with what is recorded.
    ReplayCompared(Compared),
    /// A replay has come to its verdict.
    ReplayEnded {
        /// `identical`, `within tolerance` or `diverged`.
        verdict: String,
    },
    /// The result, as under `--json`.
    Result {
        /// The document.
        document: Value,
    },
    /// It could not be done.
    Failed {
        /// Why.
        error: String,
        /// What to do about it.
        hints: Vec<String>,
        /// The exit code.
        exit_code: u8,
    },
}

/// One comparison of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// What was made again, in words.
    pub what: String,
    /// Where the event that had recorded it is in this journal.
    pub seq: u64,
    /// The digest that the log recorded, in hexadecimal digits.
    pub expected: String,
    /// The digest of what was made.
    pub actual: String,
    /// By how much it differs, in words; empty when that cannot be told.
    pub note: String,
}

impl Line {
    /// Reads a line; none when it is of another kind.
    pub fn parse(line: &str) -> Option<Line> {
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_and_others_are_left_to_others() {
        let line = Line::Progress {
            what: "looking".into(),
            done: 3,
            total: Some(9),
            message: String::new(),
            eta_seconds: Some(1.5),
        };
        let text = serde_json::to_string(&line).expect("writes");
        assert_eq!(Line::parse(&text), Some(line));
        assert_eq!(Line::parse("{\"event\":\"step\",\"loss\":1}"), None);
    }
}
