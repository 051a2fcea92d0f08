//! The renditions that a stage works on: all made before its first step, held
//! in memory or, when they are many, read from the cache as they are needed.

use std::collections::HashMap;
use std::io;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;

use super::cache::{Cache, SegmentWriter};
use super::plan::BlobSource;
use super::rendition::render;
use crate::image::decode::Rgb;

/// Renditions are kept in memory up to this many bytes.
const MEMORY: u64 = 2 << 30;
/// A cache segment is completed at this many bytes, so that an interrupted
/// preparation loses little.
const SEGMENT: u64 = 128 << 20;
/// Pictures between two looks at the cancel flag.
const CHUNK: usize = 128;

/// A picture that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPicture {
    /// The image.
    pub image: ImageId,
    /// In words.
    pub reason: String,
}

/// Why there are no renditions.
#[derive(Debug, thiserror::Error)]
pub enum RenditionError {
    /// Some pictures cannot be read or decoded. All of them are listed.
    #[error("{} of the images cannot be used; the first, {}: {}", pictures.len(), pictures[0].image, pictures[0].reason)]
    Undecodable {
        /// Which, and why; at least one, ascending by image id.
        pictures: Vec<BadPicture>,
    },
    /// The threads that decode could not be started.
    #[error("no threads to decode pictures with: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// It was told to stop.
    #[error("cancelled")]
    Cancelled,
}

/// The renditions of a set of images at one edge.
pub struct Renditions<'a> {
    edge: NonZeroU32,
    source: &'a dyn BlobSource,
    cache: Option<Cache>,
    memory: HashMap<BlobId, Rgb>,
}

/// What the making of renditions needs besides the images.
#[derive(Clone, Copy)]
pub struct Workshop<'a> {
    /// Where bytes come from.
    pub source: &'a dyn BlobSource,
    /// Where renditions are kept between runs, if anywhere.
    pub cache: Option<&'a Path>,
    /// Threads that decode.
    pub threads: usize,
    /// Set to stop.
    pub cancel: &'a AtomicBool,
}

impl<'a> Renditions<'a> {
    /// Makes the renditions of all these images that are not cached yet, and
    /// reports (done, total) as it goes.
    ///
    /// A cache that cannot be written is done without: it only saves time.
    pub fn prepare(
        images: &[(ImageId, BlobId)],
        edge: NonZeroU32,
        workshop: Workshop<'a>,
        report: &mut dyn FnMut(u64, u64),
    ) -> Result<Renditions<'a>, RenditionError> {
        let mut blobs: Vec<BlobId> = images.iter().map(|(_, blob)| *blob).collect();
        blobs.sort_unstable();
        blobs.dedup();
        let mut cache = workshop.cache.and_then(|folder| Cache::open(folder, edge.get()).ok());
        let in_memory = cache.is_none() || blobs.len() as u64 * u64::from(edge.get()).pow(2) * 3 <= MEMORY;
        let mut writer = cache.as_ref().and_then(|cache| cache.writer().ok());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(workshop.threads.max(1)).build()?;
        let mut memory = HashMap::new();
        let mut bad: HashMap<BlobId, String> = HashMap::new();
        let (mut done, total) = (0, blobs.len() as u64);
        for chunk in blobs.chunks(CHUNK) {
            if workshop.cancel.load(Ordering::Relaxed) {
                return Err(RenditionError::Cancelled);
            }
            let known = cache.as_ref();
            let made: Vec<_> = pool.install(|| {
                chunk
                    .par_iter()
                    .map(|blob| match known {
                        // Those that stay in the cache are checked when they are read.
                        Some(cache) if !in_memory && cache.contains(*blob) => Made::Cached,
                        Some(cache) => {
                            cache.read(*blob).map_or_else(|| make(workshop.source, *blob, edge), Made::Old)
                        }
                        None => make(workshop.source, *blob, edge),
                    })
                    .collect()
            });
            for (blob, made) in chunk.iter().zip(made) {
                let rgb = match made {
                    Made::Cached => continue,
                    Made::Bad(reason) => {
                        bad.insert(*blob, reason);
                        continue;
                    }
                    Made::Old(rgb) => rgb,
                    Made::New(rgb) => {
                        let kept = writer.as_mut().is_some_and(|writer| writer.push(*blob, &rgb).is_ok());
                        if !kept {
                            writer = None;
                        }
                        if kept && !in_memory {
                            continue;
                        }
                        rgb
                    }
                };
                memory.insert(*blob, rgb);
            }
            if writer.as_ref().is_some_and(|writer| writer.len() >= SEGMENT) {
                writer = complete(&mut cache, writer).ok().and_then(|()| cache.as_ref()?.writer().ok());
            }
            done += chunk.len() as u64;
            report(done, total);
        }
        // Failing here loses the segment only: its pictures are made again on reading.
        complete(&mut cache, writer).unwrap_or_default();
        if !bad.is_empty() {
            let mut pictures: Vec<BadPicture> = images
                .iter()
                .filter_map(|(image, blob)| {
                    Some(BadPicture { image: *image, reason: bad.get(blob)?.clone() })
                })
                .collect();
            pictures.sort_unstable_by_key(|picture| picture.image);
            return Err(RenditionError::Undecodable { pictures });
        }
        Ok(Renditions { edge, source: workshop.source, cache, memory })
    }

    /// Calls `use_it` with the rendition of a blob.
    pub fn with<T>(&self, blob: BlobId, use_it: impl FnOnce(&Rgb) -> T) -> Result<T, String> {
        if let Some(rgb) = self.memory.get(&blob) {
            return Ok(use_it(rgb));
        }
        if let Some(rgb) = self.cache.as_ref().and_then(|cache| cache.read(blob)) {
            return Ok(use_it(&rgb));
        }
        match make(self.source, blob, self.edge) {
            Made::Bad(reason) => Err(reason),
            Made::New(rgb) | Made::Old(rgb) => Ok(use_it(&rgb)),
            Made::Cached => Err("a rendition was lost".to_owned()),
        }
    }
}

/// What became of one blob.
enum Made {
    /// It stays in the cache.
    Cached,
    /// It was in the cache.
    Old(Rgb),
    /// It was made now.
    New(Rgb),
    /// It cannot be made.
    Bad(String),
}

fn make(source: &dyn BlobSource, blob: BlobId, edge: NonZeroU32) -> Made {
    let bytes = match source.read(blob) {
        Ok(bytes) => bytes,
        Err(error) => return Made::Bad(format!("its bytes cannot be read: {error}")),
    };
    match render(&bytes, edge) {
        Ok(rgb) => Made::New(rgb),
        Err(error) => Made::Bad(error.to_string()),
    }
}

fn complete(cache: &mut Option<Cache>, writer: Option<SegmentWriter>) -> io::Result<()> {
    match (cache, writer) {
        (Some(cache), Some(writer)) => cache.adopt(writer),
        _ => Ok(()),
    }
}
