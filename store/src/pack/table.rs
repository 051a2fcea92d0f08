//! One table over many packs, for when many blobs are looked up.

use safelight_lineage::digest::BlobId;

use super::Entry;
use super::read::prefix;

/// Where each blob of many packs is: (first bytes of the id, pack, entry),
/// ascending. Sixteen bytes a blob.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<(u64, u32, u32)>,
}

impl Table {
    /// Makes the table of these lists of entries.
    pub(crate) fn new<'a>(packs: impl Iterator<Item = &'a [Entry]>) -> Self {
        let mut rows = Vec::new();
        for (pack, entries) in packs.enumerate() {
            for (entry, place) in entries.iter().enumerate() {
                rows.push((prefix(&place.blob), pack as u32, entry as u32));
            }
        }
        rows.sort_unstable();
        Table { rows }
    }

    /// The (pack, entry) pairs that may hold the blob.
    pub(crate) fn find(&self, blob: &BlobId) -> impl Iterator<Item = (usize, usize)> + '_ {
        let key = prefix(blob);
        let first = self.rows.partition_point(|row| row.0 < key);
        self.rows[first..]
            .iter()
            .take_while(move |row| row.0 == key)
            .map(|&(_, pack, entry)| (pack as usize, entry as usize))
    }
}
