//! Recipes of generators: everything that a person chooses about one.
//!
//! TOML, like the recipes of models: reading fills in every default and checks
//! every value, so that what is stored with a generator says all of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::train::recipe::{RecipeError, within};

/// How a generator is trained. Obtain one with [`GeneratorRecipe::parse`].
///
/// The defaults are those of fastai's Wasserstein GAN (`fastai/vision/gan.py`,
/// Arjovsky et al. 2017): weights of the critic clipped, five steps of the
/// critic to one of the generator, RMSProp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GeneratorRecipe {
    /// What every random choice is a function of; 0 to 2^63 − 1.
    pub seed: u64,
    /// The class to learn; without it one generator learns all classes, each
    /// picture with its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Edge of the pictures in pixels: 16, 32, 64 or 128.
    pub size: u32,
    /// Real pictures in a step of the critic, and generated ones beside them;
    /// all there are, where there are fewer.
    pub batch: u32,
    /// How often the critic sees every picture.
    pub epochs: u32,
    /// Random numbers that a picture is drawn from.
    pub latent: u32,
    /// Channels of the widest maps, whose edge is half the picture's; twice as
    /// many with every halving of the edge, down to 4.
    pub features: u32,
    /// More convolutions in either network, where its maps are widest.
    pub extra_layers: u32,
    /// What keeps the critic's slope bounded.
    pub penalty: Penalty,
    /// With `penalty = "clip"`: the largest weight of the critic.
    pub clip: f64,
    /// With `penalty = "gradient"`: how much the penalty weighs.
    pub penalty_weight: f64,
    /// How the critic's maps are normalised; left out, `batch` with `clip` and
    /// `none` with `gradient`, which is about single pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critic_norm: Option<CriticNorm>,
    /// Steps of the critic before each step of the generator.
    pub critic_steps: u32,
    /// RMSProp's learning rate, of both networks.
    pub learning_rate: f64,
    /// How much of the mean of squared gradients stays in a step.
    pub square_momentum: f64,
    /// How much of the averaged generator, which draws the samples, stays in a
    /// step; 0 for the newest weights as they are.
    pub average: f64,
    /// The chance that a real picture is mirrored.
    pub flip: f64,
    /// A generator whose samples differ less than this share of how much real
    /// pictures of the class differ has collapsed.
    pub collapse_below: f64,
    /// For so many epochs in a row.
    pub collapse_patience: u32,
    /// Whether training ends then; otherwise it is only said.
    pub stop_on_collapse: bool,
}

/// What keeps the critic's slope bounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// Every weight is cut to ±`clip` (Arjovsky et al. 2017).
    #[default]
    Clip,
    /// Slopes other than one between real and generated pictures cost
    /// (Gulrajani et al. 2017).
    Gradient,
}

/// How the critic's maps are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriticNorm {
    /// Over the pictures of a batch.
    Batch,
    /// Over each picture.
    Layer,
    /// Not at all.
    None,
}

impl fmt::Display for Penalty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Penalty::Clip => "weight clipping",
            Penalty::Gradient => "gradient penalty",
        })
    }
}

impl Default for GeneratorRecipe {
    /// fastai's, at 32 pixels, as resolved.
    fn default() -> Self {
        GeneratorRecipe {
            seed: 0,
            class: None,
            size: 32,
            batch: 64,
            epochs: 100,
            latent: 100,
            features: 64,
            extra_layers: 0,
            penalty: Penalty::Clip,
            clip: 0.01,
            penalty_weight: 10.0,
            critic_norm: None,
            critic_steps: 5,
            learning_rate: 2e-4,
            square_momentum: 0.99,
            average: 0.999,
            flip: 0.5,
            collapse_below: 0.3,
            collapse_patience: 3,
            stop_on_collapse: false,
        }
    }
}

impl GeneratorRecipe {
    /// Reads a recipe, fills in every default and checks every value. The empty
    /// text is a recipe.
    ///
    /// # Errors
    /// When it is not TOML, has an unknown key, or a value is impossible.
    pub fn parse(text: &str) -> Result<GeneratorRecipe, RecipeError> {
        let recipe: GeneratorRecipe =
            toml::from_str(text).map_err(|error| RecipeError::Syntax { reason: error.to_string() })?;
        recipe.resolved()
    }

    /// The recipe with every default filled in; resolving again changes nothing.
    ///
    /// # Errors
    /// When a value is impossible.
    pub fn resolved(mut self) -> Result<GeneratorRecipe, RecipeError> {
        within("seed", self.seed, 0..=i64::MAX as u64)?;
        if ![16, 32, 64, 128].contains(&self.size) {
            return Err(RecipeError::Value {
                key: "size".to_owned(),
                value: self.size.to_string(),
                allowed: "16, 32, 64 or 128".to_owned(),
            });
        }
        within("batch", self.batch, 2..=1024)?;
        within("epochs", self.epochs, 1..=100_000)?;
        within("latent", self.latent, 1..=1024)?;
        within("features", self.features, 4..=256)?;
        within("extra_layers", self.extra_layers, 0..=4)?;
        within("clip", self.clip, 1e-4..=1.0)?;
        within("penalty_weight", self.penalty_weight, 0.0..=1000.0)?;
        within("critic_steps", self.critic_steps, 1..=100)?;
        within("learning_rate", self.learning_rate, 1e-8..=1.0)?;
        within("square_momentum", self.square_momentum, 0.0..=0.99999)?;
        within("average", self.average, 0.0..=0.99999)?;
        within("flip", self.flip, 0.0..=1.0)?;
        within("collapse_below", self.collapse_below, 0.0..=1.0)?;
        within("collapse_patience", self.collapse_patience, 1..=1000)?;
        self.critic_norm = Some(self.critic_norm());
        Ok(self)
    }

    /// How the critic's maps are normalised.
    pub fn critic_norm(&self) -> CriticNorm {
        self.critic_norm.unwrap_or(match self.penalty {
            Penalty::Clip => CriticNorm::Batch,
            Penalty::Gradient => CriticNorm::None,
        })
    }

    /// The recipe as TOML; of a resolved recipe, with every value in it.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a recipe holds nothing that TOML lacks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_filled_in_and_survive_a_round_trip() {
        let recipe = GeneratorRecipe::parse("class = \"sea\"\nsize = 64").expect("valid");
        assert_eq!((recipe.critic_steps, recipe.clip, recipe.batch), (5, 0.01, 64));
        assert_eq!(recipe.critic_norm, Some(CriticNorm::Batch));
        assert_eq!(GeneratorRecipe::parse(&recipe.to_toml()), Ok(recipe));
        let gradient = GeneratorRecipe::parse("penalty = \"gradient\"").expect("valid");
        assert_eq!(gradient.critic_norm, Some(CriticNorm::None));
        assert!(gradient.to_toml().contains("critic_norm = \"none\""), "every default is printed");
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        let refused = |text: &str| GeneratorRecipe::parse(text).expect_err(text).to_string();
        assert_eq!(refused("size = 48"), "size is 48; it must be 16, 32, 64 or 128");
        assert_eq!(refused("batch = 1"), "batch is 1; it must be between 2 and 1024");
        assert!(refused("learning_rate = nan").contains("learning_rate is NaN"));
        assert!(refused("critic = 5").contains("critic"));
    }
}
