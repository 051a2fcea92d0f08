//! Archives: the journal and its blobs as one file, written and read in one go.
//!
//! `store/FORMAT.md` maps the bytes. Every blob comes before the first frame
//! that names it, so whatever is read of an archive up to some frame is whole.

mod error;
mod export;
mod import;
pub(crate) mod item;

pub use error::ArchiveError;
pub use export::{ArchiveChoice, ArchiveProgress, ArchiveSummary, export};
pub use import::{ArchiveEnd, ArchiveRead, import_archive};
