//! How a stored shape and a domain type stand for each other.

use std::collections::BTreeMap;

use safelight_lineage::digest::{BlobId, FrameDigest, ManifestDigest};
use safelight_lineage::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    TransactionId, WeightsId,
};
use safelight_lineage::value::{ClassIndex, PathBytes, Real};
use serde::{Deserialize, Serialize};

/// A stored shape of the domain type `D`: `load(store(d)) == d`.
pub(super) trait Shape<D> {
    fn store(domain: &D) -> Self;
    fn load(self) -> D;
}

/// Sixteen bytes of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Id([u8; 16]);

/// Thirty-two bytes of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Digest([u8; 32]);

/// The bits of a floating-point number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Bits(u64);

macro_rules! wraps {
    ($shape:ident: $($domain:ident),+) => {
        $(impl Shape<$domain> for $shape {
            fn store(domain: &$domain) -> Self {
                $shape(domain.0)
            }

            fn load(self) -> $domain {
                $domain(self.0)
            }
        })+
    };
}

wraps!(Id: TransactionId, ImageId, RunId, CheckpointId, PredictionsId, PassId, EnsembleId, SubmissionId,
    GeneratorId, SamplesId, WeightsId);
wraps!(Digest: BlobId, FrameDigest, ManifestDigest);

impl Shape<[u8; 32]> for Digest {
    fn store(domain: &[u8; 32]) -> Self {
        Digest(*domain)
    }

    fn load(self) -> [u8; 32] {
        self.0
    }
}

impl Shape<Real> for Bits {
    fn store(domain: &Real) -> Self {
        Bits(domain.0.to_bits())
    }

    fn load(self) -> Real {
        Real(f64::from_bits(self.0))
    }
}

impl Shape<ClassIndex> for u16 {
    fn store(domain: &ClassIndex) -> Self {
        domain.0
    }

    fn load(self) -> ClassIndex {
        ClassIndex(self)
    }
}

impl Shape<PathBytes> for Vec<u8> {
    fn store(domain: &PathBytes) -> Self {
        domain.as_bytes().to_vec()
    }

    fn load(self) -> PathBytes {
        PathBytes::new(self)
    }
}

macro_rules! is_itself {
    ($($plain:ty),+) => {
        $(impl Shape<$plain> for $plain {
            fn store(domain: &$plain) -> Self {
                domain.clone()
            }

            fn load(self) -> $plain {
                self
            }
        })+
    };
}

is_itself!(u32, u64, String);

impl<D, S: Shape<D>> Shape<Option<D>> for Option<S> {
    fn store(domain: &Option<D>) -> Self {
        domain.as_ref().map(S::store)
    }

    fn load(self) -> Option<D> {
        self.map(S::load)
    }
}

impl<D, S: Shape<D>> Shape<Vec<D>> for Vec<S> {
    fn store(domain: &Vec<D>) -> Self {
        domain.iter().map(S::store).collect()
    }

    fn load(self) -> Vec<D> {
        self.into_iter().map(S::load).collect()
    }
}

impl<D, S: Shape<D>> Shape<BTreeMap<String, D>> for BTreeMap<String, S> {
    fn store(domain: &BTreeMap<String, D>) -> Self {
        domain.iter().map(|(name, value)| (name.clone(), S::store(value))).collect()
    }

    fn load(self) -> BTreeMap<String, D> {
        self.into_iter().map(|(name, value)| (name, value.load())).collect()
    }
}

/// Declares a frozen struct and what it stands for, field by field.
macro_rules! stored_struct {
    ($($(#[$meta:meta])* $shape:ident = $domain:ident { $($field:ident: $type:ty),* $(,)? })+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            pub(in crate::schema) struct $shape {
                $($field: $type),*
            }

            impl From<&$domain> for $shape {
                fn from(domain: &$domain) -> Self {
                    $shape { $($field: $crate::schema::shape::Shape::store(&domain.$field)),* }
                }
            }

            impl From<$shape> for $domain {
                fn from(stored: $shape) -> Self {
                    $domain { $($field: $crate::schema::shape::Shape::load(stored.$field)),* }
                }
            }

            impl $crate::schema::shape::Shape<$domain> for $shape {
                fn store(domain: &$domain) -> Self {
                    domain.into()
                }

                fn load(self) -> $domain {
                    self.into()
                }
            }
        )+
    };
}

/// Declares a frozen enum and what it stands for; the order of the variants is
/// in the files.
macro_rules! stored_enum {
    ($($(#[$meta:meta])* $shape:ident = $domain:ident {
        $($variant:ident $({ $($field:ident: $type:ty),+ $(,)? })?),+ $(,)?
    })+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            pub(in crate::schema) enum $shape {
                $($variant $({ $($field: $type),+ })?),+
            }

            impl From<&$domain> for $shape {
                fn from(domain: &$domain) -> Self {
                    match domain {
                        $($domain::$variant $({ $($field),+ })? => $shape::$variant $({
                            $($field: $crate::schema::shape::Shape::store($field)),+
                        })?),+
                    }
                }
            }

            impl From<$shape> for $domain {
                fn from(stored: $shape) -> Self {
                    match stored {
                        $($shape::$variant $({ $($field),+ })? => $domain::$variant $({
                            $($field: $crate::schema::shape::Shape::load($field)),+
                        })?),+
                    }
                }
            }

            impl $crate::schema::shape::Shape<$domain> for $shape {
                fn store(domain: &$domain) -> Self {
                    domain.into()
                }

                fn load(self) -> $domain {
                    self.into()
                }
            }
        )+
    };
}

pub(super) use {stored_enum, stored_struct};
