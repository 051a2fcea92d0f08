//! What the index holds, over the map that holds it.

use std::path::Path;

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::id::ImageId;
use safelight_lineage::value::Seq;

use super::keys;
use super::sled::{Broken, Map};
use crate::journal::{Backward, Place, Scan, Step, Tip};

/// So many pairs are written before it is asked whether to stop.
const BATCH: usize = 4096;

/// Says where blobs lie, for those that lie in packs.
pub(crate) trait BlobPlaces {
    /// Pack, offset and length.
    fn place(&self, blob: BlobId) -> Option<(u64, u64, u32)>;
}

/// What came of filling the index.
pub(crate) enum Filled {
    /// It has everything now.
    All,
    /// There is more.
    Part,
    /// The map is of no use any more.
    Broken(String),
    /// The journal cannot be read there.
    Unreadable,
}

/// An index that is open and known to be of this journal.
#[derive(Debug)]
pub(crate) struct Content {
    map: Map,
    tip: Tip,
}

/// What came of opening the index.
pub(crate) enum Opened {
    /// Here it is, and why it was made anew, if it was.
    Ready(Content, Option<String>),
    /// Another process has it.
    Busy,
    /// It cannot even be made.
    Unusable,
}

impl Content {
    /// Opens the index; what does not fit the journal is deleted and begun anew.
    pub(crate) fn open(index: &Path, journal: &Path) -> Opened {
        let mut why = None;
        for _ in 0..2 {
            let map = match Map::open(index) {
                Ok(Some(map)) => map,
                Ok(None) => return Opened::Busy,
                Err(Broken(reason)) => {
                    why = Some(reason);
                    continue;
                }
            };
            match map.get(keys::MARKER) {
                Ok(None) if map.keys(b"").is_ok_and(|keys| keys.is_empty()) => {
                    return Opened::Ready(Content { map, tip: Tip::START }, why);
                }
                Ok(Some(value)) => match keys::parse_marker(&value) {
                    Some(tip) if leads_to(journal, tip) => return Opened::Ready(Content { map, tip }, why),
                    _ => why = Some("it is not of this journal".into()),
                },
                Ok(None) => why = Some("it does not say how far it is".into()),
                Err(Broken(reason)) => why = Some(reason),
            }
            map.destroy();
        }
        Opened::Unusable
    }

    /// How far it is.
    pub(crate) fn tip(&self) -> Tip {
        self.tip
    }

    /// Takes in the next few thousand events.
    pub(crate) fn fill(
        &mut self,
        journal: &Path,
        goal: Tip,
        blobs: &dyn BlobPlaces,
        stop: &dyn Fn() -> bool,
    ) -> Filled {
        let mut scan = Scan::new(journal, self.tip);
        let mut pairs = Vec::new();
        while scan.tip().place < goal.place && pairs.len() < BATCH {
            let raw = match scan.step() {
                Ok(Step::Frame(raw)) => raw,
                Ok(Step::End) => break,
                Ok(Step::Bad(_)) | Err(_) => return Filled::Unreadable,
            };
            let Ok(frame) = raw.open() else { return Filled::Unreadable };
            pairs.push((keys::frame(raw.first_seq), keys::place(raw.place, raw.parent)));
            for (seq, event) in (raw.first_seq.0..).zip(&frame.events) {
                let (images, named) = keys::named(event);
                pairs
                    .extend(images.into_iter().map(|image| (keys::image_event(image, Seq(seq)), Vec::new())));
                for blob in named {
                    if let Some(place) = blobs.place(blob) {
                        pairs.push((keys::blob(blob), keys::blob_place(place)));
                    }
                }
            }
        }
        let tip = scan.tip();
        if pairs.is_empty() {
            return Filled::All;
        }
        pairs.sort();
        pairs.dedup();
        // The marker comes last, when the pairs are on the disk. Pairs that a kill
        // leaves without it are beyond how far the index says it is: nobody is
        // told of them, and they are written again.
        while pairs.len() > BATCH {
            let rest = pairs.split_off(BATCH);
            if let Err(Broken(why)) = self.map.insert(std::mem::replace(&mut pairs, rest)) {
                return Filled::Broken(why);
            }
            if stop() {
                return Filled::Part;
            }
        }
        let marker = vec![(keys::MARKER.to_vec(), keys::marker(&tip))];
        let written = self.map.insert(pairs).and_then(|()| self.map.flush());
        if let Err(Broken(why)) = written.and_then(|()| self.map.insert(marker)) {
            return Filled::Broken(why);
        }
        self.tip = tip;
        if tip.place >= goal.place { Filled::All } else { Filled::Part }
    }

    /// The events that name an image, ascending, as far as the index is.
    pub(crate) fn events_of(&self, image: ImageId) -> Option<Vec<Seq>> {
        let found = self.map.keys(&keys::image_prefix(image)).ok()?;
        let seqs: Option<Vec<Seq>> = found.iter().map(|key| keys::seq_of_image_event(key)).collect();
        // Whoever asks reads the journal itself behind the tip.
        Some(seqs?.into_iter().filter(|seq| *seq <= self.tip.seq).collect())
    }

    /// Where the frame begins that holds an event: its place, its parent and
    /// the Seq of its first event.
    pub(crate) fn frame_of(&self, seq: Seq) -> Option<(Place, FrameDigest, Seq)> {
        let (key, value) = self.map.at_or_before(&keys::frame(seq)).ok()??;
        let (place, parent) = keys::parse_place(&value)?;
        Some((place, parent, keys::seq_of_frame(&key)?))
    }

    /// Where a blob lies: pack, offset, length.
    pub(crate) fn place_of(&self, blob: BlobId) -> Option<(u64, u64, u32)> {
        keys::parse_blob_place(&self.map.get(&keys::blob(blob)).ok()??)
    }

    /// Brings it to the disk.
    pub(crate) fn flush(&self) {
        // Lost, it is filled again.
        let _ = self.map.flush();
    }

    /// Gives it up and deletes it.
    pub(crate) fn destroy(self) {
        self.map.destroy();
    }
}

fn leads_to(journal: &Path, tip: Tip) -> bool {
    tip == Tip::START || matches!(Backward::new(journal, tip).next(), Some(Ok(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kill_left_beyond_the_marker_is_not_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let map = Map::open(folder.path()).ok().flatten().expect("it opens");
        let image = ImageId([7; 16]);
        let pairs = [3, 5, 6].map(|seq| (keys::image_event(image, Seq(seq)), Vec::new()));
        map.insert(pairs.to_vec()).expect("it is written");
        let content = Content { map, tip: Tip { seq: Seq(5), ..Tip::START } };
        assert_eq!(content.events_of(image), Some(vec![Seq(3), Seq(5)]));
    }
}
