//! How what happens changes the model.

mod curate;
mod follow;
mod generators;
mod handle;
mod keys;
mod navigate;
mod overlays;
mod perform;
mod prompt;
mod recipe;
mod review;
mod settle;
mod time;
mod undo;
mod walk;
mod wall;

pub use handle::update;
