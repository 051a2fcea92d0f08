//! The structure of a JPEG: segments, scans, end marker (ITU-T T.81, annex B).

use super::probe::{JpegKind, ProbeError, ProbeLimits, ProbedImage, check_size};
use crate::image::decode::Format;

/// How many stray bytes between segments decoders put up with.
const STRAY: usize = 2;

fn malformed(at: usize, what: &'static str) -> ProbeError {
    ProbeError::Malformed { format: "JPEG", at, what }
}

fn truncated(bytes: &[u8]) -> ProbeError {
    ProbeError::Truncated { format: "JPEG", size: bytes.len() }
}

/// Walks a JPEG from its start marker, which must be there, to its end marker.
pub(super) fn probe(bytes: &[u8], limits: &ProbeLimits) -> Result<ProbedImage, ProbeError> {
    let mut at = 2;
    let mut frame: Option<ProbedImage> = None;
    let mut scans = 0_u32;
    loop {
        let marker;
        (marker, at) = next_marker(bytes, at)?;
        match marker {
            0xd9 if scans == 0 => return Err(malformed(at - 2, "the end marker comes before any pixels")),
            0xd9 => return frame.ok_or_else(|| malformed(at - 2, "there is no frame header")),
            0xd8 => return Err(malformed(at - 2, "a second start marker inside the picture")),
            0xd0..=0xd7 | 0x01 => continue,
            _ => {}
        }
        let segment = segment(bytes, at)?;
        match marker {
            0xc4 | 0xc8 => {}
            0xcc => return Err(ProbeError::OtherJpeg { kind: JpegKind::Arithmetic }),
            0xdc => return Err(malformed(at - 2, "the number of rows is given after the pixels")),
            0xc0..=0xcf => {
                if frame.is_some() {
                    return Err(malformed(at - 2, "there is a second frame header"));
                }
                frame = Some(frame_header(marker, segment, at, limits)?);
            }
            0xda => {
                let Some(frame) = frame else {
                    return Err(malformed(at - 2, "pixels come before the frame header"));
                };
                scan_header(segment, at, frame.channels)?;
                scans += 1;
                at = scan_end(bytes, at + 2 + segment.len()).ok_or_else(|| truncated(bytes))?;
                continue;
            }
            _ => {}
        }
        at += 2 + segment.len();
    }
}

/// The next marker at or after `at`, and the place behind it.
fn next_marker(bytes: &[u8], at: usize) -> Result<(u8, usize), ProbeError> {
    let rest = bytes.get(at..).unwrap_or_default();
    let stray = rest.iter().take(STRAY + 1).take_while(|&&byte| byte != 0xff).count();
    if stray > STRAY {
        return Err(malformed(at, "there is no marker where a segment should begin"));
    }
    let rest = &rest[stray..];
    let fill = rest.iter().take_while(|&&byte| byte == 0xff).count();
    match rest.get(fill) {
        None => Err(truncated(bytes)),
        Some(0) => Err(malformed(at, "there is no marker where a segment should begin")),
        Some(&marker) => Ok((marker, at + stray + fill + 1)),
    }
}

/// What a segment holds, without the two bytes of its length.
fn segment(bytes: &[u8], at: usize) -> Result<&[u8], ProbeError> {
    let Some(&[high, low]) = bytes.get(at..at + 2) else { return Err(truncated(bytes)) };
    let length = usize::from(high) << 8 | usize::from(low);
    if length < 2 {
        return Err(malformed(at, "a segment is shorter than its own length field"));
    }
    bytes.get(at + 2..at + length).ok_or_else(|| truncated(bytes))
}

fn frame_header(
    marker: u8,
    segment: &[u8],
    at: usize,
    limits: &ProbeLimits,
) -> Result<ProbedImage, ProbeError> {
    let kind = match marker {
        0xc0..=0xc2 => None,
        0xc3 => Some(JpegKind::Lossless),
        0xc5..=0xc7 => Some(JpegKind::Hierarchical),
        _ => Some(JpegKind::Arithmetic),
    };
    if let Some(kind) = kind {
        return Err(ProbeError::OtherJpeg { kind });
    }
    let &[bits, height_high, height_low, width_high, width_low, channels, ref parts @ ..] = segment else {
        return Err(malformed(at, "the frame header is too short"));
    };
    if bits > 8 {
        return Err(ProbeError::OtherJpeg { kind: JpegKind::DeepBits });
    }
    if bits != 8 {
        return Err(malformed(at, "the frame header gives an impossible depth"));
    }
    if !matches!(channels, 1 | 3 | 4) || parts.len() != 3 * usize::from(channels) {
        return Err(malformed(at, "the frame header gives an impossible number of channels"));
    }
    let width = u32::from(u16::from_be_bytes([width_high, width_low]));
    let height = u32::from(u16::from_be_bytes([height_high, height_low]));
    check_size(width, height, limits)?;
    Ok(ProbedImage { format: Format::Jpeg, width, height, channels, cmyk: channels == 4 })
}

fn scan_header(segment: &[u8], at: usize, channels: u8) -> Result<(), ProbeError> {
    let parts = segment.first().copied().unwrap_or(0);
    if parts == 0 || parts > channels || segment.len() != 4 + 2 * usize::from(parts) {
        return Err(malformed(at, "the header of a scan is impossible"));
    }
    Ok(())
}

/// Where the compressed pixels that start at `at` end: the next marker that is
/// neither a stuffed byte nor a restart.
fn scan_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += find_ff(bytes.get(at..)?)?;
        match bytes.get(at + 1)? {
            0 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

/// The place of the first byte 255.
fn find_ff(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 32;
    let mut blocks = bytes.chunks_exact(BLOCK);
    let mut at = 0;
    for block in &mut blocks {
        // Without an early exit, so that the compiler compares many at once.
        if block.iter().fold(false, |found, &byte| found | (byte == 0xff)) {
            break;
        }
        at += BLOCK;
    }
    Some(at + bytes[at..].iter().position(|&byte| byte == 0xff)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ff_is_found_wherever_it_is() {
        for length in 0..80 {
            let mut bytes = vec![0x7f; length];
            assert_eq!(find_ff(&bytes), None);
            for at in (0..length).rev() {
                bytes[at] = 0xff;
                assert_eq!(find_ff(&bytes), Some(at));
            }
        }
    }
}
