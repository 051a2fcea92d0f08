//! The lines of the detail: what is known about the selected row.

mod ensemble;
mod frame;
mod generator;
mod generator_curves;
mod image;
mod job;
mod judgement;
mod line;
mod lines;
mod replay;
mod submission;
mod training;

pub use ensemble::image_at;
pub use generator::batch_at;
#[cfg(test)]
pub use line::DetailLine;
pub use line::Target;
pub use lines::lines;
pub use replay::job as replay_job;
