//! The repository as the terminal interface sees it: the ports of
//! `safelight-tui`, on the store.

mod findings;
mod generators;
mod history;
mod jobs;
mod judgements;
mod likeness;
mod log_search;
mod pictures;
mod ports;
mod receipts;
mod recipes;
pub mod remembered;
mod runs;

pub use ports::ports;
