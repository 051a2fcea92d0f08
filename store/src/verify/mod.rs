//! Looking for damage, in all of a repository, without changing anything.

mod journal;
mod packs;
mod report;

pub use report::{VerifyDepth, VerifyProblem, VerifyProgress, VerifyReport, verify};
