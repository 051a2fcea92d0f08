//! The lines of the detail: what is known about the selected row.

mod frame;
mod image;
mod job;
mod line;
mod lines;
mod run;
mod submission;

pub use line::Target;
pub use lines::lines;
