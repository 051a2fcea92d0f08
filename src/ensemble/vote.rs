//! The vote: members' probabilities become one decision for each image.

use safelight_lineage::digest::Hasher;
use safelight_lineage::event::VoteRule;
use safelight_lineage::id::{ImageId, PredictionsId};
use safelight_lineage::value::ClassIndex;

use super::votes::Votes;
use crate::predictions::{Probabilities, argmax};

/// Scores this close to the best, relative to it, are equal to it. Without it
/// weights of 0.1 and 0.2 would lose to one of 0.3 by the rounding of their sum.
const EQUAL: f64 = 1e-12;

/// One member of a vote.
#[derive(Debug, Clone, Copy)]
pub struct Ballot<'a> {
    /// Names its predictions; no two members have the same.
    pub predictions: PredictionsId,
    /// Its weight, finite and above zero; does not matter under majority.
    pub weight: f64,
    /// Its probabilities.
    pub probabilities: &'a Probabilities,
}

/// Why members cannot vote together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VoteError {
    /// There are no members.
    #[error("an ensemble needs at least one member")]
    NoMembers,
    /// There are more members than a votes blob can hold.
    #[error("{members} members; at most 65535 can vote")]
    TooManyMembers {
        /// How many.
        members: usize,
    },
    /// A member is named twice.
    #[error("{member} is a member twice")]
    DuplicateMember {
        /// Which.
        member: PredictionsId,
    },
    /// A weight has no meaning.
    #[error("the weight of {member} is {weight}; weights are finite and above zero")]
    Weight {
        /// Whose.
        member: PredictionsId,
        /// What was given.
        weight: f64,
    },
    /// A member knows another number of classes.
    #[error("{member} predicts {actual} classes where {reference} predicts {expected}")]
    Classes {
        /// Whose.
        member: PredictionsId,
        /// The member that it is compared with.
        reference: PredictionsId,
        /// The classes of that one.
        expected: usize,
        /// Its own.
        actual: usize,
    },
    /// A member lacks images that another one has.
    #[error("{member} lacks {} images that {reference} has", missing.len())]
    Missing {
        /// Whose.
        member: PredictionsId,
        /// The member that has them.
        reference: PredictionsId,
        /// The images, ascending.
        missing: Vec<ImageId>,
    },
}

/// The members in their one order, after checking that they fit together.
pub(super) fn ordered<'a>(members: &[Ballot<'a>]) -> Result<Vec<Ballot<'a>>, VoteError> {
    let mut members = members.to_vec();
    members.sort_by_key(|member| member.predictions);
    let Some(reference) = members.first().copied() else { return Err(VoteError::NoMembers) };
    if members.len() > usize::from(u16::MAX) {
        return Err(VoteError::TooManyMembers { members: members.len() });
    }
    if let Some(pair) = members.windows(2).find(|pair| pair[0].predictions == pair[1].predictions) {
        return Err(VoteError::DuplicateMember { member: pair[1].predictions });
    }
    for member in &members {
        let (expected, actual) = (reference.probabilities.classes(), member.probabilities.classes());
        if expected != actual {
            return Err(VoteError::Classes {
                member: member.predictions,
                reference: reference.predictions,
                expected,
                actual,
            });
        }
        lacks(member, &reference)?;
        lacks(&reference, member)?;
    }
    Ok(members)
}

fn lacks(member: &Ballot<'_>, reference: &Ballot<'_>) -> Result<(), VoteError> {
    let (mine, theirs) = (member.probabilities.images(), reference.probabilities.images());
    if mine == theirs {
        return Ok(());
    }
    let missing: Vec<ImageId> =
        theirs.iter().filter(|image| mine.binary_search(image).is_err()).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(VoteError::Missing { member: member.predictions, reference: reference.predictions, missing })
}

/// Chooses one of `tied` classes, which must not be empty, by a hash of the
/// seed and the image: at random, but always the same.
pub fn break_tie(tied: &[ClassIndex], tie_seed: u64, image: ImageId) -> ClassIndex {
    let mut hasher = Hasher::derive_key("safelight 2026-11-24 vote tie v1");
    hasher.update(&tie_seed.to_le_bytes()).update(image.as_bytes());
    tied[(hasher.finish_u64() % tied.len() as u64) as usize]
}

/// Lets the members vote on every image.
///
/// Under *majority* each member has one vote for its most probable class (of
/// equals the lowest index), under *weighted* that vote counts its weight, and
/// under *soft* the weighted sum of the probabilities decides. Classes whose
/// score is equal to the best (within a relative 1e-12) are tied, and
/// [`break_tie`] chooses among them. The order of `members` decides nothing.
///
/// # Errors
/// When members do not cover the same images and classes, or a weight is not
/// finite and above zero (under majority weights are not looked at).
pub fn vote(members: &[Ballot<'_>], rule: VoteRule, tie_seed: u64) -> Result<Votes, VoteError> {
    let members = ordered(members)?;
    if rule != VoteRule::Majority
        && let Some(member) =
            members.iter().find(|member| !(member.weight > 0.0 && member.weight.is_finite()))
    {
        return Err(VoteError::Weight { member: member.predictions, weight: member.weight });
    }
    let first = members[0].probabilities;
    let (classes, count) = (first.classes(), first.len());
    let mut votes = Votes {
        rule,
        tie_seed,
        classes: classes as u16,
        members: members.len() as u16,
        images: first.images().to_vec(),
        ballots: Vec::with_capacity(count * members.len()),
        decisions: Vec::with_capacity(count),
        ties: Vec::with_capacity(count),
    };
    let mut scores = vec![0.0; classes];
    for place in 0..count {
        scores.fill(0.0);
        for member in &members {
            let row = &member.probabilities.values()[place * classes..(place + 1) * classes];
            let choice = argmax(row);
            votes.ballots.push(choice);
            match rule {
                VoteRule::Majority => scores[usize::from(choice.0)] += 1.0,
                VoteRule::Weighted => scores[usize::from(choice.0)] += member.weight,
                VoteRule::Soft => {
                    for (score, probability) in scores.iter_mut().zip(row) {
                        *score += member.weight * f64::from(*probability);
                    }
                }
            }
        }
        let tied = best(&scores);
        votes.decisions.push(break_tie(&tied, tie_seed, votes.images[place]));
        votes.ties.push(tied.len() > 1);
    }
    Ok(votes)
}

/// The classes with the best score, ascending; never none.
fn best(scores: &[f64]) -> Vec<ClassIndex> {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let enough = most * (1.0 - EQUAL);
    (0u16..).zip(scores).filter(|(_, score)| **score >= enough).map(|(class, _)| ClassIndex(class)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn member(n: u8) -> PredictionsId {
        PredictionsId([n; 16])
    }

    fn image(n: u16) -> ImageId {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        ImageId(id)
    }

    /// One row for each choice, sure of it.
    fn sure(classes: usize, choices: &[usize]) -> Probabilities {
        let values = choices
            .iter()
            .flat_map(|&choice| (0..classes).map(move |class| f32::from(u8::from(class == choice))));
        Probabilities::new(classes, (0..choices.len() as u16).map(image).collect(), values.collect()).unwrap()
    }

    fn ballots<'a>(probabilities: &'a [Probabilities], weights: &[f64]) -> Vec<Ballot<'a>> {
        (1u8..)
            .zip(probabilities.iter().zip(weights))
            .map(|(n, (probabilities, &weight))| Ballot { predictions: member(n), weight, probabilities })
            .collect()
    }

    #[test]
    fn each_rule_decides_in_its_way() {
        let image = vec![image(0)];
        let row = |values: [f32; 3]| Probabilities::new(3, image.clone(), values.to_vec()).unwrap();
        let three = [row([0.5, 0.25, 0.25]), row([0.5, 0.25, 0.25]), row([0.0, 0.0, 1.0])];
        let decide = |rule, weights: [f64; 3]| {
            let votes = vote(&ballots(&three, &weights), rule, 0).unwrap();
            (votes.decisions()[0].0, votes.tied())
        };
        assert_eq!(decide(VoteRule::Majority, [1.0, 1.0, 9.0]), (0, 0));
        assert_eq!(decide(VoteRule::Weighted, [1.0, 1.0, 3.0]), (2, 0));
        assert_eq!(decide(VoteRule::Soft, [1.0, 1.0, 1.0]), (2, 0));
        assert_eq!(decide(VoteRule::Soft, [3.0, 3.0, 1.0]), (0, 0));
        // 0.1 + 0.2 is more than 0.3 in binary, and still a tie.
        assert_eq!(decide(VoteRule::Weighted, [0.1, 0.2, 0.1 + 0.2]).1, 1);
        assert_eq!(decide(VoteRule::Weighted, [0.1, 0.2, 0.3]).1, 1);
    }

    #[test]
    fn ballots_are_in_the_order_of_member_ids() {
        let two = [sure(3, &[2]), sure(3, &[1])];
        let mut members = ballots(&two, &[1.0, 1.0]);
        members.reverse();
        let votes = vote(&members, VoteRule::Majority, 0).unwrap();
        let row = votes.row(image(0)).unwrap();
        assert_eq!(row.ballots, [ClassIndex(2), ClassIndex(1)]);
        assert!(row.tie);
    }

    #[test]
    fn members_that_do_not_fit_are_named() {
        assert_eq!(vote(&[], VoteRule::Majority, 0), Err(VoteError::NoMembers));
        let mixed = [sure(3, &[0, 1]), sure(3, &[0]), sure(2, &[0, 1])];
        let members = ballots(&mixed, &[1.0; 3]);
        assert_eq!(
            vote(&members[..2], VoteRule::Majority, 0),
            Err(VoteError::Missing { member: member(2), reference: member(1), missing: vec![image(1)] })
        );
        let reversed = [sure(3, &[0]), sure(3, &[0, 1])];
        assert_eq!(
            vote(&ballots(&reversed, &[1.0; 2]), VoteRule::Majority, 0),
            Err(VoteError::Missing { member: member(1), reference: member(2), missing: vec![image(1)] })
        );
        assert!(matches!(
            vote(&[members[0], members[2]], VoteRule::Majority, 0),
            Err(VoteError::Classes { expected: 3, actual: 2, .. })
        ));
        assert_eq!(
            vote(&[members[0], members[0]], VoteRule::Majority, 0),
            Err(VoteError::DuplicateMember { member: member(1) })
        );
        for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let odd = [Ballot { weight, ..members[0] }];
            assert!(matches!(vote(&odd, VoteRule::Soft, 0), Err(VoteError::Weight { .. })), "{weight}");
            assert!(vote(&odd, VoteRule::Majority, 0).is_ok());
        }
    }

    #[test]
    fn ties_fall_evenly_over_seeds_and_over_images() {
        let tied = [1, 4, 6].map(ClassIndex);
        let count = |choices: &mut dyn Iterator<Item = ClassIndex>| {
            let mut counts = [0; 8];
            choices.for_each(|choice| counts[usize::from(choice.0)] += 1);
            counts
        };
        let over_seeds = count(&mut (0..3000).map(|seed| break_tie(&tied, seed, image(7))));
        let over_images = count(&mut (0..3000).map(|n| break_tie(&tied, 7, image(n))));
        for counts in [over_seeds, over_images] {
            assert_eq!(counts.iter().sum::<i32>(), counts[1] + counts[4] + counts[6]);
            // Five standard deviations of a fair choice.
            assert!([1, 4, 6].iter().all(|&class| (871..=1129).contains(&counts[class])), "{counts:?}");
        }
    }

    proptest! {
        #[test]
        fn majority_decides_among_those_with_most_votes_in_any_order_of_members(
            choices in prop::collection::vec(prop::collection::vec(0usize..4, 6), 1..7),
            seed: u64,
            shuffle: u64,
        ) {
            let probabilities: Vec<_> = choices.iter().map(|choices| sure(4, choices)).collect();
            let mut members = ballots(&probabilities, &[1.0; 7]);
            let votes = vote(&members, VoteRule::Majority, seed).unwrap();
            for row in votes.rows() {
                let count = |class| row.ballots.iter().filter(|ballot| **ballot == class).count();
                let most = (0..4).map(|class| count(ClassIndex(class))).max().unwrap();
                let winners: Vec<_> = (0..4).map(ClassIndex).filter(|class| count(*class) == most).collect();
                prop_assert!(winners.contains(&row.decision));
                prop_assert_eq!(row.tie, winners.len() > 1);
            }
            members.sort_by_key(|member| u64::from(member.predictions.0[0]).wrapping_mul(shuffle | 1));
            prop_assert_eq!(vote(&members, VoteRule::Majority, seed).unwrap(), votes);
        }

        #[test]
        fn order_of_members_decides_nothing_under_any_rule(
            parts in prop::collection::vec(prop::collection::vec(prop::collection::vec(1u8..4, 3), 5), 2..6),
            weights in prop::collection::vec(1u8..4, 6),
            rule in prop::sample::select(vec![VoteRule::Majority, VoteRule::Weighted, VoteRule::Soft]),
            seed: u64,
            turn in 0usize..6,
        ) {
            let probabilities: Vec<_> = parts.iter().map(|rows| {
                let values = rows.iter().flat_map(|row| {
                    let sum: f32 = row.iter().map(|&part| f32::from(part)).sum();
                    row.iter().map(move |&part| f32::from(part) / sum)
                }).collect();
                Probabilities::new(3, (0..5).map(image).collect(), values).unwrap()
            }).collect();
            let weights: Vec<f64> = weights.iter().map(|&weight| f64::from(weight) / 10.0).collect();
            let mut members = ballots(&probabilities, &weights);
            let votes = vote(&members, rule, seed).unwrap();
            let turn = turn % members.len();
            members.rotate_left(turn);
            prop_assert_eq!(&vote(&members, rule, seed).unwrap(), &votes);
            members.reverse();
            prop_assert_eq!(&vote(&members, rule, seed).unwrap(), &votes);
            prop_assert_eq!(Votes::from_bytes(&votes.to_bytes()), Ok(votes));
        }
    }
}
