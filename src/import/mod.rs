//! Bringing a folder of pictures in: which files there are, what each is for,
//! and whether its bytes are a picture at all.
//!
//! [`walk`](walk()) looks at names only and gives a sorted list of files, each with its
//! split and label, and a list of everything that it leaves out and why.
//! [`read_all`] then reads those files on several threads and hands each to one
//! consumer, in order, hashed and [probed](probe()). Nothing here writes, and
//! nothing is dropped without being listed.

mod class_name;
mod class_name_marks;
mod layout;
mod probe;
mod probe_checksum;
mod probe_jpeg;
mod probe_png;
mod problem;
mod read;
mod rescan;
pub mod run;
mod stamp;
mod walk;

pub use class_name::ClassCollision;
pub use layout::Layout;
pub use probe::{JpegKind, ProbeDepth, ProbeError, ProbeLimits, ProbedImage, probe};
pub use problem::{Problem, ProblemKind, Severity};
pub use read::{ReadFile, ReadOptions, ReadSummary, read_all};
pub use rescan::{RescanIndex, Row, file_system_time};
pub use stamp::Stamp;
pub use walk::{Found, Walk, WalkError, WalkOptions, walk};
