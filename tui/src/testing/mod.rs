//! Material for tests.

pub mod dump;
pub mod generators;
pub mod history;
pub mod ports;
pub mod pty;
pub mod recipes;
pub mod stage;
