//! Resizing as Pillow does it: `Image.resize(…, Image.BILINEAR)`, bit for bit.
//!
//! A port of the 8-bit path of Pillow's `libImaging/Resample.c`: a triangle
//! filter widened by the scale when shrinking, two passes (horizontal, then
//! vertical) with rounding to bytes in between, coefficients in 22-bit fixed
//! point. Sums are of integers, so every machine gives the same pixels.

use std::num::NonZeroU32;

use super::decode::Rgb;

/// Names the resizer and its version. Change it whenever pixels may change.
pub const RESIZER: &str = "safelight pillow-bilinear 1";

/// Fractional bits of a coefficient: 32 less 8 of the pixel and 2 of headroom.
const PRECISION: u32 = 22;

/// For one axis: which input pixels each output pixel is made of, and weights.
struct Taps {
    /// First input pixel and count, per output pixel.
    bounds: Vec<(usize, usize)>,
    /// `stride` weights per output pixel, in 1 / 2^22.
    weights: Vec<i32>,
    stride: usize,
}

impl Taps {
    /// The taps that take `input[from .. from + extent]` to `output` pixels;
    /// the window lies within `input` pixels.
    fn new(from: usize, extent: usize, output: usize) -> Taps {
        let scale = extent as f64 / output as f64;
        let filter_scale = scale.max(1.0);
        let support = filter_scale;
        let stride = support.ceil() as usize * 2 + 1;
        let mut bounds = Vec::with_capacity(output);
        let mut weights = vec![0; output * stride];
        let mut raw = Vec::with_capacity(stride);
        for (place, row) in weights.chunks_exact_mut(stride).enumerate() {
            let center = (place as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let last = ((center + support + 0.5) as usize).min(extent);
            raw.clear();
            raw.extend((first..last).map(|x| {
                let distance = ((x as f64 - center + 0.5) * (1.0 / filter_scale)).abs();
                (1.0 - distance).max(0.0)
            }));
            let total: f64 = raw.iter().sum();
            for (weight, raw) in row.iter_mut().zip(&raw) {
                *weight = (0.5 + raw / total * f64::from(1 << PRECISION)) as i32;
            }
            bounds.push((from + first, last - first));
        }
        Taps { bounds, weights, stride }
    }
}

/// Resizes the window (`x`, `y`, `width`, `height`) of a picture to exactly
/// `to_width × to_height`. The window must lie within the picture.
pub fn resize(picture: &Rgb, window: Window, to_width: NonZeroU32, to_height: NonZeroU32) -> Rgb {
    let Window { x, y, width, height } = window;
    assert!(
        x + width <= picture.width && y + height <= picture.height && width > 0 && height > 0,
        "the window {window:?} leaves the picture"
    );
    let (to_w, to_h) = (to_width.get() as usize, to_height.get() as usize);
    let across = Taps::new(x as usize, width as usize, to_w);
    let down = Taps::new(0, height as usize, to_h);
    let row_bytes = picture.width as usize * 3;
    let rows = picture.pixels.chunks_exact(row_bytes).skip(y as usize).take(height as usize);

    // Pillow skips a pass that changes nothing.
    let mut middle = Vec::with_capacity(height as usize * to_w * 3);
    for row in rows {
        if width == to_width.get() {
            middle.extend_from_slice(&row[x as usize * 3..][..to_w * 3]);
        } else {
            resample_row(row, &across, &mut middle);
        }
    }
    let pixels = if height == to_height.get() { middle } else { resample_columns(&middle, to_w * 3, &down) };
    Rgb { width: to_width.get(), height: to_height.get(), pixels }
}

/// A rectangle within a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Columns to its left.
    pub x: u32,
    /// Rows above it.
    pub y: u32,
    /// Its columns.
    pub width: u32,
    /// Its rows.
    pub height: u32,
}

impl Window {
    /// All of a picture.
    pub fn whole(picture: &Rgb) -> Window {
        Window { x: 0, y: 0, width: picture.width, height: picture.height }
    }
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

fn resample_row(row: &[u8], taps: &Taps, out: &mut Vec<u8>) {
    for ((first, count), weights) in taps.bounds.iter().zip(taps.weights.chunks_exact(taps.stride)) {
        let mut sums = [1 << (PRECISION - 1); 3];
        for (pixel, weight) in row[first * 3..(first + count) * 3].chunks_exact(3).zip(weights) {
            sums[0] += i32::from(pixel[0]) * weight;
            sums[1] += i32::from(pixel[1]) * weight;
            sums[2] += i32::from(pixel[2]) * weight;
        }
        out.extend(sums.map(to_byte));
    }
}

fn resample_columns(rows: &[u8], row_bytes: usize, taps: &Taps) -> Vec<u8> {
    let mut out = Vec::with_capacity(taps.bounds.len() * row_bytes);
    let mut sums = vec![0; row_bytes];
    for ((first, count), weights) in taps.bounds.iter().zip(taps.weights.chunks_exact(taps.stride)) {
        sums.fill(1 << (PRECISION - 1));
        let window = rows[first * row_bytes..(first + count) * row_bytes].chunks_exact(row_bytes);
        for (row, weight) in window.zip(weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += i32::from(*value) * weight;
            }
        }
        out.extend(sums.iter().map(|sum| to_byte(*sum)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture that the golden values were made from.
    fn picture(width: u32, height: u32) -> Rgb {
        let pixels = (0..height)
            .flat_map(|y| {
                (0..width).flat_map(move |x| (0..3).map(move |c| (x * 7 + y * 13 + c * 29 + x * y) as u8))
            })
            .collect();
        Rgb { width, height, pixels }
    }

    fn resized(from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
        let picture = picture(from.0, from.1);
        let side = |n| NonZeroU32::new(n).expect("not zero");
        resize(&picture, Window::whole(&picture), side(to.0), side(to.1)).pixels
    }

    /// FNV-1a, so that the golden values can be made again in a few lines of Python.
    fn fnv(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// Golden values of Pillow 13.0.0, `resize(…, Image.BILINEAR)`.
    #[test]
    fn pixels_are_those_of_pillow() {
        assert_eq!(resized((5, 5), (2, 2)), SMALL);
        for ((from, to), hash) in GOLDEN {
            assert_eq!(fnv(&resized(from, to)), hash, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn a_window_is_the_crop_of_it() {
        let whole = picture(40, 30);
        let window = Window { x: 7, y: 3, width: 20, height: 21 };
        let mut cropped = Vec::new();
        for row in whole.pixels.chunks_exact(120).skip(3).take(21) {
            cropped.extend_from_slice(&row[21..81]);
        }
        let cropped = Rgb { width: 20, height: 21, pixels: cropped };
        let side = NonZeroU32::new(8).expect("not zero");
        assert_eq!(resize(&whole, window, side, side), resize(&cropped, Window::whole(&cropped), side, side));
    }

    type Case = (((u32, u32), (u32, u32)), u64);

    const GOLDEN: [Case; 7] = [
        (((37, 23), (16, 10)), 0x8fb2_c0b1_9c1c_ad41),
        (((150, 150), (64, 64)), 0xe161_471e_b174_7cd1),
        (((150, 150), (128, 128)), 0x8431_6445_521e_4e98),
        (((40, 30), (64, 48)), 0x080b_b8df_1666_8fc6),
        (((150, 150), (150, 70)), 0x8e1a_d6f9_572c_23b8),
        (((1000, 13), (31, 13)), 0xbc72_841f_2e06_107a),
        (((5, 5), (1, 1)), 0xe5cb_2217_e1db_e100),
    ];

    const SMALL: [u8; 12] = [21, 50, 79, 37, 66, 95, 49, 78, 107, 69, 98, 127];
}
