//! What is kept of training runs.

use safelight_lineage::id::RunId;
use safelight_lineage::state::State;
use safelight_store::Blobs;
use safelight_tui::{Figures, PortError, RateCurve, RunView, Runs};

use crate::runs::compare::{described, facts};
use crate::train::metrics::History;
use crate::train::rate_finder::Curve;
use crate::train::recipe_fields::fields;

/// The runs of a repository.
pub(super) struct StoredRuns(pub(super) Blobs);

impl Runs for StoredRuns {
    fn run(&mut self, state: &State, run: RunId) -> Result<RunView, PortError> {
        let read = |blob| self.0.get(blob);
        let kept = facts(state, &read, run).map_err(PortError::new)?;
        let mut view =
            RunView { facts: described(&kept), recipe: fields(&kept.recipe), ..RunView::default() };
        if let Some(history) = &kept.history {
            view.classes.clone_from(&history.classes);
            view.figures = figures(history);
            let last = history.epochs.iter().rev().find_map(|epoch| epoch.judgement.as_ref());
            view.confusion = last.map(|judgement| judgement.confusion.clone()).unwrap_or_default();
        }
        let found = state.runs().get(run).map(|record| &record.learning_rates[..]).unwrap_or_default();
        for found in found {
            let bytes = read(found.event.curve).map_err(PortError::new)?;
            let curve: Curve = serde_json::from_slice(&bytes).map_err(PortError::new)?;
            view.finders.push(RateCurve {
                rates: curve.rates,
                losses: curve.losses,
                suggestion: found.event.suggestion.0,
                method: found.event.method.clone(),
            });
        }
        Ok(view)
    }
}

fn figures(history: &History) -> Figures {
    let mut figures = Figures::default();
    let mut stage = None;
    for step in &history.steps {
        if stage != Some(step.stage) {
            stage = Some(step.stage);
            figures.stages.push(figures.losses.len());
        }
        figures.losses.push(step.loss);
        figures.rates.push(step.learning_rate);
    }
    let mut stage = None;
    for epoch in &history.epochs {
        let Some(judgement) = &epoch.judgement else { continue };
        if stage != Some(epoch.stage) {
            stage = Some(epoch.stage);
            figures.epoch_stages.push(figures.accuracies.len());
        }
        figures.accuracies.push(judgement.accuracy());
        figures.valid_losses.push(judgement.loss);
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::metrics::{EpochFigures, Judgement, StepFigures};

    #[test]
    fn figures_keep_the_beginnings_of_stages() {
        let step = |stage, loss| StepFigures {
            stage,
            epoch: 0,
            step: 0,
            loss,
            learning_rate: loss / 10.0,
            momentum: 0.9,
        };
        let epoch = |stage, right: u64| EpochFigures {
            stage,
            epoch: 0,
            train_seconds: 1.0,
            valid_seconds: 1.0,
            train_loss: 1.0,
            judgement: (right > 0).then(|| Judgement {
                confusion: vec![vec![right, 4 - right], vec![0, 4]],
                loss: 0.5,
                calibration_error: 0.1,
            }),
            recalls: Vec::new(),
        };
        let history = History {
            classes: vec!["sea".into(), "forest".into()],
            steps: vec![step(0, 3.0), step(0, 2.0), step(1, 1.0)],
            epochs: vec![epoch(0, 2), epoch(1, 0), epoch(1, 4)],
        };
        let found = figures(&history);
        assert_eq!((found.losses, found.stages), (vec![3.0, 2.0, 1.0], vec![0, 2]));
        assert_eq!((found.accuracies, found.epoch_stages), (vec![0.75, 1.0], vec![0, 1]));
    }
}
