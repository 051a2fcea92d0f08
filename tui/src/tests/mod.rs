//! What the user presses and what comes of it, without a terminal.

mod actions;
mod actions_tested;
mod any_input;
mod curation;
mod past;
mod review;
mod screens;
mod walk;
mod wall;
