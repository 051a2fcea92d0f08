//! Who took out or relabelled what, when, why, and on what evidence.

use serde::Serialize;

use crate::event::{Actor, EventRef};
use crate::id::ImageId;
use crate::state::{Because, Effect, State};
use crate::value::{ClassIndex, Seq, Timestamp};

/// When something happened, and who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Occasion<'a> {
    /// The event, by transaction and index.
    pub at: EventRef,
    /// Where in this journal.
    pub seq: Seq,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub actor: &'a Actor,
    /// What they said about the whole transaction.
    pub message: Option<&'a str>,
    /// The revert that took it back, if one stands.
    pub reverted_by: Option<EventRef>,
}

impl<'a> Occasion<'a> {
    /// The occasion of the event at `seq`; none when there is no such event.
    pub fn of(state: &'a State, seq: Seq) -> Option<Occasion<'a>> {
        let record = state.transactions().of_seq(seq)?;
        Some(Occasion {
            at: EventRef { transaction: record.transaction, index: (seq.0 - record.first_seq.0) as u32 },
            seq,
            time: record.time,
            actor: &record.actor,
            message: record.message.as_deref(),
            reverted_by: state.reverter_of(seq).map(|revert| revert.at),
        })
    }
}

/// One removal of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Removal<'a> {
    /// The image.
    pub image: ImageId,
    /// When and by whom.
    #[serde(flatten)]
    pub occasion: Occasion<'a>,
    /// Why, and on what evidence.
    #[serde(flatten)]
    pub because: &'a Because,
    /// Whether the image is still out because of a removal.
    pub still_removed: bool,
}

/// One change of one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Relabelling<'a> {
    /// The image.
    pub image: ImageId,
    /// Its label before.
    pub old: Option<ClassIndex>,
    /// Its label after.
    pub new: Option<ClassIndex>,
    /// When and by whom.
    #[serde(flatten)]
    pub occasion: Occasion<'a>,
    /// Why, and on what evidence.
    #[serde(flatten)]
    pub because: &'a Because,
}

/// Every removal there ever was, oldest first, those undone and those of images
/// that are back too.
pub fn removals(state: &State) -> impl DoubleEndedIterator<Item = Removal<'_>> {
    state.all_changes().filter(|change| change.effect == Effect::Removed).filter_map(move |change| {
        Some(Removal {
            image: change.image,
            occasion: Occasion::of(state, change.seq)?,
            because: change.because,
            still_removed: state.image(change.image).is_some_and(|image| image.removed),
        })
    })
}

/// Every change of a label there ever was, oldest first, those undone too.
pub fn relabels(state: &State) -> impl DoubleEndedIterator<Item = Relabelling<'_>> {
    state.all_changes().filter_map(move |change| {
        let Effect::Relabelled { old, new } = change.effect else { return None };
        let occasion = Occasion::of(state, change.seq)?;
        Some(Relabelling { image: change.image, old, new, occasion, because: change.because })
    })
}
