//! When two pictures count as the same: by what they look like in small, and
//! by what a network makes of them.

use std::collections::BTreeMap;

use safelight_lineage::id::ImageId;

use super::embeddings::ClosePair;
use super::hamming::{joined_groups, linked_groups};
use super::picture::PictureFacts;

/// Up to where pictures count as the same.
#[derive(Debug, Clone, Copy)]
pub struct Likeness<'a> {
    /// Bits of 64 in which perceptual hashes may differ.
    pub max_distance: u32,
    /// The least cosine of embeddings; none to go by hashes alone.
    pub min_cosine: Option<f64>,
    /// Pairs with their cosines: at least all that reach `min_cosine`.
    pub pairs: &'a [ClosePair],
}

impl Likeness<'_> {
    /// By hashes alone.
    pub fn by_hash(max_distance: u32) -> Likeness<'static> {
        Likeness { max_distance, min_cosine: None, pairs: &[] }
    }

    fn close(&self) -> impl Iterator<Item = &ClosePair> {
        self.pairs.iter().filter(|pair| self.min_cosine.is_some_and(|least| pair.cosine >= least))
    }

    /// Groups of pictures that are linked by steps of likeness: two or more
    /// each, ascending by image; groups ascend by their first member.
    pub(super) fn grouped<'p>(&self, pictures: &'p [PictureFacts]) -> Vec<Vec<&'p PictureFacts>> {
        let mut sorted: Vec<&PictureFacts> = pictures.iter().collect();
        sorted.sort_by_key(|picture| picture.image);
        let hashed: Vec<(usize, u64)> = sorted
            .iter()
            .enumerate()
            .filter_map(|(place, picture)| Some((place, picture.measure.hash?)))
            .collect();
        let hashes: Vec<u64> = hashed.iter().map(|(_, hash)| *hash).collect();
        let by_hash = linked_groups(&hashes, self.max_distance).into_iter();
        let by_hash = by_hash.map(|group| group.into_iter().map(|place| hashed[place].0).collect());
        let place = |image: ImageId| sorted.binary_search_by_key(&image, |picture| picture.image).ok();
        let by_cosine = self.close().filter_map(|pair| Some(vec![place(pair.one)?, place(pair.other)?]));
        let groups = joined_groups(sorted.len(), by_hash.chain(by_cosine));
        groups.into_iter().map(|group| group.into_iter().map(|place| sorted[place]).collect()).collect()
    }

    /// The cosines of the pairs that are close enough.
    pub(super) fn cosines(&self) -> BTreeMap<(ImageId, ImageId), f64> {
        self.close().map(|pair| ((pair.one, pair.other), pair.cosine)).collect()
    }
}
