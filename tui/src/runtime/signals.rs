//! Signals, as events.

use std::io;

use crossbeam_channel::Sender;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::{Handle, Signals};

use super::background::{Event, spawn};

/// Ends the watch when dropped, so that signals do what they did before.
pub(super) struct Watch(Handle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Sends signals as events from now on.
pub(super) fn watch(events: Sender<Event>) -> io::Result<Watch> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT])?;
    let handle = signals.handle();
    spawn("signals", move || {
        for signal in signals.forever() {
            let event = match signal {
                SIGTSTP => Event::Sleep,
                SIGCONT => Event::Woken,
                other => Event::End(other),
            };
            if events.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(Watch(handle))
}
