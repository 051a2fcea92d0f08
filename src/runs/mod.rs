//! Training runs and predictions as events: what a run needs from the log, and
//! what it leaves there.
//!
//! [`prepare`] turns a recipe and a log into a plan and works without libtorch;
//! `calibrate.rs`, `execute.rs`, `find.rs` and `predict.rs` do the work, on
//! libtorch: they are compiled into the engine, not into the library.

pub mod compare;
pub mod death;
pub mod learned;
pub mod prepare;
pub mod report;
mod source;

pub use source::StoredImages;
