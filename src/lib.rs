//! Safelight keeps the whole life of an image-classification dataset, and of
//! the models trained from it, in an append-only log, and replays it.

pub mod clean;
pub mod demo;
pub mod ensemble;
pub mod image;
pub mod import;
pub mod predictions;
pub mod submit;
pub mod train;
