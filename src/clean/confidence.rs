//! The recipe's two rules: the model is sure of another label, and the model
//! wavers between two.
//!
//! Thresholds are compared at the precision of the probabilities, f32: a
//! probability given as 0.6 is exactly the threshold 0.6, not a bit above it.

use safelight_lineage::value::ClassIndex;

use super::finding::{Finding, ranked};
use super::judged::Judged;
use super::rule::{AMBIGUOUS, CONFIDENTLY_WRONG};
use crate::predictions::argmax;

/// Images whose most probable class (of equals the lowest) is not their label
/// and has a probability strictly above `above`, in 0..1. The score is that
/// probability, the suggestion that class. Images without label are passed over.
pub fn confidently_wrong(judged: &Judged<'_>, above: f64) -> Vec<Finding> {
    let above = above as f32;
    let found = judged.rows().filter_map(|(image, label, row)| {
        let label = label?;
        let predicted = argmax(row);
        let (sure, given) = (row[usize::from(predicted.0)], row[usize::from(label.0)]);
        (predicted != label && sure > above).then(|| Finding {
            image,
            rule: CONFIDENTLY_WRONG.to_owned(),
            score: f64::from(sure),
            rank: 0,
            reason: format!(
                "the model is {} sure of {} and gives its label {} only {}",
                percent(sure),
                judged.name(predicted),
                judged.name(label),
                percent(given)
            ),
            label: Some(label),
            suggested: Some(predicted),
            related: Vec::new(),
        })
    });
    ranked(found.collect())
}

/// Images whose highest probability is in `low..=high`, both ends included,
/// whatever their label: mostly two classes in one picture. The score is one
/// minus the lead over the second class; there is no suggestion.
pub fn ambiguous(judged: &Judged<'_>, low: f64, high: f64) -> Vec<Finding> {
    let (low, high) = (low as f32, high as f32);
    let found = judged.rows().filter_map(|(image, label, row)| {
        let first = argmax(row);
        let top = row[usize::from(first.0)];
        if !(low..=high).contains(&top) {
            return None;
        }
        let others = (0u16..).map(ClassIndex).zip(row).filter(|(class, _)| *class != first);
        let second = others.reduce(|best, other| if other.1 > best.1 { other } else { best });
        let (lead, reason) = match second {
            Some((second, probability)) => (
                f64::from(top) - f64::from(*probability),
                format!(
                    "the model wavers between {} ({}) and {} ({})",
                    judged.name(first),
                    percent(top),
                    judged.name(second),
                    percent(*probability)
                ),
            ),
            None => {
                (f64::from(top), format!("the model is only {} sure of {}", percent(top), judged.name(first)))
            }
        };
        Some(Finding {
            image,
            rule: AMBIGUOUS.to_owned(),
            score: 1.0 - lead,
            rank: 0,
            reason,
            label,
            suggested: None,
            related: Vec::new(),
        })
    });
    ranked(found.collect())
}

/// A probability for people to read.
pub(super) fn percent(probability: f32) -> String {
    format!("{:.1} %", f64::from(probability) * 100.0)
}

#[cfg(test)]
mod tests {
    use safelight_lineage::id::ImageId;

    use super::*;
    use crate::predictions::Probabilities;

    fn judge<T>(rows: &[[f32; 3]], labels: &[Option<u16>], check: impl Fn(&Judged<'_>) -> T) -> T {
        let images = (0..rows.len() as u8).map(|n| ImageId([n; 16])).collect();
        let probabilities = Probabilities::new(3, images, rows.concat()).unwrap();
        let classes = ["sea", "forest", "street"].map(str::to_owned);
        let label_of = |image: ImageId| labels[usize::from(image.0[0])].map(ClassIndex);
        check(&Judged::new(&probabilities, &classes, label_of).unwrap())
    }

    fn found(findings: &[Finding]) -> Vec<u8> {
        findings.iter().map(|finding| finding.image.0[0]).collect()
    }

    #[test]
    fn confidently_wrong_is_strict_and_needs_another_label() {
        let above = f32::from_bits(0.9f32.to_bits() + 1);
        let rows = [
            [0.9, 0.1, 0.0],
            [above, 1.0 - above, 0.0],
            [0.95, 0.05, 0.0],
            [0.95, 0.05, 0.0],
            [0.95, 0.03, 0.02],
        ];
        let labels = [Some(1), Some(1), Some(0), None, Some(1)];
        judge(&rows, &labels, |judged| {
            let findings = confidently_wrong(judged, 0.9);
            assert_eq!(found(&findings), [4, 1]);
            let worst = &findings[0];
            assert_eq!(worst.reason, "the model is 95.0 % sure of sea and gives its label forest only 3.0 %");
            assert_eq!((worst.rank, worst.score), (1, 0.949999988));
            assert_eq!((worst.label, worst.suggested), (Some(ClassIndex(1)), Some(ClassIndex(0))));
        });
    }

    #[test]
    fn ambiguous_takes_both_ends_and_any_label() {
        let (below, above) = (f32::from_bits(0.5f32.to_bits() - 1), f32::from_bits(0.6f32.to_bits() + 1));
        let rows =
            [[0.5, 0.5, 0.0], [0.6, 0.2, 0.2], [below, 0.25, 0.25], [above, 0.4, 0.0], [0.1, 0.55, 0.35]];
        let labels = [Some(1), Some(0), Some(0), Some(0), None];
        judge(&rows, &labels, |judged| {
            let findings = ambiguous(judged, 0.5, 0.6);
            assert_eq!(found(&findings), [0, 4, 1]);
            assert_eq!(findings[0].score, 1.0);
            assert_eq!(findings[1].reason, "the model wavers between forest (55.0 %) and street (35.0 %)");
            assert_eq!((findings[1].label, findings[1].suggested), (None, None));
        });
    }
}
