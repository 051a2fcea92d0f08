//! What a repository asks its index, and how it does without.

use std::time::Duration;

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::id::ImageId;
use safelight_lineage::value::Seq;

use super::{Frames, Repository};
use crate::error::StoreError;
use crate::index::{self, Filler};
use crate::journal::{Place, Scan, Step, Tip};

impl Repository {
    /// The Seqs of the events that name an image, ascending: from the index as
    /// far as it is, from the journal behind that, and from the journal alone
    /// when there is no index.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read.
    pub fn events_of(&mut self, image: ImageId) -> Result<Vec<Seq>, StoreError> {
        self.start_index();
        if let Some(index) = &self.index {
            index.wait(Duration::from_millis(2));
            let answer = index.ask(|content| {
                let seqs = content.events_of(image)?;
                let places: Option<Vec<_>> = seqs.iter().map(|seq| content.frame_of(*seq)).collect();
                Some((content.tip(), seqs, places?))
            });
            if let Some((tip, mut seqs, places)) = answer {
                if self.confirmed(image, &seqs, &places) {
                    let behind = self.frames_from(tip, self.journal.tip());
                    seqs.extend(naming(image, behind)?);
                    return Ok(seqs);
                }
                index.give_up("it named an event that is another");
            }
        }
        naming(image, self.frames())
    }

    /// Whether the events that the index names do name the image.
    fn confirmed(&self, image: ImageId, seqs: &[Seq], places: &[(Place, FrameDigest, Seq)]) -> bool {
        seqs.iter().zip(places).all(|(seq, &(place, parent, first))| {
            let before = Seq(first.0.saturating_sub(1));
            let tip = Tip { place, seq: before, head: parent };
            let frame = match Scan::new(self.journal.dir(), tip).step() {
                Ok(Step::Frame(raw)) => raw.open().ok(),
                _ => None,
            };
            let event = frame.and_then(|frame| frame.events.into_iter().nth((seq.0 - first.0) as usize));
            event.is_some_and(|event| index::names(&event, image))
        })
    }

    /// The bytes of a blob, as `Blobs::get`, but without listing the packs
    /// when the index knows its place.
    ///
    /// # Errors
    ///
    /// As `Blobs::get`.
    pub fn blob(&self, blob: BlobId) -> Result<Vec<u8>, StoreError> {
        let place = self.index.as_ref().and_then(|index| index.ask(|content| content.place_of(blob)));
        match place.and_then(|place| self.blobs.get_at(blob, place)) {
            Some(bytes) => Ok(bytes),
            None => Ok(self.blobs.get(blob)?),
        }
    }

    /// Deletes the index and fills it anew. True when it is whole afterwards;
    /// false when another process has it.
    ///
    /// # Errors
    ///
    /// When its files cannot be deleted.
    pub fn rebuild_index(&mut self) -> Result<bool, StoreError> {
        self.start_index();
        let Some(index) = &self.index else { return Ok(false) };
        index.wait(Duration::from_secs(3600));
        // What was wrong with the old one is worth telling, that this one is
        // made anew is not.
        self.notices.extend(index.notice());
        index.give_up("it was asked for");
        index.advance(self.journal.tip());
        index.wait(Duration::from_secs(3600));
        let _ = index.notice();
        Ok(index.ask(|content| Some(content.tip())) == Some(self.journal.tip()))
    }

    /// How many events the index holds; none when it is not open here.
    pub fn indexed(&self) -> Option<Seq> {
        self.index.as_ref()?.ask(|content| Some(content.tip().seq))
    }

    pub(super) fn start_index(&mut self) {
        if self.index.is_none() {
            let blobs = Box::new(self.blobs.clone());
            let (dir, journal) = (self.store.join("index"), self.journal.dir().to_owned());
            self.index = Some(Filler::start(dir, journal, blobs));
        }
        self.tell_index();
    }

    pub(super) fn tell_index(&mut self) {
        if let Some(index) = &self.index {
            self.notices.extend(index.notice());
            index.advance(self.journal.tip());
        }
    }

    fn frames_from(&self, tip: Tip, end: Tip) -> Frames {
        Frames { scan: Scan::new(self.journal.dir(), tip), end, failed: false }
    }
}

/// The Seqs of the events in these frames that name an image.
fn naming(image: ImageId, frames: Frames) -> Result<Vec<Seq>, StoreError> {
    let mut seqs = Vec::new();
    for frame in frames {
        let frame = frame?;
        let named =
            (frame.header.first_seq.0..).zip(&frame.events).filter(|(_, event)| index::names(event, image));
        seqs.extend(named.map(|(seq, _)| Seq(seq)));
    }
    Ok(seqs)
}
