//! Which random changes training images go through: the recipe's part.

use serde::{Deserialize, Serialize};

use super::recipe::{RecipeError, within};

/// The `[augmentation]` table of a recipe: a preset and deviations from it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Where the other keys' defaults come from.
    pub preset: Preset,
    /// Probability of a mirror image, left to right.
    pub flip: Option<f64>,
    /// Largest shift of the picture, as a share of its edge.
    pub shift: Option<f64>,
    /// Largest rotation either way, in degrees.
    pub rotate: Option<f64>,
    /// Largest magnification, 1 for none.
    pub zoom: Option<f64>,
    /// Largest perspective warp, as fastai measures it.
    pub warp: Option<f64>,
    /// Probability of each of rotation, zoom and warp.
    pub geometry_chance: Option<f64>,
    /// Largest change of lighting, as fastai measures it.
    pub lighting: Option<f64>,
    /// Probability of each of brightness and contrast.
    pub lighting_chance: Option<f64>,
}

/// Sets of augmentations by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// fastai's `aug_transforms()` with its defaults.
    #[default]
    Fastai,
    /// Mirror images and a random crop: a shift of up to 1/16 of the edge.
    CropFlip,
    /// Nothing, but for the random crop of pictures that are not square.
    None,
    /// As `crop_flip`, and one of fourteen changes of any strength for each
    /// image (Müller and Hutter 2021).
    TrivialAugment,
}

/// The values of a resolved [`Augmentation`], in its units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Probability of a mirror image.
    pub flip: f64,
    /// Largest shift, share of the edge.
    pub shift: f64,
    /// Largest rotation, degrees.
    pub rotate: f64,
    /// Largest magnification.
    pub zoom: f64,
    /// Largest warp.
    pub warp: f64,
    /// Probability of each of rotation, zoom and warp.
    pub geometry_chance: f64,
    /// Largest change of lighting.
    pub lighting: f64,
    /// Probability of each of brightness and contrast.
    pub lighting_chance: f64,
    /// Whether TrivialAugment's change comes on top.
    pub trivial: bool,
}

impl Preset {
    /// The values that the preset stands for.
    pub const fn limits(self) -> Limits {
        let none = Limits {
            flip: 0.0,
            shift: 0.0,
            rotate: 0.0,
            zoom: 1.0,
            warp: 0.0,
            geometry_chance: 0.75,
            lighting: 0.0,
            lighting_chance: 0.75,
            trivial: false,
        };
        match self {
            Preset::Fastai => Limits { flip: 0.5, rotate: 10.0, zoom: 1.1, warp: 0.2, lighting: 0.2, ..none },
            Preset::CropFlip => Limits { flip: 0.5, shift: 1.0 / 16.0, ..none },
            Preset::None => none,
            Preset::TrivialAugment => Limits { trivial: true, ..Preset::CropFlip.limits() },
        }
    }
}

impl Augmentation {
    /// The values of the preset with the deviations.
    pub fn limits(&self) -> Limits {
        let preset = self.preset.limits();
        Limits {
            flip: self.flip.unwrap_or(preset.flip),
            shift: self.shift.unwrap_or(preset.shift),
            rotate: self.rotate.unwrap_or(preset.rotate),
            zoom: self.zoom.unwrap_or(preset.zoom),
            warp: self.warp.unwrap_or(preset.warp),
            geometry_chance: self.geometry_chance.unwrap_or(preset.geometry_chance),
            lighting: self.lighting.unwrap_or(preset.lighting),
            lighting_chance: self.lighting_chance.unwrap_or(preset.lighting_chance),
            trivial: preset.trivial,
        }
    }

    /// Fills in every value and checks it.
    pub(super) fn resolve(&mut self) -> Result<(), RecipeError> {
        let limits = self.limits();
        let fill = |name: &str, place: &mut Option<f64>, value: f64, range| {
            *place = Some(value);
            within(&format!("augmentation.{name}"), value, range)
        };
        fill("flip", &mut self.flip, limits.flip, 0.0..=1.0)?;
        fill("shift", &mut self.shift, limits.shift, 0.0..=0.5)?;
        fill("rotate", &mut self.rotate, limits.rotate, 0.0..=180.0)?;
        fill("zoom", &mut self.zoom, limits.zoom, 1.0..=4.0)?;
        fill("warp", &mut self.warp, limits.warp, 0.0..=0.5)?;
        fill("geometry_chance", &mut self.geometry_chance, limits.geometry_chance, 0.0..=1.0)?;
        fill("lighting", &mut self.lighting, limits.lighting, 0.0..=0.9)?;
        fill("lighting_chance", &mut self.lighting_chance, limits.lighting_chance, 0.0..=1.0)
    }
}
