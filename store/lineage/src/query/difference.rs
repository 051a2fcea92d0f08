//! How the dataset differs between two points of the log.

use serde::Serialize;

use crate::digest::BlobId;
use crate::event::Split;
use crate::id::ImageId;
use crate::manifest::ManifestRow;
use crate::state::State;
use crate::value::{ClassIndex, Seq};

/// An image as a dataset holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its bytes.
    pub blob: BlobId,
    /// Its label.
    pub label: Option<ClassIndex>,
    /// What it is for.
    pub split: Split,
}

impl From<ManifestRow> for Held {
    fn from(row: ManifestRow) -> Held {
        Held { blob: row.blob, label: row.label, split: row.split }
    }
}

/// One image that a dataset holds otherwise, or not at all, at one of two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImageDifference {
    /// The image.
    pub image: ImageId,
    /// How it was held at the first point; none when it was not in the dataset.
    pub before: Option<Held>,
    /// How it was held at the second.
    pub after: Option<Held>,
}

/// The images that the dataset held otherwise after the event at `to` than
/// after the one at `from`, in order of import. Either may be the later.
pub fn difference(state: &State, from: Seq, to: Seq) -> Vec<ImageDifference> {
    let (then, now) = (state.as_of(from), state.as_of(to));
    let (early, late) = (from.min(to), from.max(to));
    let undone = state.reverts().iter().any(|revert| revert.seq > early && revert.seq <= late);
    let may_differ = |view: &crate::state::ImageView<'_>| {
        // What came in before both and never changed is the same at both,
        // unless its import itself was taken back in between.
        undone || view.changed || view.imported > early
    };
    state
        .images()
        .take_while(|view| view.imported <= late)
        .filter(may_differ)
        .filter_map(|view| {
            let (before, after) = (then.row(view.row).map(Held::from), now.row(view.row).map(Held::from));
            (before != after).then_some(ImageDifference { image: view.id, before, after })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Log;

    #[test]
    fn what_came_went_and_changed_differs_and_the_rest_does_not() {
        let mut log = Log::with_classes(&["sea", "forest"]);
        let [kept, gone, other] = ["a.jpg", "b.jpg", "c.jpg"].map(|path| log.import(path, "sea"));
        let before = log.state.seq();
        log.remove(gone);
        let relabelled = log.relabel(other, "forest");
        let new = log.import("d.jpg", "forest");
        let after = log.state.seq();
        let found = difference(&log.state, before, after);
        assert_eq!(found.iter().map(|found| found.image).collect::<Vec<_>>(), [gone, other, new]);
        assert!(found[0].before.is_some() && found[0].after.is_none());
        assert_eq!(found[1].before.and_then(|held| held.label), Some(ClassIndex(0)));
        assert_eq!(found[1].after.and_then(|held| held.label), Some(ClassIndex(1)));
        assert!(found[2].before.is_none() && found[2].after.is_some());
        assert!(!found.iter().any(|found| found.image == kept));
        let back = difference(&log.state, after, before);
        assert_eq!(back[0].after, found[0].before, "the other way round");

        log.undo(relabelled).expect("nothing happened since");
        let undone = difference(&log.state, after, log.state.seq());
        assert_eq!(undone.len(), 1);
        assert_eq!(undone[0].image, other);
        assert_eq!(difference(&log.state, before, log.state.seq()).len(), 2);
        assert_eq!(difference(&log.state, after, after), []);
    }
}
