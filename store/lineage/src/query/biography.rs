//! The life of one image.

use serde::Serialize;

use crate::digest::BlobId;
use crate::event::EventRef;
use crate::id::ImageId;
use crate::state::{Because, Effect, State};
use crate::value::{ClassIndex, Seq};

use super::audit::Occasion;

/// What happened to an image at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happening<'a> {
    /// It came in for the first time.
    Imported {
        /// Its bytes.
        blob: BlobId,
        /// Its label.
        label: Option<ClassIndex>,
    },
    /// An event changed it.
    Changed {
        /// How.
        effect: Effect,
        /// Why.
        because: &'a Because,
    },
    /// Earlier moments of its life, or reverts of some, were taken back.
    Reverted {
        /// Which.
        targets: Vec<EventRef>,
        /// Why.
        reason: &'a str,
    },
}

/// One moment in the life of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BiographyEntry<'a> {
    /// What happened.
    #[serde(flatten)]
    pub what: Happening<'a>,
    /// When, by whom, and whether it was taken back.
    #[serde(flatten)]
    pub occasion: Occasion<'a>,
}

/// The life of one image, oldest moment first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Biography<'a> {
    /// The image.
    pub image: ImageId,
    /// Its moments.
    pub entries: Vec<BiographyEntry<'a>>,
}

/// Tells the life of one image, reverts of its moments included; none when it
/// never came in.
pub fn biography(state: &State, image: ImageId) -> Option<Biography<'_>> {
    let view = state.image(image)?;
    let (blob, label) = state.imported_as(image)?;
    let mut moments = vec![(view.imported, Happening::Imported { blob, label })];
    for change in state.changes(image) {
        moments.push((change.seq, Happening::Changed { effect: change.effect, because: change.because }));
    }
    let seqs: Vec<Seq> = moments.iter().map(|(seq, _)| *seq).collect();
    for (revert, targets) in state.reverts_touching(&seqs) {
        moments.push((revert.seq, Happening::Reverted { targets, reason: &revert.event.reason }));
    }
    moments.sort_by_key(|(seq, _)| *seq);
    let entry = |(seq, what)| Some(BiographyEntry { what, occasion: Occasion::of(state, seq)? });
    Some(Biography { image, entries: moments.into_iter().filter_map(entry).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Log;

    #[test]
    fn a_life_is_told_in_order_with_its_undos() {
        let mut log = Log::with_classes(&["sea", "forest"]);
        let image = log.import("a.jpg", "sea");
        log.import("other.jpg", "sea");
        let relabelled = log.relabel(image, "forest");
        let undo = log.undo(relabelled).expect("nothing happened since");
        let redo = log.undo(undo).expect("nothing happened since");
        log.remove(image);
        let life = biography(&log.state, image).expect("it came in");
        let told: Vec<_> = life.entries.iter().map(|entry| (entry.occasion.seq.0, &entry.what)).collect();
        assert!(matches!(
            told.as_slice(),
            [
                (2, Happening::Imported { .. }),
                (4, Happening::Changed { effect: Effect::Relabelled { .. }, .. }),
                (5, Happening::Reverted { targets: first, .. }),
                (6, Happening::Reverted { targets: second, .. }),
                (7, Happening::Changed { effect: Effect::Removed, .. }),
            ] if *first == [log.event(relabelled, 0)] && *second == [log.event(undo, 0)]
        ));
        let reverted: Vec<_> = life.entries.iter().map(|entry| entry.occasion.reverted_by).collect();
        assert_eq!(reverted, [None, None, Some(log.event(redo, 0)), None, None]);
        assert_eq!(biography(&log.state, ImageId([9; 16])), None);
    }
}
