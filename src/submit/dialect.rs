//! How a CSV file separates its fields and ends its lines.

use serde::{Deserialize, Serialize};

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

impl Separator {
    /// The byte.
    pub const fn byte(self) -> u8 {
        match self {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
            Separator::Tab => b'\t',
        }
    }
}

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnding {
    /// One byte, as on Unix.
    Lf,
    /// Two bytes, as on Windows.
    Crlf,
}

/// How a CSV file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Between fields.
    pub separator: Separator,
    /// At the end of every line, the last one included.
    pub line_ending: LineEnding,
    /// Whether the file starts with the UTF-8 byte order mark.
    pub byte_order_mark: bool,
}

/// The UTF-8 byte order mark.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Dialect {
    /// Comma, `\n`, no byte order mark.
    pub const PLAIN: Dialect =
        Dialect { separator: Separator::Comma, line_ending: LineEnding::Lf, byte_order_mark: false };

    /// Tells the dialect of a file from its first line, and gives the file
    /// without its byte order mark.
    ///
    /// The separator is the one that occurs most often outside quotes, the
    /// comma when none does.
    pub fn detect(bytes: &[u8]) -> (Dialect, &[u8]) {
        let (byte_order_mark, rest) = match bytes.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        let mut counts = [(Separator::Comma, 0), (Separator::Semicolon, 0), (Separator::Tab, 0)];
        let mut quoted = false;
        let mut line_ending = LineEnding::Lf;
        let mut before = 0;
        for &byte in rest {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => {
                    if before == b'\r' {
                        line_ending = LineEnding::Crlf;
                    }
                    break;
                }
                _ if !quoted => {
                    for (separator, count) in &mut counts {
                        *count += usize::from(separator.byte() == byte);
                    }
                }
                _ => {}
            }
            before = byte;
        }
        let mut best = counts[0];
        for candidate in counts {
            if candidate.1 > best.1 {
                best = candidate;
            }
        }
        (Dialect { separator: best.0, line_ending, byte_order_mark }, rest)
    }

    /// A reader of `bytes`, which have no byte order mark, with a header line.
    pub(crate) fn reader<'a>(&self, bytes: &'a [u8]) -> csv::Reader<&'a [u8]> {
        csv::ReaderBuilder::new().delimiter(self.separator.byte()).from_reader(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_are_told_from_the_first_line() {
        let (dialect, rest) = Dialect::detect(b"image,label\na;b;c;d,e\r\n");
        assert_eq!((dialect, rest.len()), (Dialect::PLAIN, 23));
        let (dialect, rest) = Dialect::detect(b"\xef\xbb\xbfimage;label\r\n");
        assert_eq!(dialect.separator, Separator::Semicolon);
        assert_eq!(dialect.line_ending, LineEnding::Crlf);
        assert!(dialect.byte_order_mark && rest.starts_with(b"image"));
        assert_eq!(Dialect::detect(b"a\tb").0.separator, Separator::Tab);
        assert_eq!(
            Dialect::detect(b"\"a,b,c\r\n\";d\n").0,
            Dialect { separator: Separator::Semicolon, ..Dialect::PLAIN }
        );
        assert_eq!(Dialect::detect(b"").0, Dialect::PLAIN);
    }
}
