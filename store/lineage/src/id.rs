//! Identifiers: one newtype per thing that can be named, so that they cannot be
//! mixed up.
//!
//! Content is named by a 32-byte [digest](crate::digest); entities are named by
//! 16 bytes. An [`ImageId`] is a function of what was imported, so the same
//! folder imported twice, into any repository, has the same ids (and a training
//! run the same augmentations). The other ids are functions of the transaction
//! that made them and a counter, and therefore unique.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{BlobId, Hasher};
use crate::event::Split;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not {expected}")]
pub struct ParseIdError {
    /// What was given.
    pub text: String,
    /// What was expected, in words.
    pub expected: &'static str,
}

/// Reads exactly `N` bytes of lower- or upper-case hexadecimal digits.
pub(crate) fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let nibble = |digit: u8| (digit as char).to_digit(16).map(|value| value as u8);
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

pub(crate) fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

macro_rules! id_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(transparent)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
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
                    expected: "an id of 32 hexadecimal digits",
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_type!(
    /// One atomic commit, wherever it is kept: 48 bits of milliseconds since
    /// 1970, then 80 random bits, so that ids order by time.
    TransactionId
);
id_type!(
    /// One image through all its versions, labels and removals.
    ImageId
);
id_type!(
    /// One training run.
    RunId
);
id_type!(
    /// The weights that one stage of a run ended with.
    CheckpointId
);
id_type!(
    /// The probabilities of one model on one set of images.
    PredictionsId
);
id_type!(
    /// One cleaning pass: rules applied to predictions.
    PassId
);
id_type!(
    /// One vote over several predictions.
    EnsembleId
);
id_type!(
    /// One file as handed in.
    SubmissionId
);
id_type!(
    /// One trained generator.
    GeneratorId
);
id_type!(
    /// One batch of generated images.
    SamplesId
);
id_type!(
    /// Weights that came from elsewhere.
    WeightsId
);

impl TransactionId {
    /// Makes an id from a time in milliseconds since 1970 and random bytes.
    pub fn new(milliseconds: u64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        TransactionId(bytes)
    }

    /// Derives the `counter`-th id that this transaction gives out for things
    /// of the given `kind` ("run", "checkpoint", …).
    pub fn derive(&self, kind: &str, counter: u32) -> [u8; 16] {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 entity id v1");
        hasher.update(&self.0).update(&counter.to_le_bytes()).update(kind.as_bytes());
        hasher.finish_16()
    }
}

impl ImageId {
    /// The id of an image first seen as `blob` at `path` in `split`.
    pub fn of_import(blob: BlobId, path: &[u8], split: Split) -> Self {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 image id v1");
        hasher.update(blob.as_bytes()).update(&[split.code()]).update(path);
        ImageId(hasher.finish_16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_rejects_other_lengths() {
        let id = RunId(*b"\x00\x01\xfeABCDEFGHIJKLM");
        assert_eq!(id.to_string().parse::<RunId>(), Ok(id));
        assert!("12".parse::<RunId>().is_err());
        assert!("zz".repeat(16).parse::<RunId>().is_err());
        assert!("é".repeat(16).parse::<RunId>().is_err());
    }

    #[test]
    fn transaction_ids_order_by_time() {
        let early = TransactionId::new(1_000, [255; 10]);
        let late = TransactionId::new(1_001, [0; 10]);
        assert!(early < late);
        assert_ne!(early.derive("run", 0), early.derive("run", 1));
        assert_ne!(early.derive("run", 0), early.derive("pass", 0));
    }

    #[test]
    fn image_ids_depend_on_every_part() {
        let blob = BlobId::of(b"picture");
        let id = ImageId::of_import(blob, b"a.jpg", Split::Train);
        assert_eq!(id, ImageId::of_import(blob, b"a.jpg", Split::Train));
        assert_ne!(id, ImageId::of_import(blob, b"b.jpg", Split::Train));
        assert_ne!(id, ImageId::of_import(blob, b"a.jpg", Split::Test));
        assert_ne!(id, ImageId::of_import(BlobId::of(b"other"), b"a.jpg", Split::Train));
    }
}
