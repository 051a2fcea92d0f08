//! The repository as the terminal interface sees it: the ports of
//! `safelight-tui`, on the store.

mod findings;
mod history;
mod jobs;
mod judgements;
mod likeness;
mod pictures;
mod ports;
pub mod remembered;
mod runs;

pub use ports::ports;
