//! Digests: 32 bytes of BLAKE3, one newtype per kind of thing that is hashed.
//!
//! A [`BlobId`] is the plain BLAKE3 of the bytes, what `b3sum` prints.
//! Everything structured is hashed under its own `derive_key` context, so that
//! no digest of one kind can pass for one of another.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::id::{ParseIdError, parse_hex, write_hex};

/// A BLAKE3 hasher for structured things, under a context of its own.
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Starts a digest under `context`, which must be a literal that is used
    /// for one kind of thing only.
    pub fn derive_key(context: &'static str) -> Self {
        Hasher(blake3::Hasher::new_derive_key(context))
    }

    /// Adds bytes. Fields of variable length must be preceded by their length
    /// unless they come last.
    pub fn update(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// The digest of what was added.
    pub fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// The first half of the digest, for identifiers.
    pub fn finish_16(&self) -> [u8; 16] {
        let mut half = [0; 16];
        half.copy_from_slice(&self.finish()[..16]);
        half
    }

    /// The first eight bytes of the digest as a number, for keyed choices.
    pub fn finish_u64(&self) -> u64 {
        let mut eighth = [0; 8];
        eighth.copy_from_slice(&self.finish()[..8]);
        u64::from_le_bytes(eighth)
    }
}

macro_rules! digest_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(transparent)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The bytes of the digest.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The first eight hexadecimal digits, for people to read.
            pub fn short(&self) -> String {
                self.to_string()[..8].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(", stringify!($name))?;
                write_hex(&self.0, f)?;
                f.write_str(")")
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse_hex(text).map($name).ok_or_else(|| ParseIdError {
                    text: text.to_owned(),
                    expected: "a digest of 64 hexadecimal digits",
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

digest_type!(
    /// Names a blob: the plain BLAKE3 of its bytes, the same as `b3sum` prints.
    BlobId
);
digest_type!(
    /// Names a frame by its bytes, and through the digest of its parent in them
    /// everything before it. The digest of the newest frame is the head.
    FrameDigest
);
digest_type!(
    /// Names a dataset: which images, as which bytes, with which labels.
    ManifestDigest
);
digest_type!(
    /// Names what a state says of the dataset and the models.
    StateDigest
);

impl BlobId {
    /// The id of a blob with these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        BlobId(*blake3::hash(bytes).as_bytes())
    }
}

impl FrameDigest {
    /// The parent of the first frame.
    pub const ROOT: FrameDigest = FrameDigest([0; 32]);
}

impl Default for FrameDigest {
    fn default() -> Self {
        FrameDigest::ROOT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_named_as_b3sum_names_it() {
        assert_eq!(
            BlobId::of(b"").to_string(),
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
    }

    #[test]
    fn contexts_separate() {
        let one = Hasher::derive_key("safelight test one").update(b"x").finish();
        let two = Hasher::derive_key("safelight test two").update(b"x").finish();
        assert_ne!(one, two);
    }
}
