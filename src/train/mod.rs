//! Training and predicting: recipes, the data pipeline, and the engine.
//!
//! Everything but `torch` is plain Rust and builds without libtorch.

pub mod augmentation;
pub mod batch;
pub mod cache;
pub mod environment;
pub mod keyed;
pub mod metrics;
pub mod plan;
pub mod progress;
pub mod rate_finder;
pub mod recipe;
pub mod rendition;
pub mod renditions;
pub mod resample;
pub mod schedule;
pub mod stage;
#[cfg(feature = "torch")]
pub mod torch;
pub mod transform;
pub mod views;
pub mod weights;
