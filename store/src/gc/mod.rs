//! Collecting garbage: blobs that no event names.
//!
//! What can be garbage at all: blobs of an import, a run or another command
//! that was killed before the frame that would have named them; second copies
//! of a blob that two processes wrote at once, or that a repair replaced; and
//! files that were being written when a process died. Nothing else: the log
//! names every blob that was ever part of the history, and what it names stays,
//! whether removed, reverted or superseded since.

mod liveness;
mod report;
mod survey;
mod sweep;

pub use report::{Fate, Garbage, GarbageKind, GarbageReport, GcError, GcProgress, Left};
