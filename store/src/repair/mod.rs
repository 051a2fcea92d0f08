//! Bringing damaged and missing blobs back from where they still are.
//!
//! A repair only adds. A good copy of a blob goes into a new pack, or for a
//! large one under its name; a file that is damaged as a whole is put aside
//! into `damaged/` once everything that can be read of it is kept elsewhere.

mod run;
mod search;

pub use run::{RepairProgress, RepairReport, RepairSource, repair};
pub(crate) use run::{put_aside, set_aside_dir};
