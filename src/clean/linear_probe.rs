//! A linear probe: multinomial logistic regression on embeddings, each image
//! judged by one that was fitted without it.
//!
//! It is a function of embeddings, labels and folds alone: the loss is convex,
//! the start is zero, and sums over images are taken in blocks whose order does
//! not depend on threads.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::embeddings::Embeddings;

/// Images whose gradients are summed as one piece of work.
const BLOCK: usize = 256;
const MOST_STEPS: usize = 400;
/// It stops when no part of the gradient is larger.
const FLAT: f64 = 1e-5;

/// How strongly weights are held down: half of this times their squares is
/// added to the mean loss. On 4,200 photographs, a twentieth of them with a
/// wrong label, 0.01 to 0.1 found wrong labels about equally well and less
/// found fewer.
pub const PENALTY: f64 = 0.03;

/// Probabilities of every image by a regression fitted on the other folds:
/// `images × classes`, in the order of the embeddings. `labels` and `folds` are
/// in that order too; images without a label are judged and teach nothing.
///
/// None when told to stop, or when lengths do not fit.
pub fn out_of_fold(
    embeddings: &Embeddings,
    labels: &[Option<u16>],
    folds: &[u8],
    classes: usize,
    penalty: f64,
    cancel: &AtomicBool,
) -> Option<Vec<f32>> {
    if labels.len() != embeddings.len() || folds.len() != embeddings.len() || classes == 0 {
        return None;
    }
    let mut probabilities = vec![0.0f32; embeddings.len() * classes];
    let mut kinds: Vec<u8> = folds.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    for fold in kinds {
        let learned: Vec<usize> = (0..labels.len())
            .filter(|&place| {
                folds[place] != fold && labels[place].is_some_and(|label| usize::from(label) < classes)
            })
            .collect();
        let scale = Scale::of(embeddings, &learned);
        let rows: Vec<f32> = learned.iter().flat_map(|&place| scale.row(embeddings.row(place))).collect();
        let given: Vec<u16> = learned.iter().filter_map(|&place| labels[place]).collect();
        let problem =
            Problem { rows: &rows, labels: &given, width: embeddings.width() + 1, classes, penalty };
        let weights = problem.fit(cancel)?;
        for place in (0..labels.len()).filter(|&place| folds[place] == fold) {
            let row: Vec<f32> = scale.row(embeddings.row(place)).collect();
            let softmax = softmax(&weights, &row, classes);
            let out = &mut probabilities[place * classes..(place + 1) * classes];
            out.iter_mut().zip(softmax).for_each(|(out, value)| *out = value as f32);
        }
    }
    Some(probabilities)
}

/// Brings every number of an embedding to mean zero and deviation one.
struct Scale(Vec<(f64, f64)>);

impl Scale {
    fn of(embeddings: &Embeddings, learned: &[usize]) -> Scale {
        let count = learned.len().max(1) as f64;
        let mut sums = vec![(0.0, 0.0); embeddings.width()];
        for place in learned {
            for (sum, value) in sums.iter_mut().zip(embeddings.row(*place)) {
                let value = f64::from(*value);
                *sum = (sum.0 + value, sum.1 + value * value);
            }
        }
        let scale = |(sum, squares): (f64, f64)| {
            let mean = sum / count;
            let deviation = (squares / count - mean * mean).max(0.0).sqrt();
            // A number that never changes says nothing.
            (mean, if deviation > 1e-6 { 1.0 / deviation } else { 0.0 })
        };
        Scale(sums.into_iter().map(scale).collect())
    }

    /// The scaled numbers and a last one that is always 1.
    fn row(&self, row: &[f32]) -> impl Iterator<Item = f32> {
        let scaled = row.iter().zip(&self.0);
        scaled
            .map(|(value, (mean, factor))| ((f64::from(*value) - mean) * factor) as f32)
            .chain(std::iter::once(1.0))
    }
}

/// The softmax of the scores of one row.
fn softmax(weights: &[f32], row: &[f32], classes: usize) -> Vec<f64> {
    let width = row.len();
    let scores: Vec<f64> =
        (0..classes).map(|class| dot(&weights[class * width..(class + 1) * width], row)).collect();
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn dot(one: &[f32], other: &[f32]) -> f64 {
    let mut lanes = [0.0f32; 16];
    let (ones, one_rest) = one.as_chunks::<16>();
    let (others, other_rest) = other.as_chunks::<16>();
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..16 {
            lanes[lane] += one[lane] * other[lane];
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(one, other)| one * other).sum();
    f64::from(lanes.iter().sum::<f32>() + rest)
}

/// A regression to fit.
struct Problem<'a> {
    /// `images × width`, the last of each row being 1.
    rows: &'a [f32],
    labels: &'a [u16],
    width: usize,
    classes: usize,
    penalty: f64,
}

impl Problem<'_> {
    /// Accelerated gradient descent (Nesterov 1983) that starts its momentum
    /// anew when it points uphill (O'Donoghue and Candès 2015), with the step
    /// that the largest curvature allows. `classes × width` weights.
    fn fit(&self, cancel: &AtomicBool) -> Option<Vec<f32>> {
        let mut weights = vec![0.0f64; self.classes * self.width];
        if self.labels.is_empty() {
            return Some(weights.iter().map(|weight| *weight as f32).collect());
        }
        // Half bounds the curvature of softmax in its scores.
        let step = 1.0 / (0.5 * self.largest_square() + self.penalty);
        let mut ahead = weights.clone();
        let mut momentum = 1.0f64;
        for _ in 0..MOST_STEPS {
            if cancel.load(Ordering::Relaxed) {
                return None;
            }
            let gradient = self.gradient(&ahead);
            if gradient.iter().all(|part| part.abs() < FLAT) {
                break;
            }
            let next: Vec<f64> =
                ahead.iter().zip(&gradient).map(|(weight, part)| weight - step * part).collect();
            let uphill: f64 =
                gradient.iter().zip(next.iter().zip(&weights)).map(|(g, (new, old))| g * (new - old)).sum();
            let grown =
                if uphill > 0.0 { 1.0 } else { (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt()) / 2.0 };
            let carry = if uphill > 0.0 { 0.0 } else { (momentum - 1.0) / grown };
            ahead = next.iter().zip(&weights).map(|(new, old)| new + carry * (new - old)).collect();
            momentum = grown;
            weights = next;
        }
        Some(weights.iter().map(|weight| *weight as f32).collect())
    }

    fn gradient(&self, weights: &[f64]) -> Vec<f64> {
        let narrow: Vec<f32> = weights.iter().map(|weight| *weight as f32).collect();
        let width = self.width;
        let blocks: Vec<Vec<f32>> = self
            .rows
            .par_chunks(BLOCK * width)
            .zip(self.labels.par_chunks(BLOCK))
            .map(|(rows, labels)| {
                let mut sums = vec![0.0f32; self.classes * width];
                for (row, label) in rows.chunks_exact(width).zip(labels) {
                    for (class, probability) in softmax(&narrow, row, self.classes).into_iter().enumerate() {
                        let error = (probability - f64::from(u8::from(class == usize::from(*label)))) as f32;
                        let sums = &mut sums[class * width..(class + 1) * width];
                        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += error * value);
                    }
                }
                sums
            })
            .collect();
        let count = self.labels.len() as f64;
        let mut gradient = vec![0.0f64; weights.len()];
        for block in blocks {
            gradient.iter_mut().zip(block).for_each(|(sum, part)| *sum += f64::from(part));
        }
        for (place, (part, weight)) in gradient.iter_mut().zip(weights).enumerate() {
            // The constant of each class is free.
            let held = if place % width == width - 1 { 0.0 } else { self.penalty * weight };
            *part = *part / count + held;
        }
        gradient
    }

    /// The largest eigenvalue of the rows' second moment, a little too large:
    /// by the power method.
    fn largest_square(&self) -> f64 {
        let mut direction = vec![1.0f32 / (self.width as f32).sqrt(); self.width];
        let mut largest = 1.0;
        for _ in 0..30 {
            let blocks: Vec<Vec<f64>> = self
                .rows
                .par_chunks(BLOCK * self.width)
                .map(|rows| {
                    let mut sums = vec![0.0f64; self.width];
                    for row in rows.chunks_exact(self.width) {
                        let along = dot(row, &direction);
                        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += along * f64::from(*value));
                    }
                    sums
                })
                .collect();
            let mut image = vec![0.0f64; self.width];
            for block in blocks {
                image.iter_mut().zip(block).for_each(|(sum, part)| *sum += part);
            }
            let length = image.iter().map(|value| value * value).sum::<f64>().sqrt();
            if length == 0.0 {
                return largest;
            }
            largest = length / self.labels.len() as f64;
            direction = image.iter().map(|value| (value / length) as f32).collect();
        }
        largest * 1.1
    }
}

#[cfg(test)]
mod tests {
    use safelight_lineage::id::ImageId;

    use super::*;

    /// Two clouds on a line, apart by `apart`, with a third number that says nothing.
    fn clouds(count: u8, apart: f32) -> (Embeddings, Vec<Option<u16>>, Vec<u8>) {
        let images = (0..count).map(|n| ImageId([n; 16])).collect();
        let rows = (0..count).flat_map(|n| {
            let noise = f32::from(n.wrapping_mul(37) % 16) / 16.0 - 0.5;
            [f32::from(n % 2) * apart + noise, 5.0, noise * noise]
        });
        let labels = (0..count).map(|n| Some(u16::from(n % 2))).collect();
        let folds = (0..count).map(|n| (n / 2) % 3).collect();
        (Embeddings::new(images, rows.collect()).expect("rows"), labels, folds)
    }

    #[test]
    fn a_wrong_label_is_judged_by_the_others() {
        let (embeddings, mut labels, folds) = clouds(60, 4.0);
        labels[10] = Some(1);
        labels[20] = None;
        let never = AtomicBool::new(false);
        let run = || out_of_fold(&embeddings, &labels, &folds, 2, 0.01, &never).expect("fits");
        let found = run();
        assert_eq!(found.len(), 120);
        for row in found.chunks_exact(2) {
            assert!((row[0] + row[1] - 1.0).abs() < 1e-5);
        }
        assert!(found[20] > 0.9, "image 10 looks like class 0: {}", found[20]);
        assert!(found[40] > 0.9, "an unlabelled image is judged too: {}", found[40]);
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            assert_eq!(pool.install(run), found, "{threads} threads give the same bits");
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let (embeddings, labels, _) = clouds(20, 1.0);
        let all: Vec<usize> = (0..20).collect();
        let scale = Scale::of(&embeddings, &all);
        let rows: Vec<f32> = all.iter().flat_map(|&place| scale.row(embeddings.row(place))).collect();
        let given: Vec<u16> = labels.into_iter().flatten().collect();
        let problem = Problem { rows: &rows, labels: &given, width: 4, classes: 2, penalty: 0.1 };
        let loss = |weights: &[f64]| -> f64 {
            let narrow: Vec<f32> = weights.iter().map(|weight| *weight as f32).collect();
            let of = |(row, label): (&[f32], &u16)| -softmax(&narrow, row, 2)[usize::from(*label)].ln();
            let mean = rows.chunks_exact(4).zip(&given).map(of).sum::<f64>() / 20.0;
            let held = weights.iter().enumerate().filter(|(place, _)| place % 4 != 3);
            mean + 0.05 * held.map(|(_, weight)| weight * weight).sum::<f64>()
        };
        let at: Vec<f64> = (0..8).map(|place| f64::from(place) / 10.0 - 0.3).collect();
        let gradient = problem.gradient(&at);
        for place in 0..8 {
            let mut moved = at.clone();
            moved[place] += 1e-3;
            let up = loss(&moved);
            moved[place] -= 2e-3;
            let slope = (up - loss(&moved)) / 2e-3;
            assert!((slope - gradient[place]).abs() < 1e-3, "{place}: {slope} {}", gradient[place]);
        }
    }

    #[test]
    fn what_does_not_fit_and_what_is_stopped_gives_nothing() {
        let (embeddings, labels, folds) = clouds(8, 1.0);
        let never = AtomicBool::new(false);
        assert_eq!(out_of_fold(&embeddings, &labels[1..], &folds, 2, 0.1, &never), None);
        assert_eq!(out_of_fold(&embeddings, &labels, &folds, 0, 0.1, &never), None);
        assert_eq!(out_of_fold(&embeddings, &labels, &folds, 2, 0.1, &AtomicBool::new(true)), None);
        let unknown = out_of_fold(&embeddings, &[None; 8], &folds, 2, 0.1, &never).expect("nothing known");
        assert!(unknown.iter().all(|value| (value - 0.5).abs() < 1e-6));
    }
}
