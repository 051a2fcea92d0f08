//! Being told to stop: Ctrl-C and SIGTERM set a flag that long work looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::Exit;

/// Whether somebody asked this process to stop, and by which signal.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Catches SIGINT and SIGTERM from here on.
    ///
    /// A second signal ends the process at once, for when the work does not
    /// come to a place where it can stop.
    pub fn install() -> Stop {
        let stop = Stop::default();
        for signal in [SIGINT, SIGTERM] {
            // Order matters: the first handler fires only when the flag is
            // already up, so the first signal asks and the second one ends.
            let end =
                signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, stop.asked.clone());
            let note = signal_hook::flag::register_usize(signal, stop.signal.clone(), signal as usize);
            let ask = signal_hook::flag::register(signal, stop.asked.clone());
            // Registering fails for forbidden signals only; these are not.
            debug_assert!(end.is_ok() && note.is_ok() && ask.is_ok());
        }
        stop
    }

    /// The flag that is raised when somebody asks.
    pub fn flag(&self) -> &AtomicBool {
        &self.asked
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The exit code that the signal calls for.
    pub fn exit(&self) -> Exit {
        if self.signal.load(Ordering::Relaxed) == SIGTERM as usize {
            Exit::Terminated
        } else {
            Exit::Interrupted
        }
    }
}
