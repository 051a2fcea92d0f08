//! Temperature scaling (Guo et al. 2017): one number that divides the logits of
//! all images, so that what is said with 90 % comes true in 90 of 100 cases. It
//! changes no decision.
//!
//! The logits are the logarithms of the probabilities, so that means over
//! several views can be scaled too.

use safelight_lineage::value::ClassIndex;

use super::{Probabilities, ProbabilitiesError};
use crate::train::metrics::Judgement;

/// The temperatures that are searched.
const TEMPERATURES: (f64, f64) = (0.05, 20.0);
/// Halvings of the search: beyond them 64 bits tell nothing apart.
const HALVINGS: u32 = 60;

/// A fitted temperature, and what it did to the images it was fitted on.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Calibration {
    /// The divisor of the logits, 0.05 to 20: above 1 where the model was too
    /// sure of itself.
    pub temperature: f64,
    /// How many images it was fitted on.
    pub images: usize,
    /// Mean cross-entropy before and after, nats.
    pub loss: (f64, f64),
    /// Expected calibration error before and after, 0 to 1.
    pub calibration_error: (f64, f64),
}

impl std::fmt::Display for Calibration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Calibration { temperature, images, loss, calibration_error } = self;
        write!(
            f,
            "temperature {temperature:.4} fitted on {images} validation images: loss {:.4} to {:.4}, calibration \
             error {:.4} to {:.4}",
            loss.0, loss.1, calibration_error.0, calibration_error.1
        )
    }
}

/// Fits the temperature that makes the labels of all `rows` most probable.
/// None when there is no row.
///
/// The loss is convex in the inverse temperature; the root of its derivative is
/// found by halving, on a logarithmic scale. Sums are in the order of `rows`.
pub fn fit(rows: &[(&[f32], ClassIndex)]) -> Option<Calibration> {
    let classes = rows.first()?.0.len();
    let (mut low, mut high) = (TEMPERATURES.0.ln(), TEMPERATURES.1.ln());
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        // Where the loss still falls with the inverse, the temperature is lower.
        if slope(rows, (-middle).exp()) < 0.0 { high = middle } else { low = middle }
    }
    let temperature = ((low + high) / 2.0).exp();
    let labels: Vec<u16> = rows.iter().map(|(_, label)| label.0).collect();
    let judge = |values: &[f32]| {
        let judged = Judgement::new(values, &labels, classes);
        (judged.loss, judged.calibration_error)
    };
    let before: Vec<f32> = rows.iter().flat_map(|(row, _)| row.iter().copied()).collect();
    let after: Vec<f32> = rows.iter().flat_map(|(row, _)| scaled(row, temperature)).collect();
    let (before, after) = (judge(&before), judge(&after));
    Some(Calibration {
        temperature,
        images: rows.len(),
        loss: (before.0, after.0),
        calibration_error: (before.1, after.1),
    })
}

/// The derivative of the summed loss by the inverse temperature.
fn slope(rows: &[(&[f32], ClassIndex)], inverse: f64) -> f64 {
    let of_row = |(row, label): &(&[f32], ClassIndex)| {
        let logits = logits(row);
        let weights = softmax(&logits, inverse);
        let expected: f64 = weights.iter().zip(&logits).map(|(weight, logit)| weight * logit).sum();
        expected - logits[usize::from(label.0)]
    };
    rows.iter().map(of_row).sum()
}

fn logits(row: &[f32]) -> Vec<f64> {
    row.iter().map(|value| f64::from(value.max(f32::MIN_POSITIVE)).ln()).collect()
}

fn softmax(logits: &[f64], inverse: f64) -> Vec<f64> {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logits.iter().map(|logit| ((logit - top) * inverse).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The probabilities of a row at another temperature.
fn scaled(row: &[f32], temperature: f64) -> Vec<f32> {
    softmax(&logits(row), 1.0 / temperature).into_iter().map(|value| value as f32).collect()
}

impl Probabilities {
    /// All rows with their logits divided by `temperature`, which is positive.
    /// The inverse temperature undoes it, but for rounding.
    ///
    /// # Errors
    /// When the temperature is so extreme that no probabilities come out.
    pub fn at_temperature(&self, temperature: f64) -> Result<Probabilities, ProbabilitiesError> {
        let values = self.rows().flat_map(|(_, row)| scaled(row, temperature)).collect();
        Probabilities::new(self.classes(), self.images().to_vec(), values)
    }
}

#[cfg(test)]
mod tests {
    use safelight_lineage::id::ImageId;

    use super::*;

    /// Images that a model tells right in 3 of 4 cases, always saying `sure`.
    fn said(sure: f32) -> Vec<[f32; 2]> {
        (0..400).map(|_| [sure, 1.0 - sure]).collect()
    }

    fn fitted(rows: &[[f32; 2]]) -> Calibration {
        let rows: Vec<(&[f32], ClassIndex)> = rows
            .iter()
            .enumerate()
            .map(|(index, row)| (row.as_slice(), ClassIndex(u16::from(index % 4 == 0))))
            .collect();
        fit(&rows).expect("there are rows")
    }

    #[test]
    fn too_sure_a_model_is_cooled_to_what_it_knows() {
        // logit(0.99) / T = logit(0.75): T = ln 99 / ln 3.
        let found = fitted(&said(0.99));
        assert!((found.temperature - 99f64.ln() / 3f64.ln()).abs() < 1e-4, "{found:?}");
        assert!(
            (found.calibration_error.0 - 0.24).abs() < 1e-3 && found.calibration_error.1 < 1e-4,
            "{found:?}"
        );
        let entropy = -(0.75 * 0.75f64.ln() + 0.25 * 0.25f64.ln());
        assert!((found.loss.1 - entropy).abs() < 1e-6 && found.loss.1 < found.loss.0, "{found:?}");
        // One that says too little is made surer.
        assert!((fitted(&said(0.6)).temperature - 1.5f64.ln() / 3f64.ln()).abs() < 1e-4);
    }

    #[test]
    fn what_has_no_best_temperature_ends_at_a_limit() {
        let right: Vec<(&[f32], ClassIndex)> = vec![(&[0.6, 0.4], ClassIndex(0)); 3];
        assert!((fit(&right).expect("rows").temperature - 0.05).abs() < 1e-6);
        let wrong: Vec<(&[f32], ClassIndex)> = vec![(&[0.6, 0.4], ClassIndex(1)); 3];
        assert!((fit(&wrong).expect("rows").temperature - 20.0).abs() < 1e-6);
        assert_eq!(fit(&[]), None);
    }

    #[test]
    fn scaling_changes_no_decision_and_can_be_undone() {
        let values = vec![0.7, 0.2, 0.1, 0.0, 1e-9, 1.0];
        let before = Probabilities::new(3, vec![ImageId([1; 16]), ImageId([2; 16])], values).expect("rows");
        let after = before.at_temperature(2.0).expect("rows");
        for (image, row) in after.rows() {
            assert_eq!(before.argmax(image), after.argmax(image));
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
        let root: f64 = [0.7f64, 0.2, 0.1].iter().map(|value| value.sqrt()).sum();
        assert!((f64::from(after.values()[0]) - 0.7f64.sqrt() / root).abs() < 1e-6);
        let back = after.at_temperature(0.5).expect("rows");
        assert!(back.values().iter().zip(before.values()).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
