//! Telling samples that are copies of training images.

use rayon::prelude::*;
use safelight_lineage::id::ImageId;
use serde::{Deserialize, Serialize};

/// A sample nearer to a training image than this share of the median distance
/// between a training image and the one nearest to it is called a copy.
pub const COPY: f64 = 0.35;

/// The training image that a sample is nearest to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// The sample, by its place in the batch.
    pub sample: usize,
    /// The training image.
    pub image: ImageId,
    /// The root of the mean squared difference of their bytes, the image as it
    /// is or mirrored, whichever is nearer.
    pub distance: f64,
}

/// What is nearest to samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// For each sample, in order.
    pub nearest: Vec<Neighbour>,
    /// The median over training images of the distance to the nearest other one.
    pub usual: f64,
}

impl Neighbours {
    /// Compares every sample with every training image, all of
    /// `edge × edge × 3` bytes; none without a sample and two training images.
    pub fn find(samples: &[Vec<u8>], training: &[(ImageId, Vec<u8>)], edge: usize) -> Option<Neighbours> {
        if samples.is_empty() || training.len() < 2 {
            return None;
        }
        let mirrored: Vec<Vec<u8>> = training.iter().map(|(_, pixels)| mirror(pixels, edge)).collect();
        let to_all = |pixels: &[u8], skip: Option<usize>| {
            let others = training.iter().zip(&mirrored).enumerate().filter(|(place, _)| Some(*place) != skip);
            others
                .map(|(_, ((image, one), other))| (squares(pixels, one).min(squares(pixels, other)), *image))
                .min()
        };
        let root = |squares: u64| (squares as f64 / (edge * edge * 3).max(1) as f64).sqrt();
        let nearest = samples.par_iter().enumerate().filter_map(|(sample, pixels)| {
            let (squares, image) = to_all(pixels, None)?;
            Some(Neighbour { sample, image, distance: root(squares) })
        });
        let nearest: Vec<Neighbour> = nearest.collect();
        let mut usual: Vec<u64> = (0..training.len())
            .into_par_iter()
            .filter_map(|place| Some(to_all(&training[place].1, Some(place))?.0))
            .collect();
        usual.sort_unstable();
        Some(Neighbours { nearest, usual: root(usual[usual.len() / 2]) })
    }

    /// The samples that are copies, nearest first.
    pub fn copies(&self) -> Vec<Neighbour> {
        let mut copies: Vec<Neighbour> =
            self.nearest.iter().filter(|nearest| nearest.distance < COPY * self.usual).copied().collect();
        copies.sort_by(|one, other| {
            one.distance.total_cmp(&other.distance).then(one.sample.cmp(&other.sample))
        });
        copies
    }

    /// The median over samples of the distance to the nearest training image.
    pub fn median(&self) -> f64 {
        let mut distances: Vec<f64> = self.nearest.iter().map(|nearest| nearest.distance).collect();
        distances.sort_by(f64::total_cmp);
        distances.get(distances.len() / 2).copied().unwrap_or(0.0)
    }
}

fn squares(one: &[u8], other: &[u8]) -> u64 {
    one.iter().zip(other).map(|(a, b)| u64::from(u32::from(a.abs_diff(*b)).pow(2))).sum()
}

/// The picture with left and right exchanged.
fn mirror(pixels: &[u8], edge: usize) -> Vec<u8> {
    let rows = pixels.chunks_exact((edge * 3).max(1));
    rows.flat_map(|row| row.chunks_exact(3).rev().flatten().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::keyed::Moment;

    fn picture(number: u8) -> Vec<u8> {
        let mut rng = Moment { seed: 1, stage: 0, epoch: 0 }.draw("picture", &[number]);
        (0..8 * 8 * 3).map(|_| rng.below(256) as u8).collect()
    }

    #[test]
    fn copies_are_found_also_mirrored_and_with_noise() {
        let training: Vec<(ImageId, Vec<u8>)> =
            (0..9).map(|number| (ImageId([number; 16]), picture(number))).collect();
        let noisy: Vec<u8> = picture(5).iter().map(|byte| byte.saturating_add(6)).collect();
        let samples = [picture(40), mirror(&picture(3), 8), noisy, picture(41)];
        let found = Neighbours::find(&samples, &training, 8).expect("enough");
        let copies: Vec<(usize, ImageId)> =
            found.copies().iter().map(|copy| (copy.sample, copy.image)).collect();
        assert_eq!(copies, [(1, ImageId([3; 16])), (2, ImageId([5; 16]))]);
        assert_eq!(found.copies()[0].distance, 0.0);
        assert!(found.median() > 1.0 && found.usual > 50.0);
        assert!(Neighbours::find(&[], &training, 8).is_none());
    }
}
