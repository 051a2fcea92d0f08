//! What the user sees, as a function of the model.

mod draw;
mod help;
mod lineage;
mod open;
mod recipe;
mod status;

pub use draw::draw;
pub use help::help_len;
