//! Material for tests.

pub mod dump;
pub mod history;
pub mod ports;
pub mod pty;
pub mod recipes;
pub mod stage;
