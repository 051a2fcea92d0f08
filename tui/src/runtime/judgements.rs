//! Reads what models said and finds images that look alike, on threads of
//! their own: either may take seconds.

use std::io;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use safelight_lineage::id::{EnsembleId, ImageId};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use super::background::{Event, calmly, spawn};
use crate::judged::PredictionsMark;
use crate::judgements::{Judgements, Known, Likeness};
use crate::msg::Msg;
use crate::ports::PortError;

/// What is asked of models' judgements.
pub(super) enum Request {
    /// What they say of all images.
    Known(Arc<State>),
    /// What they say of one.
    OfImage(Arc<State>, ImageId),
    /// The votes of an ensemble.
    Votes(Arc<State>, EnsembleId),
}

/// An image to find others like.
pub(super) struct Like {
    pub(super) state: Arc<State>,
    pub(super) image: ImageId,
    pub(super) past: Option<Seq>,
}

/// Answers on a thread of its own until nobody asks any more. What was asked
/// last is answered first: that is what the user looks at.
fn answer<T: Send + 'static>(
    name: &'static str,
    requests: Receiver<T>,
    events: Sender<Event>,
    mut answer: impl FnMut(T) -> Msg + Send + 'static,
) -> io::Result<()> {
    spawn(name, move || {
        let mut waiting = Vec::new();
        loop {
            if waiting.is_empty() {
                let Ok(request) = requests.recv() else { return };
                waiting.push(request);
            }
            waiting.extend(requests.try_iter());
            if let Some(request) = waiting.pop() {
                let _ = events.send(Event::Msg(answer(request)));
            }
        }
    })?;
    Ok(())
}

/// Reads what models say.
pub(super) fn read(
    mut port: Box<dyn Judgements>,
    requests: Receiver<Request>,
    events: Sender<Event>,
) -> io::Result<()> {
    answer("judgements", requests, events, move |request| match request {
        Request::Known(state) => {
            let known = calmly(|| {
                let opinions = port.opinions(&state)?;
                let exemplars = opinions.exemplars(&state);
                Ok::<_, PortError>(Arc::new(Known { opinions, exemplars }))
            });
            Msg::Known(PredictionsMark::of(&state), known)
        }
        Request::OfImage(state, image) => {
            let said = calmly(|| port.of_image(&state, image)).map(Arc::new);
            Msg::Judged(image, PredictionsMark::of(&state), said)
        }
        Request::Votes(state, ensemble) => {
            Msg::Votes(ensemble, calmly(|| port.votes(&state, ensemble)).map(Arc::new))
        }
    })
}

/// Finds images that look alike.
pub(super) fn compare(
    mut port: Box<dyn Likeness>,
    requests: Receiver<Like>,
    events: Sender<Event>,
) -> io::Result<()> {
    answer("likeness", requests, events, move |Like { state, image, past }| {
        Msg::Neighbours(image, past, calmly(|| port.neighbours(&state, image)).map(Arc::new))
    })
}
