//! The rendition cache: renditions in files that may be deleted at any time.
//!
//! A segment file holds the pixels of many renditions of one edge, then one
//! entry for each, then a trailer. It is written under another name and renamed
//! when complete, so several processes can fill one cache. The name carries the
//! edge and a hash of the [pixel version](super::rendition::pixel_version), so
//! another decoder never meets these pixels. Entries and trailer are checked
//! when a segment is opened, pixels whenever they are read.
//!
//! ```text
//! entry    blob 32 | offset 8 | width 4 | height 4 | checksum of the pixels 16
//! trailer  number of entries 8 | checksum of the entries 16 | "SLRENDS1"
//! ```
//! Numbers are little-endian; checksums are the first half of BLAKE3.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::{BlobId, Hasher};

use super::rendition::pixel_version;
use crate::image::decode::Rgb;

const MAGIC: &[u8; 8] = b"SLRENDS1";
const ENTRY: usize = 64;
const TRAILER: usize = 32;

/// The renditions of one edge found in a folder.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    prefix: String,
    segments: Vec<File>,
    places: HashMap<BlobId, Place>,
}

/// Where one rendition lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    segment: usize,
    offset: u64,
    width: u32,
    height: u32,
    checksum: [u8; 16],
}

fn checksum(bytes: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    half
}

impl Cache {
    /// Opens the cache in `folder`, which is made if need be. Segments that are
    /// damaged are passed over.
    pub fn open(folder: &Path, edge: u32) -> io::Result<Cache> {
        fs::create_dir_all(folder)?;
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 pixel version v1");
        let version = hasher.update(pixel_version().as_bytes()).finish_u64();
        let prefix = format!("{edge}-{version:016x}-");
        let mut cache =
            Cache { folder: folder.to_owned(), prefix, segments: Vec::new(), places: HashMap::new() };
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(&cache.prefix) && name.ends_with(".renditions") {
                cache.add_segment(&folder.join(name))?;
            }
        }
        Ok(cache)
    }

    fn add_segment(&mut self, path: &Path) -> io::Result<()> {
        let file = match File::open(path) {
            // Another process may be clearing the cache.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        let Some(entries) = read_entries(&file)? else { return Ok(()) };
        let segment = self.segments.len();
        self.segments.push(file);
        for entry in entries.chunks_exact(ENTRY) {
            let mut blob = [0; 32];
            blob.copy_from_slice(&entry[..32]);
            let place = Place {
                segment,
                offset: number(&entry[32..40]),
                width: number(&entry[40..44]) as u32,
                height: number(&entry[44..48]) as u32,
                checksum: entry[48..64].try_into().unwrap_or([0; 16]),
            };
            self.places.insert(BlobId(blob), place);
        }
        Ok(())
    }

    /// Whether the rendition of a blob is here.
    pub fn contains(&self, blob: BlobId) -> bool {
        self.places.contains_key(&blob)
    }

    /// Reads the rendition of a blob; `None` if it is not here or damaged.
    pub fn read(&self, blob: BlobId) -> Option<Rgb> {
        let place = self.places.get(&blob)?;
        let length = u64::from(place.width) * u64::from(place.height) * 3;
        let file = &self.segments[place.segment];
        if place.offset.checked_add(length)? > file.metadata().ok()?.len() {
            return None;
        }
        let mut pixels = vec![0; length as usize];
        file.read_exact_at(&mut pixels, place.offset).ok()?;
        (checksum(&pixels) == place.checksum).then_some(Rgb {
            width: place.width,
            height: place.height,
            pixels,
        })
    }

    /// Starts a new segment.
    pub fn writer(&self) -> io::Result<SegmentWriter> {
        let file = tempfile::Builder::new().prefix(&self.prefix).suffix(".part").tempfile_in(&self.folder)?;
        Ok(SegmentWriter { file: BufWriter::new(file), offset: 0, entries: Vec::new() })
    }

    /// Completes a segment and takes it into the cache.
    pub fn adopt(&mut self, writer: SegmentWriter) -> io::Result<()> {
        if writer.entries.is_empty() {
            return Ok(());
        }
        let SegmentWriter { mut file, entries, .. } = writer;
        file.write_all(&entries)?;
        file.write_all(&((entries.len() / ENTRY) as u64).to_le_bytes())?;
        file.write_all(&checksum(&entries))?;
        file.write_all(MAGIC)?;
        let file = file.into_inner().map_err(|error| error.into_error())?;
        let path = file.path().with_extension("renditions");
        file.persist(&path).map_err(|error| error.error)?;
        self.add_segment(&path)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The checked entries of a segment, or `None` if it is not whole.
fn read_entries(file: &File) -> io::Result<Option<Vec<u8>>> {
    let length = file.metadata()?.len();
    let Some(end) = length.checked_sub(TRAILER as u64) else { return Ok(None) };
    let mut trailer = [0; TRAILER];
    file.read_exact_at(&mut trailer, end)?;
    let size = number(&trailer[..8]).checked_mul(ENTRY as u64).filter(|size| *size <= end);
    let (Some(size), true) = (size, &trailer[24..] == MAGIC) else { return Ok(None) };
    let mut entries = vec![0; size as usize];
    file.read_exact_at(&mut entries, end - size)?;
    Ok((checksum(&entries) == trailer[8..24]).then_some(entries))
}

/// A segment that is being written.
#[derive(Debug)]
pub struct SegmentWriter {
    file: BufWriter<tempfile::NamedTempFile>,
    offset: u64,
    entries: Vec<u8>,
}

impl SegmentWriter {
    /// Appends the rendition of a blob.
    pub fn push(&mut self, blob: BlobId, rgb: &Rgb) -> io::Result<()> {
        self.file.write_all(&rgb.pixels)?;
        self.entries.extend_from_slice(blob.as_bytes());
        self.entries.extend_from_slice(&self.offset.to_le_bytes());
        self.entries.extend_from_slice(&rgb.width.to_le_bytes());
        self.entries.extend_from_slice(&rgb.height.to_le_bytes());
        self.entries.extend_from_slice(&checksum(&rgb.pixels));
        self.offset += rgb.pixels.len() as u64;
        Ok(())
    }

    /// Bytes of pixels so far.
    pub fn len(&self) -> u64 {
        self.offset
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.offset == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgb(value: u8) -> Rgb {
        Rgb { width: 4, height: 2, pixels: vec![value; 24] }
    }

    fn filled(folder: &Path) -> Cache {
        let mut cache = Cache::open(folder, 64).expect("opens");
        let mut writer = cache.writer().expect("starts");
        for value in 1..=3 {
            writer.push(BlobId([value; 32]), &rgb(value)).expect("writes");
        }
        cache.adopt(writer).expect("adopts");
        cache
    }

    fn segment(folder: &Path) -> PathBuf {
        let mut files = fs::read_dir(folder).expect("lists").map(|entry| entry.expect("entry").path());
        let path = files.next().expect("one segment");
        assert!(files.next().is_none());
        path
    }

    #[test]
    fn what_was_written_is_read_by_the_next_process() {
        let folder = tempfile::tempdir().expect("folder");
        assert_eq!(filled(folder.path()).read(BlobId([2; 32])), Some(rgb(2)));
        let again = Cache::open(folder.path(), 64).expect("opens");
        assert_eq!(again.read(BlobId([3; 32])), Some(rgb(3)));
        assert!(!again.contains(BlobId([4; 32])));
        assert!(!Cache::open(folder.path(), 128).expect("opens").contains(BlobId([3; 32])), "another edge");
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let folder = tempfile::tempdir().expect("folder");
        filled(folder.path());
        let path = segment(folder.path());
        let mut bytes = fs::read(&path).expect("reads");
        bytes[30] ^= 1;
        fs::write(&path, &bytes).expect("writes");
        let cache = Cache::open(folder.path(), 64).expect("opens");
        assert_eq!(cache.read(BlobId([2; 32])), None, "its pixels changed");
        assert_eq!(cache.read(BlobId([1; 32])), Some(rgb(1)));
    }

    #[test]
    fn a_segment_that_is_cut_or_garbled_is_passed_over() {
        let folder = tempfile::tempdir().expect("folder");
        filled(folder.path());
        let path = segment(folder.path());
        let whole = fs::read(&path).expect("reads");
        for cut in [0, 5, 72, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).expect("writes");
            assert!(
                !Cache::open(folder.path(), 64).expect("opens").contains(BlobId([1; 32])),
                "cut at {cut}"
            );
        }
        let mut huge = whole.clone();
        let count = huge.len() - 32;
        huge[count..count + 8].fill(0xff);
        fs::write(&path, &huge).expect("writes");
        assert!(!Cache::open(folder.path(), 64).expect("opens").contains(BlobId([1; 32])));
    }
}
