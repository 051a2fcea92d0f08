//! A hash index from keys to rows of a table, as one flat array.
//!
//! The keys stay in the table; the index holds row numbers only, so that a
//! snapshot stores and loads it as it is.

const EMPTY: u32 = u32::MAX;

/// Open addressing with linear probing, at most half full, of rows that are
/// added one after another. Keys may repeat.
#[derive(Debug, Clone, Default)]
pub(super) struct RowIndex {
    /// A power of two in number, or none.
    slots: Vec<u32>,
    used: usize,
}

impl RowIndex {
    /// The largest number of rows that can be told from an empty slot.
    pub(super) const MAX_ROWS: usize = EMPTY as usize;

    /// The first inserted row with this hash that `is` the one.
    pub(super) fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = hash as usize & mask;
        // The index is never full, so an empty slot ends this.
        loop {
            let row = self.slots[slot];
            if row == EMPTY {
                return None;
            }
            if is(row) {
                return Some(row);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Adds the next row, counted from zero; `hash_of` gives the hash of any row
    /// before it.
    pub(super) fn push(&mut self, hash: u64, hash_of: impl Fn(u32) -> u64) {
        if (self.used + 1) * 2 > self.slots.len() {
            let size = (self.slots.len() * 2).max(16);
            self.slots = vec![EMPTY; size];
            // In order, so that equal keys keep the order of their insertion and
            // the table is read in sequence.
            for row in 0..self.used as u32 {
                self.place(hash_of(row), row);
            }
        }
        self.place(hash, self.used as u32);
        self.used += 1;
    }

    fn place(&mut self, hash: u64, row: u32) {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != EMPTY {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = row;
    }

    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Takes slots from outside, if they index each of `rows` rows once or at
    /// least cannot lead outside the table or around for ever.
    pub(super) fn from_slots(slots: Vec<u32>, rows: usize) -> Option<RowIndex> {
        let used = slots.iter().filter(|row| **row != EMPTY).count();
        let sized = slots.is_empty() || slots.len().is_power_of_two();
        let inside = slots.iter().all(|row| *row == EMPTY || (*row as usize) < rows);
        (sized && inside && used == rows && used * 2 <= slots.len()).then_some(RowIndex { slots, used })
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

    #[test]
    fn every_row_is_found_after_growing() {
        let hash = |row: u32| hash_bytes(0, &row.to_le_bytes());
        let mut index = RowIndex::default();
        for row in 0..1000 {
            index.push(hash(row), hash);
        }
        for row in 0..1000 {
            assert_eq!(index.find(hash(row), |found| found == row), Some(row));
        }
        assert_eq!(index.find(hash(1000), |found| found == 1000), None);
    }

    #[test]
    fn equal_keys_are_found_in_order_of_insertion() {
        let mut index = RowIndex::default();
        for _ in 0..100 {
            index.push(7, |_| 7);
        }
        let mut seen = Vec::new();
        index.find(7, |row| {
            seen.push(row);
            false
        });
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn slots_that_mislead_are_refused() {
        assert!(RowIndex::from_slots(vec![0, 1], 2).is_none(), "full: a search would not end");
        assert!(RowIndex::from_slots(vec![9, EMPTY], 1).is_none(), "outside the table");
        assert!(RowIndex::from_slots(vec![0, EMPTY, EMPTY], 1).is_none(), "not a power of two");
        assert!(RowIndex::from_slots(vec![0, EMPTY], 1).is_some());
    }
}
