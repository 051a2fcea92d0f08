//! The pictures of a repository, for the training engine.

use safelight_lineage::digest::BlobId;
use safelight_store::Blobs;

use crate::train::plan::BlobSource;

/// Reads pictures from a repository's store, each checked against its digest.
#[derive(Debug, Clone)]
pub struct StoredImages(pub Blobs);

impl BlobSource for StoredImages {
    fn read(&self, blob: BlobId) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.get(blob)?)
    }
}
