//! Walking the journal backwards, newest frame first.

use std::path::{Path, PathBuf};

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::event::Frame;
use safelight_lineage::value::Seq;

use super::scan::{damage, marks};
use super::{HEADER_LEN, Place, Tip, segment_path};
use crate::disk;
use crate::error::{Mark, StoreError};
use crate::frame::{self, FrameError, HEAD_LEN, TAIL_LEN};

/// The frames up to a tip, newest first. Reads only what is asked for; each
/// frame's digest is checked against what its successor says.
#[derive(Debug)]
pub(crate) struct Backward {
    dir: PathBuf,
    tip: Tip,
    segment: Option<(u64, std::fs::File)>,
    failed: bool,
}

/// A frame that was walked over: its bytes, whole and checked, not decoded.
struct StepBack {
    bytes: Vec<u8>,
    parent: FrameDigest,
    digest: FrameDigest,
    first_seq: Seq,
    place: Place,
}

impl Backward {
    pub(crate) fn new(dir: &Path, tip: Tip) -> Self {
        Backward { dir: dir.to_owned(), tip, segment: None, failed: false }
    }

    /// The bytes of the frame before, whole and checked, and the Seq of its
    /// first event; none at the beginning of the journal.
    pub(crate) fn previous_bytes(&mut self) -> Result<Option<(Vec<u8>, Seq)>, StoreError> {
        Ok(self.step_back()?.map(|step| (step.bytes, step.first_seq)))
    }

    fn previous(&mut self) -> Result<Option<Frame>, StoreError> {
        let Some(StepBack { bytes, parent, digest, first_seq, place }) = self.step_back()? else {
            return Ok(None);
        };
        frame::open_checked(&bytes, parent, digest, first_seq).map(Some).map_err(|source: FrameError| {
            StoreError::UnreadableFrame {
                file: segment_path(&self.dir, place.segment),
                offset: place.offset,
                source,
            }
        })
    }

    fn step_back(&mut self) -> Result<Option<StepBack>, StoreError> {
        if self.tip.head == FrameDigest::ROOT {
            return Ok(None);
        }
        let mut place = self.tip.place;
        if place.offset <= HEADER_LEN {
            let path = segment_path(&self.dir, place.segment - 1);
            place = Place { segment: place.segment - 1, offset: disk::len(&disk::open(&path)?, &path)? };
        }
        let path = segment_path(&self.dir, place.segment);
        let file = match self.segment.take() {
            Some((number, file)) if number == place.segment => file,
            _ => disk::open(&path)?,
        };
        let end = place;
        let bad = |what, expected, actual| {
            Err(StoreError::CorruptFrame(damage(&path, end, what, expected, actual).corruption.into()))
        };
        let mut trailer = [0; TAIL_LEN];
        let whole = disk::read_at(&file, &path, &mut trailer, place.offset - TAIL_LEN as u64)? == TAIL_LEN;
        let total = u32::from_le_bytes(trailer) as usize;
        let room = place.offset - HEADER_LEN;
        if !whole || total < HEAD_LEN + TAIL_LEN || total as u64 > room {
            return bad("the length before it is damaged", Mark::Bytes(room), Mark::Bytes(total as u64));
        }
        place.offset -= total as u64;
        let mut bytes = vec![0; total];
        let read = disk::read_at(&file, &path, &mut bytes, place.offset)?;
        bytes.truncate(read);
        self.segment = Some((place.segment, file));
        let (parent, events) =
            match frame::check(&bytes).and_then(|parent| Ok((parent, frame::event_count(&bytes)?))) {
                Ok(found) => found,
                Err(error) => {
                    let (what, expected, actual) = marks(&error);
                    return bad(what, expected, actual);
                }
            };
        let digest = frame::digest(&bytes);
        if digest != self.tip.head {
            return bad("the frame is another", Mark::Frame(self.tip.head), Mark::Frame(digest));
        }
        let Some(before) = self.tip.seq.0.checked_sub(events) else {
            return bad("it counts otherwise", Mark::Number(self.tip.seq.0), Mark::Number(events));
        };
        self.tip = Tip { place, seq: Seq(before), head: parent };
        Ok(Some(StepBack { bytes, parent, digest, first_seq: Seq(before + 1), place }))
    }
}

impl Iterator for Backward {
    type Item = Result<Frame, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let result = self.previous().transpose();
        self.failed = matches!(result, Some(Err(_)));
        result
    }
}
