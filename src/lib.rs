//! Safelight keeps the whole life of an image-classification dataset, and of
//! the models trained from it, in an append-only log, and replays it.

pub mod checkout;
pub mod clean;
pub mod cli;
pub mod demo;
pub mod ensemble;
pub mod error;
pub mod generate;
pub mod image;
pub mod import;
pub mod interface;
pub mod jobs;
pub mod plot;
pub mod predictions;
pub mod pretrained;
pub mod proof;
pub mod replay;
pub mod runs;
pub mod session;
pub mod sheet;
pub mod stop;
pub mod submit;
pub mod train;
pub mod watch;
