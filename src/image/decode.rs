//! Decoding of JPEG and PNG into 8-bit RGB, strictly and within limits.
//!
//! The decoder is part of every model: two decoders give pixels that differ by
//! a step or two, so [`DECODER`] goes into the environment of every run and
//! into the key of every cached rendition. As in Pillow and fastai, an EXIF
//! orientation is not applied and an alpha channel is dropped.

use std::io::Cursor;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// Names the decoders and their versions. Change it whenever pixels may change.
pub const DECODER: &str = "zune-jpeg 0.5 strict, image-png 0.25";

/// The most pixels that a picture may have: 64 Mi, 192 MiB decoded. More is
/// taken for a decompression bomb.
pub const MAX_PIXELS: u64 = 64 << 20;

/// A picture: 8-bit RGB, rows from the top, no padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `height × width × 3` bytes.
    pub pixels: Vec<u8>,
}

/// The kinds of file that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG.
    Png,
}

/// What the header of a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// The kind of file.
    pub format: Format,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Why bytes are not a picture that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// The first bytes are those of no known format.
    #[error("it is neither a JPEG nor a PNG")]
    UnknownFormat,
    /// The picture is larger than [`MAX_PIXELS`].
    #[error("it has {width}×{height} pixels, more than the {MAX_PIXELS} allowed")]
    TooLarge {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// One side is zero.
    #[error("it has no pixels ({width}×{height})")]
    NoPixels {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The file is damaged, cut short, or of an unsupported variant.
    #[error("the {format} is damaged or unsupported: {reason}")]
    Damaged {
        /// "JPEG" or "PNG".
        format: &'static str,
        /// The decoder's words.
        reason: String,
    },
}

/// The format that the first bytes announce.
pub fn format_of(bytes: &[u8]) -> Result<Format, DecodeError> {
    match bytes {
        [] => Err(DecodeError::Empty),
        [0xff, 0xd8, 0xff, ..] => Ok(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(Format::Png),
        _ => Err(DecodeError::UnknownFormat),
    }
}

/// Reads the header only: format and size, checked against the limits.
pub fn probe(bytes: &[u8]) -> Result<Info, DecodeError> {
    let format = format_of(bytes)?;
    let (width, height) = match format {
        Format::Jpeg => {
            let mut decoder = jpeg_decoder(bytes);
            decoder.decode_headers().map_err(damaged_jpeg)?;
            let info = decoder.info().ok_or_else(|| damaged_jpeg("no frame header"))?;
            (u32::from(info.width), u32::from(info.height))
        }
        Format::Png => {
            let decoder = image::codecs::png::PngDecoder::new(Cursor::new(bytes)).map_err(damaged_png)?;
            image::ImageDecoder::dimensions(&decoder)
        }
    };
    check_size(width, height)?;
    Ok(Info { format, width, height })
}

/// Decodes a whole picture to RGB; gray becomes three equal channels.
pub fn decode(bytes: &[u8]) -> Result<Rgb, DecodeError> {
    let info = probe(bytes)?;
    let pixels = match info.format {
        Format::Jpeg => jpeg_decoder(bytes).decode().map_err(damaged_jpeg)?,
        Format::Png => {
            let decoder = image::codecs::png::PngDecoder::new(Cursor::new(bytes)).map_err(damaged_png)?;
            image::DynamicImage::from_decoder(decoder).map_err(damaged_png)?.into_rgb8().into_raw()
        }
    };
    let expected = info.width as usize * info.height as usize * 3;
    if pixels.len() != expected {
        let format = if info.format == Format::Jpeg { "JPEG" } else { "PNG" };
        let reason = format!("{} bytes decoded, {expected} expected", pixels.len());
        return Err(DecodeError::Damaged { format, reason });
    }
    Ok(Rgb { width: info.width, height: info.height, pixels })
}

fn jpeg_decoder(bytes: &[u8]) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options)
}

fn check_size(width: u32, height: u32) -> Result<(), DecodeError> {
    if width == 0 || height == 0 {
        return Err(DecodeError::NoPixels { width, height });
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(DecodeError::TooLarge { width, height });
    }
    Ok(())
}

fn damaged_jpeg(reason: impl std::fmt::Debug) -> DecodeError {
    DecodeError::Damaged { format: "JPEG", reason: format!("{reason:?}") }
}

fn damaged_png(reason: image::ImageError) -> DecodeError {
    DecodeError::Damaged { format: "PNG", reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
    use image::{ExtendedColorType, ImageEncoder};

    use super::*;

    fn jpeg(pixels: &[u8], side: u32, color: ExtendedColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        encoder.write_image(pixels, side, side, color).expect("encodes");
        bytes
    }

    #[test]
    fn gray_becomes_three_equal_channels() {
        let bytes = jpeg(&[100; 256], 16, ExtendedColorType::L8);
        let rgb = decode(&bytes).expect("decodes");
        assert_eq!((rgb.width, rgb.height, rgb.pixels.len()), (16, 16, 768));
        assert!(rgb.pixels.iter().all(|&value| value.abs_diff(100) <= 1));
    }

    #[test]
    fn alpha_and_depth_of_png_become_eight_bit_rgb() {
        let mut bytes = Vec::new();
        let pixels: Vec<u8> = (0..16).flat_map(|i| [i * 16, 7, 255, 0]).collect();
        PngEncoder::new(&mut bytes).write_image(&pixels, 4, 4, ExtendedColorType::Rgba8).expect("encodes");
        let rgb = decode(&bytes).expect("decodes");
        assert_eq!(&rgb.pixels[..6], &[0, 7, 255, 16, 7, 255]);
        assert_eq!(probe(&bytes), Ok(Info { format: Format::Png, width: 4, height: 4 }));
    }

    #[test]
    fn what_is_no_picture_says_why() {
        assert_eq!(decode(b""), Err(DecodeError::Empty));
        assert_eq!(decode(b"hello"), Err(DecodeError::UnknownFormat));
        let whole = jpeg(&[100; 768], 16, ExtendedColorType::Rgb8);
        assert!(matches!(decode(&whole[..40]), Err(DecodeError::Damaged { format: "JPEG", .. })));
        assert!(matches!(decode(&whole[..3]), Err(DecodeError::Damaged { .. })));
    }

    #[test]
    fn a_picture_cut_short_is_refused() {
        let pixels: Vec<u8> = (0..64 * 64 * 3).map(|i| (i * 37 % 251) as u8).collect();
        let whole = jpeg(&pixels, 64, ExtendedColorType::Rgb8);
        let cut = &whole[..whole.len() / 2];
        assert!(matches!(decode(cut), Err(DecodeError::Damaged { .. })), "{:?}", decode(cut).map(|_| ()));
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(&[0], 1, 1, ExtendedColorType::L8).expect("encodes");
        // The size stands at byte 16 of the header; its checksum follows the chunk.
        bytes[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let crc = crc_of(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(decode(&bytes), Err(DecodeError::TooLarge { width: 65_536, height: 65_536 }));
    }

    fn crc_of(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
        })
    }
}
