//! What is kept of training runs, as the Training screen shows it, and the port
//! that reads it.

use std::collections::BTreeMap;
use std::sync::Arc;

use safelight_lineage::id::RunId;
use safelight_lineage::state::{RunRecord, State};

use crate::ports::PortError;
use crate::recipe::RecipeFields;

/// The figures of a run over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// The loss of every step.
    pub losses: Vec<f64>,
    /// The learning rate of every step.
    pub rates: Vec<f64>,
    /// At which steps stages begin.
    pub stages: Vec<usize>,
    /// The accuracy after every epoch that was judged, 0 to 1.
    pub accuracies: Vec<f64>,
    /// The validation loss after each of these.
    pub valid_losses: Vec<f64>,
    /// At which of these epochs stages begin.
    pub epoch_stages: Vec<usize>,
}

/// A learning rate finder's curve.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RateCurve {
    /// Learning rates, ascending.
    pub rates: Vec<f64>,
    /// The smoothed loss of each.
    pub losses: Vec<f64>,
    /// The rate that was read from it.
    pub suggestion: f64,
    /// How.
    pub method: String,
}

/// Everything that is kept of a run, for one who looks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunView {
    /// Recipe, dataset and environment: what, and its value.
    pub facts: BTreeMap<String, String>,
    /// The recipe alone, every field of it.
    pub recipe: RecipeFields,
    /// Its figures over time; empty while it runs.
    pub figures: Figures,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// After its last epoch, by true class, then predicted: how many images.
    pub confusion: Vec<Vec<u64>>,
    /// The curves of the learning rate finder, oldest first.
    pub finders: Vec<RateCurve>,
}

/// Reads what is kept of runs.
pub trait Runs: Send {
    /// Everything that is kept of a run.
    ///
    /// # Errors
    /// When there is no such run or something of it is missing or damaged.
    fn run(&mut self, state: &State, run: RunId) -> Result<RunView, PortError>;
}

/// What was read of runs, and what was asked for.
#[derive(Debug, Default)]
pub struct RunViews {
    /// What was read of each.
    pub read: BTreeMap<RunId, Result<Arc<RunView>, String>>,
    /// How each run stood when it was asked for.
    pub asked: BTreeMap<RunId, String>,
    /// The runs to lay over each other, two at most.
    pub marked: Vec<RunId>,
}

impl RunViews {
    /// What was read of a run.
    pub fn of(&self, run: RunId) -> Option<&RunView> {
        self.read.get(&run)?.as_ref().ok().map(AsRef::as_ref)
    }

    /// Marks a run, or unmarks it; of three marks the oldest goes.
    pub fn mark(&mut self, run: RunId) {
        if let Some(place) = self.marked.iter().position(|other| *other == run) {
            self.marked.remove(place);
        } else {
            self.marked.push(run);
            if self.marked.len() > 2 {
                self.marked.remove(0);
            }
        }
    }
}

/// How a run stands: when that changes there is more to read.
pub fn standing(record: &RunRecord) -> String {
    format!("{} {}", record.status.name(), record.learning_rates.len())
}
