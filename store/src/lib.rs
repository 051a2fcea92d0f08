//! Safelight's durable store.
//!
//! The truth is an append-only journal of hash-chained frames and a set of
//! append-only packs and single files that hold the blobs the frames name. All
//! else (the index, snapshots of the state) is derived, can be deleted at any
//! time, and is made again. `store/FORMAT.md` maps the bytes.
//!
//! Invariants:
//!
//! - A commit is acknowledged when its blobs and then its frame are on the disk.
//! - Nothing that was acknowledged is ever rewritten.
//! - Every byte that is read is checked before it is believed.
//! - Several processes may append and read at once; readers see a prefix.

mod archive;
mod blobs;
mod bytes;
mod codec;
mod disk;
mod error;
#[doc(hidden)]
pub mod fault;
mod format;
pub mod frame;
pub mod frame_link;
#[doc(hidden)]
pub mod fuzz;
mod gc;
mod index;
mod journal;
mod objects;
mod pack;
mod partial;
mod presence;
mod repair;
mod repository;
pub mod schema;
mod snapshot;
mod verify;

pub use archive::{
    ArchiveChoice, ArchiveEnd, ArchiveError, ArchiveProgress, ArchiveRead, ArchiveSummary, export,
    import_archive,
};
pub use blobs::{BlobError, Blobs};
pub use codec::CodecError;
pub use disk::DiskError;
pub use error::{AppendError, Corruption, Mark, Notice, StoreError};
pub use format::{FORMAT_LINE, LARGE_BLOB, STORE_DIR};
pub use frame::{Draft, FrameError, SealError};
pub use gc::{Fate, Garbage, GarbageKind, GarbageReport, GcError, GcProgress, Left};
pub use repair::{RepairProgress, RepairReport, RepairSource, repair};
pub use repository::{Frames, FramesBack, Glimpse, RawFramesBack, Repository};
pub use schema::PayloadError;
pub use verify::{MissingBlob, VerifyDepth, VerifyProblem, VerifyProgress, VerifyReport, verify};
