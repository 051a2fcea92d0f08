//! Looks for words in the log, on a thread of its own; the latest search wins.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use safelight_lineage::value::Seq;

use super::background::{Event, calmly, spawn};
use crate::msg::Msg;
use crate::ports::LogSearch;

/// How often it is told what was found.
const TELL: Duration = Duration::from_millis(100);

/// A search.
pub(super) struct Request {
    pub(super) generation: u64,
    pub(super) wanted: String,
    pub(super) newest: Seq,
    pub(super) after: Seq,
}

/// Searches until nobody asks any more. A search whose generation is not
/// `latest` any more is given up.
pub(super) fn search(
    mut port: Box<dyn LogSearch>,
    requests: Receiver<Request>,
    events: Sender<Event>,
    latest: Arc<AtomicU64>,
) -> io::Result<()> {
    spawn("log-search", move || {
        for Request { generation, wanted, newest, after } in requests {
            let stale = || latest.load(Ordering::Relaxed) != generation;
            let tell = |found: &mut Vec<Seq>, down_to, error| {
                let found = std::mem::take(found);
                let _ = events.send(Event::Msg(Msg::LogSearched { generation, found, down_to, error }));
            };
            let mut found = Vec::new();
            let mut told = Instant::now();
            let searched = calmly(|| {
                port.search(&wanted, newest, after, &mut |seq, mentions| {
                    if mentions {
                        found.push(seq);
                    }
                    if told.elapsed() >= TELL {
                        tell(&mut found, seq, None);
                        told = Instant::now();
                    }
                    !stale()
                })
            });
            if !stale() {
                // It is over, whatever came of it: asking again would fail again.
                tell(&mut found, after, searched.err());
            }
        }
    })?;
    Ok(())
}
