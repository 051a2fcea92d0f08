//! What the user presses and what comes of it, without a terminal.

mod actions;
mod actions_tested;
mod any_input;
mod curation;
mod generators;
mod log_search;
mod past;
mod recipe;
mod replays;
mod review;
mod screens;
mod walk;
mod wall;
