//! What a verification looks at and what it says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::BlobId;

use super::missing::{self, Named};
use super::{journal, packs};
use crate::disk::{self, DiskError, shown};
use crate::error::{Corruption, Mark, StoreError};
use crate::format::{self, FORMAT_LINE, STORE_DIR};

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VerifyDepth {
    /// The chain of frames and the footers of packs.
    Quick,
    /// Every byte of every blob too.
    Deep,
}

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyProgress {
    /// Bytes looked at so far.
    pub done: u64,
    /// Bytes to look at in all.
    pub total: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyProblem {
    /// The file.
    pub file: PathBuf,
    /// Where in it the damaged record begins.
    pub offset: u64,
    /// The blob that is lost by it, if it is one.
    pub blob: Option<BlobId>,
    /// What should be there.
    pub expected: Mark,
    /// What is there.
    pub actual: Mark,
    /// What is wrong, in words.
    pub what: &'static str,
}

impl std::fmt::Display for VerifyProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let VerifyProblem { file, offset, blob, expected, actual, what } = self;
        write!(f, "{} at byte {offset}: {what}: expected {expected}, found {actual}", shown(file))?;
        blob.map_or(Ok(()), |blob| write!(f, " (blob {blob})"))
    }
}

impl From<Corruption> for VerifyProblem {
    fn from(corruption: Corruption) -> Self {
        let Corruption { file, offset, what, expected, actual } = corruption;
        VerifyProblem { file, offset, blob: None, expected, actual, what }
    }
}

impl From<DiskError> for VerifyProblem {
    fn from(error: DiskError) -> Self {
        VerifyProblem {
            file: error.path,
            offset: 0,
            blob: None,
            expected: Mark::Words("a file that can be read"),
            actual: Mark::Said(error.source.to_string()),
            what: "it cannot be read",
        }
    }
}

/// A blob that an event names and of which nothing is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingBlob {
    /// The blob.
    pub blob: BlobId,
    /// The segment that holds the first frame which names it.
    pub file: PathBuf,
    /// Where that frame begins.
    pub offset: u64,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// All that is wrong. Empty: all is well.
    pub problems: Vec<VerifyProblem>,
    /// Blobs that the log names and that are nowhere, ascending.
    pub missing: Vec<MissingBlob>,
    /// Damaged copies of blobs that are whole elsewhere, as a repair leaves
    /// them. They harm nothing.
    pub superseded: Vec<VerifyProblem>,
    /// How many blobs the log names that are absent on purpose: the repository
    /// was made from an archive without them.
    pub absent: u64,
    /// Damaged files that a repair has put aside.
    pub set_aside: Vec<PathBuf>,
    /// How many frames were seen.
    pub frames: u64,
    /// How many events were in them.
    pub events: u64,
    /// How many blobs were seen.
    pub blobs: u64,
    /// How many bytes were looked at.
    pub bytes: u64,
    /// Bytes at the end of the journal of a commit that was never
    /// acknowledged. No damage; the next opening cuts them.
    pub torn_bytes: u64,
}

impl VerifyReport {
    /// Whether nothing is damaged or missing.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.missing.is_empty()
    }

    /// The blobs that are damaged or missing, each once.
    pub fn broken_blobs(&self) -> BTreeSet<BlobId> {
        let damaged = self.problems.iter().filter_map(|problem| problem.blob);
        damaged.chain(self.missing.iter().map(|missing| missing.blob)).collect()
    }
}

/// Looks at the whole repository in `dir`, also one that cannot be opened, and
/// goes on after each problem.
///
/// # Errors
///
/// Only when there is no repository; whatever is wrong with one is reported.
pub fn verify(
    dir: &Path,
    depth: VerifyDepth,
    progress: &mut dyn FnMut(VerifyProgress),
) -> Result<VerifyReport, StoreError> {
    let store = dir.join(STORE_DIR);
    if !store.is_dir() {
        return Err(StoreError::NotARepository { start: dir.to_owned() });
    }
    let mut report = VerifyReport::default();
    match format::check(&store) {
        Ok(()) => {}
        Err(StoreError::UnsupportedFormat { file, found, .. }) => report.problems.push(VerifyProblem {
            file,
            offset: 0,
            blob: None,
            expected: Mark::Words(FORMAT_LINE),
            actual: Mark::Said(found),
            what: "the format is another",
        }),
        Err(StoreError::Disk(error)) => report.problems.push(error.into()),
        Err(error) => return Err(error),
    }
    let mut meter = Meter { done: 0, total: weigh(&store, depth), report: progress };
    let mut named = Named::default();
    journal::verify(&store.join("journal"), &mut report, &mut named, &mut meter);
    let mut whole = Vec::new();
    packs::verify(&store, depth, &mut report, &mut whole, &mut meter);
    report.bytes = meter.done;
    missing::find(&store, named, whole, &mut report);
    Ok(report)
}

/// Counts bytes and passes the count on.
pub(super) struct Meter<'a> {
    done: u64,
    total: u64,
    report: &'a mut dyn FnMut(VerifyProgress),
}

impl Meter<'_> {
    pub(super) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        (self.report)(VerifyProgress { done: self.done, total: self.total.max(self.done) });
    }
}

/// About how many bytes will be looked at.
fn weigh(store: &Path, depth: VerifyDepth) -> u64 {
    let size = |dir: &Path| -> u64 {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.metadata().ok())
            .filter(|data| data.is_file())
            .map(|data| data.len())
            .sum()
    };
    let mut total = size(&store.join("journal"));
    if depth == VerifyDepth::Deep {
        total += size(&store.join("packs"));
        total += disk::folders(&store.join("objects")).iter().map(|folder| size(folder)).sum::<u64>();
    }
    total
}
