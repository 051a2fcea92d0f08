//! The small values that events are made of.

use std::fmt;
use std::hash::{Hash, Hasher as StdHasher};

use serde::{Serialize, Serializer};

/// A place in one journal: the number of events up to and including this one.
///
/// The first event has Seq 1; Seq 0 is the state before any event. A Seq means
/// something in one journal only: events refer to each other by [`EventRef`].
///
/// [`EventRef`]: crate::event::EventRef
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// Before any event.
    pub const ZERO: Seq = Seq(0);

    /// The Seq `events` further on.
    pub const fn plus(self, events: u64) -> Seq {
        Seq(self.0 + events)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Wall time in milliseconds since 1970-01-01T00:00:00Z. It informs people and
/// decides nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// A class by its place in the dataset's list of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClassIndex(pub u16);

/// A floating-point number that compares by its bits, so that events are equal
/// exactly when their bytes are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Real(pub f64);

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Real {}

impl Hash for Real {
    fn hash<H: StdHasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

/// A path exactly as it was, byte for byte; shown escaped.
///
/// A path may hold newlines, invalid UTF-8 and terminal escape sequences. The
/// bytes are kept; [`Display`](fmt::Display) and JSON give a text that is safe
/// on a terminal, in which `\` is doubled so that it can be read back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PathBytes(pub Box<[u8]>);

impl PathBytes {
    /// Takes the bytes of a path.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        PathBytes(bytes.into())
    }

    /// The bytes as they were.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Writes any bytes so that they are harmless on a terminal.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if c.is_control() || is_invisible(c) => {
                    out.push_str(&format!("\\u{{{:x}}}", c as u32));
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Characters that reorder or hide their neighbours on a terminal.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl fmt::Display for PathBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escape(&self.0))
    }
}

impl fmt::Debug for PathBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", escape(&self.0))
    }
}

impl Serialize for PathBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_harmless() {
        assert_eq!(escape(b"a\x1b[31m\nb\\c\xff"), "a\\u{1b}[31m\\nb\\\\c\\xff");
        assert_eq!(escape("grün\u{202e}gpj".as_bytes()), "grün\\u{202e}gpj");
    }

    #[test]
    fn reals_compare_by_bits() {
        assert_ne!(Real(0.0), Real(-0.0));
        assert_eq!(Real(f64::NAN), Real(f64::NAN));
    }
}
