//! The rows of the lists; only those in view are made.

mod images;
mod jobs;
mod review;
mod runs;
mod shown;
mod submissions;
mod timeline;

pub use shown::{empty, heading, row};
