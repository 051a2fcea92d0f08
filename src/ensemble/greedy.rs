//! Choosing members one by one, each time the one that helps most on images
//! with known labels (Caruana et al., "Ensemble Selection from Libraries of
//! Models", ICML 2004, without replacement).

use std::collections::BTreeMap;

use safelight_lineage::event::VoteRule;
use safelight_lineage::id::{ImageId, PredictionsId};
use safelight_lineage::value::ClassIndex;
use serde::Serialize;

use super::vote::{Ballot, VoteError, ordered, vote};

/// Why no members could be chosen.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GreedyError {
    /// The candidates do not fit together.
    #[error(transparent)]
    Vote(#[from] VoteError),
    /// No image that the candidates predicted has a known label.
    #[error("none of the {images} predicted images has a label to choose by")]
    NoLabels {
        /// How many images the candidates predicted.
        images: usize,
    },
}

/// One member added.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GreedyStep {
    /// Which.
    pub added: PredictionsId,
    /// The accuracy of all members up to it, 0 to 1.
    pub accuracy: f64,
}

/// What was chosen and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GreedySelection {
    /// The chosen members, ascending: the shortest run of steps that reaches
    /// the best accuracy.
    pub chosen: Vec<PredictionsId>,
    /// Every step that was tried, also those after the best.
    pub steps: Vec<GreedyStep>,
}

impl GreedySelection {
    /// The accuracy of the chosen members on the images with labels, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.steps[self.chosen.len() - 1].accuracy
    }
}

/// Chooses at most `limit` (at least one) of `candidates`: the best alone, then
/// each time the one with which the vote is right most often; of equals the one
/// with the lowest id. It goes on past steps that do not help, as two members
/// under majority mostly tie, and keeps the shortest run with the best accuracy.
///
/// # Errors
/// When candidates do not cover the same images and classes, a weight is
/// refused, or no image has a label.
pub fn greedy(
    candidates: &[Ballot<'_>],
    labels: &BTreeMap<ImageId, ClassIndex>,
    rule: VoteRule,
    tie_seed: u64,
    limit: usize,
) -> Result<GreedySelection, GreedyError> {
    let mut left = ordered(candidates)?;
    let images = left[0].probabilities.images();
    let expected: Vec<Option<ClassIndex>> = images.iter().map(|image| labels.get(image).copied()).collect();
    let known = expected.iter().flatten().count();
    if known == 0 {
        return Err(GreedyError::NoLabels { images: images.len() });
    }
    let mut members: Vec<Ballot<'_>> = Vec::new();
    let mut steps: Vec<GreedyStep> = Vec::new();
    while !left.is_empty() && members.len() < limit.max(1) {
        let mut best: Option<(usize, usize)> = None;
        for (place, candidate) in left.iter().enumerate() {
            members.push(*candidate);
            let votes = vote(&members, rule, tie_seed)?;
            members.pop();
            let right =
                votes.decisions().iter().zip(&expected).filter(|(d, label)| Some(**d) == **label).count();
            if best.is_none_or(|(_, most)| right > most) {
                best = Some((place, right));
            }
        }
        let Some((place, right)) = best else { break };
        let added = left.remove(place);
        members.push(added);
        steps.push(GreedyStep { added: added.predictions, accuracy: right as f64 / known as f64 });
    }
    let mut length = 0;
    for (place, step) in steps.iter().enumerate() {
        if step.accuracy > steps[length].accuracy {
            length = place;
        }
    }
    let mut chosen: Vec<PredictionsId> = steps[..=length].iter().map(|step| step.added).collect();
    chosen.sort_unstable();
    Ok(GreedySelection { chosen, steps })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::Probabilities;

    fn image(n: usize) -> ImageId {
        ImageId([n as u8; 16])
    }

    fn candidates(all: &[Probabilities]) -> Vec<Ballot<'_>> {
        (1u8..)
            .zip(all)
            .map(|(n, probabilities)| Ballot {
                predictions: PredictionsId([n; 16]),
                weight: 1.0,
                probabilities,
            })
            .collect()
    }

    /// Right (class 1) where the text has a `+`, else wrong.
    fn right_where(text: &str) -> Probabilities {
        let values = text.chars().flat_map(|c| if c == '+' { [0.0, 1.0] } else { [1.0, 0.0] }).collect();
        Probabilities::new(2, (0..text.len()).map(image).collect(), values).unwrap()
    }

    #[test]
    fn unlike_members_are_found_past_a_step_that_does_not_help() {
        let all =
            [right_where("++++--"), right_where("++++--"), right_where("++--++"), right_where("--++++")];
        let labels = (0..6).map(|n| (image(n), ClassIndex(1))).collect();
        let selection = greedy(&candidates(&all), &labels, VoteRule::Majority, 3, 4).unwrap();
        let ids = |n: &[u8]| n.iter().map(|n| PredictionsId([*n; 16])).collect::<Vec<_>>();
        assert_eq!(selection.accuracy(), 1.0);
        assert_eq!(selection.chosen, ids(&[1, 3, 4]));
        assert_eq!(selection.steps.len(), 4);
        assert_eq!(selection.steps[0], GreedyStep { added: PredictionsId([1; 16]), accuracy: 4.0 / 6.0 });
        let one = greedy(&candidates(&all), &labels, VoteRule::Majority, 3, 0).unwrap();
        assert_eq!(one.chosen, ids(&[1]));
    }

    #[test]
    fn only_images_with_labels_count() {
        let all = [right_where("++--"), right_where("-+++")];
        let labels = [(image(0), ClassIndex(1))].into();
        let selection = greedy(&candidates(&all), &labels, VoteRule::Majority, 0, 1).unwrap();
        assert_eq!(selection.chosen, [PredictionsId([1; 16])]);
        assert_eq!(selection.accuracy(), 1.0);
        let none = greedy(&candidates(&all), &BTreeMap::new(), VoteRule::Majority, 0, 1);
        assert_eq!(none, Err(GreedyError::NoLabels { images: 4 }));
        assert_eq!(
            greedy(&[], &labels, VoteRule::Majority, 0, 1),
            Err(GreedyError::Vote(VoteError::NoMembers))
        );
    }
}
