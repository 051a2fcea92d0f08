//! The facts that the pixel rules judge by, from the stored bytes of images.
//!
//! Decoding a million pictures takes minutes, so what was measured is kept in a
//! cache file that may be deleted at any time:
//!
//! ```text
//! entry    blob 32 | width 4 | height 4 | deviation 8 | hash 8 | has hash 1 | colours 1
//! trailer  checksum of the entries 16
//! ```
//! Numbers are little-endian, entries ascend by blob, the checksum is the first
//! half of BLAKE3. The name carries a hash of the pixel version.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use safelight_lineage::digest::{BlobId, Hasher};
use safelight_lineage::event::Split;
use safelight_lineage::id::ImageId;
use safelight_lineage::state::State;
use safelight_lineage::value::ClassIndex;
use safelight_store::{BlobError, Blobs};

use super::perceptual_hash::{GRAY_EDGE, GRAY_PIXELS};
use super::picture::{Colours, PictureFacts, PictureMeasure, Unreadable};
use crate::image::decode::{Rgb, decode};
use crate::image::resize::{Window, resize};
use crate::import::{ProbeLimits, probe};
use crate::train::rendition::pixel_version;

/// Pictures between two looks at the cancel flag.
const CHUNK: usize = 256;
const ENTRY: usize = 58;

/// An image to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present {
    /// The image.
    pub image: ImageId,
    /// Its bytes.
    pub blob: BlobId,
    /// Its label.
    pub label: Option<ClassIndex>,
    /// What it is for.
    pub split: Split,
}

/// Every image that is in the dataset.
pub fn present_images(state: &State) -> Vec<Present> {
    let present = state.images().filter(|view| view.present);
    present
        .map(|view| Present { image: view.id, blob: view.blob, label: view.label, split: view.split })
        .collect()
}

/// Why pictures could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// The store cannot give the bytes of an image.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The threads that decode could not be started.
    #[error("no threads to decode pictures with: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// It was told to stop.
    #[error("stopped")]
    Cancelled,
}

/// What became of each image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pictures {
    /// Those that were measured, in the order given.
    pub facts: Vec<PictureFacts>,
    /// Those that cannot be decoded, in the order given.
    pub unreadable: Vec<Unreadable>,
}

/// Measures images; reports how many different pictures are done of how many.
///
/// A cache that cannot be read or written is done without: it only saves time.
///
/// # Errors
/// When the store cannot give their bytes, or it was told to stop.
pub fn gather(
    images: &[Present],
    blobs: &Blobs,
    cache: Option<&Path>,
    threads: usize,
    cancel: &AtomicBool,
    report: &mut dyn FnMut(u64, u64),
) -> Result<Pictures, GatherError> {
    let file = cache.map(cache_file);
    let mut known = file.as_deref().and_then(read_cache).unwrap_or_default();
    let mut missing: Vec<BlobId> =
        images.iter().map(|image| image.blob).filter(|blob| !known.contains_key(blob)).collect();
    missing.sort_unstable();
    missing.dedup();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build()?;
    let mut bad: BTreeMap<BlobId, String> = BTreeMap::new();
    let total = missing.len() as u64;
    let mut done = 0;
    for chunk in missing.chunks(CHUNK) {
        if cancel.load(Ordering::Relaxed) {
            return Err(GatherError::Cancelled);
        }
        let measured: Vec<_> =
            pool.install(|| chunk.par_iter().map(|blob| Ok(measure(&blobs.get(*blob)?))).collect());
        for (blob, measured) in chunk.iter().zip(measured) {
            match measured {
                Ok(Ok(measure)) => drop(known.insert(*blob, measure)),
                Ok(Err(reason)) => drop(bad.insert(*blob, reason)),
                Err(error) => return Err(GatherError::Blob(error)),
            }
        }
        done += chunk.len() as u64;
        report(done, total);
    }
    if let Some(file) = file.filter(|_| done > bad.len() as u64) {
        // Failing costs time on the next call only.
        let _ = write_cache(&file, &known);
    }
    let mut pictures = Pictures::default();
    for Present { image, blob, label, split } in images {
        match (known.get(blob), bad.get(blob)) {
            (Some(measure), _) => {
                pictures.facts.push(PictureFacts {
                    image: *image,
                    label: *label,
                    split: *split,
                    measure: *measure,
                });
            }
            (None, reason) => pictures.unreadable.push(Unreadable {
                image: *image,
                label: *label,
                split: *split,
                reason: reason.cloned().unwrap_or_default(),
            }),
        }
    }
    Ok(pictures)
}

/// What the cache knows of the images, without measuring any.
pub fn remembered(images: &[Present], cache: &Path) -> Vec<(Present, PictureMeasure)> {
    let known = read_cache(&cache_file(cache)).unwrap_or_default();
    images.iter().filter_map(|image| Some((*image, *known.get(&image.blob)?))).collect()
}

/// Measures the bytes of one picture, or says why they are none.
pub fn measure(bytes: &[u8]) -> Result<PictureMeasure, String> {
    let rgb = decode(bytes).map_err(|error| error.to_string())?;
    // The probe is stricter than decoding in places that change no pixel, so
    // its refusal is no reason here.
    let colours = probe(bytes, &ProbeLimits::default()).map_or(Colours::Rgb, |probed| Colours::of(&probed));
    Ok(PictureMeasure::of((rgb.width, rgb.height), colours, &gray(&rgb)))
}

/// The whole picture as 32×32 gray, ITU-R BT.601 weights in thousandths.
fn gray(rgb: &Rgb) -> [u8; GRAY_PIXELS] {
    let window = Window { x: 0, y: 0, width: rgb.width, height: rgb.height };
    let edge = NonZeroU32::new(GRAY_EDGE as u32).unwrap_or(NonZeroU32::MIN);
    let small = resize(rgb, window, edge, edge);
    let mut gray = [0; GRAY_PIXELS];
    for (out, pixel) in gray.iter_mut().zip(small.pixels.as_chunks::<3>().0) {
        let [red, green, blue] = pixel.map(u32::from);
        *out = ((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8;
    }
    gray
}

fn cache_file(folder: &Path) -> PathBuf {
    let mut hasher = Hasher::derive_key("safelight 2026-11-24 picture facts v1");
    let version = hasher.update(pixel_version().as_bytes()).finish_u64();
    folder.join(format!("pictures-{version:016x}"))
}

fn checksum(bytes: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    half
}

/// What a cache file holds; none when there is none or it is damaged.
fn read_cache(file: &Path) -> Option<BTreeMap<BlobId, PictureMeasure>> {
    let bytes = fs::read(file).ok()?;
    let (entries, trailer) = bytes.split_last_chunk::<16>()?;
    if checksum(entries) != *trailer {
        return None;
    }
    entries.as_chunks::<ENTRY>().0.iter().map(read_entry).collect()
}

fn read_entry(entry: &[u8; ENTRY]) -> Option<(BlobId, PictureMeasure)> {
    let (blob, rest) = entry.split_first_chunk::<32>()?;
    let (width, rest) = rest.split_first_chunk::<4>()?;
    let (height, rest) = rest.split_first_chunk::<4>()?;
    let (deviation, rest) = rest.split_first_chunk::<8>()?;
    let (hash, rest) = rest.split_first_chunk::<8>()?;
    let [has_hash, colours] = *rest else { return None };
    let measure = PictureMeasure {
        width: u32::from_le_bytes(*width),
        height: u32::from_le_bytes(*height),
        deviation: f64::from_le_bytes(*deviation),
        hash: (has_hash == 1).then(|| u64::from_le_bytes(*hash)),
        colours: Colours::from_code(colours)?,
    };
    Some((BlobId(*blob), measure))
}

fn write_cache(file: &Path, known: &BTreeMap<BlobId, PictureMeasure>) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut bytes = Vec::with_capacity(known.len() * ENTRY + 16);
    for (blob, measure) in known {
        bytes.extend_from_slice(blob.as_bytes());
        bytes.extend_from_slice(&measure.width.to_le_bytes());
        bytes.extend_from_slice(&measure.height.to_le_bytes());
        bytes.extend_from_slice(&measure.deviation.to_le_bytes());
        bytes.extend_from_slice(&measure.hash.unwrap_or(0).to_le_bytes());
        bytes.extend_from_slice(&[u8::from(measure.hash.is_some()), measure.colours.code()]);
    }
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    // Renamed when complete, so that several processes may write at once.
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(&bytes)?;
    fresh.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, ImageEncoder as _};
    use safelight_store::Repository;

    use super::*;

    fn png(shade: impl Fn(u32) -> u8, colour: ExtendedColorType) -> Vec<u8> {
        let channels = u32::from(colour.channel_count());
        let pixels: Vec<u8> = (0..40 * 30 * channels).map(|place| shade(place / channels)).collect();
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(&pixels, 40, 30, colour).expect("encodes");
        bytes
    }

    #[test]
    fn pictures_are_measured_once_and_bad_ones_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(folder.path()).expect("a repository");
        let blobs = repository.blobs();
        let stripes = |place: u32| if place % 40 < 20 { 0 } else { 255 };
        let files = [
            png(stripes, ExtendedColorType::Rgb8),
            png(|_| 90, ExtendedColorType::L8),
            png(stripes, ExtendedColorType::Rgba8),
            b"\x89PNG\r\n\x1a\nnothing".to_vec(),
        ];
        let images: Vec<Present> = (0u8..)
            .zip(&files)
            .map(|(n, bytes)| Present {
                image: ImageId([n; 16]),
                blob: blobs.put(bytes).expect("stored"),
                label: None,
                split: Split::Train,
            })
            .collect();
        let cancel = AtomicBool::new(false);
        let decoded = AtomicU64::new(0);
        let run = || {
            let mut report = |_, total| decoded.store(total, Ordering::Relaxed);
            gather(&images, blobs, Some(&folder.path().join("cache")), 2, &cancel, &mut report)
                .expect("measures")
        };
        let first = run();
        assert_eq!(decoded.load(Ordering::Relaxed), 4);
        let colours: Vec<Colours> = first.facts.iter().map(|facts| facts.measure.colours).collect();
        assert_eq!(colours, [Colours::Rgb, Colours::Gray, Colours::Transparent]);
        assert_eq!((first.facts[0].measure.width, first.facts[0].measure.height), (40, 30));
        assert!(first.facts[0].measure.hash.is_some() && first.facts[1].measure.hash.is_none());
        assert_eq!(first.facts[1].measure.deviation, 0.0);
        assert_eq!((first.unreadable.len(), first.unreadable[0].image), (1, images[3].image));
        assert!(first.unreadable[0].reason.contains("PNG"), "{}", first.unreadable[0].reason);

        let cache = folder.path().join("cache");
        let remembered = remembered(&images, &cache);
        assert!(
            remembered.iter().map(|(_, measure)| measure).eq(first.facts.iter().map(|facts| &facts.measure))
        );
        assert_eq!(run(), first, "from the cache");
        assert_eq!(decoded.load(Ordering::Relaxed), 1, "only what is no picture is tried again");
        let file = cache_file(&folder.path().join("cache"));
        let mut bytes = fs::read(&file).expect("a cache");
        bytes[40] ^= 1;
        fs::write(&file, &bytes).expect("written");
        assert_eq!(run(), first, "a damaged cache is made again");
        cancel.store(true, Ordering::Relaxed);
        fs::remove_file(&file).expect("removed");
        let stopped = gather(&images, blobs, None, 1, &cancel, &mut |_, _| {});
        assert!(matches!(stopped, Err(GatherError::Cancelled)));
    }
}
