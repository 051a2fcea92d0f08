//! Why the interface ended, other than by the user's wish.

use std::io;

use crate::keymap::KeymapError;
use crate::options::Session;

/// Why the interface ended, or did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuiError {
    /// Input or output is not a terminal.
    #[error("the interface needs a terminal; every command works without it (safelight help)")]
    NotATerminal,
    /// The key map does not hold.
    #[error("the key map: {0}")]
    Keymap(#[from] KeymapError),
    /// The terminal failed.
    #[error("the terminal: {0}")]
    Terminal(#[source] io::Error),
    /// A signal asked the program to end. The terminal is restored; a shell
    /// expects the exit code 128 and the signal's number.
    #[error("ended by signal {signal}")]
    Signal {
        /// Which.
        signal: i32,
        /// What to remember for the next time.
        session: Box<Session>,
        /// What was asked for last and came to nothing, and why.
        undone: Vec<String>,
    },
    /// The user left, and what was asked for just before came to nothing.
    #[error("asked for last, and not done: {}", undone.join("; "))]
    Undone {
        /// Why, each.
        undone: Vec<String>,
        /// What to remember for the next time.
        session: Box<Session>,
    },
}
