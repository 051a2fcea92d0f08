//! The journal as one process sees it: following it, mending its tail, and
//! appending to it under the lock.

use std::fs::File;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::FrameDigest;

use super::scan::damage;
use super::{
    Acknowledged, HEADER_LEN, Place, RawFrame, Scan, SegmentHeader, Step, Tip, find_frame, segment_path,
};
use crate::disk::{self, DiskError};
use crate::error::{AppendError, Mark, Notice, StoreError};
use crate::format::SEGMENT_ROLL;

/// Called with every frame that is new, in order.
pub(crate) type Each<'a> = &'a mut dyn FnMut(&RawFrame<'_>) -> Result<(), StoreError>;

/// One process's view of the journal.
#[derive(Debug)]
pub(crate) struct Journal {
    dir: PathBuf,
    tip: Tip,
    segment: Option<(u64, File)>,
    poisoned: bool,
    roll: u64,
}

/// The exclusive lock on the journal, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Locked {
    file: File,
}

impl Drop for Locked {
    fn drop(&mut self) {
        disk::unlock(&self.file);
    }
}

fn lock_path(dir: &Path) -> PathBuf {
    dir.join("lock")
}

impl Journal {
    /// Makes an empty journal.
    pub(crate) fn create(dir: &Path) -> Result<(), DiskError> {
        disk::create_dir(dir)?;
        let path = lock_path(dir);
        let file = disk::open_or_create(&path)?;
        disk::sync_data(&file, &path)?;
        create_segment(dir, SegmentHeader::after(&Tip::START, 1))?;
        Acknowledged::write(dir, &Tip::START)
    }

    /// A view that has seen everything up to `tip`.
    pub(crate) fn new(dir: &Path, tip: Tip) -> Self {
        Journal { dir: dir.to_owned(), tip, segment: None, poisoned: false, roll: SEGMENT_ROLL }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn tip(&self) -> Tip {
        self.tip
    }

    /// Segments roll at this length from now on.
    pub(crate) fn roll_at(&mut self, bytes: u64) {
        self.roll = bytes;
    }

    /// Gives every new acknowledged frame to `each`. Remains of a crash are
    /// mended on the way when nobody is writing.
    pub(crate) fn follow(&mut self, each: Each<'_>) -> Result<Option<Notice>, StoreError> {
        let acknowledged = Acknowledged::read(&self.dir)?;
        if let Some(goal) = acknowledged {
            self.scan_to(&goal, each)?;
            if !self.more()? {
                return Ok(None);
            }
        }
        let path = lock_path(&self.dir);
        let file = match disk::open_or_create(&path) {
            Ok(file) => file,
            Err(error) if error.is_read_only() => return self.look(each),
            Err(error) => return Err(error.into()),
        };
        if acknowledged.is_some() {
            // Somebody is writing, or has crashed: what matters is here already.
            if !disk::try_lock(&file, &path)? {
                return Ok(None);
            }
        } else {
            disk::lock(&file, &path)?;
        }
        let locked = Locked { file };
        self.recover(&locked, each)
    }

    /// About how many bytes there are behind the tip. Never fails: this only
    /// chooses how to read them.
    pub(crate) fn behind(&self) -> u64 {
        let Place { segment, offset } = self.tip.place;
        let lengths = (segment..).map_while(|number| std::fs::metadata(segment_path(&self.dir, number)).ok());
        lengths.map(|data| data.len()).sum::<u64>().saturating_sub(offset)
    }

    /// Whether there are bytes behind the tip.
    fn more(&self) -> Result<bool, DiskError> {
        let Place { segment, offset } = self.tip.place;
        let path = segment_path(&self.dir, segment);
        Ok(disk::len(&disk::open(&path)?, &path)? > offset
            || disk::exists(&segment_path(&self.dir, segment + 1))?)
    }

    /// Waits for the right to append.
    pub(crate) fn lock(&self) -> Result<Locked, DiskError> {
        let path = lock_path(&self.dir);
        let file = disk::open_or_create(&path)?;
        disk::lock(&file, &path)?;
        Ok(Locked { file })
    }

    /// Takes the lock, and everything in that was written before.
    pub(crate) fn hold(&mut self, each: Each<'_>) -> Result<(Locked, Option<Notice>), StoreError> {
        let locked = self.lock()?;
        let notice = self.recover(&locked, each)?;
        Ok((locked, notice))
    }

    /// Walks up to what was acknowledged. Anything bad before it is damage.
    fn scan_to(&mut self, goal: &Tip, each: Each<'_>) -> Result<(), StoreError> {
        if self.tip.place >= goal.place {
            return Ok(());
        }
        let mut scan = Scan::new(&self.dir, self.tip);
        while scan.tip().place < goal.place {
            let before = scan.tip();
            match scan.step()? {
                Step::Frame(raw) => each(&raw)?,
                Step::Bad(bad) => return Err(StoreError::CorruptFrame(bad.corruption.into())),
                Step::End => {
                    let path = segment_path(&self.dir, before.place.segment);
                    let what = "acknowledged frames are missing";
                    let bad = damage(&path, before.place, what, Mark::Frame(goal.head), Mark::Missing);
                    return Err(StoreError::CorruptFrame(bad.corruption.into()));
                }
            }
            self.tip = scan.tip();
        }
        if self.tip != *goal {
            let path = segment_path(&self.dir, goal.place.segment);
            let what = "another frame was acknowledged here";
            let bad = damage(&path, goal.place, what, Mark::Frame(goal.head), Mark::Frame(self.tip.head));
            return Err(StoreError::CorruptFrame(bad.corruption.into()));
        }
        Ok(())
    }

    /// Takes in what lies behind the acknowledged frames, and cuts what is left
    /// of a commit that never ended.
    fn recover(&mut self, _locked: &Locked, each: Each<'_>) -> Result<Option<Notice>, StoreError> {
        let acknowledged = Acknowledged::read(&self.dir)?;
        if let Some(goal) = acknowledged {
            self.scan_to(&goal, each)?;
        }
        if acknowledged == Some(self.tip) && !self.more()? {
            return Ok(None);
        }
        let mut scan = Scan::new(&self.dir, self.tip);
        let first = self.tip.place.segment;
        let notice = loop {
            match scan.step()? {
                Step::Frame(raw) => each(&raw)?,
                Step::End => break None,
                Step::Bad(bad) => {
                    let torn = torn_bytes(&self.dir, bad.place)?;
                    let Some(bytes) = torn else {
                        return Err(StoreError::CorruptFrame(bad.corruption.into()));
                    };
                    let file = bad.corruption.file;
                    cut(&self.dir, &file, bad.place)?;
                    break Some(Notice::TornTail { file, offset: bad.place.offset, bytes });
                }
            }
            self.tip = scan.tip();
        };
        if notice.is_none() {
            // The walk may have stepped over the end of a segment.
            self.tip = scan.tip();
        }
        // These frames were written by somebody who did not live to see them
        // acknowledged. From here on they count, so they must be durable.
        if let Err(error) = self.make_durable(first) {
            // As after any failed sync: asking again may answer for other bytes.
            self.poisoned = true;
            return Err(error.into());
        }
        Acknowledged::write(&self.dir, &self.tip)?;
        Ok(notice)
    }

    /// Brings the segments from `first` on to the disk.
    fn make_durable(&self, first: u64) -> Result<(), DiskError> {
        for segment in first..=self.tip.place.segment {
            let path = segment_path(&self.dir, segment);
            disk::sync_data(&disk::open_rw(&path)?, &path)?;
        }
        disk::sync_dir(&self.dir)
    }

    /// As [`recover`](Self::recover), where nothing can be written.
    fn look(&mut self, each: Each<'_>) -> Result<Option<Notice>, StoreError> {
        let mut scan = Scan::new(&self.dir, self.tip);
        loop {
            match scan.step()? {
                Step::Frame(raw) => each(&raw)?,
                Step::End => return Ok(None),
                Step::Bad(bad) => {
                    return match torn_bytes(&self.dir, bad.place)? {
                        Some(bytes) => Ok(Some(Notice::TornTailLeft {
                            file: bad.corruption.file,
                            offset: bad.place.offset,
                            bytes,
                        })),
                        None => Err(StoreError::CorruptFrame(bad.corruption.into())),
                    };
                }
            }
            self.tip = scan.tip();
        }
    }

    /// Appends one sealed frame, durably, if `expected` is still the head.
    ///
    /// Frames of others that were not seen yet go to `each` first.
    pub(crate) fn append(
        &mut self,
        bytes: &[u8],
        appended: (FrameDigest, u64),
        expected: FrameDigest,
        each: Each<'_>,
    ) -> Result<Option<Notice>, AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        let locked = self.lock()?;
        let notice = self.recover(&locked, each)?;
        if self.tip.head != expected {
            return Err(AppendError::Conflict { expected, actual: self.tip.head });
        }
        if self.tip.place.offset >= self.roll {
            self.roll_over()?;
        }
        let Place { segment, offset } = self.tip.place;
        let path = segment_path(&self.dir, segment);
        let file = match self.segment.take() {
            Some((number, file)) if number == segment => file,
            _ => disk::open_rw(&path)?,
        };
        if let Err(error) = disk::write_at(&file, &path, bytes, offset) {
            // Nothing of it may be taken for a frame later; if even this
            // fails, what is left is a torn tail, which the next one cuts.
            self.poisoned = disk::set_len(&file, &path, offset).is_err();
            return Err(error.into());
        }
        if let Err(error) = disk::sync_data(&file, &path) {
            // What is on the disk now nobody knows, and asking again would
            // answer for other bytes. Take it back and write no more.
            self.poisoned = true;
            let _ = disk::set_len(&file, &path, offset);
            return Err(error.into());
        }
        let (head, events) = appended;
        self.tip = Tip {
            place: Place { segment, offset: offset + bytes.len() as u64 },
            seq: self.tip.seq.plus(events),
            head,
        };
        // A note only: without it the next reader looks at the bytes instead.
        let _ = Acknowledged::write(&self.dir, &self.tip);
        self.segment = Some((segment, file));
        Ok(notice)
    }

    fn roll_over(&mut self) -> Result<(), AppendError> {
        let number = self.tip.place.segment + 1;
        if let Err(error) = create_segment(&self.dir, SegmentHeader::after(&self.tip, number)) {
            self.poisoned = true;
            let _ = disk::remove(&segment_path(&self.dir, number));
            return Err(error.into());
        }
        self.tip.place = Place { segment: number, offset: HEADER_LEN };
        Ok(())
    }
}

fn create_segment(dir: &Path, header: SegmentHeader) -> Result<(), DiskError> {
    let path = segment_path(dir, header.number);
    let file = disk::create_new(&path)?;
    disk::write_at(&file, &path, &header.to_bytes(), 0)?;
    disk::sync_data(&file, &path)?;
    disk::sync_dir(dir)
}

/// How many bytes from `place` on are the remains of one unfinished write;
/// none when they are damage: a whole frame or another segment follows.
fn torn_bytes(dir: &Path, place: Place) -> Result<Option<u64>, DiskError> {
    let path = segment_path(dir, place.segment);
    if disk::exists(&segment_path(dir, place.segment + 1))? || !disk::exists(&path)? {
        return Ok(None);
    }
    let file = disk::open(&path)?;
    let left = disk::len(&file, &path)?.saturating_sub(place.offset);
    let mut bytes = vec![0; usize::try_from(left).unwrap_or(usize::MAX)];
    let read = disk::read_at(&file, &path, &mut bytes, place.offset)?;
    let rest = bytes.get(1..read).unwrap_or_default();
    // The first segment is whole before there is a repository.
    let first_header = place.offset == 0 && place.segment == 1;
    Ok((!first_header && find_frame(rest).is_none()).then_some(left))
}

/// Removes what lies from `place` on: an unfinished frame, or a segment whose
/// header never became whole.
fn cut(dir: &Path, file: &Path, place: Place) -> Result<(), DiskError> {
    if place.offset < HEADER_LEN {
        disk::remove(file)?;
        return disk::sync_dir(dir);
    }
    let open = disk::open_rw(file)?;
    disk::set_len(&open, file, place.offset)?;
    disk::sync_data(&open, file)
}
