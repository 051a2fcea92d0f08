//! Figures of a run: how well images were told apart, and the history of every
//! step and epoch, which is stored as JSON with the run.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// How validation images were classified.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// By true class, then predicted class: how many images.
    pub confusion: Vec<Vec<u64>>,
    /// Mean cross-entropy with the labels, nats.
    #[serde(deserialize_with = "number")]
    pub loss: f64,
    /// Expected calibration error over 15 equal bins of the top probability; no
    /// number where the model gave none.
    #[serde(deserialize_with = "number")]
    pub calibration_error: f64,
}

/// JSON has no word for what is no number, and `null` stands for it.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NAN))
}

/// Bins of the calibration error.
const BINS: usize = 15;

impl Judgement {
    /// Judges softmax `probabilities`, `n × classes`, by `labels`.
    pub fn new(probabilities: &[f32], labels: &[u16], classes: usize) -> Judgement {
        let mut confusion = vec![vec![0; classes]; classes];
        let mut loss = 0.0;
        // Per bin: images, sum of top probabilities, images that are right.
        let mut bins = [(0u64, 0.0, 0u64); BINS];
        for (row, label) in probabilities.chunks_exact(classes).zip(labels) {
            let label = usize::from(*label);
            let top = arg_max(row);
            confusion[label][top] += 1;
            loss -= f64::from(row[label].max(f32::MIN_POSITIVE)).ln();
            let sure = f64::from(row[top]);
            let bin = &mut bins[((sure * BINS as f64) as usize).min(BINS - 1)];
            *bin = (bin.0 + 1, bin.1 + sure, bin.2 + u64::from(top == label));
        }
        let total = labels.len().max(1) as f64;
        let gap: f64 = bins.iter().map(|(_, sure, right)| (sure - *right as f64).abs()).sum();
        Judgement { confusion, loss: loss / total, calibration_error: gap / total }
    }

    /// Whether the model gave numbers for every image.
    pub fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.calibration_error.is_finite()
    }

    /// The share of images that were told right.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = self.confusion.iter().enumerate().map(|(class, row)| row[class]).sum();
        let all: u64 = self.confusion.iter().flatten().sum();
        right as f64 / all.max(1) as f64
    }

    /// For each class, the share of its images that were told right; `None`
    /// for a class without images.
    pub fn recalls(&self) -> Vec<Option<f64>> {
        let recall = |(class, row): (usize, &Vec<u64>)| {
            let all: u64 = row.iter().sum();
            (all > 0).then(|| row[class] as f64 / all as f64)
        };
        self.confusion.iter().enumerate().map(recall).collect()
    }
}

/// The place of the largest value; of equal ones, the first.
pub fn arg_max(row: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = index;
        }
    }
    best
}

/// One step, for the history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepFigures {
    /// The stage, from zero.
    pub stage: u32,
    /// The epoch in the stage, from zero.
    pub epoch: u32,
    /// The step in the epoch, from zero.
    pub step: u32,
    /// Mean loss of the batch.
    pub loss: f64,
    /// Learning rate.
    pub learning_rate: f64,
    /// Momentum.
    pub momentum: f64,
}

/// One epoch, for the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochFigures {
    /// The stage, from zero.
    pub stage: u32,
    /// The epoch in the stage, from zero.
    pub epoch: u32,
    /// Wall time of training, seconds, of this part of the run.
    pub train_seconds: f64,
    /// Wall time of validating, seconds.
    pub valid_seconds: f64,
    /// Mean loss of the steps.
    pub train_loss: f64,
    /// How the validation images were told, if there are any.
    pub judgement: Option<Judgement>,
    /// Recall by class, in the order of the classes.
    pub recalls: Vec<Option<f64>>,
}

impl EpochFigures {
    /// The figures that go into events and progress, by name, as far as they are
    /// finite.
    pub fn named(&self) -> BTreeMap<String, f64> {
        let mut named = BTreeMap::from([("train_loss".to_owned(), self.train_loss)]);
        if let Some(judgement) = &self.judgement {
            named.insert("valid_loss".to_owned(), judgement.loss);
            named.insert("accuracy".to_owned(), judgement.accuracy());
            named.insert("calibration_error".to_owned(), judgement.calibration_error);
        }
        named.retain(|_, value| value.is_finite());
        named
    }
}

/// Everything that was measured in a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// Every step.
    pub steps: Vec<StepFigures>,
    /// Every epoch.
    pub epochs: Vec<EpochFigures>,
}

impl History {
    /// The history as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and texts have a JSON form")
    }

    /// Mean loss of the steps of an epoch.
    pub fn train_loss(&self, stage: u32, epoch: u32) -> f64 {
        let losses = self.steps.iter().filter(|step| (step.stage, step.epoch) == (stage, epoch));
        let (count, sum) = losses.fold((0u32, 0.0), |(count, sum), step| (count + 1, sum + step.loss));
        sum / f64::from(count.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_broken_model_gave_is_stored_and_read_again() {
        let judgement = Judgement::new(&[f32::NAN, f32::NAN, 0.9, 0.1], &[0, 0], 2);
        assert!(judgement.calibration_error.is_nan() && !judgement.is_finite());
        let epoch = EpochFigures {
            stage: 0,
            epoch: 0,
            train_seconds: 1.0,
            valid_seconds: 1.0,
            train_loss: 2.0,
            recalls: judgement.recalls(),
            judgement: Some(judgement.clone()),
        };
        let named = epoch.named();
        assert_eq!(named.keys().collect::<Vec<_>>(), ["accuracy", "train_loss", "valid_loss"]);
        let history = History { epochs: vec![epoch], ..History::default() };
        let again: History = serde_json::from_slice(&history.to_json()).expect("reads");
        let read = again.epochs[0].judgement.as_ref().expect("is there");
        assert!(read.calibration_error.is_nan());
        assert_eq!((&read.confusion, read.loss), (&judgement.confusion, judgement.loss));
    }

    #[test]
    fn judgement_counts_by_hand() {
        let probabilities = [0.9, 0.1, 0.4, 0.6, 0.5, 0.5];
        let judgement = Judgement::new(&probabilities, &[0, 0, 1], 2);
        assert_eq!(judgement.confusion, [[1, 1], [1, 0]], "of equal probabilities the first counts");
        assert!((judgement.accuracy() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(judgement.recalls(), [Some(0.5), Some(0.0)]);
        let loss = -(0.9f64.ln() + 0.4f64.ln() + 0.5f64.ln()) / 3.0;
        assert!((judgement.loss - loss).abs() < 1e-6);
        // One image a bin: |0.9 − 1| + |0.6 − 0| + |0.5 − 0| over three.
        assert!((judgement.calibration_error - 0.4).abs() < 1e-6);
    }

    #[test]
    fn no_images_are_no_division_by_zero() {
        let judgement = Judgement::new(&[], &[], 2);
        assert_eq!((judgement.accuracy(), judgement.loss), (0.0, 0.0));
        assert_eq!(judgement.recalls(), [None, None]);
    }

    #[test]
    fn history_survives_json() {
        let step = StepFigures { stage: 0, epoch: 1, step: 2, loss: 0.1, learning_rate: 1e-3, momentum: 0.9 };
        let history = History { classes: vec!["sea".into()], steps: vec![step], epochs: Vec::new() };
        assert_eq!(serde_json::from_slice::<History>(&history.to_json()).expect("reads"), history);
        assert_eq!(history.train_loss(0, 1), 0.1);
    }
}
