//! Replay: make a past submission again from the log, and prove that it is the
//! same.
//!
//! A replay folds the log up to the frame that recorded the submission and
//! repeats its steps from there. Each step's result is compared with the digest
//! that the log recorded; the first that differs is named. [`votes`] needs
//! neither a GPU nor libtorch: it recounts stored probabilities and rebuilds
//! the file, and must give equal bytes on any machine.

pub mod receipt;
pub mod votes;

pub use receipt::{Receipt, StepReceipt};
