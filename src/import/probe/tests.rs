//! What probes say of whole, cut, damaged and foreign files.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use proptest::prelude::*;

use super::*;
use crate::import::probe_checksum::checksum;

fn pixels(count: usize) -> Vec<u8> {
    (0..count).map(|place| (place * place * 7 + place * 31) as u8).collect()
}

fn jpeg() -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    encoder.write_image(&pixels(24 * 16 * 3), 24, 16, ExtendedColorType::Rgb8).unwrap();
    bytes
}

fn png(color: ExtendedColorType, channels: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&pixels(24 * 16 * channels), 24, 16, color).unwrap();
    bytes
}

fn look(bytes: &[u8]) -> Result<ProbedImage, ProbeError> {
    probe(bytes, &ProbeLimits::default())
}

fn decoded(bytes: &[u8]) -> Result<ProbedImage, ProbeError> {
    probe(bytes, &ProbeLimits { depth: ProbeDepth::Decode, ..ProbeLimits::default() })
}

/// The JPEG with the byte after `marker` and `skip` more bytes set to `value`.
fn with(marker: u8, skip: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = jpeg();
    let at = bytes.windows(2).position(|pair| pair == [0xff, marker]).unwrap() + 2 + skip;
    bytes[at..at + value.len()].copy_from_slice(value);
    bytes
}

/// The PNG with a changed header, its checksum made right again.
fn with_header(place: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = png(ExtendedColorType::Rgb8, 3);
    bytes[16 + place..16 + place + value.len()].copy_from_slice(value);
    let sum = checksum(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&sum);
    bytes
}

#[test]
fn whole_pictures_pass_with_their_size_and_channels() {
    let expected = |format, channels| ProbedImage { format, width: 24, height: 16, channels, cmyk: false };
    for depth in [look, decoded] {
        assert_eq!(depth(&jpeg()), Ok(expected(Format::Jpeg, 3)));
        assert_eq!(depth(&png(ExtendedColorType::L8, 1)), Ok(expected(Format::Png, 1)));
        assert_eq!(depth(&png(ExtendedColorType::Rgb8, 3)), Ok(expected(Format::Png, 3)));
        assert_eq!(depth(&png(ExtendedColorType::Rgba8, 4)), Ok(expected(Format::Png, 4)));
    }
}

#[test]
fn every_strict_prefix_is_refused_and_what_follows_the_end_does_not_matter() {
    for whole in [jpeg(), png(ExtendedColorType::Rgb8, 3)] {
        for end in 0..whole.len() {
            let outcome = look(&whole[..end]);
            match end {
                0 => assert_eq!(outcome, Err(ProbeError::Empty)),
                1..4 => assert!(outcome.is_err(), "{end}"),
                _ => assert!(
                    matches!(outcome, Err(ProbeError::Truncated { size, .. }) if size == end),
                    "{outcome:?}"
                ),
            }
        }
        let longer = [&whole[..], b"\xff\xd8 a thumbnail, or anything"].concat();
        assert_eq!(look(&longer), look(&whole));
    }
}

#[test]
fn a_png_with_any_byte_changed_is_refused() {
    let whole = png(ExtendedColorType::Rgb8, 3);
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x41;
        assert!(look(&bytes).is_err(), "{place}");
    }
}

#[test]
fn a_jpeg_with_a_byte_flipped_never_panics_at_any_depth() {
    let whole = jpeg();
    for place in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= flip;
            let quick = look(&bytes);
            assert!(decoded(&bytes).is_err() || quick.is_ok(), "{place}");
        }
    }
}

#[test]
fn decoding_finds_what_the_structure_does_not_show() {
    let whole = jpeg();
    let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap() + 14;
    // Stuffed bytes of ones only: no code of any Huffman table.
    let hollow = [&whole[..scan], &b"\xff\x00".repeat(400), b"\xff\xd9"].concat();
    assert!(look(&hollow).is_ok());
    assert!(matches!(decoded(&hollow), Err(ProbeError::Undecodable { .. })), "{:?}", decoded(&hollow));
}

#[test]
fn rare_kinds_of_jpeg_are_named() {
    let start = jpeg().windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 1;
    for (marker, kind) in [
        (0xc3, JpegKind::Lossless),
        (0xc5, JpegKind::Hierarchical),
        (0xc9, JpegKind::Arithmetic),
        (0xcc, JpegKind::Arithmetic),
    ] {
        let mut bytes = jpeg();
        bytes[start] = marker;
        assert_eq!(look(&bytes), Err(ProbeError::OtherJpeg { kind }), "{marker:x}");
    }
    assert_eq!(look(&with(0xc0, 2, &[12])), Err(ProbeError::OtherJpeg { kind: JpegKind::DeepBits }));
}

#[test]
fn inks_are_flagged() {
    let mut bytes = b"\xff\xd8".to_vec();
    bytes.extend(b"\xff\xc0\x00\x14\x08\x00\x10\x00\x18\x04\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00");
    bytes.extend(b"\xff\xda\x00\x0e\x04\x01\x00\x02\x00\x03\x00\x04\x00\x00\x3f\x00\x12\x34\xff\xd9");
    let found = look(&bytes).unwrap();
    assert!(found.cmyk);
    assert_eq!((found.width, found.height, found.channels), (24, 16, 4));
}

#[test]
fn bombs_and_pictures_without_pixels_are_refused() {
    let limits = ProbeLimits::default();
    let refused = |width, height| {
        let ProbeLimits { max_side, max_pixels, .. } = limits;
        Err(ProbeError::TooManyPixels { width, height, max_side, max_pixels })
    };
    assert_eq!(look(&with(0xc0, 3, &[0xff, 0xff])), refused(24, 65535));
    assert_eq!(look(&with(0xc0, 3, &[0x40, 0, 0x40, 0])), refused(16384, 16384));
    assert_eq!(look(&with(0xc0, 3, &[0, 0])), Err(ProbeError::NoPixels { width: 24, height: 0 }));
    assert_eq!(look(&with_header(0, &[0, 0x10, 0, 0])), refused(1 << 20, 16));
    assert_eq!(look(&with_header(0, &[0xff; 8])), refused(u32::MAX, u32::MAX));
    assert_eq!(look(&with_header(0, &[0; 4])), Err(ProbeError::NoPixels { width: 0, height: 16 }));
    let small = ProbeLimits { max_side: 24, max_pixels: 24 * 16, ..limits };
    assert!(probe(&jpeg(), &small).is_ok());
    assert!(probe(&jpeg(), &ProbeLimits { max_side: 23, ..small }).is_err());
    assert!(probe(&jpeg(), &ProbeLimits { max_pixels: 24 * 16 - 1, ..small }).is_err());
}

#[test]
fn impossible_headers_of_a_png_are_refused() {
    for (place, value) in [(8, 3), (9, 1), (9, 7), (10, 1), (11, 1), (12, 2)] {
        let outcome = look(&with_header(place, &[value]));
        assert!(matches!(outcome, Err(ProbeError::Malformed { .. })), "{place}: {outcome:?}");
    }
    // A palette picture without a palette.
    assert!(matches!(look(&with_header(9, &[3])), Err(ProbeError::Malformed { .. })));
}

#[test]
fn other_files_are_called_by_their_names() {
    let format = |format| ProbeError::OtherFormat { format };
    let something = |what| ProbeError::SomethingElse { what };
    for (bytes, expected) in [
        (&b"GIF89a\x01\0\x01\0"[..], format("GIF")),
        (b"RIFF\x24\0\0\0WEBPVP8 ", format("WebP")),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0", format("BMP")),
        (b"II*\0\x08\0\0\0", format("TIFF")),
        (b"MM\0*\0\0\0\x08", format("TIFF")),
        (b"\0\0\0\x18ftypheic\0\0\0\0", format("HEIC")),
        (b"\0\0\0\x20ftypavif\0\0\0\0", format("AVIF")),
        (b"\n<!DOCTYPE html><html>", something("an HTML page")),
        (b"<?xml version=\"1.0\"?><svg/>", something("an XML or SVG document")),
        (b"not a picture\n", something("text")),
        (b"\0\0\0\0\0\0\0\0", something("nothing but zero bytes")),
        (b"\x01\x02\x03\x80\xff", ProbeError::NotAPicture),
        (b"", ProbeError::Empty),
    ] {
        assert_eq!(look(bytes), Err(expected), "{:?}", bytes.escape_ascii().to_string());
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decoded(&bytes);
        let _ = decoded(&[b"\xff\xd8\xff", &bytes[..]].concat());
        let _ = decoded(&[b"\x89PNG\r\n\x1a\n\0\0\0", &bytes[..]].concat());
    }

    #[test]
    fn spoilt_jpegs_never_panic(at in 0_usize..2000, junk in prop::collection::vec(any::<u8>(), 1..9)) {
        let mut bytes = jpeg();
        let at = at % bytes.len();
        let end = (at + junk.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&junk[..end - at]);
        let _ = decoded(&bytes);
        bytes.splice(at..at, junk);
        let _ = decoded(&bytes);
    }
}
