//! How alike the members of an ensemble are: unlike ones make it worthwhile.

use std::collections::BTreeMap;

use safelight_lineage::id::{ImageId, PredictionsId};
use safelight_lineage::value::ClassIndex;
use serde::Serialize;

use super::vote::{Ballot, VoteError, ordered};
use crate::predictions::argmax;

/// How alike two members are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairAgreement {
    /// The one with the lower id.
    pub one: PredictionsId,
    /// The other one.
    pub other: PredictionsId,
    /// The share of images that they decide differently, 0 to 1.
    pub disagreement: f64,
    /// Cohen's kappa of their decisions, -1 to 1: how much more often they agree
    /// than members who decide each class as often would by chance (Cohen, "A
    /// Coefficient of Agreement for Nominal Scales", 1960); none when chance
    /// alone would make them always agree.
    pub kappa: Option<f64>,
    /// Pearson's correlation of their probabilities over all images and
    /// classes, -1 to 1; none when one of them says the same everywhere.
    pub correlation: Option<f64>,
    /// Pearson's correlation of being wrong, over the images with a known
    /// label, -1 to 1; none when one of them is always or never wrong.
    pub error_correlation: Option<f64>,
}

/// How alike the members of an ensemble are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Every pair, ordered by the ids.
    pub pairs: Vec<PairAgreement>,
    /// The share of images that all members decide the same, 0 to 1; 1 when
    /// there are no images.
    pub unanimous: f64,
}

/// Compares members in pairs. `labels` may be empty; where it has an image's
/// label, being wrong is compared too.
///
/// # Errors
/// When members do not cover the same images and classes.
pub fn agreement(
    members: &[Ballot<'_>],
    labels: &BTreeMap<ImageId, ClassIndex>,
) -> Result<Agreement, VoteError> {
    let members = ordered(members)?;
    let images = members[0].probabilities.images();
    let decisions: Vec<Vec<ClassIndex>> = members
        .iter()
        .map(|member| member.probabilities.rows().map(|(_, row)| argmax(row)).collect())
        .collect();
    let wrong = |decisions: &[ClassIndex]| -> Vec<f64> {
        let known =
            images.iter().zip(decisions).filter_map(|(image, decision)| Some((labels.get(image)?, decision)));
        known.map(|(label, decision)| f64::from(u8::from(label != decision))).collect()
    };
    let errors: Vec<Vec<f64>> = decisions.iter().map(|decisions| wrong(decisions)).collect();

    let mut pairs = Vec::new();
    for one in 0..members.len() {
        for other in one + 1..members.len() {
            let differing = decisions[one].iter().zip(&decisions[other]).filter(|(a, b)| a != b).count();
            let values = |place: usize| members[place].probabilities.values().iter().map(|&p| f64::from(p));
            pairs.push(PairAgreement {
                one: members[one].predictions,
                other: members[other].predictions,
                disagreement: share(differing, images.len()).unwrap_or(0.0),
                kappa: kappa(&decisions[one], &decisions[other]),
                correlation: correlation(values(one), values(other)),
                error_correlation: correlation(errors[one].iter().copied(), errors[other].iter().copied()),
            });
        }
    }
    let same = |place: &usize| decisions.iter().all(|member| member[*place] == decisions[0][*place]);
    let unanimous = share((0..images.len()).filter(same).count(), images.len()).unwrap_or(1.0);
    Ok(Agreement { pairs, unanimous })
}

/// Cohen's kappa of two raters' decisions on the same images.
fn kappa(one: &[ClassIndex], other: &[ClassIndex]) -> Option<f64> {
    let count = |decisions: &[ClassIndex]| {
        let mut counts: BTreeMap<ClassIndex, u64> = BTreeMap::new();
        decisions.iter().for_each(|class| *counts.entry(*class).or_insert(0) += 1);
        counts
    };
    let (total, counts) = (one.len() as u64, count(other));
    let agreeing = one.iter().zip(other).filter(|(a, b)| a == b).count() as u64;
    let by_chance = count(one).iter().map(|(class, n)| n * counts.get(class).unwrap_or(&0)).sum::<u64>();
    // In whole numbers, so that no rounding decides whether it is defined.
    let (agreeing, whole) = (agreeing * total, total * total);
    (by_chance < whole).then(|| (agreeing as f64 - by_chance as f64) / (whole - by_chance) as f64)
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Pearson's correlation of two series of equal length, in two passes.
fn correlation(
    one: impl Iterator<Item = f64> + Clone,
    other: impl Iterator<Item = f64> + Clone,
) -> Option<f64> {
    let count = one.clone().count() as f64;
    let (mean_one, mean_other) = (one.clone().sum::<f64>() / count, other.clone().sum::<f64>() / count);
    let (mut product, mut square_one, mut square_other) = (0.0, 0.0, 0.0);
    for (a, b) in one.zip(other) {
        let (a, b) = (a - mean_one, b - mean_other);
        product += a * b;
        square_one += a * a;
        square_other += b * b;
    }
    let scale = square_one.sqrt() * square_other.sqrt();
    // A constant series leaves only rounding errors of its mean.
    (scale > count * 1e-24).then(|| (product / scale).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::Probabilities;

    #[test]
    fn kappa_is_what_cohen_defines() {
        let classes = |codes: &[u16]| codes.iter().map(|code| ClassIndex(*code)).collect::<Vec<_>>();
        // 20 + 15 of 50 agree, by chance half would: (0.7 - 0.5) / (1 - 0.5).
        let table = [(0, 0, 20), (0, 1, 5), (1, 0, 10), (1, 1, 15)];
        let rater = |pick: fn(&(u16, u16, usize)) -> u16| {
            classes(&table.iter().flat_map(|row| vec![pick(row); row.2]).collect::<Vec<_>>())
        };
        let value = kappa(&rater(|row| row.0), &rater(|row| row.1)).expect("defined");
        assert!((value - 0.4).abs() < 1e-12, "{value}");
        assert_eq!(kappa(&classes(&[0, 1]), &classes(&[1, 0])), Some(-1.0));
        assert_eq!(kappa(&classes(&[2, 2]), &classes(&[2, 2])), None);
        assert_eq!(kappa(&[], &[]), None);
    }

    fn image(n: u8) -> ImageId {
        ImageId([n; 16])
    }

    fn of(first: &[f32]) -> Probabilities {
        let values = first.iter().flat_map(|&p| [p, 1.0 - p]).collect();
        Probabilities::new(2, (0..first.len() as u8).map(image).collect(), values).unwrap()
    }

    #[test]
    fn pairs_are_compared_by_decision_probability_and_error() {
        let three =
            [of(&[0.75, 0.25, 0.75, 1.0]), of(&[0.25, 0.75, 0.25, 0.0]), of(&[0.75, 0.25, 0.25, 1.0])];
        let members: Vec<_> = (1u8..)
            .zip(&three)
            .map(|(n, probabilities)| Ballot {
                predictions: PredictionsId([n; 16]),
                weight: 1.0,
                probabilities,
            })
            .collect();
        let labels =
            [0, 1, 1].into_iter().zip(0u8..).map(|(label, n)| (image(n), ClassIndex(label))).collect();
        let report = agreement(&members, &labels).unwrap();
        assert_eq!(report.pairs.len(), 3);
        assert_eq!(report.unanimous, 0.0);
        let [first, second, third] = report.pairs[..] else { panic!() };
        assert_eq!(
            (first.disagreement, first.correlation, first.error_correlation),
            (1.0, Some(-1.0), Some(-1.0))
        );
        assert_eq!((second.one, second.other), (PredictionsId([1; 16]), PredictionsId([3; 16])));
        assert_eq!(second.disagreement, 0.25);
        // By hand: deviations .25 -.25 .25 .5 against .25 -.25 -.25 .5, both ways round.
        assert!((second.correlation.unwrap() - 0.3125 / 0.4375).abs() < 1e-12);
        // The third is never wrong where labels are known.
        assert_eq!((second.error_correlation, third.error_correlation), (None, None));
        assert_eq!(third.disagreement, 0.75);
    }

    #[test]
    fn without_images_labels_or_variation_nothing_is_made_up() {
        let flat = of(&[0.5, 0.5, 0.5]);
        let none = of(&[]);
        let pair = |probabilities| {
            [1, 2].map(|n| Ballot { predictions: PredictionsId([n; 16]), weight: 1.0, probabilities })
        };
        for probabilities in [&flat, &none] {
            let report = agreement(&pair(probabilities), &BTreeMap::new()).unwrap();
            assert_eq!(report.pairs[0].correlation, None);
            assert_eq!(report.pairs[0].error_correlation, None);
            assert_eq!((report.pairs[0].disagreement, report.unanimous), (0.0, 1.0));
        }
    }
}
