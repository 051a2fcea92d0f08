//! Writing an archive.

use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use safelight_lineage::digest::{BlobId, FrameDigest, Hasher};
use safelight_lineage::id::SubmissionId;
use safelight_lineage::value::Seq;

use super::error::ArchiveError;
use super::item::{CONTEXT, Header, ItemHead, ItemKind};
use crate::blobs::BlobError;
use crate::partial;
use crate::repository::Repository;

/// Which blobs an archive gets. The journal always comes whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveChoice {
    /// Every blob that the log names.
    All,
    /// Only these, which this submission needs.
    Submission(SubmissionId, BTreeSet<BlobId>),
}

/// How far writing or reading an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveProgress {
    /// Bytes of frames and blobs so far.
    pub done: u64,
    /// Bytes of frames and blobs in all.
    pub total: u64,
}

/// What an archive holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveSummary {
    /// The digest of its last frame.
    pub head: FrameDigest,
    /// The number of its last event.
    pub seq: Seq,
    /// How many frames.
    pub frames: u64,
    /// How many blobs.
    pub blobs: u64,
    /// Bytes of all of these.
    pub bytes: u64,
    /// How many blobs the log names that are left out on purpose.
    pub absent: u64,
    /// The length of the whole archive.
    pub len: u64,
}

/// Writes the repository, as it is now, to `out`.
///
/// # Errors
///
/// When the log cannot be read, when a blob that belongs in it is damaged or
/// missing, when `out` cannot be written, or [`ArchiveError::Stopped`].
pub fn export(
    repository: &Repository,
    choice: &ArchiveChoice,
    out: &mut dyn Write,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(ArchiveProgress),
) -> Result<ArchiveSummary, ArchiveError> {
    let absent = partial::read(repository.store_dir()).unwrap_or_default();
    let blobs = repository.blobs();
    let wanted = |blob: BlobId| -> Result<Option<u64>, ArchiveError> {
        if let ArchiveChoice::Submission(_, chosen) = choice
            && !chosen.contains(&blob)
        {
            return Ok(None);
        }
        match blobs.len(blob)? {
            Some(len) => Ok(Some(len)),
            // What this repository never had, it cannot pass on.
            None if absent.binary_search(&blob).is_ok() && *choice == ArchiveChoice::All => Ok(None),
            None => Err(BlobError::NotFound(blob).into()),
        }
    };
    let mut header = Header {
        partial: false,
        frames: 0,
        blobs: 0,
        bytes: 0,
        seq: repository.seq(),
        head: repository.head(),
        submission: match choice {
            ArchiveChoice::All => None,
            ArchiveChoice::Submission(submission, _) => Some(*submission),
        },
    };
    let mut left_out = 0;
    let mut seen = HashSet::new();
    repository.each_raw_frame(&mut |raw| {
        header.frames += 1;
        header.bytes += raw.bytes.len() as u64;
        for blob in new_blobs(raw.open()?.events.iter(), &mut seen) {
            match wanted(blob)? {
                Some(len) => {
                    header.blobs += 1;
                    header.bytes += len;
                }
                None => left_out += 1,
            }
        }
        Ok::<(), ArchiveError>(())
    })?;
    header.partial = left_out > 0;

    let mut writer = Writer { out, hasher: Hasher::derive_key(CONTEXT), len: 0 };
    writer.put(&header.to_bytes())?;
    let mut done = 0;
    seen.clear();
    repository.each_raw_frame(&mut |raw| {
        for blob in new_blobs(raw.open()?.events.iter(), &mut seen) {
            if stop.load(Ordering::Relaxed) {
                return Err(ArchiveError::Stopped);
            }
            let Some(len) = wanted(blob)? else { continue };
            writer.put(&ItemHead { kind: ItemKind::Blob, len, digest: *blob.as_bytes() }.to_bytes())?;
            let mut failed = None;
            let read = blobs.read_through(blob, &mut |chunk| {
                failed = writer.put(chunk).err();
                failed.is_none()
            });
            if let Some(error) = failed {
                return Err(error);
            }
            read?;
            done += len;
            progress(ArchiveProgress { done, total: header.bytes });
        }
        let head =
            ItemHead { kind: ItemKind::Frame, len: raw.bytes.len() as u64, digest: *raw.digest.as_bytes() };
        writer.put(&head.to_bytes())?;
        writer.put(raw.bytes)?;
        done += raw.bytes.len() as u64;
        progress(ArchiveProgress { done, total: header.bytes });
        Ok(())
    })?;
    let digest = writer.hasher.finish();
    writer.put(&ItemHead { kind: ItemKind::End, len: 0, digest }.to_bytes())?;
    writer.out.flush().map_err(ArchiveError::Write)?;
    Ok(ArchiveSummary {
        head: header.head,
        seq: header.seq,
        frames: header.frames,
        blobs: header.blobs,
        bytes: header.bytes,
        absent: left_out,
        len: writer.len,
    })
}

/// The blobs of these events that were not seen before, in order.
fn new_blobs<'a>(
    events: impl Iterator<Item = &'a safelight_lineage::event::Event>,
    seen: &mut HashSet<BlobId>,
) -> Vec<BlobId> {
    let mut new = Vec::new();
    for event in events {
        event.blobs(&mut |blob| {
            if seen.insert(blob) {
                new.push(blob);
            }
        });
    }
    new
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    hasher: Hasher,
    len: u64,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
        self.out.write_all(bytes).map_err(ArchiveError::Write)
    }
}
