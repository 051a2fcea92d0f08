//! Renditions: pictures decoded and scaled to what one stage needs.

use std::num::NonZeroU32;

use crate::image::decode::{DECODER, DecodeError, Rgb, decode};
use crate::image::resize::{RESIZER, Window, resize};

/// Longer sides are cut, around the middle, to this many times the shorter
/// one: no window would show more of them anyway with any probability.
const LONGEST: u32 = 4;

/// A picture as bytes: 8-bit RGB, rows from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture<'a> {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `height × width × 3` bytes.
    pub pixels: &'a [u8],
}

impl<'a> From<&'a Rgb> for Picture<'a> {
    fn from(rgb: &'a Rgb) -> Self {
        Picture { width: rgb.width as usize, height: rgb.height as usize, pixels: &rgb.pixels }
    }
}

/// Decodes a picture and scales it so that its shorter side is `edge` pixels.
///
/// fastai first crops the square and then scales it; here the crop comes later,
/// so that one rendition serves every epoch.
pub fn render(bytes: &[u8], edge: NonZeroU32) -> Result<Rgb, DecodeError> {
    let picture = decode(bytes)?;
    let (width, height) = (picture.width, picture.height);
    let short = width.min(height);
    let window = Window {
        x: (width - width.min(short * LONGEST)) / 2,
        y: (height - height.min(short * LONGEST)) / 2,
        width: width.min(short * LONGEST),
        height: height.min(short * LONGEST),
    };
    let scaled = |side: u32| {
        let exact = f64::from(side) * f64::from(edge.get()) / f64::from(short);
        NonZeroU32::new(exact.round() as u32).unwrap_or(edge)
    };
    Ok(resize(&picture, window, scaled(window.width), scaled(window.height)))
}

/// Names the decoder and the resizer: what pixels depend on besides the bytes.
pub fn pixel_version() -> String {
    format!("{DECODER}; {RESIZER}")
}

#[cfg(test)]
mod tests {
    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, ImageEncoder};

    use super::*;

    fn rendered(width: u32, height: u32, edge: u32) -> (u32, u32) {
        let mut bytes = Vec::new();
        let pixels = vec![9; (width * height) as usize];
        PngEncoder::new(&mut bytes)
            .write_image(&pixels, width, height, ExtendedColorType::L8)
            .expect("encodes");
        let rgb = render(&bytes, NonZeroU32::new(edge).expect("not zero")).expect("decodes");
        assert!(rgb.pixels.iter().all(|&value| value == 9));
        (rgb.width, rgb.height)
    }

    #[test]
    fn the_shorter_side_is_the_edge_and_the_longer_one_in_proportion() {
        assert_eq!(rendered(150, 150, 64), (64, 64));
        assert_eq!(rendered(300, 150, 64), (128, 64));
        assert_eq!(rendered(20, 30, 64), (64, 96));
        assert_eq!(rendered(1, 1, 32), (32, 32));
    }

    #[test]
    fn very_long_pictures_are_cut() {
        assert_eq!(rendered(900, 10, 32), (128, 32));
    }
}
