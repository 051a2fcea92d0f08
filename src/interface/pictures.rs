//! Pictures from stored bytes.

use safelight_lineage::digest::BlobId;
use safelight_store::Blobs;
use safelight_tui::{Pictures, PortError};

use super::generators::GridFiles;
use crate::image::decode::decode;

/// The pictures that blobs hold, and the grids of generators in training.
pub(super) struct StoredPictures {
    pub(super) blobs: Blobs,
    pub(super) grids: GridFiles,
}

impl Pictures for StoredPictures {
    fn picture(&self, blob: BlobId) -> Result<image::DynamicImage, PortError> {
        let bytes = match self.grids.read(blob) {
            Some(bytes) => bytes,
            None => self.blobs.get(blob).map_err(PortError::new)?,
        };
        // The decoder of training: what is seen is what models see.
        if let Ok(rgb) = decode(&bytes)
            && let Some(pixels) = image::RgbImage::from_raw(rgb.width, rgb.height, rgb.pixels)
        {
            return Ok(image::DynamicImage::ImageRgb8(pixels));
        }
        let mut reader = image::ImageReader::new(std::io::Cursor::new(bytes));
        reader = reader.with_guessed_format().map_err(PortError::new)?;
        // Imports refuse larger pictures; this guards against older ones.
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(512 << 20);
        reader.limits(limits);
        reader.decode().map_err(PortError::new)
    }
}
