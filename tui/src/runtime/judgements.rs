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

/// Reads until nobody asks any more. What was asked last is answered first:
/// that is what the user looks at.
pub(super) fn read(
    mut port: Box<dyn Judgements>,
    requests: Receiver<Request>,
    events: Sender<Event>,
) -> io::Result<()> {
    spawn("judgements", move || {
        let mut waiting = Vec::new();
        loop {
            if waiting.is_empty() {
                let Ok(request) = requests.recv() else { return };
                waiting.push(request);
            }
            waiting.extend(requests.try_iter());
            let Some(request) = waiting.pop() else { continue };
            let msg = match request {
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
            };
            let _ = events.send(Event::Msg(msg));
        }
    })?;
    Ok(())
}

/// Compares until nobody asks any more, the image asked for last first.
pub(super) fn compare(
    mut port: Box<dyn Likeness>,
    requests: Receiver<Like>,
    events: Sender<Event>,
) -> io::Result<()> {
    spawn("likeness", move || {
        let mut waiting = Vec::new();
        loop {
            if waiting.is_empty() {
                let Ok(request) = requests.recv() else { return };
                waiting.push(request);
            }
            waiting.extend(requests.try_iter());
            let Some(Like { state, image, past }) = waiting.pop() else { continue };
            let found = calmly(|| port.neighbours(&state, image)).map(Arc::new);
            let _ = events.send(Event::Msg(Msg::Neighbours(image, past, found)));
        }
    })?;
    Ok(())
}
