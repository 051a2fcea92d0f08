//! The structure of a PNG: chunks and their checksums (PNG, third edition).

use super::probe::{ProbeError, ProbeLimits, ProbedImage, check_size};
use super::probe_checksum::checksum;
use crate::image::decode::Format;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

fn malformed(at: usize, what: &'static str) -> ProbeError {
    ProbeError::Malformed { format: "PNG", at, what }
}

/// Walks a PNG from its signature to its end chunk.
pub(super) fn probe(bytes: &[u8], limits: &ProbeLimits) -> Result<ProbedImage, ProbeError> {
    let truncated = || ProbeError::Truncated { format: "PNG", size: bytes.len() };
    if !bytes.starts_with(SIGNATURE) {
        let short = SIGNATURE.starts_with(bytes);
        return Err(if short {
            truncated()
        } else {
            malformed(0, "the signature is wrong; was it sent as text?")
        });
    }
    let mut at = SIGNATURE.len();
    let mut found: Option<(ProbedImage, bool)> = None;
    let mut palette = false;
    let mut pixels = false;
    loop {
        let head = bytes.get(at..at + 8).ok_or_else(truncated)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind = &head[4..];
        if length > i32::MAX as usize || !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(malformed(at, "there is no chunk where one should begin"));
        }
        let body = bytes.get(at + 8..at + 8 + length).ok_or_else(truncated)?;
        let tail = bytes.get(at + 8 + length..at + 12 + length).ok_or_else(truncated)?;
        let expected = u32::from_be_bytes([tail[0], tail[1], tail[2], tail[3]]);
        let actual = checksum(&bytes[at + 4..at + 8 + length]);
        if actual != expected {
            return Err(ProbeError::Checksum { at, expected, actual });
        }
        match (kind, &found) {
            (b"IHDR", None) => found = Some(header(body, at, limits)?),
            (b"IHDR", Some(_)) => return Err(malformed(at, "there is a second header")),
            (_, None) => return Err(malformed(at, "the first chunk is not the header")),
            (b"PLTE", _) => palette = true,
            (b"IDAT", Some((_, true))) if !palette => return Err(malformed(at, "the palette is missing")),
            (b"IDAT", _) => pixels = true,
            (b"IEND", &Some((image, _))) => {
                return if pixels { Ok(image) } else { Err(malformed(at, "it ends before any pixels")) };
            }
            // A capital first letter: a decoder may not pass over what it does
            // not know.
            _ if kind[0].is_ascii_uppercase() => return Err(malformed(at, "a critical chunk is unknown")),
            _ => {}
        }
        at += 12 + length;
    }
}

/// What the header says, and whether a palette must follow.
fn header(body: &[u8], at: usize, limits: &ProbeLimits) -> Result<(ProbedImage, bool), ProbeError> {
    let &[w0, w1, w2, w3, h0, h1, h2, h3, bits, colour, 0, 0, 0 | 1] = body else {
        return Err(malformed(at, "the header is impossible"));
    };
    let channels = match (colour, bits) {
        (0, 1 | 2 | 4 | 8 | 16) => 1,
        (2, 8 | 16) | (3, 1 | 2 | 4 | 8) => 3,
        (4, 8 | 16) => 2,
        (6, 8 | 16) => 4,
        _ => return Err(malformed(at, "the header gives an impossible kind of colour")),
    };
    let width = u32::from_be_bytes([w0, w1, w2, w3]);
    let height = u32::from_be_bytes([h0, h1, h2, h3]);
    check_size(width, height, limits)?;
    Ok((ProbedImage { format: Format::Png, width, height, channels, cmyk: false }, colour == 3))
}
