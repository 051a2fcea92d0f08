//! The rows of the lists; only those in view are made.

mod ensembles;
mod generators;
mod images;
mod jobs;
mod review;
mod shown;
mod submissions;
mod timeline;
mod training;

pub use shown::{empty, heading, row};
