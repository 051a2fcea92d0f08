//! Looking for damage, in all of a repository, without changing anything.

mod journal;
mod missing;
mod packs;
mod report;

pub use report::{MissingBlob, VerifyDepth, VerifyProblem, VerifyProgress, VerifyReport, verify};
