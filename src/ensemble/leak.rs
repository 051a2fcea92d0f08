//! Members that know each other's validation images.
//!
//! A member's accuracy on images that another one learned from says nothing of
//! the two together, and members that were chosen or weighted by it were chosen
//! by what some of them had seen.

use std::collections::BTreeSet;

use safelight_lineage::id::{ImageId, PredictionsId};
use safelight_lineage::query::removals;
use safelight_lineage::state::State;
use serde::Serialize;

use crate::runs::learned::Learned;

/// One member learned from what another one was validated by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// Who learned.
    pub learner: PredictionsId,
    /// Whose validation images.
    pub validated: PredictionsId,
    /// How many of those the learner was trained on.
    pub images: usize,
    /// How many others look the same as one that the learner was trained on, by
    /// the findings of a cleaning pass.
    pub twins: usize,
    /// How many validation images there are.
    pub of: usize,
}

/// Every leak among members, and within one member by near-duplicates; `twins`
/// are pairs of images that look the same, in either order.
pub fn leaks(members: &[(PredictionsId, Learned)], twins: &BTreeSet<(ImageId, ImageId)>) -> Vec<Leak> {
    let mut found = Vec::new();
    for (learner, learned) in members {
        for (validated, other) in members {
            let images = other.valid.intersection(&learned.train).count();
            let twin_known = |image: &&ImageId| {
                !learned.train.contains(*image)
                    && twins
                        .range((**image, ImageId([0; 16]))..=(**image, ImageId([255; 16])))
                        .any(|(_, twin)| learned.train.contains(twin))
            };
            let twins = other.valid.iter().filter(twin_known).count();
            if images + twins > 0 {
                let of = other.valid.len();
                found.push(Leak { learner: *learner, validated: *validated, images, twins, of });
            }
        }
    }
    found
}

/// Pairs of images that look the same by the findings of duplicate and leakage
/// rules, both ways round, without those that a removal settled.
pub fn twins<'a>(
    state: &State,
    findings: impl Iterator<Item = &'a crate::clean::Finding>,
) -> BTreeSet<(ImageId, ImageId)> {
    let gone: BTreeSet<ImageId> =
        removals(state).filter(|removal| removal.still_removed).map(|removal| removal.image).collect();
    let mut pairs = BTreeSet::new();
    for finding in findings {
        for twin in &finding.related {
            if !gone.contains(&finding.image) && !gone.contains(twin) {
                pairs.insert((finding.image, *twin));
                pairs.insert((*twin, finding.image));
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(n: u8) -> ImageId {
        ImageId([n; 16])
    }

    fn learned(train: &[u8], valid: &[u8]) -> Learned {
        Learned {
            train: train.iter().copied().map(image).collect(),
            valid: valid.iter().copied().map(image).collect(),
        }
    }

    #[test]
    fn what_one_learned_and_another_was_validated_by_is_counted() {
        let id = |n| PredictionsId([n; 16]);
        let members = [
            (id(1), learned(&[1, 2, 3], &[4, 5])),
            (id(2), learned(&[1, 2, 4], &[3, 5])),
            (id(3), Learned::default()),
        ];
        let leak = |learner, validated, images, twins| Leak {
            learner: id(learner),
            validated: id(validated),
            images,
            twins,
            of: 2,
        };
        assert_eq!(leaks(&members, &BTreeSet::new()), [leak(1, 2, 1, 0), leak(2, 1, 1, 0)]);
        // 5 looks like 2, which both learned from.
        let twins = [(image(5), image(2)), (image(2), image(5))].into();
        let found = leaks(&members, &twins);
        assert_eq!(found, [leak(1, 1, 0, 1), leak(1, 2, 1, 1), leak(2, 1, 1, 1), leak(2, 2, 0, 1)]);
        // One split for all: nothing leaks.
        let same = [(id(1), learned(&[1, 2], &[3])), (id(2), learned(&[1, 2], &[3]))];
        assert_eq!(leaks(&same, &BTreeSet::new()), []);
    }
}
