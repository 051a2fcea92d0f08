//! Material for tests, here and in other crates (feature `testing`): builders
//! of logs, and generators of events and of histories.

mod events;
mod history;
mod log;
pub mod models;
mod values;

pub use events::{event, event_of_kind};
pub use history::{Step, history, interpret, step, tangled_history, wild_history};
pub use log::{Log, blob, transaction};
pub use values::Universe;
