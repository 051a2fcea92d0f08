//! Decisions: from a state and what somebody wants to the events that do it.

mod command;
mod curate;
mod dispatch;
mod fact;
mod fact_samples;
mod import;
mod rejection;
mod undo;

pub use command::{Command, NewImage};
pub use dispatch::decide;
pub use import::{ImportSummary, import};
pub use rejection::{Rejection, Thing};
