//! Pictures that were made, until others need the room.

use std::collections::HashMap;
use std::sync::Arc;

use super::painted::{Painted, PictureKey};

/// How much memory painted pictures may take, in bytes.
const BUDGET: usize = 64 << 20;
/// What a picture that cannot be had counts, so that those go too.
const FAILURE: usize = 1 << 10;

/// What came of a picture.
#[derive(Debug, Clone)]
pub enum Slot {
    /// It is there.
    Ready(Arc<Painted>),
    /// It cannot be had, for this reason.
    Failed(String),
}

/// Pictures that were made; the ones used longest ago go first.
#[derive(Debug, Default)]
pub struct PictureCache {
    slots: HashMap<PictureKey, (u64, Slot)>,
    clock: u64,
    bytes: usize,
    /// What was asked for last.
    pub asked: Vec<PictureKey>,
}

impl PictureCache {
    /// What came of a picture, if it was made.
    pub fn get(&self, key: PictureKey) -> Option<&Slot> {
        self.slots.get(&key).map(|(_, slot)| slot)
    }

    /// Keeps what came of a picture.
    pub fn put(&mut self, key: PictureKey, result: Result<Arc<Painted>, String>) {
        let slot = match result {
            Ok(painted) => Slot::Ready(painted),
            Err(reason) => Slot::Failed(reason),
        };
        self.clock += 1;
        self.bytes += bytes(&slot);
        if let Some((_, old)) = self.slots.insert(key, (self.clock, slot)) {
            self.bytes -= bytes(&old);
        }
        while self.bytes > BUDGET && self.slots.len() > 1 {
            let oldest = self.slots.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key);
            let Some((_, gone)) = oldest.and_then(|key| self.slots.remove(&key)) else { break };
            self.bytes -= bytes(&gone);
        }
    }

    /// Marks pictures as used and gives those that are still to be made.
    pub fn missing(&mut self, wanted: &[PictureKey]) -> Vec<PictureKey> {
        self.clock += 1;
        let clock = self.clock;
        let mut missing = Vec::new();
        for key in wanted {
            match self.slots.get_mut(key) {
                Some((used, _)) => *used = clock,
                None => missing.push(*key),
            }
        }
        missing
    }

    /// Forgets everything: the terminal may have, too.
    pub fn clear(&mut self) {
        *self = PictureCache::default();
    }
}

fn bytes(slot: &Slot) -> usize {
    match slot {
        Slot::Ready(painted) => painted.bytes(),
        Slot::Failed(_) => FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;
    use safelight_lineage::digest::BlobId;

    fn key(n: u8) -> PictureKey {
        PictureKey { blob: BlobId([n; 32]), width: 1, height: 1 }
    }

    fn large() -> Result<Arc<Painted>, String> {
        let cells = BUDGET / 2 / size_of::<(char, Style)>();
        Ok(Arc::new(Painted::Cells { width: 1, cells: vec![(' ', Style::new()); cells] }))
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut cache = PictureCache::default();
        cache.put(key(1), large());
        cache.put(key(2), large());
        assert_eq!(cache.missing(&[key(1), key(3)]), [key(3)]);
        cache.put(key(3), large());
        assert!(cache.get(key(1)).is_some() && cache.get(key(2)).is_none() && cache.get(key(3)).is_some());
    }

    #[test]
    fn replacing_a_picture_does_not_count_it_twice() {
        let mut cache = PictureCache::default();
        for _ in 0..9 {
            cache.put(key(1), large());
        }
        cache.put(key(2), Err("gone".into()));
        assert!(cache.get(key(1)).is_some() && matches!(cache.get(key(2)), Some(Slot::Failed(_))));
    }
}
