//! The one configuration of bincode that is used for stored shapes.
//!
//! Fixed-width little-endian integers, no trailing bytes, and always from a
//! slice: bincode's reader API can be made to allocate without bound.

use bincode::Options;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They do not decode.
    #[error("{0}")]
    Malformed(String),
    /// They decode, but are not what encoding the result gives: two spellings
    /// of one thing would have two digests.
    #[error("it is not in its one canonical form")]
    NotCanonical,
}

fn options() -> impl Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_little_endian().reject_trailing_bytes()
}

/// Appends the bytes of `value`.
pub(crate) fn encode_into<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    options().serialize_into(out, value).map_err(|error| CodecError::Malformed(error.to_string()))
}

/// Reads a value, and insists that its bytes are the canonical ones.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let value: T = options().deserialize(bytes).map_err(|error| CodecError::Malformed(error.to_string()))?;
    let mut again = Vec::with_capacity(bytes.len());
    encode_into(&value, &mut again)?;
    if again == bytes { Ok(value) } else { Err(CodecError::NotCanonical) }
}
