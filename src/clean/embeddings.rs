//! What a network makes of pictures, as directions: pictures that look alike to
//! it point nearly the same way.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use safelight_lineage::id::ImageId;

/// Rows that are compared as one piece of work.
const BLOCK: usize = 64;
/// The share of the mean variance that is added to every direction, by numbers
/// of an embedding per image: the fewer images, the less is known of how they vary.
const SHRINKAGE: f64 = 0.1;
const LEAST_SHRINKAGE: f64 = 0.001;
/// Sums are taken in so many lanes, in this order on every machine.
const LANES: usize = 16;

/// Two images whose embeddings point nearly the same way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosePair {
    /// The image with the lower id.
    pub one: ImageId,
    /// The other.
    pub other: ImageId,
    /// The cosine between their whitened embeddings, −1 to 1: about the mean of
    /// all, in units of how they vary.
    pub cosine: f64,
}

/// Embeddings of images: rows of `width` numbers, ascending by image.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    width: usize,
    images: Vec<ImageId>,
    values: Vec<f32>,
}

impl Embeddings {
    /// Takes rows for `images`, in any order; none when the numbers do not
    /// divide evenly, one is not finite, or an image is given twice.
    pub fn new(images: Vec<ImageId>, values: Vec<f32>) -> Option<Embeddings> {
        let width = if images.is_empty() { 0 } else { values.len() / images.len() };
        if width * images.len() != values.len() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut order: Vec<usize> = (0..images.len()).collect();
        order.sort_by_key(|&place| images[place]);
        if order.windows(2).any(|pair| images[pair[0]] == images[pair[1]]) {
            return None;
        }
        let sorted = order.iter().map(|&place| images[place]).collect();
        let rows = order.iter().flat_map(|&place| &values[place * width..(place + 1) * width]);
        Some(Embeddings { width, images: sorted, values: rows.copied().collect() })
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Numbers of each image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The images, ascending.
    pub fn images(&self) -> &[ImageId] {
        &self.images
    }

    /// The numbers of the image at this place.
    pub fn row(&self, place: usize) -> &[f32] {
        &self.values[place * self.width..(place + 1) * self.width]
    }

    /// The numbers of this image.
    pub fn of(&self, image: ImageId) -> Option<&[f32]> {
        self.images.binary_search(&image).ok().map(|place| self.row(place))
    }

    /// Every pair whose cosine, whitened, is at least `min_cosine`,
    /// ascending by images; none when told to stop. Compares every pair, so the
    /// time grows with the square of the images.
    pub fn close_pairs(
        &self,
        min_cosine: f64,
        cancel: &AtomicBool,
        report: &(dyn Fn(u64) + Sync),
    ) -> Option<Vec<ClosePair>> {
        let directions = self.directions();
        let width = self.width;
        let row = |place: usize| &directions[place * width..(place + 1) * width];
        let starts: Vec<usize> = (0..self.len()).step_by(BLOCK).collect();
        let found: Option<Vec<Vec<ClosePair>>> = starts
            .into_par_iter()
            .map(|start| {
                if cancel.load(Ordering::Relaxed) {
                    return None;
                }
                let end = (start + BLOCK).min(self.len());
                let mut pairs = Vec::new();
                for one in start..end {
                    for other in one + 1..self.len() {
                        let cosine = f64::from(dot(row(one), row(other)));
                        if cosine >= min_cosine {
                            let (one, other) = (self.images[one], self.images[other]);
                            pairs.push(ClosePair { one, other, cosine: cosine.clamp(-1.0, 1.0) });
                        }
                    }
                }
                report((end - start) as u64);
                Some(pairs)
            })
            .collect();
        found.map(|blocks| blocks.into_iter().flatten().collect())
    }

    /// Rows about their mean, in units of how embeddings vary in each direction,
    /// each of length one (or zero where it is the mean).
    ///
    /// Features behind a ReLU are never negative and so all point much the same
    /// way; and what varies most between pictures is their class, so that all
    /// pictures of a class point nearly the same way even about the mean. With
    /// the covariance divided out, two pictures point the same way only when
    /// they agree in what tells them from others of their class.
    fn directions(&self) -> Vec<f32> {
        let width = self.width;
        let mut mean = vec![0.0f64; width];
        for place in 0..self.len() {
            mean.iter_mut().zip(self.row(place)).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        mean.iter_mut().for_each(|sum| *sum /= self.len().max(1) as f64);
        let centred: Vec<f32> = (0..self.len())
            .flat_map(|place| {
                self.row(place).iter().zip(&mean).map(|(value, mean)| (f64::from(*value) - mean) as f32)
            })
            .collect();
        let share = (SHRINKAGE * width as f64 / self.len().max(1) as f64).max(LEAST_SHRINKAGE);
        let factor = factor(covariance(&centred, width), width, share);
        let mut directions = centred;
        directions.par_chunks_exact_mut(width.max(1)).for_each(|row| {
            let mut white = vec![0.0f64; width];
            for at in 0..width {
                let known = &factor[at * width..at * width + at];
                let sum: f64 = known.iter().zip(&white).map(|(factor, value)| factor * value).sum();
                white[at] = (f64::from(row[at]) - sum) / factor[at * width + at];
            }
            let length = white.iter().map(|value| value * value).sum::<f64>().sqrt();
            for (out, value) in row.iter_mut().zip(white) {
                *out = if length > 0.0 { (value / length) as f32 } else { 0.0 };
            }
        });
        directions
    }
}

/// The covariance of centred rows, `width × width`. Blocks of rows are added in
/// their order, whatever thread did which.
fn covariance(centred: &[f32], width: usize) -> Vec<f64> {
    let mut sum = vec![0.0f64; width * width];
    if width == 0 {
        return sum;
    }
    // Each thread owns rows of the result, so no sum depends on threads.
    sum.par_chunks_exact_mut(width).enumerate().for_each(|(one, sums)| {
        for row in centred.chunks_exact(width) {
            let value = f64::from(row[one]);
            if value != 0.0 {
                let others = sums[..=one].iter_mut().zip(row);
                others.for_each(|(sum, other)| *sum += value * f64::from(*other));
            }
        }
    });
    let count = (centred.len() / width).max(1) as f64;
    sum.iter_mut().for_each(|value| *value /= count);
    sum
}

/// The lower Cholesky factor of a covariance, of which the lower half is looked
/// at. A share of the mean variance is added to each, so that directions in
/// which hardly anything varies are not blown up to noise.
fn factor(mut matrix: Vec<f64>, width: usize, share: f64) -> Vec<f64> {
    let trace: f64 = (0..width).map(|at| matrix[at * width + at]).sum();
    let least = (trace / width.max(1) as f64 * share).max(f64::MIN_POSITIVE);
    for row in 0..width {
        for column in 0..=row {
            let (before, rest) = matrix.split_at(row * width);
            let other = if column == row {
                &rest[..column]
            } else {
                &before[column * width..column * width + column]
            };
            let sum: f64 = rest[..column].iter().zip(other).map(|(one, other)| one * other).sum();
            let value = rest[column] - sum;
            matrix[row * width + column] = if column == row {
                (value + least).max(least).sqrt()
            } else {
                value / matrix[column * width + column]
            };
        }
    }
    matrix
}

/// The scalar product, summed in an order that every machine keeps.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (ones, one_rest) = one.as_chunks::<LANES>();
    let (others, other_rest) = other.as_chunks::<LANES>();
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..LANES {
            lanes[lane] += one[lane] * other[lane];
        }
    }
    let rest: f32 = one_rest.iter().zip(other_rest).map(|(one, other)| one * other).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ImageId {
        ImageId([n; 16])
    }

    #[test]
    fn twins_are_closer_than_pictures_of_a_class() {
        // Two classes far apart along the first axis, which all numbers share;
        // each picture has small numbers of its own, and 6 is the twin of 2.
        let own = |n: u16, at: u16| f32::from((n * n * 7 + at * n * 13 + at * 29) % 64) / 64.0;
        let row = |n: u16| {
            let class = if n.is_multiple_of(2) { 9.0 } else { 1.0 };
            [class, 5.0 + own(n, 1), 5.0 + own(n, 2), 5.0 + own(n, 3)]
        };
        let mut rows: Vec<[f32; 4]> = (0..40).map(row).collect();
        rows[6] = rows[2];
        rows[6][1] += 0.01;
        let images: Vec<ImageId> = (0..40).rev().map(id).collect();
        rows.reverse();
        let embeddings = Embeddings::new(images, rows.concat()).expect("rows");
        let never = AtomicBool::new(false);
        let pairs = embeddings.close_pairs(0.9, &never, &|_| {}).expect("not stopped");
        let best = pairs.iter().max_by(|a, b| a.cosine.total_cmp(&b.cosine)).expect("some");
        assert_eq!((best.one, best.other), (id(2), id(6)));
        assert!(best.cosine > 0.99, "{best:?}");
        let of_a_class = 2 * (20 * 19 / 2);
        assert!(pairs.len() < of_a_class / 4, "{} of {of_a_class} pairs of a class are close", pairs.len());
        assert_eq!(embeddings.close_pairs(-1.0, &never, &|_| {}).expect("all").len(), 40 * 39 / 2);
        assert_eq!(embeddings.close_pairs(0.9, &AtomicBool::new(true), &|_| {}), None);
    }

    #[test]
    fn a_factor_times_itself_is_the_covariance() {
        let matrix = vec![4.0, 0.0, 0.0, 2.0, 3.0, 0.0, 1.0, 0.5, 2.0];
        let factor = factor(matrix.clone(), 3, 0.01);
        for row in 0..3 {
            for column in 0..=row {
                let product: f64 =
                    (0..=column).map(|at| factor[row * 3 + at] * factor[column * 3 + at]).sum();
                let shrunk = if row == column { 3.0 * 0.01 } else { 0.0 };
                assert!((product - matrix[row * 3 + column] - shrunk).abs() < 1e-12, "{row} {column}");
            }
        }
        let flat = covariance(&[0.0; 12], 3);
        assert!(super::factor(flat, 3, 0.01).iter().all(|value| value.is_finite()));
    }

    #[test]
    fn rows_that_are_none_are_refused() {
        assert!(Embeddings::new(vec![id(1), id(2)], vec![1.0, 2.0, 3.0]).is_none());
        assert!(Embeddings::new(vec![id(1)], vec![f32::NAN]).is_none());
        assert!(Embeddings::new(vec![id(1), id(1)], vec![1.0, 2.0]).is_none());
        let empty = Embeddings::new(vec![], vec![]).expect("nothing is fine");
        assert_eq!(empty.close_pairs(0.5, &AtomicBool::new(false), &|_| {}), Some(vec![]));
    }

    #[test]
    fn sums_hold_for_any_length() {
        for length in [0, 1, 15, 16, 17, 40] {
            let ones = vec![2.0; length];
            assert_eq!(dot(&ones, &ones), 4.0 * length as f32);
        }
    }
}
