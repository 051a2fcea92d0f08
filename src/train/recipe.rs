//! Recipes: everything about a training run that a person chooses.
//!
//! A recipe is TOML. Reading one fills in every default and checks every value,
//! so that what is stored with a run says all of it and means the same when a
//! later version has other defaults.

use std::fmt;
use std::ops::RangeInclusive;

use safelight_lineage::id::{ImageId, WeightsId};
use serde::{Deserialize, Serialize};

use super::augmentation::Augmentation;
use super::stage::{ScheduleName, Stage};

/// How a model is trained. Obtain one with [`Recipe::parse`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What every random choice is a function of; 0 to 2^63 − 1.
    #[serde(default)]
    pub seed: u64,
    /// The network.
    #[serde(default)]
    pub architecture: Architecture,
    /// Weights from elsewhere to start from, by their whole id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsId>,
    /// What stands on the network's last feature map.
    #[serde(default)]
    pub head: Head,
    /// Images in a step; the last images of an epoch that do not fill one are
    /// left out of that epoch.
    #[serde(default = "default_batch")]
    pub batch: u32,
    /// What is computed in.
    #[serde(default)]
    pub precision: Precision,
    /// Decoupled weight decay; norms and biases are exempt, as in fastai 2.
    #[serde(default = "default_weight_decay")]
    pub weight_decay: f64,
    /// The share of each label that is spread over all classes.
    #[serde(default)]
    pub label_smoothing: f64,
    /// MixUp's alpha; 0 for none. fastai's default is 0.4.
    #[serde(default)]
    pub mixup: f64,
    /// The decay of an exponential moving average of the weights, a step; the
    /// average is what is validated and kept. None without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moving_average: Option<f64>,
    /// Which images are kept for validation.
    #[serde(default)]
    pub validation: Validation,
    /// How pixels are scaled before the network sees them.
    #[serde(default)]
    pub normalisation: Normalisation,
    /// The random changes that training images go through.
    #[serde(default)]
    pub augmentation: Augmentation,
    /// The stages, in order; each starts from the weights of the one before.
    #[serde(default)]
    pub stage: Vec<Stage>,
}

/// The networks by name; parameters are named as in torchvision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// ResNet-18: residual blocks of two 3×3 convolutions (He et al. 2015).
    #[default]
    Resnet18,
    /// ResNet-34.
    Resnet34,
    /// ResNet-50: residual bottlenecks.
    Resnet50,
    /// MobileNetV2: inverted residuals, depthwise (Sandler et al. 2018).
    MobilenetV2,
    /// EfficientNet-B0: squeeze-and-excitation, stochastic depth (Tan and Le 2019).
    EfficientnetB0,
    /// DenseNet-121: concatenation instead of addition (Huang et al. 2016).
    Densenet121,
    /// VGG-11 with batch norm: no shortcuts (Simonyan and Zisserman 2014).
    Vgg11Bn,
}

impl Architecture {
    /// Every architecture.
    pub const ALL: [Architecture; 7] = [
        Architecture::Resnet18,
        Architecture::Resnet34,
        Architecture::Resnet50,
        Architecture::MobilenetV2,
        Architecture::EfficientnetB0,
        Architecture::Densenet121,
        Architecture::Vgg11Bn,
    ];

    /// The name in recipes and events.
    pub const fn name(self) -> &'static str {
        match self {
            Architecture::Resnet18 => "resnet18",
            Architecture::Resnet34 => "resnet34",
            Architecture::Resnet50 => "resnet50",
            Architecture::MobilenetV2 => "mobilenet_v2",
            Architecture::EfficientnetB0 => "efficientnet_b0",
            Architecture::Densenet121 => "densenet121",
            Architecture::Vgg11Bn => "vgg11_bn",
        }
    }

    /// The architecture of this name.
    pub fn from_name(name: &str) -> Option<Architecture> {
        Architecture::ALL.into_iter().find(|architecture| architecture.name() == name)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What turns the last feature map into one score per class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// Average pooling and one linear layer, as the architectures were published.
    #[default]
    Linear,
    /// fastai's: maximum and average pooling, two linear layers with batch norm
    /// and dropout.
    Fastai,
}

/// What the network computes in. Weights are kept in 32 bits in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    Fp32,
    /// Convolutions and linear layers in bfloat16.
    Bf16,
}

/// How pixels are scaled: (value / 255 − mean) / deviation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// By ImageNet's mean and deviation, which pretrained weights expect.
    #[default]
    Imagenet,
    /// To −1 … 1.
    Symmetric,
}

impl Normalisation {
    /// Mean and deviation of red, green and blue, of values within 0 … 1.
    pub const fn constants(self) -> ([f32; 3], [f32; 3]) {
        match self {
            Normalisation::Imagenet => ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            Normalisation::Symmetric => ([0.5; 3], [0.5; 3]),
        }
    }
}

/// Which images validate: a split of the dataset, or a share of the training
/// images, equal in every class and chosen by hash(seed, image id), or one of
/// several folds that the training images are dealt into. Exactly one of the
/// three is given; all stages use the same images.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// The split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<ValidationSplit>,
    /// The share, within 0 … 0.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// Which fold, from zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<u8>,
    /// Of how many folds, 2 to 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<u8>,
    /// Images that go into one fold, by their ids: near-duplicates, so that no
    /// model is asked about the twin of an image that it learned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub together: Vec<Vec<String>>,
}

impl Validation {
    /// Fills in the default, a fifth, and checks that one way is chosen.
    fn resolve(&mut self) -> Result<(), RecipeError> {
        let only = |key: &str, value: String, allowed: &str| {
            Err(RecipeError::Value { key: format!("validation.{key}"), value, allowed: allowed.to_owned() })
        };
        if let Some(text) = self.together.iter().flatten().find(|text| text.parse::<ImageId>().is_err()) {
            return only("together", text.clone(), "lists of image ids");
        }
        if self.fold.is_none() && !self.together.is_empty() {
            return only("together", "a list".to_owned(), "left out unless validation.fold is given");
        }
        match (self.split, self.fraction, self.fold, self.folds) {
            (None, None, None, None) => self.fraction = Some(0.2),
            (Some(_), None, None, None) => {}
            (None, Some(fraction), None, None) => within("validation.fraction", fraction, 0.0..=0.9)?,
            (None, None, Some(fold), Some(folds)) => {
                within("validation.folds", folds, 2..=20)?;
                within("validation.fold", fold, 0..=folds - 1)?;
            }
            (None, None, Some(fold), None) => {
                return only("fold", fold.to_string(), "given together with validation.folds");
            }
            (None, None, None, Some(folds)) => {
                return only("folds", folds.to_string(), "given together with validation.fold");
            }
            (Some(_), Some(fraction), ..) => {
                return only("fraction", fraction.to_string(), "left out when a split is given");
            }
            (_, _, Some(fold), _) => {
                return only("fold", fold.to_string(), "left out when a split or a fraction is given");
            }
            (_, _, None, Some(folds)) => {
                return only("folds", folds.to_string(), "left out when a split or a fraction is given");
            }
        }
        Ok(())
    }
}

/// The splits that can validate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidationSplit {
    /// The validation split.
    Valid,
    /// The test split, where it is labelled.
    Test,
}

/// Why a text is not a recipe.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RecipeError {
    /// It is not TOML, or has an unknown key or a value of the wrong type.
    #[error("the recipe cannot be read: {reason}")]
    Syntax {
        /// Place and reason, in the words of the TOML reader.
        reason: String,
    },
    /// A value is impossible.
    #[error("{key} is {value}; it must be {allowed}")]
    Value {
        /// The key, with its path.
        key: String,
        /// What was given.
        value: String,
        /// What can be given.
        allowed: String,
    },
    /// A key belongs to another schedule than the stage has.
    #[error("{key} means nothing to the schedule {schedule:?}; leave it out or change the schedule")]
    OtherSchedule {
        /// The key, with its path.
        key: String,
        /// The schedule of the stage.
        schedule: ScheduleName,
    },
}

pub(crate) fn within<T: PartialOrd + fmt::Display>(
    key: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), RecipeError> {
    if range.contains(&value) {
        return Ok(());
    }
    let allowed = format!("between {} and {}", range.start(), range.end());
    Err(RecipeError::Value { key: key.to_owned(), value: value.to_string(), allowed })
}

fn default_batch() -> u32 {
    64
}

fn default_weight_decay() -> f64 {
    0.01
}

impl Default for Recipe {
    /// ResNet-18, one stage of five epochs at 64 pixels, as resolved.
    fn default() -> Self {
        Recipe {
            seed: 0,
            architecture: Architecture::default(),
            weights: None,
            head: Head::default(),
            batch: default_batch(),
            precision: Precision::default(),
            weight_decay: default_weight_decay(),
            label_smoothing: 0.0,
            mixup: 0.0,
            moving_average: None,
            validation: Validation::default(),
            normalisation: Normalisation::default(),
            augmentation: Augmentation::default(),
            stage: Vec::new(),
        }
        .resolved()
        .expect("the defaults are valid, as a test shows")
    }
}

impl Recipe {
    /// Reads a recipe, fills in every default and checks every value. The empty
    /// text is a recipe.
    pub fn parse(text: &str) -> Result<Recipe, RecipeError> {
        let recipe: Recipe =
            toml::from_str(text).map_err(|error| RecipeError::Syntax { reason: error.to_string() })?;
        recipe.resolved()
    }

    /// The recipe with every default filled in, or what is wrong with it.
    /// Resolving again changes nothing.
    pub fn resolved(mut self) -> Result<Recipe, RecipeError> {
        within("seed", self.seed, 0..=i64::MAX as u64)?;
        within("batch", self.batch, 2..=4096)?;
        within("weight_decay", self.weight_decay, 0.0..=1.0)?;
        within("label_smoothing", self.label_smoothing, 0.0..=0.9)?;
        within("mixup", self.mixup, 0.0..=10.0)?;
        if let Some(decay) = self.moving_average {
            within("moving_average", decay, 0.0..=0.999_999)?;
        }
        self.validation.resolve()?;
        self.augmentation.resolve()?;
        if self.stage.is_empty() {
            self.stage.push(Stage::new(64, 5, 3e-3));
        }
        for (index, stage) in self.stage.iter_mut().enumerate() {
            stage.resolve(index, self.batch)?;
        }
        Ok(self)
    }

    /// The recipe as TOML; of a resolved recipe, with every value in it.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a recipe holds nothing that TOML lacks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        seed = 7
        architecture = "mobilenet_v2"
        head = "fastai"
        mixup = 0.4
        validation = { split = "test" }

        [augmentation]
        preset = "crop_flip"
        rotate = 5

        [[stage]]
        size = 64
        epochs = 3

        [[stage]]
        size = 128
        batch = 32
        learning_rate = 1e-3
        first_learning_rate = 1e-4
        schedule = "restarts"
        frozen = "stem"
    "#;

    #[test]
    fn defaults_are_filled_in_and_survive_a_round_trip() {
        let recipe = Recipe::parse(WHOLE).expect("valid");
        assert_eq!(recipe.stage[1].epochs(), 7, "restarts of 1, 2 and 4 epochs");
        assert_eq!((recipe.stage[0].batch, recipe.stage[1].batch), (Some(64), Some(32)));
        assert_eq!(recipe.augmentation.flip, Some(0.5));
        assert_eq!(Recipe::parse(&recipe.to_toml()), Ok(recipe.clone()));
        assert!(recipe.to_toml().contains("end_divisor = 100000.0"));
        assert_eq!(Recipe::parse(""), Ok(Recipe::default()));
    }

    fn refused(line: &str) -> String {
        let text = if line.starts_with('[') { line.to_owned() } else { format!("{line}\n{WHOLE}") };
        Recipe::parse(&text).expect_err(line).to_string()
    }

    #[test]
    fn what_is_wrong_is_named_with_its_range() {
        assert_eq!(refused("batch = 1"), "batch is 1; it must be between 2 and 4096");
        assert_eq!(refused("moving_average = 1"), "moving_average is 1; it must be between 0 and 0.999999");
        assert_eq!(refused("weight_decay = -1"), "weight_decay is -1; it must be between 0 and 1");
        assert_eq!(
            refused("[[stage]]\nsize = 64\nepochs = 0"),
            "stage[0].epochs is 0; it must be between 1 and 10000"
        );
        assert_eq!(refused("[[stage]]\nsize = 8"), "stage[0].size is 8; it must be between 32 and 1024");
        assert!(refused("[[stage]]\nsize = 64\nlearning_rate = nan").contains("learning_rate is NaN"));
        assert!(refused("[[stage]]\nsize = 64\ncycles = 2").contains("cycles means nothing"));
        assert!(refused("[validation]\nsplit = \"test\"\nfraction = 0.1").contains("validation.fraction"));
        assert!(Recipe::parse("validation = { fold = 2, folds = 3 }").is_ok());
        let fold = |text: &str| Recipe::parse(text).expect_err(text).to_string();
        assert_eq!(
            fold("validation = { fold = 3, folds = 3 }"),
            "validation.fold is 3; it must be between 0 and 2"
        );
        assert!(fold("validation = { fold = 1 }").contains("together with validation.folds"));
        assert!(fold("validation = { fraction = 0.1, folds = 3 }").contains("left out"));
        assert!(refused("[augmentation]\nflip = 1.5").contains("augmentation.flip is 1.5"));
    }

    #[test]
    fn unknown_keys_and_names_are_refused_with_their_place() {
        let message = refused("learning = 3");
        assert!(message.contains("unknown field `learning`") && message.contains("line 1"), "{message}");
        let message = refused("[[stage]]\nsize = 64\nshedule = \"one_cycle\"");
        assert!(message.contains("shedule"), "{message}");
        assert!(refused("[augmentation]\nblur = 1").contains("blur"));
        assert!(Recipe::parse("architecture = \"resnet19\"").is_err());
        let message = refused("weights = \"5ac1\"");
        assert!(message.contains("'5ac1' is not an id of 32 hexadecimal digits"), "{message}");
        let whole = Recipe::parse("weights = \"000102030405060708090a0b0c0d0e0f\"").expect("an id");
        assert_eq!(Recipe::parse(&whole.to_toml()), Ok(whole));
    }

    #[test]
    fn every_architecture_is_named_as_serde_names_it() {
        for architecture in Architecture::ALL {
            let recipe = Recipe::parse(&format!("architecture = \"{architecture}\"")).expect("known");
            assert_eq!(recipe.architecture, architecture);
            assert_eq!(Architecture::from_name(architecture.name()), Some(architecture));
        }
    }
}
