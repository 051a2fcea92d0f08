//! Images as a state shows them.

use serde::{Serialize, Serializer};

use crate::digest::BlobId;
use crate::event::{Decision, EventRef, Origin, Split};
use crate::id::{ImageId, PassId};
use crate::value::{ClassIndex, Seq, escape};

use super::change::{ChangeView, Effect};
use super::fold::State;
use super::image_table::NO_CHANGE;
use crate::id::TransactionId;

/// One image as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ImageView<'a> {
    /// Its place among all images in order of import, from zero. It never changes.
    pub row: u32,
    /// Its id.
    pub id: ImageId,
    /// Its bytes now.
    pub blob: BlobId,
    /// Where it was, relative to the folder that was imported; byte for byte.
    /// Generated images have a made-up path.
    #[serde(serialize_with = "escaped")]
    pub path: &'a [u8],
    /// Its label now.
    pub label: Option<ClassIndex>,
    /// What it is for.
    pub split: Split,
    /// Where it came from.
    pub origin: Origin,
    /// Where in this journal it came in first.
    pub imported: Seq,
    /// Whether an import or admission of it stands.
    pub exists: bool,
    /// Whether a removal of it stands.
    pub removed: bool,
    /// Whether it is in the dataset: it exists and is not removed.
    pub present: bool,
    /// Whether anything but its import ever happened to it.
    pub changed: bool,
}

fn escaped<S: Serializer>(path: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&escape(path))
}

impl ImageView<'_> {
    /// Its path as text that is harmless on a terminal.
    pub fn path_text(&self) -> String {
        escape(self.path)
    }
}

impl State {
    /// The image with this id, present or not.
    pub fn image(&self, id: ImageId) -> Option<ImageView<'_>> {
        self.table.find(id).map(|row| self.view(row))
    }

    /// The place of an image among all in order of import, from zero: all of
    /// [`image`](Self::image) for those who ask for many.
    pub fn row_of(&self, id: ImageId) -> Option<u32> {
        self.table.find(id).map(|row| self.table.number(row))
    }

    /// The image that came in as the `row`-th, from zero, present or not.
    pub fn image_at(&self, row: usize) -> Option<ImageView<'_>> {
        (row < self.table.len()).then(|| self.view(row as u32))
    }

    /// Every image that ever came in, present or not, in order of import.
    pub fn images(&self) -> impl ExactSizeIterator<Item = ImageView<'_>> + DoubleEndedIterator + Clone {
        (0..self.table.len()).map(|row| self.view(row as u32))
    }

    /// The images of one split that were at this path, oldest first. There may
    /// be several: the import of one may have been reverted before the next.
    pub fn images_at_path(&self, split: Split, path: &[u8]) -> Vec<ImageView<'_>> {
        self.table.find_path(split, path).into_iter().map(|row| self.view(row)).collect()
    }

    /// The images of any split that were at this path, oldest first, without
    /// an index: for a question or two, where making one would take longer.
    pub fn scan_path(&self, path: &[u8]) -> Vec<ImageView<'_>> {
        self.table.scan_path(path).into_iter().map(|row| self.view(row)).collect()
    }

    /// How many images ever came in.
    pub fn image_count(&self) -> usize {
        self.table.len()
    }

    /// How many images are in the dataset now.
    pub fn present_count(&self) -> u64 {
        self.table.present_count()
    }

    /// How many images of one split are in the dataset with this label.
    pub fn count_of(&self, split: Split, label: Option<ClassIndex>) -> u64 {
        self.table.count_of(split, label)
    }

    /// How many images of one split are in the dataset.
    pub fn split_count(&self, split: Split) -> u64 {
        let classes = self.dataset.as_ref().map_or(0, |dataset| dataset.classes.len());
        let labelled = (0..classes.min(usize::from(u16::MAX)))
            .map(|class| self.count_of(split, Some(ClassIndex(class as u16))));
        labelled.sum::<u64>() + self.count_of(split, None)
    }

    /// Everything that happened to an image after it came in, oldest first.
    pub fn changes(&self, id: ImageId) -> Vec<ChangeView<'_>> {
        let Some(row) = self.table.find(id) else { return Vec::new() };
        let latest = self.table.latest[row as usize];
        let mut changes: Vec<_> = self.log.chain(latest).map(|change| self.change_view(change)).collect();
        changes.reverse();
        changes
    }

    /// Every change of every image, in order of events.
    pub fn all_changes(&self) -> impl DoubleEndedIterator<Item = ChangeView<'_>> {
        self.log.changes.iter().map(|change| self.change_view(change))
    }

    /// The decisions of a cleaning pass that stand, oldest first. When an image
    /// was decided twice, both are given and the later one counts.
    pub fn reviews(&self, pass: PassId) -> impl Iterator<Item = (ImageId, Decision)> {
        let places = self.passes.get(pass).map_or(&[][..], |record| &record.reviews);
        places.iter().filter_map(move |place| {
            let change = self.log.changes.get(*place as usize)?;
            let Effect::Reviewed { decision, .. } = change.effect else { return None };
            let live = self.reverts.stands(Seq(change.seq));
            live.then(|| (self.table.ids[change.row as usize], decision))
        })
    }

    /// The decision on one image in one cleaning pass that stands.
    pub fn review(&self, pass: PassId, image: ImageId) -> Option<Decision> {
        let row = self.table.find(image)?;
        self.log.chain(self.table.latest[row as usize]).find_map(|change| match change.effect {
            Effect::Reviewed { pass: of, decision } if of == pass => {
                self.reverts.stands(Seq(change.seq)).then_some(decision)
            }
            _ => None,
        })
    }

    pub(super) fn view(&self, row: u32) -> ImageView<'_> {
        let current = self.table.current(row);
        ImageView {
            row: self.table.number(row),
            id: self.table.ids[row as usize],
            blob: current.blob,
            path: self.table.path(row),
            label: current.label,
            split: self.table.split(row),
            origin: self.table.origin(row),
            imported: Seq(self.table.seqs[row as usize]),
            exists: current.exists,
            removed: current.removed,
            present: current.present(),
            changed: self.table.latest[row as usize] != NO_CHANGE,
        }
    }

    pub(super) fn change_view(&self, change: &super::change::Change) -> ChangeView<'_> {
        let seq = Seq(change.seq);
        // Every change has a transaction; a hostile snapshot may lack it.
        let nowhere = EventRef { transaction: TransactionId([0; 16]), index: 0 };
        ChangeView {
            image: self.table.ids[change.row as usize],
            effect: change.effect,
            because: &self.log.becauses[change.because as usize],
            seq,
            at: self.transactions.event_at(seq).unwrap_or(nowhere),
            live: self.reverts.stands(seq),
        }
    }
}
