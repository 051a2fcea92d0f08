//! Long work in child processes, so that a crash or an out-of-memory kill takes
//! down the work and not who watches it.

pub mod child;
