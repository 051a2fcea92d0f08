//! Material for tests.

pub mod dump;
pub mod history;
pub mod stage;
