//! TrivialAugment (Müller and Hutter 2021): one change for each image, any of
//! fourteen with equal chance, at any of 31 strengths with equal chance.
//!
//! Changes and ranges are those of torchvision's `TrivialAugmentWide`, and the
//! colours come out as Pillow computes them. Departures: a shift is at most a
//! seventh of the edge (torchvision: 32 pixels, a seventh of 224), and geometry
//! joins the one bilinear resampling, which mirrors beyond the edges, where
//! torchvision takes the nearest pixel or black.

use safelight_lineage::id::ImageId;

use super::keyed::Moment;
use super::rendition::Picture;
use super::transform::Matrix;

/// Strengths, from none to the strongest.
const LEVELS: u64 = 31;
/// The largest shift, as a share of the edge.
const SHIFT: f64 = 1.0 / 7.0;
/// The largest shear, and the largest change of a blend factor.
const WIDE: f64 = 0.99;
/// The largest rotation, degrees.
const ROTATION: f64 = 135.0;

/// What was drawn for an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choice {
    /// Nothing.
    Identity,
    /// A map from places in the result to places in the source.
    Geometry(Matrix),
    /// A change of colours.
    Colours(Colours),
}

/// A change of the values of pixels, before they are normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Colours {
    /// Between black (0) and the picture (1), or beyond.
    Brightness(f32),
    /// Between its greys (0) and the picture (1), or beyond.
    Saturation(f32),
    /// Between its mean grey (0) and the picture (1), or beyond.
    Contrast(f32),
    /// Between a smoothed picture (0) and the picture (1), or beyond.
    Sharpness(f32),
    /// Only so many upper bits are kept.
    Posterize(u32),
    /// Values from here on are inverted.
    Solarize(u16),
    /// Every colour is stretched over all values.
    AutoContrast,
    /// Every colour's values are made equally frequent.
    Equalize,
}

/// Draws the change of `image` at `moment`.
pub fn draw(moment: Moment, image: ImageId) -> Choice {
    let mut rng = moment.draw("trivial augment", image.as_bytes());
    let (kind, level) = (rng.below(14), rng.below(LEVELS));
    let strength = level as f64 / (LEVELS - 1) as f64;
    let signed = if rng.chance(0.5) { -strength } else { strength };
    let factor = (1.0 + WIDE * signed) as f32;
    let map = |a: f64, b: f64, x: f64, c: f64, d: f64, y: f64| {
        Choice::Geometry([[a, b, x], [c, d, y], [0.0, 0.0, 1.0]])
    };
    match kind {
        0 => Choice::Identity,
        1 => map(1.0, WIDE * signed, 0.0, 0.0, 1.0, 0.0),
        2 => map(1.0, 0.0, 0.0, WIDE * signed, 1.0, 0.0),
        // The coordinates span 2 over the edge.
        3 => map(1.0, 0.0, 2.0 * SHIFT * signed, 0.0, 1.0, 0.0),
        4 => map(1.0, 0.0, 0.0, 0.0, 1.0, 2.0 * SHIFT * signed),
        5 => {
            let (sin, cos) = (ROTATION * signed).to_radians().sin_cos();
            map(cos, sin, 0.0, -sin, cos, 0.0)
        }
        6 => Choice::Colours(Colours::Brightness(factor)),
        7 => Choice::Colours(Colours::Saturation(factor)),
        8 => Choice::Colours(Colours::Contrast(factor)),
        9 => Choice::Colours(Colours::Sharpness(factor)),
        // Eight bits at the weakest, two at the strongest.
        10 => Choice::Colours(Colours::Posterize(8 - (strength * 6.0).round() as u32)),
        11 => Choice::Colours(Colours::Solarize((255.0 * (1.0 - strength)).ceil() as u16)),
        12 => Choice::Colours(Colours::AutoContrast),
        _ => Choice::Colours(Colours::Equalize),
    }
}

impl Colours {
    /// The picture with its colours changed, of the same extents.
    pub fn apply(self, picture: Picture<'_>) -> Vec<u8> {
        let pixels = picture.pixels;
        match self {
            Colours::Brightness(factor) => pixels.iter().map(|value| blend(0, *value, factor)).collect(),
            Colours::Saturation(factor) => pixels
                .chunks_exact(3)
                .flat_map(|pixel| {
                    let grey = grey(pixel);
                    [0, 1, 2].map(|colour| blend(grey, pixel[colour], factor))
                })
                .collect(),
            Colours::Contrast(factor) => {
                let sum: u64 = pixels.chunks_exact(3).map(|pixel| u64::from(grey(pixel))).sum();
                let count = (picture.width * picture.height).max(1);
                let mean = (sum as f64 / count as f64 + 0.5) as u8;
                pixels.iter().map(|value| blend(mean, *value, factor)).collect()
            }
            Colours::Sharpness(factor) => {
                let smooth = smoothed(picture);
                smooth.iter().zip(pixels).map(|(smooth, value)| blend(*smooth, *value, factor)).collect()
            }
            Colours::Posterize(bits) => {
                let mask = (0xff00u16 >> bits.min(8)) as u8;
                pixels.iter().map(|value| value & mask).collect()
            }
            Colours::Solarize(from) => {
                let invert = |value: &u8| if u16::from(*value) < from { *value } else { 255 - value };
                pixels.iter().map(invert).collect()
            }
            Colours::AutoContrast => by_histogram(pixels, stretched),
            Colours::Equalize => by_histogram(pixels, equalized),
        }
    }
}

/// Pillow's `Image.blend`: cut, not rounded.
fn blend(from: u8, to: u8, share: f32) -> u8 {
    let (from, to) = (f32::from(from), f32::from(to));
    (from + share * (to - from)).clamp(0.0, 255.0) as u8
}

/// Pillow's conversion to grey (ITU-R 601).
fn grey(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [0, 1, 2].map(|colour| u32::from(pixel[colour]));
    ((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16) as u8
}

/// Pillow's filter `SMOOTH`: the middle five times as much as each of its eight
/// neighbours; pixels at the edges stay.
fn smoothed(picture: Picture<'_>) -> Vec<u8> {
    let (width, height, pixels) = (picture.width, picture.height, picture.pixels);
    let mut out = pixels.to_vec();
    for y in 1..height.saturating_sub(1) {
        for place in (y * width + 1) * 3..(y * width + width).saturating_sub(1) * 3 {
            let row = |row: usize| -> u32 {
                let middle = place + row * width * 3 - width * 3;
                [middle - 3, middle, middle + 3].iter().map(|place| u32::from(pixels[*place])).sum()
            };
            let sum = row(0) + row(1) + row(2) + 4 * u32::from(pixels[place]);
            out[place] = ((2 * sum + 13) / 26) as u8;
        }
    }
    out
}

/// Puts every colour through the table that its histogram gives.
fn by_histogram(pixels: &[u8], table: impl Fn(&[u32; 256]) -> Option<[u8; 256]>) -> Vec<u8> {
    let mut out = pixels.to_vec();
    for colour in 0..3 {
        let mut histogram = [0u32; 256];
        pixels.iter().skip(colour).step_by(3).for_each(|value| histogram[usize::from(*value)] += 1);
        if let Some(table) = table(&histogram) {
            out.iter_mut().skip(colour).step_by(3).for_each(|value| *value = table[usize::from(*value)]);
        }
    }
    out
}

/// Pillow's `autocontrast` with its defaults; none where there is one value.
fn stretched(histogram: &[u32; 256]) -> Option<[u8; 256]> {
    let low = histogram.iter().position(|count| *count > 0)?;
    let high = histogram.iter().rposition(|count| *count > 0)?;
    if high <= low {
        return None;
    }
    let scale = 255.0 / (high - low) as f64;
    let offset = -(low as f64) * scale;
    Some(std::array::from_fn(|value| (value as f64 * scale + offset).clamp(0.0, 255.0) as u8))
}

/// Pillow's `equalize`; none where there are too few values.
fn equalized(histogram: &[u32; 256]) -> Option<[u8; 256]> {
    let last = *histogram.iter().rev().find(|count| **count > 0)?;
    let step = (histogram.iter().sum::<u32>() - last) / 255;
    if step == 0 {
        return None;
    }
    let mut seen = step / 2;
    Some(std::array::from_fn(|value| {
        let level = (seen / step).min(255) as u8;
        seen += histogram[value];
        level
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture that the golden values were made from.
    fn pixels(width: usize, height: usize) -> Vec<u8> {
        let value = |x: usize, y: usize, c: usize| (40 + (x * 7 + y * 13 + c * 29 + x * y) % 150) as u8;
        (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..3).map(move |c| value(x, y, c)))).collect()
    }

    /// FNV-1a, as in `tests/goldens/pillow_colours.py`.
    fn fnv(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// Golden values of Pillow 13.0.0, by `tests/goldens/pillow_colours.py`.
    #[test]
    fn colours_are_those_of_pillow() {
        let pixels = pixels(37, 23);
        let picture = Picture { width: 37, height: 23, pixels: &pixels };
        for (colours, hash) in GOLDEN {
            assert_eq!(fnv(&colours.apply(picture)), hash, "{colours:?}");
        }
    }

    #[test]
    fn every_change_is_drawn_as_often_and_by_its_key() {
        let moment = |epoch| Moment { seed: 3, stage: 0, epoch };
        let drawn: Vec<Choice> = (0..14_000).map(|epoch| draw(moment(epoch), ImageId([1; 16]))).collect();
        let share = |test: &dyn Fn(&Choice) -> bool| drawn.iter().filter(|choice| test(choice)).count();
        let near = |count: usize, expected: usize| count.abs_diff(expected) < expected / 10 + 40;
        assert!(near(share(&|choice| *choice == Choice::Identity), 1_000));
        assert!(near(share(&|choice| matches!(choice, Choice::Geometry(_))), 5_000));
        assert!(near(share(&|choice| *choice == Choice::Colours(Colours::Equalize)), 1_000));
        let posterized = |choice: &&Choice| matches!(choice, Choice::Colours(Colours::Posterize(2..=8)));
        assert!(near(drawn.iter().filter(posterized).count(), 1_000), "2 to 8 bits");
        assert_eq!(draw(moment(5), ImageId([1; 16])), drawn[5]);
        assert!((0..99).any(|epoch| draw(moment(epoch), ImageId([2; 16])) != drawn[epoch as usize]));
    }

    #[test]
    fn pictures_too_small_or_of_one_value_are_no_trouble() {
        for (width, height) in [(1, 1), (2, 2), (1, 5)] {
            let pixels = vec![9; width * height * 3];
            let picture = Picture { width, height, pixels: &pixels };
            for (colours, _) in GOLDEN {
                assert_eq!(colours.apply(picture).len(), pixels.len(), "{colours:?}");
            }
        }
    }

    const GOLDEN: [(Colours, u64); 13] = [
        (Colours::Brightness(0.25), 0xab52_2c68_827c_a7d2),
        (Colours::Brightness(1.75), 0x380e_b34b_418f_001a),
        (Colours::Saturation(0.25), 0x3deb_af6b_8743_061f),
        (Colours::Saturation(1.75), 0x1494_4903_f9b5_7415),
        (Colours::Contrast(0.25), 0xeafa_1d6d_ef25_3b11),
        (Colours::Contrast(1.75), 0xd1d8_6176_7a0f_e1d5),
        (Colours::Sharpness(0.25), 0x6e04_c147_2786_dc13),
        (Colours::Sharpness(1.75), 0x29e8_337a_8178_678b),
        (Colours::Posterize(3), 0x181f_eaf5_8904_4cdf),
        (Colours::Solarize(100), 0xe15f_f54f_bc82_c092),
        (Colours::Solarize(0), 0xebfe_ad7d_6d30_6812),
        (Colours::AutoContrast, 0x564b_3cf4_b521_c75b),
        (Colours::Equalize, 0xd2b0_88df_80f6_0997),
    ];
}
