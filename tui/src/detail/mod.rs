//! The lines of the detail: what is known about the selected row.

mod ensemble;
mod frame;
mod generator;
mod image;
mod job;
mod line;
mod lines;
mod submission;
mod training;

pub use line::Target;
pub use lines::lines;
