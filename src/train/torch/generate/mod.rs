//! Generators on libtorch: the two networks, their optimizer, a run, and drawing
//! samples.

mod critic;
mod generator;
mod judge;
mod optimizer;
mod run;
mod sample;
mod state;
mod step;
#[cfg(test)]
mod tests;

pub use run::train_generator;
pub use sample::{DrawError, draw};
