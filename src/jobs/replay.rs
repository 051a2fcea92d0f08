//! What a job's lines say of the replay in it: the comparisons made so far, and
//! the step that it is at.

use super::line::{Compared, Line};

/// A replay as far as a job's lines tell of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayAccount {
    /// The submission, in hexadecimal digits.
    pub submission: String,
    /// `votes`, `predictions` or `training`.
    pub depth: String,
    /// The step that it is at, in words; none before the first and after the last.
    pub step: Option<String>,
    /// The comparisons made, in order.
    pub compared: Vec<Compared>,
    /// Its verdict, once there is one.
    pub verdict: Option<String>,
}

impl ReplayAccount {
    /// One that begins.
    pub fn new(submission: String, depth: String) -> ReplayAccount {
        ReplayAccount { submission, depth, ..ReplayAccount::default() }
    }

    /// Takes in a line about it.
    pub fn read(&mut self, line: Line) {
        match line {
            Line::ReplayStep { what } => self.step = Some(what),
            Line::ReplayCompared(compared) => self.compared.push(compared),
            Line::ReplayEnded { verdict } => {
                self.step = None;
                self.verdict = Some(verdict);
            }
            // About something else.
            _ => {}
        }
    }
}
