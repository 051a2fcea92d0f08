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
            let mut frames = Vec::new();
            let mut failure = None;
            for command in commands {
                match calmly(|| actions.execute(command, None)) {
                    Ok(frame) => frames.extend(frame),
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            let _ = events.send(Event::Msg(Msg::Executed { frames, error: failure }));
            let _ = history.send(Request::Look);
        }
    })
}
