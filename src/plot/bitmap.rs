//! A picture that plotters can draw on, with the letters of the contact sheets:
//! its own bitmap backend needs fonts from outside.

use std::convert::Infallible;

use image::RgbImage;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind};

use crate::sheet::{LINE, advance, raster};

/// Draws on 8-bit RGB.
pub struct Bitmap<'a>(pub &'a mut RgbImage);

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Bitmap<'_> {
    /// Mixes a share of a colour in; outside of the picture nothing happens.
    fn blend(&mut self, (x, y): BackendCoord, colour: BackendColor, share: f64) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        let Some(pixel) = self.0.get_pixel_mut_checked(x, y) else { return };
        let share = (colour.alpha * share).clamp(0.0, 1.0);
        let (red, green, blue) = colour.rgb;
        for (value, new) in pixel.0.iter_mut().zip([red, green, blue]) {
            *value = (f64::from(*value) * (1.0 - share) + f64::from(new) * share).round() as u8;
        }
    }
}

impl DrawingBackend for Bitmap<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.0.dimensions()
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, colour: BackendColor) -> Drawn {
        self.blend(point, colour, 1.0);
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, at: BackendCoord) -> Drawn {
        let (width, height) = (extent(text), LINE as i32);
        let left = match style.anchor().h_pos {
            HPos::Left => 0,
            HPos::Center => -width / 2,
            HPos::Right => -width,
        };
        let top = match style.anchor().v_pos {
            VPos::Top => 0,
            VPos::Center => -height / 2,
            VPos::Bottom => -height,
        };
        let turn = style.transform();
        for (index, letter) in text.chars().enumerate() {
            let Some(letter) = raster(letter) else { continue };
            let start = left + index as i32 * advance() as i32;
            for (row, inks) in letter.pixels().chunks_exact(advance()).enumerate() {
                for (column, ink) in inks.iter().enumerate() {
                    let (x, y) = turn.transform(start + column as i32, top + row as i32);
                    self.blend((at.0 + x, at.1 + y), style.color(), f64::from(*ink) / 255.0);
                }
            }
        }
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        _: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((extent(text) as u32, LINE as u32))
    }
}

/// The width of a line of text, pixels.
fn extent(text: &str) -> i32 {
    (text.chars().count() * advance()) as i32
}
