//! Looks through the images, on a thread of its own; the latest search wins.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender};
use safelight_lineage::state::State;

use super::background::{Event, spawn};
use crate::filter::ImageFilter;
use crate::msg::Msg;

/// A search.
pub(super) struct Search {
    pub(super) generation: u64,
    pub(super) state: Arc<State>,
    pub(super) filter: ImageFilter,
}

/// Searches until nobody asks any more. A search whose generation is not
/// `latest` any more is given up.
pub(super) fn search(
    searches: Receiver<Search>,
    events: Sender<Event>,
    latest: Arc<AtomicU64>,
) -> io::Result<()> {
    spawn("search", move || {
        for search in searches {
            let Search { generation, state, filter } = search;
            let rows = filter.rows(&state, || latest.load(Ordering::Relaxed) != generation);
            // Let go of the state before the interface hears of it.
            drop(state);
            if let Some(rows) = rows {
                let _ = events.send(Event::Msg(Msg::Rows { generation, rows }));
            }
        }
    })?;
    Ok(())
}
