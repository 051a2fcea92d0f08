//! One stage of a recipe: a size of image, a number of epochs, and a schedule.

use serde::{Deserialize, Serialize};

use super::recipe::{RecipeError, within};
use super::schedule::{Schedule, restart_epochs};

/// The smallest image edge that every architecture can work on.
pub const SMALLEST_SIZE: u32 = 32;
/// The largest image edge accepted.
pub const LARGEST_SIZE: u32 = 1024;

/// One `[[stage]]` of a recipe. The optional keys are filled in when the recipe
/// is read; those that do not belong to the schedule stay absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Edge of the square images, 32 to 1024 pixels.
    pub size: u32,
    /// Epochs; 5, or as many as the restarts take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// Images in a step; the recipe's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// The peak learning rate.
    #[serde(default = "default_learning_rate")]
    pub learning_rate: f64,
    /// The peak learning rate of the first layers, when it is another one:
    /// rates are geometric between the two over three groups of layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_learning_rate: Option<f64>,
    /// Which layers stay as they are.
    #[serde(default)]
    pub frozen: Frozen,
    /// How the learning rate moves.
    #[serde(default)]
    pub schedule: ScheduleName,
    /// One-cycle: the share of the stage in which the rate rises; 0.25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rise: Option<f64>,
    /// One-cycle: the peak divided by the first rate; 25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_divisor: Option<f64>,
    /// One-cycle and flat-cosine: the peak divided by the last rate; 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_divisor: Option<f64>,
    /// One-cycle: momentum at the start, the peak and the end; .95, .85, .95.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<[f64; 3]>,
    /// Flat-cosine: the share of the stage in which the rate is flat; 0.75.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat: Option<f64>,
    /// Restarts: how many cycles; 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u32>,
    /// Restarts: epochs of the first cycle; 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle_epochs: Option<u32>,
    /// Restarts: each cycle is this many times as long as the last; 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle_multiplier: Option<u32>,
}

/// The schedules by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleName {
    /// Up and down once.
    #[default]
    OneCycle,
    /// Flat, then down a cosine.
    FlatCosine,
    /// Warm restarts (SGDR).
    Restarts,
    /// Always the same.
    Constant,
}

/// Which layers a stage leaves as they are. Normalisation layers are trained
/// in any case, as in fastai.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frozen {
    /// None: everything learns.
    #[default]
    Nothing,
    /// The first of the three groups of layers.
    Stem,
    /// All but the head.
    Body,
}

impl Frozen {
    /// How many of the three groups are frozen.
    pub const fn groups(self) -> usize {
        match self {
            Frozen::Nothing => 0,
            Frozen::Stem => 1,
            Frozen::Body => 2,
        }
    }
}

fn default_learning_rate() -> f64 {
    3e-3
}

impl Stage {
    /// A stage of this size and length with every other key at its default,
    /// still to be resolved with its recipe.
    pub fn new(size: u32, epochs: u32, learning_rate: f64) -> Stage {
        Stage {
            size,
            epochs: Some(epochs),
            batch: None,
            learning_rate,
            first_learning_rate: None,
            frozen: Frozen::default(),
            schedule: ScheduleName::default(),
            rise: None,
            start_divisor: None,
            end_divisor: None,
            momentum: None,
            flat: None,
            cycles: None,
            cycle_epochs: None,
            cycle_multiplier: None,
        }
    }

    /// Fills in what is absent and checks every value.
    pub(super) fn resolve(&mut self, index: usize, batch: u32) -> Result<(), RecipeError> {
        let key = |name: &str| format!("stage[{index}].{name}");
        self.batch.get_or_insert(batch);
        match self.schedule {
            ScheduleName::OneCycle => {
                self.rise.get_or_insert(0.25);
                self.start_divisor.get_or_insert(25.0);
                self.end_divisor.get_or_insert(1e5);
                self.momentum.get_or_insert([0.95, 0.85, 0.95]);
            }
            ScheduleName::FlatCosine => {
                self.flat.get_or_insert(0.75);
                self.end_divisor.get_or_insert(1e5);
            }
            ScheduleName::Restarts => {
                let cycles = *self.cycles.get_or_insert(3);
                let first = *self.cycle_epochs.get_or_insert(1);
                let multiplier = *self.cycle_multiplier.get_or_insert(2);
                within(&key("cycles"), cycles, 1..=32)?;
                within(&key("cycle_epochs"), first, 1..=10_000)?;
                within(&key("cycle_multiplier"), multiplier, 1..=10)?;
                let total = restart_epochs(first, multiplier, cycles).unwrap_or(u32::MAX);
                let given = *self.epochs.get_or_insert(total);
                if given != total {
                    return Err(RecipeError::Value {
                        key: key("epochs"),
                        value: given.to_string(),
                        allowed: format!("{total}, the length of its {cycles} cycles, or left out"),
                    });
                }
            }
            ScheduleName::Constant => {}
        }
        self.epochs.get_or_insert(5);
        self.check(&key)
    }

    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<(), RecipeError> {
        within(&key("size"), self.size, SMALLEST_SIZE..=LARGEST_SIZE)?;
        within(&key("epochs"), self.epochs(), 1..=10_000)?;
        within(&key("batch"), self.batch.unwrap_or(1), 2..=4096)?;
        within(&key("learning_rate"), self.learning_rate, 1e-8..=10.0)?;
        if let Some(first) = self.first_learning_rate {
            within(&key("first_learning_rate"), first, 1e-8..=self.learning_rate)?;
        }
        for (name, value, range) in [
            ("rise", self.rise, 0.001..=0.999),
            ("flat", self.flat, 0.001..=0.999),
            ("start_divisor", self.start_divisor, 1.0..=1e9),
            ("end_divisor", self.end_divisor, 1.0..=1e9),
        ] {
            value.map_or(Ok(()), |value| within(&key(name), value, range))?;
        }
        for value in self.momentum.into_iter().flatten() {
            within(&key("momentum"), value, 0.0..=0.999)?;
        }
        let (one_cycle, flat, restarts) = (
            self.schedule == ScheduleName::OneCycle,
            self.schedule == ScheduleName::FlatCosine,
            self.schedule == ScheduleName::Restarts,
        );
        for (name, given, fits) in [
            ("rise", self.rise.is_some(), one_cycle),
            ("start_divisor", self.start_divisor.is_some(), one_cycle),
            ("end_divisor", self.end_divisor.is_some(), one_cycle || flat),
            ("momentum", self.momentum.is_some(), one_cycle),
            ("flat", self.flat.is_some(), flat),
            ("cycles", self.cycles.is_some(), restarts),
            ("cycle_epochs", self.cycle_epochs.is_some(), restarts),
            ("cycle_multiplier", self.cycle_multiplier.is_some(), restarts),
        ] {
            if given && !fits {
                return Err(RecipeError::OtherSchedule { key: key(name), schedule: self.schedule });
            }
        }
        Ok(())
    }

    /// The number of epochs of a resolved stage.
    pub fn epochs(&self) -> u32 {
        self.epochs.unwrap_or(5)
    }

    /// The schedule of a resolved stage.
    pub fn schedule(&self) -> Schedule {
        match self.schedule {
            ScheduleName::OneCycle => Schedule::OneCycle {
                rise: self.rise.unwrap_or(0.25),
                start_divisor: self.start_divisor.unwrap_or(25.0),
                end_divisor: self.end_divisor.unwrap_or(1e5),
                momentum: self.momentum.unwrap_or([0.95, 0.85, 0.95]),
            },
            ScheduleName::FlatCosine => Schedule::FlatCosine {
                flat: self.flat.unwrap_or(0.75),
                end_divisor: self.end_divisor.unwrap_or(1e5),
            },
            ScheduleName::Restarts => Schedule::Restarts {
                cycle_epochs: self.cycle_epochs.unwrap_or(1),
                multiplier: self.cycle_multiplier.unwrap_or(2),
                cycles: self.cycles.unwrap_or(3),
            },
            ScheduleName::Constant => Schedule::Constant,
        }
    }
}
