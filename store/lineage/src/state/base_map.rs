//! What changed images came in with, by row.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::codec::{Code, Reader, SnapshotError};

use super::change::Base;
use super::column::PART;

/// A map by row, in parts that copies share until one of them changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct BaseMap {
    /// By row, divided by [`PART`].
    parts: BTreeMap<u32, Arc<BTreeMap<u32, Base>>>,
}

fn part(row: u32) -> u32 {
    row / PART as u32
}

impl BaseMap {
    pub(super) fn get(&self, row: u32) -> Option<Base> {
        self.parts.get(&part(row))?.get(&row).copied()
    }

    /// Keeps what a row came in with, unless that is known.
    pub(super) fn keep(&mut self, row: u32, base: Base) {
        let part = self.parts.entry(part(row)).or_default();
        if !part.contains_key(&row) {
            Arc::make_mut(part).insert(row, base);
        }
    }

    /// Everything, by row.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Base)> {
        self.parts.values().flat_map(|part| part.iter().map(|(row, base)| (*row, *base)))
    }
}

impl FromIterator<(u32, Base)> for BaseMap {
    fn from_iter<I: IntoIterator<Item = (u32, Base)>>(bases: I) -> Self {
        let mut map = BaseMap::default();
        bases.into_iter().for_each(|(row, base)| map.keep(row, base));
        map
    }
}

impl Code for BaseMap {
    fn encode(&self, out: &mut Vec<u8>) {
        let bases: BTreeMap<u32, Base> = self.iter().collect();
        bases.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        Ok(BTreeMap::<u32, Base>::decode(reader)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::BlobId;

    #[test]
    fn the_first_counts_and_copies_keep_what_they_had() {
        let base = |n: u8| Base { blob: BlobId([n; 32]), label: None };
        let rows = [PART as u32 * 3, 1, PART as u32];
        let mut map: BaseMap = rows.into_iter().zip(0..).map(|(row, n)| (row, base(n))).collect();
        let before = map.clone();
        map.keep(1, base(9));
        map.keep(2, base(8));
        assert_eq!((before.get(1), before.get(2)), (Some(base(1)), None));
        assert_eq!((map.get(1), map.get(2), map.get(PART as u32 * 7)), (Some(base(1)), Some(base(8)), None));
        assert!(map.iter().map(|(row, _)| row).eq([1, 2, PART as u32, PART as u32 * 3]));
        let mut bytes = Vec::new();
        map.encode(&mut bytes);
        assert_eq!(BaseMap::decode(&mut Reader::new(&bytes)), Ok(map));
    }
}
