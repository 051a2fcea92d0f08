//! Long work that others can watch and stop.
//!
//! Work runs in processes of its own, so that a crash or an out-of-memory kill
//! takes down the work and not who watches it. Each job has a folder below the
//! cache; whoever opens the repository later finds it there.

pub mod account;
pub mod child;
pub mod folder;
pub mod generator;
pub mod line;
pub mod log;
pub mod process;
pub mod registry;
pub mod replay;
pub mod watch;
