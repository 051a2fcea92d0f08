//! Reading many files on several threads, delivered to one consumer in order.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;
use safelight_lineage::digest::BlobId;

use super::probe::{ProbeLimits, ProbedImage, probe};
use super::problem::ProblemKind;
use super::stamp::Stamp;
use super::walk::Found;

/// A thread takes so many files at once, or so many bytes: few enough to keep
/// all threads busy, enough that taking them costs nothing.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: u64 = 1 << 20;

/// How long a cancel may go unnoticed while nothing arrives.
const PATIENCE: Duration = Duration::from_millis(50);

/// How to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// How many threads read; 0 takes as many as there are processors.
    pub threads: usize,
    /// About how many bytes may be read ahead of the consumer. One file larger
    /// than this is still read, alone.
    pub ahead: u64,
    /// Files with more bytes are refused unread.
    pub max_file: u64,
    /// What is still taken for a picture.
    pub limits: ProbeLimits,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions { threads: 0, ahead: 64 << 20, max_file: 256 << 20, limits: ProbeLimits::default() }
    }
}

/// A file that was read and is a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// Their BLAKE3.
    pub blob: BlobId,
    /// What the picture is.
    pub probe: ProbedImage,
}

/// What became of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadSummary {
    /// Files delivered as pictures.
    pub read: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// Files delivered as problems.
    pub refused: u64,
    /// It was told to stop before the last file was delivered.
    pub cancelled: bool,
}

type Outcome = Result<ReadFile, ProblemKind>;

/// Reads, hashes and probes `files` on several threads and hands every one of
/// them to `sink`, on the calling thread, in the order of `files`.
///
/// What is wrong with one file is delivered in its place, and reading goes on.
/// Setting `cancel` stops soon: everything before that was delivered, nothing
/// after it is.
///
/// # Errors
///
/// The first error of `sink` stops the reading and is returned as it is.
pub fn read_all<E>(
    files: &[Found],
    options: &ReadOptions,
    cancel: &AtomicBool,
    mut sink: impl FnMut(&Found, Result<ReadFile, ProblemKind>) -> Result<(), E>,
) -> Result<ReadSummary, E> {
    let queue = Queue::new(files, options.ahead);
    let threads = match options.threads {
        0 => thread::available_parallelism().map_or(2, usize::from),
        count => count,
    };
    thread::scope(|scope| {
        for _ in 0..threads.min(files.len().div_ceil(BATCH_FILES)).max(1) {
            scope.spawn(|| {
                let _alarm = Alarm(&queue);
                while let Some((number, range)) = queue.claim() {
                    let outcomes = files[range].iter().map_while(|file| {
                        let go_on = !queue.stopped() && !cancel.load(Ordering::Relaxed);
                        go_on.then(|| read(&file.absolute, options))
                    });
                    queue.put(number, outcomes.collect());
                }
            });
        }
        // Also when the sink panics: the threads must not wait for it.
        let _stop = StopOnDrop(&queue);
        deliver(files, &queue, cancel, &mut sink)
    })
}

/// Hands the outcomes to the sink in order.
fn deliver<E>(
    files: &[Found],
    queue: &Queue<'_>,
    cancel: &AtomicBool,
    sink: &mut impl FnMut(&Found, Outcome) -> Result<(), E>,
) -> Result<ReadSummary, E> {
    let mut summary = ReadSummary::default();
    let mut rest = files.iter();
    let mut number = 0;
    while rest.len() > 0 {
        let Some(outcomes) = queue.take(number, cancel) else { break };
        for outcome in outcomes {
            if cancel.load(Ordering::Relaxed) {
                break;
            }
            let Some(file) = rest.next() else { break };
            match &outcome {
                Ok(found) => {
                    summary.read += 1;
                    summary.bytes += found.bytes.len() as u64;
                }
                Err(_) => summary.refused += 1,
            }
            sink(file, outcome)?;
        }
        queue.release(number);
        number += 1;
    }
    summary.cancelled = rest.len() > 0;
    Ok(summary)
}

/// Reads one file and looks at it.
fn read(path: &Path, options: &ReadOptions) -> Outcome {
    let bytes = read_bytes(path, options.max_file)?;
    let probe = probe(&bytes, &options.limits)?;
    Ok(ReadFile { blob: BlobId::of(&bytes), bytes, probe })
}

fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, ProblemKind> {
    let failed = |error: io::Error| ProblemKind::file(&error);
    // Without waiting: the file may have become a pipe since the walk.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
    let mut file: File = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(ProblemKind::NotAFile);
    }
    let too_large = |size| ProblemKind::TooLarge { size, limit };
    if metadata.len() > limit {
        return Err(too_large(metadata.len()));
    }
    // One byte more than it has, so that its end is found without growing.
    let mut bytes = Vec::with_capacity(metadata.len() as usize + 1);
    let size = Read::take(&mut file, limit + 1).read_to_end(&mut bytes).map_err(failed)? as u64;
    if size > limit {
        return Err(too_large(size));
    }
    // Half of the old and half of the new bytes may still be a picture.
    if Stamp::of(&file.metadata().map_err(failed)?) != Stamp::of(&metadata) {
        return Err(ProblemKind::Changing);
    }
    Ok(bytes)
}

/// The batches: which are claimed, read, delivered.
struct Queue<'a> {
    files: &'a [Found],
    ahead: u64,
    state: Mutex<State>,
    /// A batch was read, or reading stopped.
    ready: Condvar,
    /// A batch was delivered, or reading stopped.
    room: Condvar,
    stopped: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The first file that nobody has claimed.
    next: usize,
    /// The number of the next batch.
    number: u64,
    /// Bytes claimed and not yet delivered, by batch.
    claimed: BTreeMap<u64, u64>,
    total: u64,
    /// Batches that were read.
    done: BTreeMap<u64, Vec<Outcome>>,
}

impl<'a> Queue<'a> {
    fn new(files: &'a [Found], ahead: u64) -> Self {
        Queue {
            files,
            ahead,
            state: Mutex::default(),
            ready: Condvar::new(),
            room: Condvar::new(),
            stopped: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        let _state = self.lock();
        self.stopped.store(true, Ordering::Relaxed);
        self.ready.notify_all();
        self.room.notify_all();
    }

    /// The next files to read, once there is room for them. Batches are claimed
    /// in order, so the one that the consumer waits for always has its room.
    fn claim(&self) -> Option<(u64, Range<usize>)> {
        let mut state = self.lock();
        loop {
            if self.stopped() || state.next == self.files.len() {
                return None;
            }
            let start = state.next;
            let mut bytes = 0;
            let mut end = start;
            while end < self.files.len() && end - start < BATCH_FILES {
                let size = self.files[end].size;
                if end > start && bytes + size > BATCH_BYTES.min(self.ahead) {
                    break;
                }
                bytes = bytes.saturating_add(size);
                end += 1;
            }
            if state.total == 0 || state.total.saturating_add(bytes) <= self.ahead {
                let number = state.number;
                state.next = end;
                state.number += 1;
                state.total = state.total.saturating_add(bytes);
                state.claimed.insert(number, bytes);
                return Some((number, start..end));
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put(&self, number: u64, outcomes: Vec<Outcome>) {
        self.lock().done.insert(number, outcomes);
        self.ready.notify_all();
    }

    /// Waits for a batch; none when reading stopped or was cancelled.
    fn take(&self, number: u64, cancel: &AtomicBool) -> Option<Vec<Outcome>> {
        let mut state = self.lock();
        loop {
            if self.stopped() || cancel.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(outcomes) = state.done.remove(&number) {
                return Some(outcomes);
            }
            (state, _) = self.ready.wait_timeout(state, PATIENCE).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn release(&self, number: u64) {
        let mut state = self.lock();
        let bytes = state.claimed.remove(&number).unwrap_or(0);
        state.total -= bytes;
        self.room.notify_all();
    }
}

/// Stops the reading when a reading thread panics: its batch would never come.
struct Alarm<'a>(&'a Queue<'a>);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// Stops the reading when the consumer is through, whichever way.
struct StopOnDrop<'a>(&'a Queue<'a>);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests;
