//! How well images found match images known to be wrong.

use std::collections::{BTreeSet, HashSet};

use safelight_lineage::id::ImageId;
use serde::Serialize;

/// How well images found match images known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PrecisionRecall {
    /// Different images found.
    pub found: usize,
    /// Images known to be wrong.
    pub known: usize,
    /// Images in both.
    pub hits: usize,
    /// Hits by found, 0 to 1; none when nothing was found.
    pub precision: Option<f64>,
    /// Hits by known, 0 to 1; none when nothing is known to be wrong.
    pub recall: Option<f64>,
}

/// Compares images found, in any order, with those known to be wrong.
pub fn precision_recall(
    found: impl IntoIterator<Item = ImageId>,
    known: &BTreeSet<ImageId>,
) -> PrecisionRecall {
    let found: HashSet<ImageId> = found.into_iter().collect();
    let hits = found.iter().filter(|image| known.contains(*image)).count();
    let share = |whole: usize| (whole > 0).then(|| hits as f64 / whole as f64);
    PrecisionRecall {
        found: found.len(),
        known: known.len(),
        hits,
        precision: share(found.len()),
        recall: share(known.len()),
    }
}

/// The area under precision by recall of a ranking, worst first: the mean of
/// the precision at each hit, where images never ranked count as missed. It is
/// scikit-learn's `average_precision_score` where no scores are equal. 0 to 1;
/// none when nothing is known to be wrong.
pub fn average_precision(
    ranked: impl IntoIterator<Item = ImageId>,
    known: &BTreeSet<ImageId>,
) -> Option<f64> {
    let mut seen = HashSet::new();
    let (mut hits, mut sum) = (0usize, 0.0);
    for image in ranked {
        if seen.insert(image) && known.contains(&image) {
            hits += 1;
            sum += hits as f64 / seen.len() as f64;
        }
    }
    (!known.is_empty()).then(|| sum / known.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(n: &[u8]) -> Vec<ImageId> {
        n.iter().map(|n| ImageId([*n; 16])).collect()
    }

    #[test]
    fn precision_and_recall_count_each_image_once() {
        let known = ids(&[1, 2, 3, 4]).into_iter().collect();
        let result = precision_recall(ids(&[1, 1, 9, 2, 8, 7]), &known);
        assert_eq!((result.found, result.known, result.hits), (5, 4, 2));
        assert_eq!((result.precision, result.recall), (Some(0.4), Some(0.5)));
        let nothing = precision_recall(ids(&[]), &BTreeSet::new());
        assert_eq!((nothing.precision, nothing.recall), (None, None));
    }

    #[test]
    fn average_precision_is_scikit_learns() {
        let known = ids(&[1, 2]).into_iter().collect();
        // average_precision_score([1, 0, 1, 0], [4, 3, 2, 1]) = 1/2 · 1 + 1/2 · 2/3
        assert_eq!(average_precision(ids(&[1, 9, 2, 8]), &known), Some((1.0 + 2.0 / 3.0) / 2.0));
        assert_eq!(average_precision(ids(&[9, 1]), &known), Some(0.25));
        assert_eq!(average_precision(ids(&[1, 1, 2]), &known), Some(1.0));
        assert_eq!(average_precision(ids(&[1]), &BTreeSet::new()), None);
    }
}
