//! Which images look alike, by the hashes that cleaning also goes by. No
//! embeddings are stored, so there are none to compare.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;
use safelight_lineage::state::State;
use safelight_store::Blobs;
use safelight_tui::{Likeness, Neighbours, PortError};

use crate::clean::gather::{gather, present_images, remembered};

/// So many neighbours are named.
const NEAREST: usize = 12;

/// More pictures than this are not measured unasked; a cleaning pass does it.
const UNASKED: usize = 20_000;

/// A picture and what it looks like.
struct Hashed {
    image: ImageId,
    blob: BlobId,
    hash: u64,
}

/// Compares pictures by their perceptual hashes.
pub(super) struct PictureLikeness {
    blobs: Blobs,
    cache: PathBuf,
    /// The hashes of what was present when there were so many images.
    hashed: Option<(usize, Vec<Hashed>)>,
}

impl PictureLikeness {
    pub(super) fn new(blobs: Blobs, cache: PathBuf) -> PictureLikeness {
        PictureLikeness { blobs, cache, hashed: None }
    }

    fn hashed(&mut self, state: &State) -> Result<&[Hashed], PortError> {
        let count = state.image_count();
        if self.hashed.as_ref().is_none_or(|(of, _)| *of != count) {
            let present = present_images(state);
            let mut known = remembered(&present, &self.cache);
            if (1..=UNASKED).contains(&(present.len() - known.len())) {
                // One thread: the others are for what the user is looking at.
                let never = AtomicBool::new(false);
                gather(&present, &self.blobs, Some(&self.cache), 1, &never, &mut |_, _| {})
                    .map_err(PortError::new)?;
                known = remembered(&present, &self.cache);
            }
            let hashed = known.into_iter().filter_map(|(present, measure)| {
                Some(Hashed { image: present.image, blob: present.blob, hash: measure.hash? })
            });
            self.hashed = Some((count, hashed.collect()));
        }
        Ok(self.hashed.as_ref().map_or(&[][..], |(_, hashed)| hashed))
    }
}

impl Likeness for PictureLikeness {
    fn neighbours(&mut self, state: &Arc<State>, image: ImageId) -> Result<Neighbours, PortError> {
        let view = state.image(image).ok_or_else(|| PortError::new("there is no such image"))?;
        let bytes = self.blobs.get(view.blob).map_err(PortError::new)?;
        let measured = crate::clean::gather::measure(&bytes).map_err(PortError::new)?;
        let own = measured.hash.ok_or_else(|| PortError::new("it has next to no contrast"))?;
        // Those that have gone or have other bytes since they were measured do
        // not count.
        let is_same = |other: &Hashed| {
            state.image(other.image).is_some_and(|view| view.present && view.blob == other.blob)
        };
        let hashed = self.hashed(state)?.iter();
        let mut others: Vec<(u32, ImageId)> = hashed
            .filter(|other| other.image != image && is_same(other))
            .map(|other| ((other.hash ^ own).count_ones(), other.image))
            .collect();
        let among = others.len() as u64;
        if others.len() > NEAREST {
            others.select_nth_unstable(NEAREST);
            others.truncate(NEAREST);
        }
        others.sort_unstable();
        let images = others.into_iter().map(|(bits, other)| (other, format!("{bits} bits"))).collect();
        Ok(Neighbours { by: "perceptual hash".to_owned(), among, images })
    }
}
