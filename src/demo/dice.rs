//! Random choices that are a function of what they are for.

/// A stream of choices, the same on every machine for the same key.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

/// The finaliser of SplitMix64: every bit of the result depends on every bit of
/// the argument.
pub(super) const fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Dice {
    /// Starts the stream named by `key`.
    pub(super) fn new(key: &[u64]) -> Self {
        Dice(key.iter().fold(0x5afe_1194, |state, part| {
            scramble(state.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ scramble(part.wrapping_add(1)))
        }))
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// A number from 0 up to, not including, 1.
    pub(super) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 16_777_216.0
    }

    /// A number from `low` up to `high`.
    pub(super) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A number around zero, mostly within ±1: the mean of a few uniform ones.
    pub(super) fn swing(&mut self) -> f32 {
        (self.unit() + self.unit() + self.unit() - 1.5) * (2.0 / 1.5)
    }

    /// True with the given probability.
    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// A number from 0 up to, not including, `count`, which must not be zero.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// One of the choices, of which there must be at least one.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Puts the items in a random order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_every_part_of_their_key_and_stay_in_bounds() {
        let first = Dice::new(&[1, 2, 3]).bits();
        assert_eq!(first, Dice::new(&[1, 2, 3]).bits());
        for other in [[0, 2, 3], [1, 0, 3], [1, 2, 0], [2, 1, 3]] {
            assert_ne!(first, Dice::new(&other).bits());
        }
        let mut dice = Dice::new(&[7]);
        let mean = (0..4000).map(|_| dice.unit()).sum::<f32>() / 4000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert!((0..4000).all(|_| dice.below(3) < 3));
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..50).collect();
        Dice::new(&[9]).shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert!(items.into_iter().eq(0..50));
    }
}
