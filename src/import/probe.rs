//! Whether bytes are a picture, without decoding it.
//!
//! A probe walks the structure of a file from its first byte to its end marker:
//! that finds what downloads and disks do to files (nothing there, an error
//! page in its place, a missing end) at a speed no disk reaches. Damage inside
//! the compressed pixels shows only when they are decoded: see [`ProbeDepth`].

use serde::Serialize;

use super::{probe_jpeg, probe_png};
use crate::image::decode::{Format, MAX_PIXELS, decode};

/// How thoroughly to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeDepth {
    /// Walk the structure.
    #[default]
    Structure,
    /// Also decode every pixel, as training will.
    Decode,
}

/// What is still taken for a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProbeLimits {
    /// The most pixels on a side.
    pub max_side: u32,
    /// The most pixels in all. More is taken for a decompression bomb.
    pub max_pixels: u64,
    /// How thoroughly to look.
    pub depth: ProbeDepth,
}

impl Default for ProbeLimits {
    fn default() -> Self {
        ProbeLimits { max_side: 16_384, max_pixels: MAX_PIXELS, depth: ProbeDepth::Structure }
    }
}

/// What a probe learnt of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbedImage {
    /// The kind of file, by its bytes, whatever its name says.
    pub format: Format,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Numbers a pixel is stored as, 1 to 4; a palette counts as 3.
    pub channels: u8,
    /// The colours are those of printing inks (four channels in a JPEG). It can
    /// be decoded, but its colours may come out wrong.
    pub cmyk: bool,
}

/// Kinds of JPEG that are valid and that hardly any decoder reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JpegKind {
    /// Arithmetic coding.
    Arithmetic,
    /// Lossless coding.
    Lossless,
    /// Several frames that refine each other.
    Hierarchical,
    /// More than eight bits a channel.
    DeepBits,
}

impl JpegKind {
    fn name(self) -> &'static str {
        match self {
            JpegKind::Arithmetic => "arithmetic-coded",
            JpegKind::Lossless => "lossless",
            JpegKind::Hierarchical => "hierarchical",
            JpegKind::DeepBits => "more than 8 bits deep",
        }
    }
}

/// Why bytes are not a picture that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// There are no bytes.
    #[error("the file is empty (zero bytes)")]
    Empty,
    /// The first bytes are those of no known picture.
    #[error("it is not a picture: its first bytes are those of no known format")]
    NotAPicture,
    /// Something else that is known, often a page that says why a download failed.
    #[error("it is not a picture but {what}")]
    SomethingElse {
        /// "an HTML page", …
        what: &'static str,
    },
    /// A picture in a format that is not read.
    #[error("it is a {format} picture, which is not supported; convert it to JPEG or PNG")]
    OtherFormat {
        /// The name of the format.
        format: &'static str,
    },
    /// A rare kind of JPEG.
    #[error("it is a JPEG of a kind that is not supported ({}); convert it", .kind.name())]
    OtherJpeg {
        /// Which.
        kind: JpegKind,
    },
    /// The file ends before the picture does.
    #[error("the {format} is cut short: it ends after {size} bytes without its end marker")]
    Truncated {
        /// "JPEG" or "PNG".
        format: &'static str,
        /// How many bytes there are.
        size: usize,
    },
    /// The structure is broken.
    #[error("the {format} is damaged at byte {at}: {what}")]
    Malformed {
        /// "JPEG" or "PNG".
        format: &'static str,
        /// Where, counted from zero.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A part of a PNG does not match its checksum.
    #[error("the PNG is damaged: the part at byte {at} has checksum {actual:08x}, not {expected:08x}")]
    Checksum {
        /// Where the part begins, counted from zero.
        at: usize,
        /// What the file says.
        expected: u32,
        /// What the bytes give.
        actual: u32,
    },
    /// One side is zero.
    #[error("it has no pixels ({width}×{height})")]
    NoPixels {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// It has more pixels than the limits allow.
    #[error("it has {width}×{height} pixels; more than {max_side} a side or {max_pixels} in all are refused")]
    TooManyPixels {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// The limit for a side.
        max_side: u32,
        /// The limit in all.
        max_pixels: u64,
    },
    /// The structure is right and the pixels are not.
    #[error("it cannot be decoded: {reason}")]
    Undecodable {
        /// The decoder's words.
        reason: String,
    },
}

impl ProbeError {
    /// A name that programs can rely on.
    pub fn code(&self) -> &'static str {
        match self {
            ProbeError::Empty => "empty",
            ProbeError::NotAPicture | ProbeError::SomethingElse { .. } => "not_a_picture",
            ProbeError::OtherFormat { .. } | ProbeError::OtherJpeg { .. } => "unsupported_format",
            ProbeError::Truncated { .. } => "truncated",
            ProbeError::Malformed { .. } | ProbeError::Checksum { .. } => "damaged",
            ProbeError::NoPixels { .. } => "no_pixels",
            ProbeError::TooManyPixels { .. } => "too_many_pixels",
            ProbeError::Undecodable { .. } => "undecodable",
        }
    }
}

/// Looks at the structure of a JPEG or PNG, without decoding it unless the
/// limits say so.
///
/// A picture that passes is whole: its end marker is there, and what follows it
/// does not matter. Never panics, and reads each byte at most once.
///
/// # Errors
///
/// The first thing that is wrong; see [`ProbeError`].
pub fn probe(bytes: &[u8], limits: &ProbeLimits) -> Result<ProbedImage, ProbeError> {
    let found = match bytes {
        [] => return Err(ProbeError::Empty),
        [0xff, 0xd8, ..] => probe_jpeg::probe(bytes, limits)?,
        [0x89, b'P', b'N', b'G', ..] => probe_png::probe(bytes, limits)?,
        _ => return Err(other(bytes)),
    };
    if limits.depth == ProbeDepth::Decode {
        decode(bytes).map_err(|error| ProbeError::Undecodable { reason: error.to_string() })?;
    }
    Ok(found)
}

/// Checks the size of a picture as soon as it is known.
pub(super) fn check_size(width: u32, height: u32, limits: &ProbeLimits) -> Result<(), ProbeError> {
    if width == 0 || height == 0 {
        return Err(ProbeError::NoPixels { width, height });
    }
    let ProbeLimits { max_side, max_pixels, .. } = *limits;
    if width.max(height) > max_side || u64::from(width) * u64::from(height) > max_pixels {
        return Err(ProbeError::TooManyPixels { width, height, max_side, max_pixels });
    }
    Ok(())
}

/// What bytes are that are neither a JPEG nor a PNG.
fn other(bytes: &[u8]) -> ProbeError {
    let format = |format| ProbeError::OtherFormat { format };
    let boxed = |brands: &[&[u8; 4]]| {
        bytes.get(4..8) == Some(b"ftyp") && brands.iter().any(|brand| bytes.get(8..12) == Some(&brand[..]))
    };
    match bytes {
        [b'G', b'I', b'F', b'8', ..] => format("GIF"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => format("WebP"),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => format("TIFF"),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => format("BMP"),
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => format("JPEG XL"),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => format("JPEG 2000"),
        [0, 0, 1, 0, _, 0, ..] => format("ICO"),
        [b'8', b'B', b'P', b'S', ..] => format("Photoshop"),
        [b'P', b'1'..=b'7', b'\n' | b' ' | b'\r' | b'\t', ..] => format("Netpbm"),
        _ if boxed(&[b"avif", b"avis"]) => format("AVIF"),
        _ if boxed(&[b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"]) => format("HEIC"),
        [b'%', b'P', b'D', b'F', ..] => ProbeError::SomethingElse { what: "a PDF document" },
        [b'P', b'K', 3, 4, ..] => ProbeError::SomethingElse { what: "a ZIP archive" },
        [0x1f, 0x8b, ..] => ProbeError::SomethingElse { what: "gzip-compressed data" },
        _ if bytes.iter().all(|&byte| byte == 0) => {
            ProbeError::SomethingElse { what: "nothing but zero bytes" }
        }
        _ => text(bytes),
    }
}

/// Tells markup and text from bytes that mean nothing.
fn text(bytes: &[u8]) -> ProbeError {
    let start = &bytes[..bytes.len().min(512)];
    let blank = start.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = &start[blank..];
    let opens = |with: &[u8]| start.len() >= with.len() && start[..with.len()].eq_ignore_ascii_case(with);
    let what = if opens(b"<!doctype html") || opens(b"<html") {
        "an HTML page"
    } else if opens(b"<svg") || opens(b"<?xml") {
        "an XML or SVG document"
    } else if opens(b"version https://git-lfs") {
        "a Git LFS pointer; fetch the file that it stands for"
    } else if start.iter().all(|&byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        "text"
    } else {
        return ProbeError::NotAPicture;
    };
    ProbeError::SomethingElse { what }
}

#[cfg(test)]
mod tests;
