//! A compact byte form for what a state holds, used by snapshots and by the
//! state digest.
//!
//! It is canonical (equal values have equal bytes) and it trusts nothing: a
//! length is compared with the bytes that are left before anything is
//! allocated for it.

use std::collections::BTreeMap;

/// Why bytes are not a snapshot of a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The first bytes are not those of a snapshot.
    #[error("not a state snapshot: it does not start with its magic bytes")]
    NotASnapshot,
    /// The snapshot is of a version that this program does not read.
    #[error("the snapshot has version {found}; this program reads version {expected}")]
    Version {
        /// The version in the bytes.
        found: u32,
        /// The version that is read.
        expected: u32,
    },
    /// The bytes end before the state does.
    #[error("the snapshot ends at byte {length}, where {missing} more bytes of {what} were expected")]
    Truncated {
        /// How many bytes there are.
        length: u64,
        /// How many more were expected, at least.
        missing: u64,
        /// What was being read.
        what: &'static str,
    },
    /// The state ends before the bytes do.
    #[error("the snapshot has {extra} bytes after its end")]
    TrailingBytes {
        /// How many.
        extra: u64,
    },
    /// A value is impossible.
    #[error("the snapshot is malformed at byte {offset}: {what}")]
    Malformed {
        /// Where the value ended.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
}

/// Reads values off the front of a slice.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, place: 0 }
    }

    pub(crate) fn place(&self) -> usize {
        self.place
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.place
    }

    pub(crate) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], SnapshotError> {
        let end = self.place.checked_add(count).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else {
            let missing = (count as u64).saturating_sub(self.left() as u64);
            return Err(SnapshotError::Truncated { length: self.bytes.len() as u64, missing, what });
        };
        let taken = &self.bytes[self.place..end];
        self.place = end;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], SnapshotError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    /// Reads a count of things that take at least one byte each.
    pub(crate) fn count(&mut self) -> Result<usize, SnapshotError> {
        let count = u64::decode(self)?;
        match usize::try_from(count) {
            Ok(count) if count <= self.left() => Ok(count),
            _ => Err(SnapshotError::Truncated {
                length: self.bytes.len() as u64,
                missing: count - self.left() as u64,
                what: "a list",
            }),
        }
    }

    pub(crate) fn malformed(&self, what: &'static str) -> SnapshotError {
        SnapshotError::Malformed { offset: self.place as u64, what }
    }
}

/// Has a canonical byte form of at least one byte.
pub(crate) trait Code: Sized {
    fn encode(&self, out: &mut Vec<u8>);
    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError>;
}

macro_rules! number_code {
    ($($number:ty),+) => {$(
        impl Code for $number {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
                Ok(<$number>::from_le_bytes(reader.array("a number")?))
            }
        }
    )+};
}

number_code!(u8, u16, u32, u64);

impl<const N: usize> Code for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        reader.array("an id")
    }
}

impl Code for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        match u8::decode(reader)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(reader.malformed("a truth value is neither 0 nor 1")),
        }
    }
}

impl Code for String {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let length = reader.count()?;
        let bytes = reader.take(length, "a text")?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(reader.malformed("a text is not UTF-8")),
        }
    }
}

impl<T: Code> Code for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.encode(out);
            }
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Ok(if bool::decode(reader)? { Some(T::decode(reader)?) } else { None })
    }
}

impl<T: Code> Code for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        for value in self {
            value.encode(out);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let count = reader.count()?;
        // In memory a value may be far larger than its one guaranteed byte.
        let mut values = Vec::with_capacity(count.min(4096));
        for _ in 0..count {
            values.push(T::decode(reader)?);
        }
        Ok(values)
    }
}

impl<K: Code + Ord, V: Code> Code for BTreeMap<K, V> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        for (key, value) in self {
            key.encode(out);
            value.encode(out);
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let count = reader.count()?;
        let mut entries = Vec::with_capacity(count.min(4096));
        for _ in 0..count {
            entries.push((K::decode(reader)?, V::decode(reader)?));
        }
        if entries.is_sorted_by(|(one, _), (two, _)| one < two) {
            Ok(entries.into_iter().collect())
        } else {
            Err(reader.malformed("the keys of a map do not ascend"))
        }
    }
}

impl<A: Code, B: Code> Code for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Ok((A::decode(reader)?, B::decode(reader)?))
    }
}

/// Codes a struct field by field.
macro_rules! struct_code {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {$(
        impl $crate::codec::Code for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$field.encode(out);)+
            }

            fn decode(
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::SnapshotError> {
                Ok($name { $($field: $crate::codec::Code::decode(reader)?),+ })
            }
        }
    )+};
}

/// Codes a newtype as what it wraps.
macro_rules! newtype_code {
    ($($name:ident),+ $(,)?) => {$(
        impl $crate::codec::Code for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }

            fn decode(
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::SnapshotError> {
                Ok($name($crate::codec::Code::decode(reader)?))
            }
        }
    )+};
}

/// Codes an enum as the number of its variant and then its fields.
macro_rules! enum_code {
    ($($name:ident { $($number:literal => $variant:ident $({ $($field:ident),+ })?),+ $(,)? })+) => {$(
        impl $crate::codec::Code for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $($name::$variant $({ $($field),+ })? => {
                        out.push($number);
                        $($($field.encode(out);)+)?
                    })+
                }
            }

            fn decode(
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::SnapshotError> {
                Ok(match u8::decode(reader)? {
                    $($number => $name::$variant $({
                        $($field: $crate::codec::Code::decode(reader)?),+
                    })?,)+
                    _ => return Err(reader.malformed(concat!("no such ", stringify!($name)))),
                })
            }
        }
    )+};
}

pub(crate) use {enum_code, newtype_code, struct_code};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_one_byte_form() {
        let map = BTreeMap::from([(1u8, 10u8), (2, 20)]);
        let mut bytes = Vec::new();
        map.encode(&mut bytes);
        assert_eq!(BTreeMap::decode(&mut Reader::new(&bytes)), Ok(map));
        bytes.swap(8, 10);
        let refused = BTreeMap::<u8, u8>::decode(&mut Reader::new(&bytes));
        assert!(matches!(refused, Err(SnapshotError::Malformed { offset: 12, .. })));
    }
}
