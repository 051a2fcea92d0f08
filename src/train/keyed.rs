//! Randomness by key: every draw is a function of (seed, stage, epoch, subject,
//! operation), never of how many draws came before it elsewhere. So the number
//! of workers, an interruption, or an image more or less in the set cannot
//! change what happens to an image.

use safelight_lineage::digest::Hasher;

/// Where in a run a draw is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The recipe's seed.
    pub seed: u64,
    /// The stage, from zero.
    pub stage: u32,
    /// The epoch in the stage, from zero.
    pub epoch: u32,
}

impl Moment {
    /// The stream of random numbers for one `operation` on one `subject` (an
    /// image id, a parameter's name, a step number) at this moment.
    pub fn draw(&self, operation: &str, subject: &[u8]) -> KeyedRng {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 training draw v1");
        let mut place = [0; 16];
        place[..8].copy_from_slice(&self.seed.to_le_bytes());
        place[8..12].copy_from_slice(&self.stage.to_le_bytes());
        place[12..].copy_from_slice(&self.epoch.to_le_bytes());
        hasher.update(&place);
        hasher.update(&(operation.len() as u64).to_le_bytes()).update(operation.as_bytes());
        hasher.update(subject);
        KeyedRng::new(hasher.finish())
    }
}

/// xoshiro256++ (Blackman and Vigna 2019), seeded by a digest.
#[derive(Debug, Clone)]
pub struct KeyedRng {
    state: [u64; 4],
}

impl KeyedRng {
    fn new(digest: [u8; 32]) -> Self {
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(digest.chunks_exact(8)) {
            let mut eight = [0; 8];
            eight.copy_from_slice(bytes);
            *word = u64::from_le_bytes(eight);
        }
        KeyedRng { state }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform between `low` and `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..bound`, without bias (Lemire 2019). `bound` is positive.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an empty range has no member");
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            if product as u64 >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// A standard normal number (Marsaglia's polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (self.between(-1.0, 1.0), self.between(-1.0, 1.0));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// A number from the gamma distribution with this positive shape and scale
    /// 1 (Marsaglia and Tsang 2000).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = (1.0 - self.unit()).powf(1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            let u = 1.0 - self.unit();
            if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// A number from Beta(alpha, alpha), `alpha` positive.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        let (x, y) = (self.gamma(alpha), self.gamma(alpha));
        if x + y > 0.0 { x / (x + y) } else { 0.5 }
    }

    /// Puts the items into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Moment = Moment { seed: 1, stage: 0, epoch: 2 };

    #[test]
    fn every_part_of_the_key_matters_and_nothing_else() {
        let first = |moment: Moment, operation, subject: &[u8]| moment.draw(operation, subject).bits();
        let base = first(MOMENT, "flip", b"a");
        assert_eq!(base, first(MOMENT, "flip", b"a"));
        assert_ne!(base, first(Moment { seed: 2, ..MOMENT }, "flip", b"a"));
        assert_ne!(base, first(Moment { stage: 1, ..MOMENT }, "flip", b"a"));
        assert_ne!(base, first(Moment { epoch: 3, ..MOMENT }, "flip", b"a"));
        assert_ne!(base, first(MOMENT, "crop", b"a"));
        assert_ne!(base, first(MOMENT, "flip", b"b"));
    }

    #[test]
    fn moments_of_the_distributions() {
        let mut rng = MOMENT.draw("test", b"");
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let normal: Vec<f64> = (0..20_000).map(|_| rng.normal()).collect();
        let square: Vec<f64> = normal.iter().map(|x| x * x).collect();
        assert!(mean(&normal).abs() < 0.03 && (mean(&square) - 1.0).abs() < 0.05);
        // Var of Beta(a, a) is 1 / (4 (2a + 1)): 0.1389 at a = 0.4.
        let beta: Vec<f64> = (0..20_000).map(|_| rng.beta(0.4)).collect();
        let spread: Vec<f64> = beta.iter().map(|x| (x - 0.5).powi(2)).collect();
        assert!((mean(&beta) - 0.5).abs() < 0.01 && (mean(&spread) - 0.1389).abs() < 0.005);
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_moves_them() {
        let mut items: Vec<u32> = (0..100).collect();
        MOMENT.draw("order", b"").shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn below_reaches_every_value() {
        let mut rng = MOMENT.draw("below", b"");
        let mut seen = [0; 5];
        (0..5_000).for_each(|_| seen[rng.below(5) as usize] += 1);
        assert!(seen.iter().all(|&count| (850..1_150).contains(&count)), "{seen:?}");
    }
}
