//! Two scenes in one picture.

use image::{Rgb, RgbImage};

use super::dice::Dice;
use super::noise::{noise, ramp};

/// Shows `a` and `b` in one picture, about half of each: one fading over the
/// other, or side by side along a ragged line. Which of these, and where the
/// line runs, follows from the pictures themselves.
///
/// The result has the size of the part that both cover.
pub fn blend(a: &RgbImage, b: &RgbImage) -> RgbImage {
    let (width, height) = (a.width().min(b.width()), a.height().min(b.height()));
    let key = blake3::Hasher::new().update(a.as_raw()).update(b.as_raw()).finalize();
    let mut head = [0; 8];
    head.copy_from_slice(&key.as_bytes()[..8]);
    let mut dice = Dice::new(&[u64::from_le_bytes(head)]);
    let split = dice.chance(0.6);
    let share = dice.range(0.44, 0.56);
    let seed = dice.bits();
    let lean = dice.swing() * 0.5;
    let upright = dice.chance(0.75);
    RgbImage::from_fn(width, height, |column, row| {
        let (x, y) = (column as f32 / width as f32, row as f32 / height as f32);
        let amount = if split {
            let (across, along) = if upright { (x, y) } else { (y, x) };
            let line = share + lean * (along - 0.5) + 0.12 * (noise(seed, along * 5.0, 0.0) - 0.5);
            ramp(line - 0.06, line + 0.06, across)
        } else {
            share
        };
        let (from, to) = (a.get_pixel(column, row), b.get_pixel(column, row));
        let mut out = [0; 3];
        for (channel, part) in out.iter_mut().enumerate() {
            let mixed = f32::from(from[channel]) * (1.0 - amount) + f32::from(to[channel]) * amount;
            *part = (mixed + 0.5) as u8;
        }
        Rgb(out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{SceneClass, paint};

    /// How far apart two pictures are: the mean difference of their channels.
    fn apart(a: &RgbImage, b: &RgbImage) -> f64 {
        let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(x, y)| u64::from(x.abs_diff(*y))).sum();
        sum as f64 / a.as_raw().len() as f64
    }

    #[test]
    fn a_blend_shows_about_half_of_each() {
        for index in 0..12 {
            let (a, b) = (paint(2, SceneClass::Sea, index), paint(2, SceneClass::Street, index));
            let both = blend(&a, &b);
            assert_eq!(both, blend(&a, &b));
            let whole = apart(&a, &b);
            for (name, one) in [("first", &a), ("second", &b)] {
                let share = apart(one, &both) / whole;
                assert!((0.2..0.8).contains(&share), "{index} {name}: {share}");
            }
        }
    }

    #[test]
    fn white_and_black_mix_to_both_or_to_grey() {
        let (white, black) = (RgbImage::from_pixel(8, 8, Rgb([255; 3])), RgbImage::new(8, 6));
        let both = blend(&white, &black);
        assert_eq!(both.dimensions(), (8, 6));
        let mean =
            both.as_raw().iter().map(|&part| f64::from(part)).sum::<f64>() / both.as_raw().len() as f64;
        assert!((60.0..195.0).contains(&mean), "{mean}");
    }
}
