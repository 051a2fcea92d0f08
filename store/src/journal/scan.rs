//! Walking the journal forwards, checking every frame and the chain.

use std::fs::File;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::event::Frame;
use safelight_lineage::value::Seq;

use super::{HEADER_LEN, Place, SegmentHeader, Tip, segment_path, segments};
use crate::disk::{self, DiskError};
use crate::error::{Corruption, Mark, StoreError};
use crate::format::FRAME_MAGIC;
use crate::frame::{self, FrameError, HEAD_LEN};

/// So much is read from the disk at once.
const CHUNK: usize = 1 << 20;

/// A frame as it lies in the journal: whole, checked, and not decoded yet.
#[derive(Debug)]
pub(crate) struct RawFrame<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) digest: FrameDigest,
    pub(crate) parent: FrameDigest,
    pub(crate) place: Place,
    pub(crate) file: &'a Path,
    pub(crate) first_seq: Seq,
    pub(crate) events: u64,
}

impl RawFrame<'_> {
    /// Decodes the events.
    pub(crate) fn open(&self) -> Result<Frame, StoreError> {
        frame::open_checked(self.bytes, self.parent, self.digest, self.first_seq).map_err(|source| {
            StoreError::UnreadableFrame { file: self.file.to_owned(), offset: self.place.offset, source }
        })
    }
}

/// A place where no good frame is.
#[derive(Debug)]
pub(crate) struct Damage {
    pub(crate) place: Place,
    pub(crate) corruption: Corruption,
}

/// What comes next in the journal.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    Frame(RawFrame<'a>),
    End,
    Bad(Damage),
}

/// A walk over the journal from some tip on.
#[derive(Debug)]
pub(crate) struct Scan {
    dir: PathBuf,
    tip: Tip,
    window: Option<Window>,
    /// A segment whose header is known to be damaged.
    forgiven: Option<u64>,
}

/// One segment, of which a piece is in memory.
#[derive(Debug)]
struct Window {
    segment: u64,
    file: File,
    path: PathBuf,
    bytes: Vec<u8>,
    /// Which byte of the file the first of `bytes` is.
    start: u64,
}

impl Window {
    /// Up to `len` bytes at `offset`; less only at the end of the file.
    fn at(&mut self, offset: u64, len: usize) -> Result<&[u8], DiskError> {
        let have = offset
            .checked_sub(self.start)
            .and_then(|skip| usize::try_from(skip).ok())
            .filter(|skip| skip + len <= self.bytes.len());
        let skip = match have {
            Some(skip) => skip,
            None => {
                self.bytes.resize(len.max(CHUNK), 0);
                let read = disk::read_at(&self.file, &self.path, &mut self.bytes, offset)?;
                self.bytes.truncate(read);
                self.start = offset;
                0
            }
        };
        Ok(&self.bytes[skip..(skip + len).min(self.bytes.len())])
    }
}

impl Scan {
    pub(crate) fn new(dir: &Path, tip: Tip) -> Self {
        Scan { dir: dir.to_owned(), tip, window: None, forgiven: None }
    }

    /// The end of what was walked.
    pub(crate) fn tip(&self) -> Tip {
        self.tip
    }

    /// Goes on at another place, as after damage.
    pub(crate) fn jump(&mut self, tip: Tip) {
        self.tip = tip;
        self.window = None;
        self.forgiven = Some(tip.place.segment);
    }

    /// Opens the segment that the tip is in, and checks where it belongs.
    fn enter(&mut self) -> Result<Option<Damage>, DiskError> {
        let Tip { place, seq, head } = self.tip;
        if self.window.as_ref().is_some_and(|window| window.segment == place.segment) {
            return Ok(None);
        }
        self.window = None;
        let path = segment_path(&self.dir, place.segment);
        let bad = |what, expected, actual| {
            let at = Place { segment: place.segment, offset: 0 };
            Ok(Some(damage(&path, at, what, expected, actual)))
        };
        let file = match disk::open(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => {
                return bad("the segment is missing", Mark::Number(place.segment), Mark::Missing);
            }
            Err(error) => return Err(error),
        };
        let mut window =
            Window { segment: place.segment, file, path: path.clone(), bytes: Vec::new(), start: 0 };
        if self.forgiven == Some(place.segment) {
            self.window = Some(window);
            return Ok(None);
        }
        let bytes = window.at(0, HEADER_LEN as usize)?;
        let Some(header) = SegmentHeader::from_bytes(bytes) else {
            let actual = match bytes.len() as u64 {
                HEADER_LEN => Mark::Checksum(crc32fast::hash(&bytes[..60])),
                short => Mark::Bytes(short),
            };
            return bad("the segment's header is damaged", Mark::Words("a header"), actual);
        };
        if header.number != place.segment {
            return bad("another segment is here", Mark::Number(place.segment), Mark::Number(header.number));
        }
        if place.offset == HEADER_LEN && header.head != head {
            return bad("the segment follows another frame", Mark::Frame(head), Mark::Frame(header.head));
        }
        if place.offset == HEADER_LEN && header.seq != seq {
            return bad("the segment counts otherwise", Mark::Number(seq.0), Mark::Number(header.seq.0));
        }
        self.window = Some(window);
        Ok(None)
    }

    /// The next frame.
    pub(crate) fn step(&mut self) -> Result<Step<'_>, DiskError> {
        if let Some(bad) = self.enter()? {
            return Ok(Step::Bad(bad));
        }
        while self.at_end()? {
            let next = self.tip.place.segment + 1;
            if !disk::exists(&segment_path(&self.dir, next))? {
                let path = segment_path(&self.dir, next);
                let gap =
                    segments(&self.dir)?.last().is_some_and(|last| *last > next) && !disk::exists(&path)?;
                let place = Place { segment: next, offset: 0 };
                return Ok(match gap {
                    true => Step::Bad(damage(
                        &path,
                        place,
                        "the segment is missing",
                        Mark::Number(next),
                        Mark::Missing,
                    )),
                    false => Step::End,
                });
            }
            self.tip.place = Place { segment: next, offset: HEADER_LEN };
            if let Some(bad) = self.enter()? {
                return Ok(Step::Bad(bad));
            }
        }
        let Some(window) = self.window.as_mut() else { return Ok(Step::End) };
        let Tip { place, seq, head } = self.tip;
        let path = window.path.clone();
        let bad = |what, expected, actual| Ok(Step::Bad(damage(&path, place, what, expected, actual)));
        let total = match frame::total_len(window.at(place.offset, HEAD_LEN)?) {
            Ok(total) => total,
            Err(error) => {
                let (what, expected, actual) = marks(&error);
                return bad(what, expected, actual);
            }
        };
        // Ask for the length before asking for that much memory.
        let end = disk::len(&window.file, &window.path)?;
        if place.offset + total as u64 > end {
            let found = Mark::Bytes(end.saturating_sub(place.offset));
            return bad("the frame is cut short", Mark::Bytes(total as u64), found);
        }
        let bytes = window.at(place.offset, total)?;
        let (parent, events) = match frame::check(bytes).and_then(|p| Ok((p, frame::event_count(bytes)?))) {
            Ok(found) => found,
            Err(error) => {
                let (what, expected, actual) = marks(&error);
                return bad(what, expected, actual);
            }
        };
        if parent != head {
            return bad("the chain is broken: its parent is another", Mark::Frame(head), Mark::Frame(parent));
        }
        let digest = frame::digest(bytes);
        self.tip = Tip {
            place: Place { segment: place.segment, offset: place.offset + total as u64 },
            seq: seq.plus(events),
            head: digest,
        };
        // Borrowed anew: the borrow above ends where it may return early.
        let Some(window) = self.window.as_mut() else { return Ok(Step::End) };
        let first_seq = seq.plus(1);
        let Window { file, path, bytes, start, .. } = window;
        let _ = file;
        let skip = (place.offset - *start) as usize;
        let bytes = &bytes[skip..skip + total];
        Ok(Step::Frame(RawFrame { bytes, digest, parent, place, file: path, first_seq, events }))
    }

    fn at_end(&mut self) -> Result<bool, DiskError> {
        let offset = self.tip.place.offset;
        match self.window.as_mut() {
            Some(window) => Ok(window.at(offset, 1)?.is_empty()),
            None => Ok(true),
        }
    }
}

pub(crate) fn damage(file: &Path, place: Place, what: &'static str, expected: Mark, actual: Mark) -> Damage {
    Damage {
        place,
        corruption: Corruption { file: file.to_owned(), offset: place.offset, what, expected, actual },
    }
}

/// What is wrong with a frame, in words, and the two values that differ.
pub(crate) fn marks(error: &FrameError) -> (&'static str, Mark, Mark) {
    match *error {
        FrameError::Short { needed, found } => {
            ("the frame is cut short", Mark::Bytes(needed), Mark::Bytes(found))
        }
        FrameError::Magic { found } => ("no frame begins here", Mark::Magic(FRAME_MAGIC), Mark::Magic(found)),
        FrameError::Version { found } => {
            ("the envelope's version is unknown", Mark::Number(1), Mark::Number(found.into()))
        }
        FrameError::Flags { found } => {
            ("the envelope's flags are unknown", Mark::Number(0), Mark::Number(found.into()))
        }
        FrameError::Length { found } => (
            "the frame claims to be too long",
            Mark::Bytes(crate::format::MAX_FRAME as u64),
            Mark::Bytes(found),
        ),
        FrameError::Checksum { expected, actual } => {
            ("the checksum differs", Mark::Checksum(expected), Mark::Checksum(actual))
        }
        FrameError::Trailer { expected, found } => {
            ("the length behind the frame differs", Mark::Bytes(expected.into()), Mark::Bytes(found.into()))
        }
        FrameError::Body(part) => ("the frame makes no sense", Mark::Words(part), Mark::Words("other bytes")),
        FrameError::Event { .. } => {
            ("an event makes no sense", Mark::Words("an event"), Mark::Words("other bytes"))
        }
    }
}

/// Finds the first whole frame in `bytes` and where it begins.
pub(crate) fn find_frame(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = find(bytes.get(from..)?, &FRAME_MAGIC) {
        let start = from + found;
        let rest = &bytes[start..];
        let whole = frame::total_len(rest).ok().and_then(|total| rest.get(..total));
        if whole.is_some_and(|whole| frame::check(whole).is_ok()) {
            return Some(start);
        }
        from = start + 1;
    }
    None
}

pub(crate) fn find(haystack: &[u8], needle: &[u8; 4]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
