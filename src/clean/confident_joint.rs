//! How often which given label seems to be which true one, and so how many
//! images of each pair confident learning takes out.
//!
//! Source: cleanlab 2.9 `count.py` and `filter.py`, all sums in numpy's order.

use super::confident_learning::LabelledRows;
use super::summation::{pairwise_sum, round_preserving_sum};

/// cleanlab's `CONFIDENT_THRESHOLDS_LOWER_BOUND`.
const LOWEST_THRESHOLD: f64 = 2e-6;
/// cleanlab's threshold of a class that no image has: out of reach.
const ABSENT: f64 = 2.0;
/// cleanlab's `FLOATING_POINT_COMPARISON`.
const SLACK: f64 = 1e-6;

/// The confident joint and what it rests on.
pub(super) struct ConfidentJoint {
    classes: usize,
    /// Images by given label.
    sizes: Vec<usize>,
    /// Row-major: given label by seeming label.
    counts: Vec<f64>,
    /// For every image: counted, and under another label than its own.
    pub off_diagonal: Vec<bool>,
}

impl ConfidentJoint {
    /// Counts images that are confidently of a class: their probability of it
    /// reaches the mean that images so labelled have.
    pub fn of(rows: &LabelledRows<'_>) -> ConfidentJoint {
        let classes = rows.classes();
        let mut own: Vec<Vec<f64>> = vec![Vec::new(); classes];
        for (label, row) in rows.iter() {
            own[label].push(row[label]);
        }
        let threshold = |own: &Vec<f64>| match own.len() {
            0 => ABSENT,
            count => (pairwise_sum(own) / count as f64).max(LOWEST_THRESHOLD),
        };
        let thresholds: Vec<f64> = own.iter().map(threshold).collect();

        let mut counts = vec![0.0f64; classes * classes];
        let mut off_diagonal = Vec::with_capacity(rows.len());
        for (label, row) in rows.iter() {
            let mut reached = row
                .iter()
                .zip(&thresholds)
                .enumerate()
                .filter(|(_, (p, t))| **p >= *t - SLACK)
                .map(|(c, _)| c);
            let seeming = match (reached.next(), reached.next()) {
                (None, _) => None,
                (Some(only), None) => Some(only),
                // Of several the most probable class of all, reached or not.
                _ => Some(rows.argmax(row)),
            };
            if let Some(seeming) = seeming {
                counts[label * classes + seeming] += 1.0;
            }
            off_diagonal.push(seeming.is_some_and(|seeming| seeming != label));
        }
        for class in 0..classes {
            let diagonal = &mut counts[class * classes + class];
            *diagonal = diagonal.max(1.0);
        }
        ConfidentJoint { classes, sizes: own.iter().map(Vec::len).collect(), counts, off_diagonal }
    }

    /// The joint scaled so that rows count as many images as have the label,
    /// in whole numbers; row-major: given label by seeming label.
    fn calibrated(&self) -> Vec<i64> {
        let classes = self.classes;
        let mut scaled = vec![0.0; classes * classes];
        for given in 0..classes {
            let row = &self.counts[given * classes..(given + 1) * classes];
            let sum: f64 = row.iter().sum();
            for (seeming, count) in row.iter().enumerate() {
                // Seeming label outside, given inside: the order in which numpy
                // adds them up below.
                scaled[seeming * classes + given] = count / sum.max(1e-100) * self.sizes[given] as f64;
            }
        }
        let total = pairwise_sum(&scaled).max(1e-100);
        let images = self.off_diagonal.len() as f64;
        (0..classes)
            .flat_map(|given| {
                let row: Vec<f64> =
                    (0..classes).map(|seeming| scaled[seeming * classes + given] / total * images).collect();
                round_preserving_sum(&row)
            })
            .collect()
    }

    /// How many images to keep or take, leaving at least `min_per_class` with
    /// each label.
    pub fn prune_counts(&self, min_per_class: u32) -> PruneCounts {
        let classes = self.classes;
        let calibrated = self.calibrated();
        let mut counts = Vec::with_capacity(classes * classes);
        for given in 0..classes {
            let column = &calibrated[given * classes..(given + 1) * classes];
            let diagonal = column[given] as f64;
            let kept = diagonal.max(f64::from(min_per_class));
            let others = (column.iter().filter(|count| **count != 0).count() as f64 - 1.0).max(1.0);
            let increase = (kept - diagonal) / others;
            counts.extend(column.iter().enumerate().map(|(seeming, count)| {
                if seeming == given { kept as i64 } else { (*count as f64 - increase).max(0.0) as i64 }
            }));
        }
        PruneCounts { classes, counts }
    }
}

/// How many images of each pair of labels to keep or take.
pub(super) struct PruneCounts {
    classes: usize,
    /// Row-major: given label by seeming label.
    counts: Vec<i64>,
}

impl PruneCounts {
    /// Images labelled `given` that seem to be `seeming`; for equal ones how
    /// many to keep.
    pub fn get(&self, given: usize, seeming: usize) -> usize {
        usize::try_from(self.counts[given * self.classes + seeming]).unwrap_or(0)
    }
}
