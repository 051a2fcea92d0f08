//! Follows the log and reads its past, on a thread of its own.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use super::background::{Event, calmly, spawn};
use crate::event_text::FrameText;
use crate::msg::Msg;
use crate::ports::History;

/// How often the log is looked at. Another process's events are shown after at
/// most this, and the time it takes to read them.
const POLL: Duration = Duration::from_millis(300);

/// What the log is asked.
pub(super) enum Request {
    /// Look now: something was written.
    Look,
    /// The past.
    Past(Seq),
    /// Frames.
    Frames(Seq, usize),
}

/// Follows the log until nobody asks any more.
pub(super) fn follow(
    mut history: Box<dyn History>,
    requests: Receiver<Request>,
    events: Sender<Event>,
) -> io::Result<()> {
    spawn("history", move || {
        let mut follower = Follower { history: history.as_mut(), events, known: None, complaint: None };
        loop {
            follower.look();
            match requests.recv_timeout(POLL) {
                Ok(first) => {
                    // Of several pasts only the last is still wanted.
                    let mut waiting = vec![first];
                    waiting.extend(requests.try_iter());
                    let last_past = waiting.iter().rposition(|request| matches!(request, Request::Past(_)));
                    for (place, request) in waiting.into_iter().enumerate() {
                        if !matches!(request, Request::Past(_)) || Some(place) == last_past {
                            follower.answer(request);
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    })?;
    Ok(())
}

struct Follower<'a> {
    history: &'a mut dyn History,
    events: Sender<Event>,
    /// The head that the interface knows of. Not the state: that would keep it
    /// from being reused.
    known: Option<(Seq, safelight_lineage::digest::FrameDigest)>,
    /// What was complained about last, to say it once.
    complaint: Option<String>,
}

impl Follower<'_> {
    fn send(&self, msg: Msg) {
        // The interface may have ended; then the requests end too.
        let _ = self.events.send(Event::Msg(msg));
    }

    fn look(&mut self) {
        match calmly(|| self.history.state()) {
            Ok(state) => {
                self.complaint = None;
                let head = (state.seq(), state.head());
                if self.known != Some(head) {
                    self.known = Some(head);
                    self.send(Msg::State(state));
                }
            }
            Err(error) => {
                if self.complaint.as_ref() != Some(&error) {
                    self.send(Msg::Failed(format!("the log cannot be read: {error}")));
                    self.complaint = Some(error);
                }
            }
        }
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Look => {}
            Request::Past(seq) => {
                let past = calmly(|| self.history.state_as_of(seq));
                self.send(Msg::Past(seq, past));
            }
            Request::Frames(newest, limit) => {
                let frames = calmly(|| {
                    let state: Arc<State> = self.history.state()?;
                    let frames = self.history.frames(newest, limit)?;
                    Ok::<_, crate::ports::PortError>(
                        frames.iter().map(|frame| FrameText::new(&state, frame)).collect(),
                    )
                });
                self.send(Msg::Frames { newest, frames });
            }
        }
    }
}
