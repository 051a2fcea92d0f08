//! Reads what is kept of generators, and looks for those in training, on a
//! thread of their own.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use safelight_lineage::id::GeneratorId;
use safelight_lineage::state::State;

use super::background::{Event, calmly, spawn};
use crate::generator_view::{Generators, UnfinishedGenerator};
use crate::msg::Msg;

/// How often it is looked for new grids of generators in training.
const POLL: Duration = Duration::from_secs(1);

/// Reads and looks until nobody asks any more.
pub(super) fn read(
    mut port: Box<dyn Generators>,
    requests: Receiver<(Arc<State>, GeneratorId)>,
    events: Sender<Event>,
) -> io::Result<()> {
    spawn("generators", move || {
        let mut known: Vec<UnfinishedGenerator> = Vec::new();
        loop {
            // A list that cannot be had for once is no news.
            if let Ok(unfinished) = calmly(|| port.unfinished())
                && known != unfinished
            {
                let _ = events.send(Event::Msg(Msg::Unfinished(unfinished.clone())));
                known = unfinished;
            }
            match requests.recv_timeout(POLL) {
                Ok((state, generator)) => {
                    let read = calmly(|| port.generator(&state, generator)).map(Arc::new);
                    // Who looks at an older state delays the next.
                    drop(state);
                    let _ = events.send(Event::Msg(Msg::Generator(generator, read)));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    })?;
    Ok(())
}
