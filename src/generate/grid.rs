//! Samples side by side as one PNG.

use image::{ExtendedColorType, ImageEncoder as _};

/// Pixels between two pictures.
const GAP: usize = 1;

/// Encodes one picture of `size × size` RGB bytes; equal pixels give equal bytes.
///
/// # Errors
/// When the encoder refuses, as for pixels that are not so many.
pub fn picture_png(pixels: &[u8], size: u32) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(
        pixels,
        size,
        size,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

/// Draws rows of pictures of `size × size` RGB bytes, with a pixel of black
/// between them and around.
///
/// # Errors
/// When the encoder refuses.
pub fn grid_png(rows: &[Vec<&[u8]>], size: u32) -> Result<Vec<u8>, image::ImageError> {
    let edge = size as usize;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let (width, height) = (columns * (edge + GAP) + GAP, rows.len() * (edge + GAP) + GAP);
    let mut pixels = vec![0; width * height * 3];
    for (row, pictures) in rows.iter().enumerate() {
        for (column, picture) in pictures.iter().enumerate() {
            let (left, top) = (GAP + column * (edge + GAP), GAP + row * (edge + GAP));
            for (line, bytes) in picture.chunks_exact(edge * 3).enumerate().take(edge) {
                let start = ((top + line) * width + left) * 3;
                pixels[start..start + edge * 3].copy_from_slice(bytes);
            }
        }
    }
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(
        &pixels,
        width as u32,
        height as u32,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::decode::decode;

    #[test]
    fn pictures_lie_in_rows() {
        let (light, dark) = (vec![200; 12], vec![50; 12]);
        let rows = [vec![light.as_slice(), &dark], vec![dark.as_slice()]];
        let drawn = decode(&grid_png(&rows, 2).expect("encodes")).expect("a PNG");
        assert_eq!((drawn.width, drawn.height), (7, 7));
        let at = |x: usize, y: usize| drawn.pixels[(y * 7 + x) * 3];
        assert_eq!([at(1, 1), at(4, 1), at(1, 4), at(4, 4), at(3, 1)], [200, 50, 50, 0, 0]);
    }
}
