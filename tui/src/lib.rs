//! Safelight's terminal interface.
//!
//! A `Model` holds everything the interface knows.
//! `update` changes it by what happened and says what is to be
//! done outside; `draw` shows it. Both are pure. The runtime has
//! the terminal, the threads and the [`Ports`], and moves messages between them.
//! Nothing in the loop blocks: whatever is slow is a command to a thread.

mod action;
mod chart;
mod command_line;
mod confirmation;
mod cursor;
mod detail;
mod event_text;
mod filter;
mod fuzzy;
mod generator_view;
mod generators;
mod image_list;
mod judged;
mod judgements;
mod key;
mod key_page;
mod keymap;
mod layout;
mod lineage_graph;
mod lineage_tree;
mod log_search;
mod model;
mod msg;
mod options;
mod order;
mod overlay;
mod picked;
mod picture;
mod plot;
mod ports;
mod progress;
mod recipe;
mod recipe_form;
mod replay_view;
mod rows;
mod run_view;
mod runtime;
mod screen;
mod start;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod tiles;
mod update;
mod view;
mod walk;
mod wanted;

pub use generator_view::{
    GeneratorEpochView, GeneratorView, Generators, LiveGenerator, SampleQuality, UnfinishedGenerator,
};
pub use judgements::{
    DisputedImage, Judgement, Judgements, Likeness, MemberPair, Neighbours, Opinions, VoteTable,
};
pub use key_page::{key_map_file, key_page};
pub use keymap::KeymapError;
pub use log_search::frame_mentions;
pub use options::{ImageMode, Options, ParseImageModeError, Session};
pub use ports::{
    Actions, Evidence, Finding, Findings, History, JobRequest, JobStatus, JobView, Jobs, Judging, LogSearch,
    Pictures, PortError, Ports,
};
pub use recipe::{CheckedRecipe, RecipeFault, RecipeFields, Recipes};
pub use replay_view::{ReceiptView, Receipts, ReplayStep, ReplayView};
pub use run_view::{Figures, RateCurve, RunView, Runs};
pub use runtime::{TuiError, run};
pub use screen::Screen;
pub use theme::Palette;
