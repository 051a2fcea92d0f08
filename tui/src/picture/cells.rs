//! Pictures made of characters.

use image::{DynamicImage, RgbImage};
use ratatui::style::{Color, Style};

use super::painted::Painted;
use crate::theme::Depth;

/// Brightness from black to white on a dark terminal.
const RAMP: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

/// Two pixels a cell: `▀` in the colour of the upper on that of the lower.
pub fn half_blocks(image: &DynamicImage, width: u16, height: u16, depth: Depth) -> Painted {
    let pixels = fitted(image, u32::from(width), u32::from(height) * 2, 1.0);
    let colour = |x, y| {
        let [red, green, blue] = pixels.get_pixel(x, y).0;
        if depth == Depth::True {
            Color::Rgb(red, green, blue)
        } else {
            Color::Indexed(indexed([red, green, blue]))
        }
    };
    let (columns, rows) = pixels.dimensions();
    let mut cells = Vec::with_capacity((columns * rows.div_ceil(2)) as usize);
    for y in (0..rows).step_by(2) {
        for x in 0..columns {
            let upper = Style::new().fg(colour(x, y));
            let style = if y + 1 < rows { upper.bg(colour(x, y + 1)) } else { upper };
            cells.push(('▀', style));
        }
    }
    Painted::Cells { width: columns as u16, cells }
}

/// One pixel a cell, by brightness.
pub fn ascii(image: &DynamicImage, width: u16, height: u16) -> Painted {
    let pixels = fitted(image, u32::from(width), u32::from(height), 2.0);
    let cells = pixels.pixels().map(|pixel| {
        let [red, green, blue] = pixel.0.map(u32::from);
        let luma = (299 * red + 587 * green + 114 * blue) / 1000;
        (RAMP[(luma * (RAMP.len() as u32 - 1) / 255) as usize], Style::new())
    });
    Painted::Cells { width: pixels.width() as u16, cells: cells.collect() }
}

/// The picture scaled to fit, small ones enlarged; pixels of the result are
/// `tall` times as high as wide.
fn fitted(image: &DynamicImage, width: u32, height: u32, tall: f64) -> RgbImage {
    let (from_width, from_height) =
        (f64::from(image.width().max(1)), f64::from(image.height().max(1)) / tall);
    let scale = (f64::from(width) / from_width).min(f64::from(height) / from_height);
    let to = |from: f64, most: u32| ((from * scale).round() as u32).clamp(1, most.max(1));
    let (to_width, to_height) = (to(from_width, width), to(from_height, height));
    if to_width <= image.width() && to_height <= image.height() {
        image.thumbnail_exact(to_width, to_height).to_rgb8()
    } else {
        image.resize_exact(to_width, to_height, image::imageops::FilterType::Triangle).to_rgb8()
    }
}

/// The nearest of the 216 colours and 24 greys of xterm.
fn indexed(rgb: [u8; 3]) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let nearest =
        |value: u8| (0..6u8).min_by_key(|step| STEPS[usize::from(*step)].abs_diff(value)).unwrap_or(0);
    let steps = rgb.map(nearest);
    let cube = steps.map(|step| STEPS[usize::from(step)]);
    let mean = rgb.iter().map(|value| u32::from(*value)).sum::<u32>() / 3;
    let grey = (mean.saturating_sub(3) / 10).min(23) as u8;
    let grey_value = 8 + 10 * grey;
    let distance = |colour: [u8; 3]| -> u32 {
        colour.iter().zip(rgb).map(|(one, two)| u32::from(one.abs_diff(two)).pow(2)).sum()
    };
    if distance([grey_value; 3]) < distance(cube) {
        232 + grey
    } else {
        16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> DynamicImage {
        let shade = |x: u32, y: u32| image::Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, 0]);
        DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, shade))
    }

    fn size(painted: &Painted) -> (u16, u16) {
        match painted {
            Painted::Cells { width, cells } => (*width, cells.len() as u16 / width),
            Painted::Protocol { .. } => (0, 0),
        }
    }

    #[test]
    fn pictures_keep_their_shape_and_fill_the_room() {
        assert_eq!(size(&half_blocks(&picture(64, 64), 40, 10, Depth::True)), (20, 10));
        assert_eq!(size(&half_blocks(&picture(4, 2), 40, 30, Depth::True)), (40, 10));
        assert_eq!(size(&ascii(&picture(64, 64), 40, 10)), (20, 10));
        assert_eq!(size(&half_blocks(&picture(1, 1000), 1, 1, Depth::True)), (1, 1));
    }

    #[test]
    fn brightness_becomes_a_character() {
        let white = DynamicImage::ImageRgb8(RgbImage::from_pixel(2, 2, image::Rgb([255; 3])));
        let Painted::Cells { cells, .. } = ascii(&white, 4, 2) else { panic!("characters") };
        assert!(cells.iter().all(|(symbol, style)| *symbol == '@' && *style == Style::new()));
    }

    #[test]
    fn colours_of_the_cube_are_kept() {
        assert_eq!(indexed([255, 0, 0]), 196);
        assert_eq!(indexed([0, 0, 0]), 16);
        assert_eq!(indexed([128, 128, 128]), 244);
    }
}
