//! Training and predicting: recipes, the data pipeline, and the engine.
//!
//! All of it is plain Rust; the networks, in the folder `torch`, are compiled
//! into the engine and not into the library.

pub mod augmentation;
pub mod batch;
pub mod cache;
pub mod device;
pub mod environment;
pub mod keyed;
pub mod metrics;
pub mod plan;
pub mod progress;
pub mod rate_finder;
pub mod recipe;
pub mod recipe_fields;
pub mod rendition;
pub mod renditions;
pub mod resample;
pub mod schedule;
pub mod stage;
pub mod transform;
pub mod trivial;
pub mod views;
pub mod weights;
