//! `ImageImported` by hand: the bytes of its schema 1, without serde.
//!
//! A repository is mostly these events, and opening it folds them all. Every
//! field has one spelling only, so reading is strict without encoding again.

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{ImageImported, Origin, Split};
use safelight_lineage::id::{ImageId, SamplesId};
use safelight_lineage::value::{ClassIndex, PathBytes};

use crate::bytes::Fields;
use crate::codec::CodecError;

/// Appends the bytes that bincode gives for `ImageImportedV1`.
pub(super) fn encode(event: &ImageImported, out: &mut Vec<u8>) {
    let path = event.path.as_bytes();
    out.extend_from_slice(event.image.as_bytes());
    out.extend_from_slice(event.blob.as_bytes());
    out.extend_from_slice(&(path.len() as u64).to_le_bytes());
    out.extend_from_slice(path);
    match event.label {
        None => out.push(0),
        Some(label) => {
            out.push(1);
            out.extend_from_slice(&label.0.to_le_bytes());
        }
    }
    out.extend_from_slice(&u32::from(event.split.code()).to_le_bytes());
    match event.origin {
        Origin::File => out.extend_from_slice(&0u32.to_le_bytes()),
        Origin::Generated { samples } => {
            out.extend_from_slice(&1u32.to_le_bytes());
            out.extend_from_slice(samples.as_bytes());
        }
    }
}

/// Reads what [`encode`] writes, and nothing else.
pub(super) fn decode(payload: &[u8]) -> Result<ImageImported, CodecError> {
    read(payload).ok_or_else(|| CodecError::Malformed("a field is missing or out of range".into()))
}

fn read(payload: &[u8]) -> Option<ImageImported> {
    let mut fields = Fields::new(payload);
    let image = ImageId(fields.array()?);
    let blob = BlobId(fields.array()?);
    let path_len = usize::try_from(fields.u64()?).ok()?;
    let path = PathBytes::new(fields.take(path_len)?);
    let label = match fields.u8()? {
        0 => None,
        1 => Some(ClassIndex(fields.u16()?)),
        _ => return None,
    };
    let split = Split::from_code(u8::try_from(fields.u32()?).ok()?)?;
    let origin = match fields.u32()? {
        0 => Origin::File,
        1 => Origin::Generated { samples: SamplesId(fields.array()?) },
        _ => return None,
    };
    (fields.left() == 0).then_some(ImageImported { image, blob, path, label, split, origin })
}
