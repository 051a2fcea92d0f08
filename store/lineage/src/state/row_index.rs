//! A hash index from keys to rows of a table, as one flat array.
//!
//! The keys stay in the table. A slot holds half of the key's hash beside the
//! row, so that hardly any key is looked at in vain, and so that growing reads
//! no keys at all.

use std::sync::{Arc, OnceLock};

const EMPTY: u64 = u64::MAX;
/// The row of an empty slot.
pub(super) const EMPTY_ROW: u32 = u32::MAX;

/// Open addressing with linear probing, at most half full, of rows that are
/// added one after another. Keys may repeat.
#[derive(Debug, Clone, Default)]
pub(super) struct RowIndex {
    /// A power of two in number, or none. The high half is the low half of the
    /// hash, which also says where the slot should be; the low half is the row.
    slots: Vec<u64>,
    used: usize,
}

impl RowIndex {
    /// The largest number of rows that can be told from an empty slot.
    pub(super) const MAX_ROWS: usize = u32::MAX as usize;

    /// The index of so many rows with these hashes, in order.
    pub(super) fn of(rows: usize, hashes: impl Iterator<Item = u64>) -> RowIndex {
        let size = (rows * 2).next_power_of_two();
        let mut index = RowIndex { slots: vec![EMPTY; size.max(16)], used: 0 };
        hashes.for_each(|hash| index.push(hash));
        index
    }

    /// The first inserted row with this hash that `is` the one.
    pub(super) fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let tag = hash as u32;
        let mut slot = tag as usize & mask;
        // The index is never full, so an empty slot ends this.
        loop {
            match self.slots[slot] {
                EMPTY => return None,
                found if (found >> 32) as u32 == tag && is(found as u32) => return Some(found as u32),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    /// Adds the next row, counted from zero.
    pub(super) fn push(&mut self, hash: u64) {
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow();
        }
        self.place(u64::from(hash as u32) << 32 | self.used as u64);
        self.used += 1;
    }

    /// The rows in the slots, as a snapshot keeps them; `EMPTY_ROW` in the others.
    pub(super) fn rows(&self) -> Vec<u32> {
        self.slots.iter().map(|slot| *slot as u32).collect()
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; size]);
        // From an empty slot on and around, so that no run of full ones is cut
        // in two and equal keys keep the order of their insertion.
        let start = old.iter().position(|slot| *slot == EMPTY).unwrap_or_default();
        let (before, behind) = old.split_at(start);
        behind.iter().chain(before).filter(|slot| **slot != EMPTY).for_each(|slot| self.place(*slot));
    }

    fn place(&mut self, full: u64) {
        let mask = self.slots.len() - 1;
        let mut slot = (full >> 32) as usize & mask;
        while self.slots[slot] != EMPTY {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = full;
    }
}

/// An index that is made when it is first asked for, once for all copies of its
/// table until one of them grows.
#[derive(Debug, Clone, Default)]
pub(super) struct LazyIndex(Arc<OnceLock<RowIndex>>);

impl LazyIndex {
    pub(super) fn get_or_init(&self, make: impl FnOnce() -> RowIndex) -> &RowIndex {
        self.0.get_or_init(make)
    }

    /// Adds the next row, if the index was made.
    pub(super) fn push(&mut self, hash: u64) {
        if Arc::get_mut(&mut self.0).is_none() {
            // Others, whose tables lack the row, keep theirs.
            let own = self.0.get().map_or_else(OnceLock::new, |index| OnceLock::from(index.clone()));
            self.0 = Arc::new(own);
        }
        if let Some(index) = Arc::get_mut(&mut self.0).and_then(OnceLock::get_mut) {
            index.push(hash);
        }
    }
}

/// Mixes bytes into a hash for a [`RowIndex`]. It need not resist an attacker:
/// the ids are hashes already, and paths that collide on purpose only slow
/// their own repository down.
pub(super) fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let mut mix = |word: u64| {
        let product = u128::from(hash ^ word) * u128::from(MULTIPLIER);
        hash = (product as u64) ^ ((product >> 64) as u64).rotate_left(23) ^ word.rotate_left(41);
    };
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let mut eight = [0; 8];
        eight.copy_from_slice(word);
        mix(u64::from_le_bytes(eight));
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut eight = [0; 8];
        eight[..rest.len()].copy_from_slice(rest);
        mix(u64::from_le_bytes(eight));
    }
    mix(0);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(row: u32) -> u64 {
        hash_bytes(0, &row.to_le_bytes())
    }

    #[test]
    fn every_row_is_found_after_growing() {
        let mut index = RowIndex::default();
        for row in 0..1000 {
            index.push(hash(row));
        }
        for index in [index, RowIndex::of(1000, (0..1000u32).map(hash))] {
            for row in 0..1000 {
                assert_eq!(index.find(hash(row), |found| found == row), Some(row));
            }
            assert_eq!(index.find(hash(1000), |found| found == 1000), None);
            assert_eq!(index.find(hash(3), |_| false), None);
        }
        assert_eq!(RowIndex::default().find(7, |_| true), None);
        assert_eq!(RowIndex::of(0, [].into_iter()).find(7, |_| true), None);
    }

    #[test]
    fn equal_keys_are_found_in_order_of_insertion() {
        // At the end of the table the run of equal keys goes on at its start.
        for key in [7, u64::MAX, u64::MAX - 5] {
            let mut index = RowIndex::default();
            for _ in 0..100 {
                index.push(key);
            }
            let mut seen = Vec::new();
            index.find(key, |row| {
                seen.push(row);
                false
            });
            assert_eq!(seen, (0..100).collect::<Vec<_>>());
        }
    }
}
