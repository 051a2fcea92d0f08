//! Pictures as generators see them.

use std::num::NonZeroU32;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;

use super::grid::picture_png;
use crate::train::plan::BlobSource;
use crate::train::rendition::render;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// An image cannot be read or decoded.
    #[error("image {image} cannot be used: {reason}")]
    Undecodable {
        /// The image.
        image: ImageId,
        /// Why.
        reason: String,
    },
    /// A sample cannot be encoded.
    #[error("a sample cannot be encoded: {0}")]
    Encode(#[from] image::ImageError),
}

/// A real image as a generator of this size sees it: the square in its middle,
/// `size × size × 3` RGB bytes.
///
/// # Errors
/// When its bytes cannot be read or decoded.
pub fn real_picture(
    blobs: &dyn BlobSource,
    image: ImageId,
    blob: BlobId,
    size: u32,
) -> Result<Vec<u8>, PictureError> {
    let bad = |reason: String| PictureError::Undecodable { image, reason };
    let bytes = blobs.read(blob).map_err(|error| bad(error.to_string()))?;
    let edge = NonZeroU32::new(size).unwrap_or(NonZeroU32::MIN);
    let picture = render(&bytes, edge).map_err(|error| bad(error.to_string()))?;
    Ok(square(&picture.pixels, picture.width as usize, picture.height as usize, size as usize))
}

/// The square of this edge in the middle of RGB bytes.
pub fn square(pixels: &[u8], width: usize, height: usize, edge: usize) -> Vec<u8> {
    let (left, top) = (width.saturating_sub(edge) / 2, height.saturating_sub(edge) / 2);
    let row = |line: usize| {
        let start = ((top + line) * width + left) * 3;
        &pixels[start..start + edge.min(width) * 3]
    };
    (0..edge.min(height)).flat_map(row).copied().collect()
}

/// Encodes pictures of `size × size` RGB bytes as PNG.
///
/// # Errors
/// When one cannot be encoded.
pub fn encoded(pictures: &[Vec<u8>], size: u32) -> Result<Vec<Vec<u8>>, PictureError> {
    pictures.iter().map(|pixels| Ok(picture_png(pixels, size)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::square;

    #[test]
    fn the_square_is_the_middle_one() {
        let pixels: Vec<u8> = (0..4 * 2).flat_map(|place| [place; 3]).collect();
        assert_eq!(square(&pixels, 4, 2, 2), [1, 1, 1, 2, 2, 2, 5, 5, 5, 6, 6, 6]);
    }
}
