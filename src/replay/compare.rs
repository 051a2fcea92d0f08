//! By how much recomputed probabilities differ from recorded ones.

use super::receipt::Difference;
use crate::predictions::{Probabilities, argmax};

/// Probabilities that differ by at most this much everywhere are equal within
/// tolerance: other kernels round otherwise, and through fifty layers that adds
/// up to about a ten-thousandth. A changed weight or image shows far beyond it.
pub const TOLERANCE: f64 = 1e-3;

/// How two sets of probabilities of the same images and classes differ; none
/// when they are for others.
pub fn difference(recorded: &Probabilities, here: &Probabilities) -> Option<Difference> {
    if recorded.images() != here.images() || recorded.classes() != here.classes() {
        return None;
    }
    let pairs = recorded.values().iter().zip(here.values());
    let largest = pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()).fold(0.0, f64::max);
    let rows = recorded.rows().zip(here.rows());
    let equal = rows.filter(|((_, a), (_, b))| argmax(a) == argmax(b)).count();
    let equal_decisions = if recorded.is_empty() { 1.0 } else { equal as f64 / recorded.len() as f64 };
    Some(Difference { largest, equal_decisions })
}

#[cfg(test)]
mod tests {
    use safelight_lineage::id::ImageId;

    use super::*;

    fn of(values: &[f32]) -> Probabilities {
        let images = (0..values.len() as u8 / 2).map(|n| ImageId([n; 16])).collect();
        Probabilities::new(2, images, values.to_vec()).unwrap()
    }

    #[test]
    fn the_largest_difference_and_the_decisions_are_told() {
        let recorded = of(&[0.75, 0.25, 0.5, 0.5]);
        let here = of(&[0.75, 0.25, 0.25, 0.75]);
        let found = difference(&recorded, &here).unwrap();
        assert_eq!((found.largest, found.equal_decisions), (0.25, 0.5));
        assert_eq!(difference(&recorded, &recorded).unwrap().largest, 0.0);
        assert_eq!(difference(&recorded, &of(&[0.5, 0.5])), None);
        assert_eq!(difference(&of(&[]), &of(&[])).unwrap().equal_decisions, 1.0);
    }
}
