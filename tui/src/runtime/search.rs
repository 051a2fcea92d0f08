//! Looks through the images, on a thread of its own; the latest search wins.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender};
use safelight_lineage::state::State;

use super::background::{Event, spawn};
use crate::filter::ImageFilter;
use crate::image_list::{Rows, Sorted};
use crate::judgements::Known;
use crate::msg::Msg;
use crate::order::Order;

/// A search.
pub(crate) struct Search {
    pub(crate) generation: u64,
    pub(crate) state: Arc<State>,
    pub(crate) filter: ImageFilter,
    pub(crate) order: Order,
    pub(crate) known: Option<Arc<Known>>,
}

impl Search {
    /// What it finds, in its order; none when it is `stale`.
    pub(crate) fn rows(&self, stale: impl Fn() -> bool + Sync) -> Option<Rows> {
        let opinions = self.known.as_ref().map(|known| &known.opinions);
        let mut rows = self.filter.rows(&self.state, opinions, &stale)?;
        if self.order.is_plain() {
            return Some(Rows::Found(Arc::new(rows)));
        }
        self.order.sort(&mut rows, &self.state, opinions);
        (!stale()).then(|| Rows::Sorted(Arc::new(Sorted::new(rows))))
    }
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
            let Search { generation, .. } = search;
            let rows = search.rows(|| latest.load(Ordering::Relaxed) != generation);
            // Let go of the state before the interface hears of it.
            drop(search);
            if let Some(rows) = rows {
                let _ = events.send(Event::Msg(Msg::Rows { generation, rows }));
            }
        }
    })?;
    Ok(())
}
