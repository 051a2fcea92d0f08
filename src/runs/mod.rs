//! Training runs and predictions as events: what a run needs from the log, and
//! what it leaves there.
//!
//! [`prepare`] turns a recipe and a log into a plan and works without libtorch;
//! `execute` and `predict` do the work, on libtorch.

pub mod compare;
#[cfg(feature = "torch")]
pub mod execute;
#[cfg(feature = "torch")]
pub mod find;
pub mod learned;
#[cfg(feature = "torch")]
pub mod predict;
pub mod prepare;
pub mod report;
mod source;

pub use source::StoredImages;
