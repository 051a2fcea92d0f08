//! The world around the model: the terminal, threads, and the ports.

mod actions;
mod background;
mod error;
mod generators;
mod history;
mod input;
mod jobs;
mod judgements;
mod log_search;
#[cfg(test)]
mod on_a_terminal;
mod pictures;
mod run;
pub(crate) mod search;
mod signals;
mod terminal;

pub use error::TuiError;
pub use run::run;
