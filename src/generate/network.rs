//! What a generator's weights say of themselves, and how its noise is drawn.

use safelight_lineage::value::ClassIndex;
use serde::{Deserialize, Serialize};

use super::recipe::GeneratorRecipe;
use crate::train::keyed::{KeyedRng, Moment};

/// The entry of the header of weights that holds the [`GeneratorNote`].
pub const NOTE: &str = "safelight generator";

/// What a generator is: enough to build it and draw from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorNote {
    /// Edge of its pictures, pixels.
    pub size: u32,
    /// Random numbers that a picture is drawn from.
    pub latent: u32,
    /// Channels of its widest maps.
    pub features: u32,
    /// More convolutions where its maps are widest.
    pub extra_layers: u32,
    /// The classes of the dataset that it draws, by place and name, in the order
    /// of its inputs.
    pub classes: Vec<(u16, String)>,
}

impl GeneratorNote {
    /// The note of a generator that learns these classes by this recipe.
    pub fn new(recipe: &GeneratorRecipe, classes: Vec<(u16, String)>) -> GeneratorNote {
        GeneratorNote {
            size: recipe.size,
            latent: recipe.latent,
            features: recipe.features,
            extra_layers: recipe.extra_layers,
            classes,
        }
    }

    /// Which of its inputs a class of the dataset is.
    pub fn input(&self, class: ClassIndex) -> Option<usize> {
        self.classes.iter().position(|(index, _)| *index == class.0)
    }

    /// How often the edge is halved from the picture's down to 4.
    pub fn halvings(&self) -> u32 {
        (self.size / 4).max(1).ilog2()
    }

    /// The channels of the maps whose edge is the picture's halved `halvings`
    /// times.
    pub fn channels(&self, halvings: u32) -> usize {
        (self.features as usize) << halvings.saturating_sub(1)
    }
}

/// Standard normal numbers, `latent` of them, for one picture.
fn noise(mut rng: KeyedRng, latent: u32) -> impl Iterator<Item = f32> {
    (0..latent).map(move |_| rng.normal() as f32)
}

/// The noise of the pictures of a step: `count × latent` numbers, and which
/// classes they are of, each as likely.
pub fn step_noise(moment: Moment, step: u64, whose: &str, count: usize, note: &GeneratorNote) -> Noise {
    let mut noise = Noise::default();
    for place in 0..count as u64 {
        let mut subject = [0; 16];
        subject[..8].copy_from_slice(&step.to_le_bytes());
        subject[8..].copy_from_slice(&place.to_le_bytes());
        let mut rng = moment.draw(whose, &subject);
        noise.inputs.push(rng.below(note.classes.len().max(1) as u64) as i64);
        noise.values.extend(self::noise(rng, note.latent));
    }
    noise
}

/// The noise of samples: those numbered `from` and the `count` from there, of
/// the class with this input. A function of seed, class and number alone, so
/// that more samples begin with the same ones.
pub fn sample_noise(seed: u64, input: usize, from: u64, count: usize, note: &GeneratorNote) -> Noise {
    let moment = Moment { seed, stage: 0, epoch: 0 };
    let class = note.classes.get(input).map_or(0, |(index, _)| *index);
    let mut noise = Noise::default();
    for number in from..from + count as u64 {
        let mut subject = [0; 10];
        subject[..2].copy_from_slice(&class.to_le_bytes());
        subject[2..].copy_from_slice(&number.to_le_bytes());
        noise.inputs.push(input as i64);
        noise.values.extend(self::noise(moment.draw("sample", &subject), note.latent));
    }
    noise
}

/// What pictures are drawn from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Noise {
    /// `pictures × latent` numbers.
    pub values: Vec<f32>,
    /// For each picture, which of the generator's classes it is to show.
    pub inputs: Vec<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> GeneratorNote {
        let recipe = GeneratorRecipe { size: 64, latent: 3, ..GeneratorRecipe::default() };
        GeneratorNote::new(&recipe, vec![(2, "sea".into()), (0, "forest".into())])
    }

    #[test]
    fn widths_are_those_of_the_paper() {
        let widths: Vec<usize> = (1..=note().halvings()).map(|halvings| note().channels(halvings)).collect();
        assert_eq!(widths, [64, 128, 256, 512]);
        assert_eq!(note().input(ClassIndex(0)), Some(1));
        assert_eq!(note().input(ClassIndex(1)), None);
    }

    #[test]
    fn more_samples_begin_with_the_same_ones() {
        let few = sample_noise(7, 1, 0, 2, &note());
        let many = sample_noise(7, 1, 0, 5, &note());
        assert_eq!(many.values[..6], few.values);
        assert_eq!(sample_noise(7, 1, 1, 1, &note()).values, few.values[3..]);
        assert_ne!(sample_noise(8, 1, 0, 2, &note()).values, few.values);
        assert_ne!(sample_noise(7, 0, 0, 2, &note()).values, few.values);
    }

    #[test]
    fn noise_of_a_step_is_a_function_of_its_place() {
        let moment = Moment { seed: 1, stage: 0, epoch: 4 };
        let noise = step_noise(moment, 9, "critic noise", 40, &note());
        assert_eq!(noise, step_noise(moment, 9, "critic noise", 40, &note()));
        assert_ne!(noise, step_noise(moment, 10, "critic noise", 40, &note()));
        assert!(noise.inputs.contains(&0) && noise.inputs.contains(&1));
        assert_eq!(noise.values.len(), 120);
    }
}
