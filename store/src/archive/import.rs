//! Reading an archive into a repository.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use safelight_lineage::digest::{BlobId, FrameDigest, Hasher};
use safelight_lineage::id::SubmissionId;
use safelight_lineage::value::Seq;

use super::error::ArchiveError;
use super::export::ArchiveProgress;
use super::item::{CONTEXT, HEADER_LEN, Header, ITEM_LEN, ItemHead, ItemKind};
use crate::disk;
use crate::error::Mark;
use crate::format::{LARGE_BLOB, MAX_FRAME, STORE_DIR};
use crate::frame;
use crate::partial;
use crate::repository::Repository;

/// So many bytes of frames are appended with one sync.
const BATCH: usize = 1 << 20;

/// How an archive ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveEnd {
    /// As it should.
    Whole,
    /// It was cut short at this byte. What came before was whole.
    Truncated {
        /// How long it is.
        offset: u64,
    },
    /// It is damaged here. What came before was whole.
    Damaged {
        /// Where the damaged item begins.
        offset: u64,
        /// What is wrong.
        what: &'static str,
        /// What should be there.
        expected: Mark,
        /// What is there.
        actual: Mark,
    },
    /// Reading was told to stop.
    Stopped,
}

/// What came of reading an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveRead {
    /// How it ended.
    pub end: ArchiveEnd,
    /// The head that it says it leads to.
    pub promised: FrameDigest,
    /// How many frames it says it has.
    pub promised_frames: u64,
    /// The head of the repository now.
    pub head: FrameDigest,
    /// The number of the repository's newest event now.
    pub seq: Seq,
    /// Frames that were appended.
    pub appended: u64,
    /// Frames that the repository had already.
    pub known: u64,
    /// Blobs that were read.
    pub blobs: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// How many blobs are absent on purpose.
    pub absent: u64,
    /// The submission that the blobs were chosen for.
    pub submission: Option<SubmissionId>,
}

/// Reads an archive into the repository in `dir`, which is made when there is
/// none. One that is there must have a history that the archive's goes on from,
/// such as what an earlier reading, cut short, has left.
///
/// Every blob is checked by its id, every frame by its digest and its parent,
/// before anything relies on it. Of an archive that is cut short or damaged,
/// what came before stays, and is a whole repository.
///
/// # Errors
///
/// When it is no archive, when the repository has another history, or when the
/// repository cannot be written.
pub fn import_archive(
    dir: &Path,
    input: &mut dyn Read,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(ArchiveProgress),
) -> Result<ArchiveRead, ArchiveError> {
    let mut source = Source { input, hasher: Hasher::derive_key(CONTEXT), at: 0 };
    let mut bytes = [0; HEADER_LEN];
    let got = source.fill(&mut bytes)?;
    let header = Header::from_bytes(&bytes[..got])?;
    // Without its FORMAT it is none, or was being made when that was cut off.
    let repository = match disk::exists(&dir.join(STORE_DIR).join("FORMAT"))? {
        true => Repository::open(dir)?,
        false => Repository::init(dir)?,
    };
    let known = repository.frame_digests()?;
    let absent = partial::read(repository.store_dir()).unwrap_or_default();
    let mut reading = Reading {
        known,
        header,
        source,
        parent: FrameDigest::ROOT,
        frames: 0,
        blobs: 0,
        done: 0,
        appended: 0,
        pending: Vec::new(),
        pending_frames: Vec::new(),
        absent,
        repository,
    };
    let end = reading.run(stop, progress);
    // What was whole stays, however it ended.
    let flushed = reading.flush();
    let end = end?;
    flushed?;
    let Reading { header, source, frames, blobs, appended, absent, mut repository, .. } = reading;
    repository.checkpoint()?;
    Ok(ArchiveRead {
        end,
        promised: header.head,
        promised_frames: header.frames,
        head: repository.head(),
        seq: repository.seq(),
        appended,
        known: frames - appended,
        blobs,
        bytes: source.at,
        absent: absent.len() as u64,
        submission: header.submission,
    })
}

struct Reading<'a> {
    repository: Repository,
    /// The digests of the frames that the repository had, oldest first.
    known: Vec<FrameDigest>,
    header: Header,
    source: Source<'a>,
    /// The last frame that was read.
    parent: FrameDigest,
    frames: u64,
    blobs: u64,
    done: u64,
    appended: u64,
    /// Frames that were read and not yet appended.
    pending: Vec<u8>,
    pending_frames: Vec<safelight_lineage::event::Frame>,
    /// Blobs that are absent on purpose, ascending.
    absent: Vec<BlobId>,
}

impl Reading<'_> {
    fn run(
        &mut self,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(ArchiveProgress),
    ) -> Result<ArchiveEnd, ArchiveError> {
        loop {
            if stop.load(Ordering::Relaxed) {
                return Ok(ArchiveEnd::Stopped);
            }
            let offset = self.source.at;
            let before = self.source.hasher.finish();
            let mut head = [0; ITEM_LEN];
            if self.source.fill(&mut head)? < ITEM_LEN {
                return Ok(ArchiveEnd::Truncated { offset: self.source.at });
            }
            let damaged = |what, expected, actual| ArchiveEnd::Damaged { offset, what, expected, actual };
            let Some(head) = ItemHead::from_bytes(&head) else {
                let what = "the head of an item is damaged";
                return Ok(damaged(what, Mark::Words("a head"), Mark::Words("other bytes")));
            };
            let end = match head.kind {
                ItemKind::Blob => self.blob(&head, offset)?,
                ItemKind::Frame => self.frame(&head, offset)?,
                ItemKind::End => return self.end(&head, before, offset),
            };
            if let Some(end) = end {
                return Ok(end);
            }
            self.done += head.len;
            progress(ArchiveProgress { done: self.done, total: self.header.bytes });
        }
    }

    fn blob(&mut self, head: &ItemHead, offset: u64) -> Result<Option<ArchiveEnd>, ArchiveError> {
        let blob = BlobId(head.digest);
        let actual = if head.len < LARGE_BLOB {
            let Some(bytes) = self.source.exactly(head.len as usize)? else {
                return Ok(Some(ArchiveEnd::Truncated { offset: self.source.at }));
            };
            let actual = BlobId::of(&bytes);
            if actual == blob {
                self.repository.blobs().put_hashed(blob, &bytes)?;
            }
            actual
        } else {
            let expected_end = self.source.at + head.len;
            let mut limited = Read::take(&mut self.source, head.len);
            let actual = self.repository.blobs().put_large(blob, &mut limited)?;
            if self.source.at < expected_end {
                return Ok(Some(ArchiveEnd::Truncated { offset: self.source.at }));
            }
            actual
        };
        if actual != blob {
            let what = "the bytes of a blob are others";
            let (expected, actual) = (Mark::Blob(blob), Mark::Blob(actual));
            return Ok(Some(ArchiveEnd::Damaged { offset, what, expected, actual }));
        }
        self.blobs += 1;
        Ok(None)
    }

    fn frame(&mut self, head: &ItemHead, offset: u64) -> Result<Option<ArchiveEnd>, ArchiveError> {
        let digest = FrameDigest(head.digest);
        let damaged =
            |what, expected, actual| Ok(Some(ArchiveEnd::Damaged { offset, what, expected, actual }));
        if head.len > MAX_FRAME as u64 {
            let what = "a frame is too long";
            return damaged(what, Mark::Bytes(MAX_FRAME as u64), Mark::Bytes(head.len));
        }
        let Some(bytes) = self.source.exactly(head.len as usize)? else {
            return Ok(Some(ArchiveEnd::Truncated { offset: self.source.at }));
        };
        let actual = frame::digest(&bytes);
        if actual != digest {
            return damaged("a frame is another", Mark::Frame(digest), Mark::Frame(actual));
        }
        let number = self.frames + 1;
        let parent = frame::check(&bytes).map_err(|source| ArchiveError::Frame { number, source })?;
        if parent != self.parent {
            let what = "a frame follows another than the one before it";
            return damaged(what, Mark::Frame(self.parent), Mark::Frame(parent));
        }
        match self.known.get(self.frames as usize) {
            Some(known) if *known == digest => {}
            Some(known) => {
                return Err(ArchiveError::OtherHistory { number, expected: digest, actual: *known });
            }
            None => {
                let pending: u64 = self.pending_frames.iter().map(|frame| frame.events.len() as u64).sum();
                let first = self.repository.seq().plus(pending + 1);
                let frame =
                    frame::open(&bytes, first).map_err(|source| ArchiveError::Frame { number, source })?;
                self.pending.extend_from_slice(&bytes);
                self.pending_frames.push(frame);
            }
        }
        self.parent = digest;
        self.frames += 1;
        if self.pending.len() >= BATCH {
            self.flush()?;
        }
        Ok(None)
    }

    fn end(&mut self, head: &ItemHead, hash: [u8; 32], offset: u64) -> Result<ArchiveEnd, ArchiveError> {
        let damaged = |what, expected, actual| Ok(ArchiveEnd::Damaged { offset, what, expected, actual });
        if head.digest != hash {
            return damaged("the archive is another", Mark::Hash(head.digest), Mark::Hash(hash));
        }
        if (self.parent, self.frames) != (self.header.head, self.header.frames) {
            let what = "it leads to another head";
            return damaged(what, Mark::Frame(self.header.head), Mark::Frame(self.parent));
        }
        if self.blobs != self.header.blobs {
            let what = "it has another number of blobs";
            return damaged(what, Mark::Number(self.header.blobs), Mark::Number(self.blobs));
        }
        let mut more = [0];
        if self.source.fill(&mut more)? > 0 {
            return damaged("something follows its end", Mark::Missing, Mark::Words("more bytes"));
        }
        Ok(ArchiveEnd::Whole)
    }

    /// Appends the frames that were read: their blobs are here.
    fn flush(&mut self) -> Result<(), ArchiveError> {
        if self.pending_frames.is_empty() {
            return Ok(());
        }
        if self.header.partial {
            self.note_absent()?;
        }
        let frames = std::mem::take(&mut self.pending_frames);
        let bytes = std::mem::take(&mut self.pending);
        self.appended += frames.len() as u64;
        Ok(self.repository.append_read(&bytes, frames)?)
    }

    /// Notes which blobs of the pending frames did not come along, before
    /// there is a frame that names them.
    fn note_absent(&mut self) -> Result<(), ArchiveError> {
        let mut named = Vec::new();
        for event in self.pending_frames.iter().flat_map(|frame| &frame.events) {
            event.blobs(&mut |blob| named.push(blob));
        }
        let before = self.absent.len();
        for blob in named {
            if !self.repository.blobs().contains(blob)? {
                self.absent.push(blob);
            }
        }
        if self.absent.len() > before {
            self.absent.sort_unstable();
            self.absent.dedup();
            partial::write(self.repository.store_dir(), &self.absent)?;
        }
        Ok(())
    }
}

/// The archive's bytes, hashed as they go by.
struct Source<'a> {
    input: &'a mut dyn Read,
    hasher: Hasher,
    at: u64,
}

impl Source<'_> {
    /// Fills `buffer` as far as there are bytes.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ArchiveError> {
        let mut done = 0;
        while done < buffer.len() {
            match self.read(&mut buffer[done..]) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ArchiveError::Read(error)),
            }
        }
        Ok(done)
    }

    /// The next `len` bytes; none when there are fewer. Asks for no more memory
    /// than there are bytes, whatever `len` claims.
    fn exactly(&mut self, len: usize) -> Result<Option<Vec<u8>>, ArchiveError> {
        let mut bytes = Vec::new();
        let read = Read::take(&mut *self, len as u64).read_to_end(&mut bytes).map_err(ArchiveError::Read)?;
        Ok((read == len).then_some(bytes))
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        self.at += read as u64;
        Ok(read)
    }
}
