//! What a network makes of pictures, as directions: pictures that look alike to
//! it point nearly the same way.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use safelight_lineage::id::ImageId;

/// Rows that are compared as one piece of work.
const BLOCK: usize = 64;
/// Sums are taken in so many lanes, in this order on every machine.
const LANES: usize = 16;

/// Two images whose embeddings point nearly the same way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosePair {
    /// The image with the lower id.
    pub one: ImageId,
    /// The other.
    pub other: ImageId,
    /// The cosine between their embeddings about the mean of all, −1 to 1.
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

    /// Every pair whose cosine about the mean is at least `min_cosine`,
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

    /// Rows about their mean, each of length one (or zero where it is the mean).
    ///
    /// Features behind a ReLU are never negative and so all point much the same
    /// way; what tells them apart is how they differ from the mean.
    fn directions(&self) -> Vec<f32> {
        let mut mean = vec![0.0f64; self.width];
        for place in 0..self.len() {
            mean.iter_mut().zip(self.row(place)).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        mean.iter_mut().for_each(|sum| *sum /= self.len().max(1) as f64);
        let mut directions = Vec::with_capacity(self.values.len());
        for place in 0..self.len() {
            let centred = self.row(place).iter().zip(&mean).map(|(value, mean)| f64::from(*value) - mean);
            let length = centred.clone().map(|value| value * value).sum::<f64>().sqrt();
            directions.extend(centred.map(|value| if length > 0.0 { (value / length) as f32 } else { 0.0 }));
        }
        directions
    }
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
    fn close_pairs_are_those_that_differ_from_the_mean_alike() {
        // All point along the first axis; about their mean, 1 and 3 are alike.
        let rows = [[10.0, 1.0, 0.0], [10.0, -1.0, 0.1], [10.0, 1.0, 0.01], [10.0, -1.0, -0.1]];
        let images = vec![id(3), id(2), id(1), id(4)];
        let embeddings = Embeddings::new(images, rows.concat()).expect("four rows");
        let never = AtomicBool::new(false);
        let pairs = embeddings.close_pairs(0.99, &never, &|_| {}).expect("not stopped");
        let named: Vec<_> = pairs.iter().map(|pair| (pair.one, pair.other)).collect();
        assert_eq!(named, [(id(1), id(3))]);
        assert!(pairs[0].cosine > 0.999 && pairs[0].cosine <= 1.0);
        assert_eq!(embeddings.close_pairs(-1.0, &never, &|_| {}).expect("all").len(), 6);
        assert_eq!(embeddings.of(id(3)), Some(&rows[0][..]));
        assert_eq!(embeddings.close_pairs(0.9, &AtomicBool::new(true), &|_| {}), None);
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
