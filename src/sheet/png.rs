//! A page as one PNG.

use std::num::NonZeroU32;

use image::{ExtendedColorType, ImageEncoder as _};

use super::cell::{Cell, Tone};
use super::page::{Page, PageError};
use super::text::{LINE, advance, raster, wrapped};
use crate::image::decode::{Rgb, decode};
use crate::image::resize::{Window, resize};

/// The edge of the square that a picture is fitted into, in pixels.
const PICTURE: usize = 192;
const GAP: usize = 12;
/// The most lines of one kind below a picture.
const MOST_LINES: usize = 6;
/// The largest side that common decoders take.
const LARGEST: usize = 32_000;
const PAPER: u8 = 250;

/// Draws a page. Pictures keep their proportions; one that cannot be decoded
/// becomes a crossed box.
///
/// # Errors
/// When there are no pictures or too many.
pub fn png(page: &Page) -> Result<Vec<u8>, PageError> {
    if page.cells.is_empty() {
        return Err(PageError::Empty);
    }
    let columns = page.columns.clamp(1, page.cells.len());
    let letters = PICTURE / advance();
    let rows: Vec<Vec<Drawn<'_>>> = page
        .cells
        .chunks(columns)
        .map(|row| row.iter().map(|cell| Drawn::of(cell, letters)).collect())
        .collect();
    let heights: Vec<usize> = rows.iter().map(|row| row_height(row)).collect();
    let width = GAP + columns * (PICTURE + GAP);
    let title = wrapped(&page.title, (width - 2 * GAP) / advance(), 4);
    let top = GAP + title.len() * LINE + GAP;
    let height = top + heights.iter().sum::<usize>();
    if height > LARGEST || width > LARGEST {
        return Err(PageError::TooLarge { cells: page.cells.len(), height: height.max(width) });
    }
    let mut canvas = Canvas { width, height, pixels: vec![PAPER; width * height * 3] };
    for (number, line) in title.iter().enumerate() {
        canvas.write(GAP, GAP + number * LINE, line, Tone::Label.colour());
    }
    let mut y = top;
    for (row, height) in rows.iter().zip(heights) {
        for (column, cell) in row.iter().enumerate() {
            canvas.cell(GAP + column * (PICTURE + GAP), y, cell);
        }
        y += height;
    }
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(
        &canvas.pixels,
        width as u32,
        height as u32,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

/// A cell whose picture is scaled and whose lines are broken.
struct Drawn<'a> {
    cell: &'a Cell,
    lines: Vec<(Tone, String)>,
}

impl<'a> Drawn<'a> {
    fn of(cell: &'a Cell, letters: usize) -> Drawn<'a> {
        let broken = |(tone, text): &(Tone, String)| {
            let tone = *tone;
            wrapped(text, letters, MOST_LINES).into_iter().map(move |line| (tone, line))
        };
        Drawn { cell, lines: cell.lines.iter().flat_map(broken).collect() }
    }
}

fn row_height(row: &[Drawn<'_>]) -> usize {
    PICTURE + 4 + row.iter().map(|cell| cell.lines.len()).max().unwrap_or(0) * LINE + GAP
}

struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn cell(&mut self, x: usize, y: usize, drawn: &Drawn<'_>) {
        match fitted(&drawn.cell.picture) {
            Some(picture) => self.picture(x, y, &picture),
            None => self.cross(x, y),
        }
        for (number, (tone, line)) in drawn.lines.iter().enumerate() {
            self.write(x, y + PICTURE + 4 + number * LINE, line, tone.colour());
        }
    }

    /// Puts a picture in the middle of its square.
    fn picture(&mut self, x: usize, y: usize, picture: &Rgb) {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let (x, y) = (x + (PICTURE - width) / 2, y + (PICTURE - height) / 2);
        for (row, pixels) in picture.pixels.chunks_exact(width * 3).enumerate() {
            let start = ((y + row) * self.width + x) * 3;
            self.pixels[start..start + width * 3].copy_from_slice(pixels);
        }
    }

    fn cross(&mut self, x: usize, y: usize) {
        for step in 0..PICTURE {
            for (dx, dy) in [
                (step, step),
                (PICTURE - 1 - step, step),
                (step, 0),
                (0, step),
                (step, PICTURE - 1),
                (PICTURE - 1, step),
            ] {
                self.blend(x + dx, y + dy, [200, 0, 0], 255);
            }
        }
    }

    fn write(&mut self, x: usize, y: usize, line: &str, colour: [u8; 3]) {
        for (place, letter) in line.chars().enumerate() {
            let Some(raster) = raster(letter) else { continue };
            for (dy, row) in raster.rows().enumerate() {
                for (dx, ink) in row.iter().enumerate() {
                    self.blend(x + place * advance() + dx, y + dy, colour, *ink);
                }
            }
        }
    }

    fn blend(&mut self, x: usize, y: usize, colour: [u8; 3], ink: u8) {
        if x >= self.width || y >= self.height || ink == 0 {
            return;
        }
        let start = (y * self.width + x) * 3;
        for (channel, wanted) in self.pixels[start..start + 3].iter_mut().zip(colour) {
            let mixed = u16::from(*channel) * u16::from(255 - ink) + u16::from(wanted) * u16::from(ink);
            *channel = (mixed / 255) as u8;
        }
    }
}

/// Decodes a picture and scales it to fit the square.
fn fitted(bytes: &[u8]) -> Option<Rgb> {
    let picture = decode(bytes).ok()?;
    let longest = picture.width.max(picture.height);
    let side = |length: u32| {
        let scaled = u64::from(length) * PICTURE as u64 / u64::from(longest);
        NonZeroU32::new(scaled as u32).unwrap_or(NonZeroU32::MIN)
    };
    let window = Window { x: 0, y: 0, width: picture.width, height: picture.height };
    Some(resize(&picture, window, side(picture.width), side(picture.height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, value: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        let pixels = vec![value; (width * height * 3) as usize];
        image::codecs::png::PngEncoder::new(&mut bytes)
            .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
            .expect("encodes");
        bytes
    }

    fn page(cells: usize, columns: usize) -> Page {
        let cell = |n: usize| Cell {
            picture: if n == 1 { b"none".to_vec() } else { picture(30, 10, 60) },
            lines: vec![
                (Tone::Label, "sea".to_owned()),
                (Tone::Reason, "because of many words here".to_owned()),
            ],
        };
        Page { title: "A title".to_owned(), columns, cells: (0..cells).map(cell).collect() }
    }

    #[test]
    fn a_page_has_its_pictures_where_they_belong() {
        let drawn = decode(&png(&page(3, 2)).expect("drawn")).expect("a PNG");
        assert_eq!(drawn.width as usize, GAP + 2 * (PICTURE + GAP));
        let at = |x: usize, y: usize| {
            let start = (y * drawn.width as usize + x) * 3;
            [drawn.pixels[start], drawn.pixels[start + 1], drawn.pixels[start + 2]]
        };
        let top = GAP + LINE + GAP;
        let middle = (GAP + PICTURE / 2, top + PICTURE / 2);
        assert_eq!(at(middle.0, middle.1), [60; 3], "the picture lies in the middle of its square");
        assert_eq!(at(middle.0, top + 10), [PAPER; 3], "in its proportions");
        let second = (GAP + PICTURE + GAP + PICTURE / 2, top + PICTURE / 2);
        assert_eq!(at(second.0, second.1)[0], 200, "what cannot be decoded is crossed");
        let ink = (0..LINE).any(|dy| (0..PICTURE).any(|dx| at(GAP + dx, top + PICTURE + 4 + dy)[0] < 100));
        assert!(ink, "the label is written below");
    }

    #[test]
    fn pages_without_pictures_or_with_too_many_are_refused() {
        assert!(matches!(png(&page(0, 3)), Err(PageError::Empty)));
        assert!(matches!(png(&page(200, 1)), Err(PageError::TooLarge { cells: 200, .. })));
    }
}
