//! Carries out changes, one after another, on a thread of its own.

use std::io;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};
use safelight_lineage::decide::Command;

use super::background::{Event, calmly, spawn};
use super::history::Request;
use crate::msg::Msg;
use crate::ports::Actions;

/// Carries out until nobody asks any more. Who ends the interface joins this
/// thread: what the user decided is to be in the log.
pub(super) fn carry_out(
    mut actions: Box<dyn Actions>,
    commands: Receiver<Vec<Command>>,
    events: Sender<Event>,
    history: Sender<Request>,
) -> io::Result<JoinHandle<()>> {
    spawn("actions", move || {
        for commands in commands {
            let (frame, error) = match calmly(|| actions.execute(commands, None)) {
                Ok(frame) => (frame, None),
                Err(error) => (None, Some(error)),
            };
            let _ = events.send(Event::Msg(Msg::Executed { frame, error }));
            let _ = history.send(Request::Look);
        }
    })
}
