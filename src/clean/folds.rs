//! Which images are kept from which model, so that every image is judged by
//! one that has not seen it.

use std::collections::HashMap;

use safelight_lineage::digest::Hasher;
use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

use super::hamming::joined_groups;

/// An image to put into a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldSample {
    /// The image.
    pub image: ImageId,
    /// Its label.
    pub label: Option<ClassIndex>,
}

/// Why images cannot be put into folds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// One fold leaves nothing to learn from.
    #[error("{k} folds; at least 2 are needed")]
    TooFewFolds {
        /// How many were asked for.
        k: u8,
    },
    /// Some fold would be empty.
    #[error("{samples} images, of which near-duplicates stay together, do not fill {k} folds")]
    TooFewSamples {
        /// How many images.
        samples: usize,
        /// How many folds.
        k: u8,
    },
    /// An image is given twice.
    #[error("image {image} is given twice")]
    Duplicate {
        /// Which.
        image: ImageId,
    },
}

/// Puts each of `samples` into one of `k` folds, 0 to `k - 1`, in the order
/// given.
///
/// Every label is spread as evenly as can be, and so is the whole: without
/// groups, folds differ by at most one image of each label. Images of one of
/// `groups` are together (groups that share an image are one; images not in
/// `samples` are passed over). The choice is by hash(seed, image id), so the
/// order of samples and groups decides nothing.
///
/// # Errors
/// When `k` is below 2, a fold would be empty, or an image is given twice.
pub fn folds(
    samples: &[FoldSample],
    k: u8,
    seed: u64,
    groups: &[Vec<ImageId>],
) -> Result<Vec<u8>, FoldError> {
    if k < 2 {
        return Err(FoldError::TooFewFolds { k });
    }
    let mut places: HashMap<ImageId, usize> = HashMap::with_capacity(samples.len());
    for (place, sample) in samples.iter().enumerate() {
        if places.insert(sample.image, place).is_some() {
            return Err(FoldError::Duplicate { image: sample.image });
        }
    }
    let known =
        groups.iter().map(|group| group.iter().filter_map(|image| places.get(image).copied()).collect());
    let units = units(samples, seed, joined_groups(samples.len(), known));
    if units.len() < usize::from(k) {
        return Err(FoldError::TooFewSamples { samples: samples.len(), k });
    }

    let mut folds = vec![0; samples.len()];
    let mut sizes = vec![0usize; usize::from(k)];
    let mut by_label: HashMap<(u8, Option<ClassIndex>), usize> = HashMap::new();
    for unit in units {
        let crowding = |fold: u8| -> usize {
            let count = |place: &usize| by_label.get(&(fold, samples[*place].label)).copied().unwrap_or(0);
            unit.iter().map(count).sum()
        };
        // Of equals the fold with fewest images, then the first.
        let fold = (0..k).min_by_key(|&fold| (crowding(fold), sizes[usize::from(fold)])).unwrap_or(0);
        sizes[usize::from(fold)] += unit.len();
        for place in unit {
            folds[place] = fold;
            *by_label.entry((fold, samples[place].label)).or_default() += 1;
        }
    }
    if sizes.contains(&0) {
        return Err(FoldError::TooFewSamples { samples: samples.len(), k });
    }
    Ok(folds)
}

/// Images that go together, in the order in which they are placed: large groups
/// first, while there is room to even them out, then images by label, each in
/// the order of their hashes.
fn units(samples: &[FoldSample], seed: u64, groups: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let key = |place: usize| {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 fold v1");
        hasher.update(&seed.to_le_bytes()).update(samples[place].image.as_bytes());
        (hasher.finish_u64(), samples[place].image)
    };
    let mut grouped = vec![false; samples.len()];
    groups.iter().flatten().for_each(|place| grouped[*place] = true);
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|group| (std::cmp::Reverse(group.len()), group.iter().map(|place| key(*place)).min(), group))
        .collect();
    groups.sort_by_key(|group| (group.0, group.1));
    let mut singles: Vec<_> = (0..samples.len())
        .filter(|place| !grouped[*place])
        // Labelled images first; those without are spread by size alone.
        .map(|place| (samples[place].label.is_none(), samples[place].label, key(place), place))
        .collect();
    singles.sort_unstable();
    let singles = singles.into_iter().map(|(_, _, _, place)| vec![place]);
    groups.into_iter().map(|(_, _, group)| group).chain(singles).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples(labels: &[Option<u16>]) -> Vec<FoldSample> {
        (0u16..)
            .zip(labels)
            .map(|(n, label)| {
                let mut image = [0; 16];
                image[..2].copy_from_slice(&n.to_be_bytes());
                FoldSample { image: ImageId(image), label: label.map(ClassIndex) }
            })
            .collect()
    }

    fn spread(counts: &[usize]) -> usize {
        counts.iter().max().unwrap() - counts.iter().min().unwrap()
    }

    #[test]
    fn the_seed_decides() {
        let samples = samples(&[Some(0); 40]);
        let first = folds(&samples, 4, 1, &[]).unwrap();
        assert_eq!(folds(&samples, 4, 1, &[]).unwrap(), first);
        assert_ne!(folds(&samples, 4, 2, &[]).unwrap(), first);
        // Runs and replays of old versions depend on it.
        assert_eq!(first[..8], [3, 0, 0, 3, 3, 2, 2, 2]);
    }

    #[test]
    fn impossible_folds_are_refused() {
        let three = samples(&[Some(0), Some(0), None]);
        assert_eq!(folds(&three, 1, 0, &[]), Err(FoldError::TooFewFolds { k: 1 }));
        assert_eq!(folds(&three, 4, 0, &[]), Err(FoldError::TooFewSamples { samples: 3, k: 4 }));
        let together = [vec![three[0].image, three[2].image]];
        assert_eq!(folds(&three, 3, 0, &together), Err(FoldError::TooFewSamples { samples: 3, k: 3 }));
        assert!(folds(&three, 3, 0, &[]).is_ok());
        let twice = [three[0], three[0]];
        assert_eq!(folds(&twice, 2, 0, &[]), Err(FoldError::Duplicate { image: three[0].image }));
    }

    proptest! {
        #[test]
        fn labels_and_sizes_are_even_without_groups(
            labels in prop::collection::vec(prop::option::of(0u16..4), 10..120),
            k in 2u8..8,
            seed: u64,
        ) {
            let samples = samples(&labels);
            let folds = folds(&samples, k, seed, &[]).unwrap();
            let sizes = |of: &dyn Fn(usize) -> bool| -> Vec<usize> {
                (0..k).map(|fold| (0..folds.len()).filter(|&place| folds[place] == fold && of(place)).count()).collect()
            };
            for label in [None, Some(0), Some(1), Some(2), Some(3)] {
                prop_assert!(spread(&sizes(&|place| labels[place] == label)) <= 1);
            }
            prop_assert!(spread(&sizes(&|_| true)) <= 1);
        }

        #[test]
        fn groups_stay_together_and_order_decides_nothing(
            labels in prop::collection::vec(prop::option::of(0u16..3), 60..90),
            links in prop::collection::vec((0usize..60, 0usize..60), 0..8),
            seed: u64,
            turn in 0usize..60,
        ) {
            let samples = samples(&labels);
            let stranger = ImageId([255; 16]);
            let groups: Vec<Vec<ImageId>> =
                links.iter().map(|(a, b)| vec![samples[*a].image, stranger, samples[*b].image]).collect();
            let folds = folds(&samples, 5, seed, &groups).unwrap();
            for (a, b) in &links {
                prop_assert_eq!(folds[*a], folds[*b]);
            }
            let (mut turned, mut expected, mut backwards) = (samples, folds, groups);
            turned.rotate_left(turn);
            expected.rotate_left(turn);
            backwards.reverse();
            prop_assert_eq!(super::folds(&turned, 5, seed, &backwards).unwrap(), expected);
        }
    }
}
