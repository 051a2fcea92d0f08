//! Plans: a recipe applied to a dataset. Which images train, which validate,
//! and what the first weights are; checked, before anything expensive starts.

use std::collections::BTreeSet;
use std::error::Error;

use safelight_lineage::digest::{BlobId, Hasher};
use safelight_lineage::event::Split;
use safelight_lineage::id::ImageId;
use safelight_lineage::manifest::{Manifest, ManifestRow};
use safelight_lineage::value::ClassIndex;

use super::recipe::{Recipe, ValidationSplit};
use crate::clean::{FoldError, FoldSample, folds};

/// Where the bytes of images come from; read by several threads at once.
pub trait BlobSource: Sync {
    /// All bytes of a blob.
    fn read(&self, blob: BlobId) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>>;
}

/// One labelled image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The image.
    pub image: ImageId,
    /// Its bytes.
    pub blob: BlobId,
    /// Its class, an index into [`Plan::classes`].
    pub label: u16,
}

/// Everything a training run needs besides the bytes of the images.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The recipe, resolved.
    pub recipe: Recipe,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// What is trained on, ascending by image id.
    pub train: Vec<Sample>,
    /// What validates, ascending by image id; may be empty.
    pub valid: Vec<Sample>,
    /// Images of these splits that have no label and so take no part.
    pub unlabelled: usize,
    /// Weights to start from: safetensors of the same architecture. A head for
    /// another number of classes is replaced by a fresh one.
    pub initial: Option<Vec<u8>>,
    /// Where an interrupted run of this very plan left off: the bytes it gave.
    pub resume: Option<Vec<u8>>,
}

/// Why a recipe does not fit a dataset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is nothing to tell apart.
    #[error("the dataset has {found} classes; training needs at least two")]
    TooFewClasses {
        /// How many there are.
        found: usize,
    },
    /// Classes without a training image.
    #[error("no training image is labelled {}", names.join(", "))]
    EmptyClasses {
        /// The names of the classes.
        names: Vec<String>,
    },
    /// One step takes more images than there are.
    #[error("stage[{stage}] takes {batch} images a step, but only {images} are left to train on")]
    BatchLargerThanSet {
        /// The stage, from zero.
        stage: usize,
        /// Its batch.
        batch: u32,
        /// How many images there are.
        images: usize,
    },
    /// The split that should validate holds no labelled image.
    #[error("the {split:?} split has no labelled image to validate on")]
    EmptyValidation {
        /// The split.
        split: ValidationSplit,
    },
    /// The images cannot be dealt into folds.
    #[error("the training images cannot be dealt into folds: {error}")]
    Folds {
        /// Why.
        error: FoldError,
    },
    /// A label that is no class.
    #[error("image {image} is labelled {label}, but there are {classes} classes")]
    NoSuchClass {
        /// The image.
        image: ImageId,
        /// Its label.
        label: u16,
        /// How many classes there are.
        classes: usize,
    },
}

impl Plan {
    /// Applies a resolved recipe to a dataset, with fresh weights and from the
    /// beginning; set [`Plan::initial`] and [`Plan::resume`] for other starts.
    /// The images of `generated` are trained on and never validate.
    pub fn from_manifest(
        recipe: Recipe,
        manifest: &Manifest,
        generated: &BTreeSet<ImageId>,
    ) -> Result<Plan, PlanError> {
        let classes = manifest.classes().to_vec();
        if classes.len() < 2 {
            return Err(PlanError::TooFewClasses { found: classes.len() });
        }
        let (all, mut unlabelled) = labelled(manifest, Split::Train)?;
        let (drawn, mut train): (Vec<Sample>, Vec<Sample>) =
            all.into_iter().partition(|sample| generated.contains(&sample.image));
        let valid = match recipe.validation.split {
            Some(name) => {
                let split = match name {
                    ValidationSplit::Valid => Split::Valid,
                    ValidationSplit::Test => Split::Test,
                };
                let (valid, without) = labelled(manifest, split)?;
                unlabelled += without;
                if valid.is_empty() {
                    return Err(PlanError::EmptyValidation { split: name });
                }
                valid
            }
            None => match (recipe.validation.fold, recipe.validation.folds) {
                (Some(fold), Some(folds)) => {
                    let together = together(&recipe.validation.together);
                    take_fold(&mut train, fold, folds, recipe.seed, &together)?
                }
                _ => hold_out(
                    &mut train,
                    recipe.validation.fraction.unwrap_or(0.0),
                    recipe.seed,
                    classes.len(),
                ),
            },
        };
        train.extend(drawn);
        train.sort_unstable_by_key(|sample| sample.image);
        let plan = Plan { recipe, classes, train, valid, unlabelled, initial: None, resume: None };
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), PlanError> {
        let mut present = vec![false; self.classes.len()];
        for sample in &self.train {
            present[usize::from(sample.label)] = true;
        }
        let missing = self.classes.iter().zip(&present).filter(|(_, present)| !**present);
        let names: Vec<String> = missing.map(|(name, _)| name.clone()).collect();
        if !names.is_empty() {
            return Err(PlanError::EmptyClasses { names });
        }
        for (index, stage) in self.recipe.stage.iter().enumerate() {
            let batch = stage.batch.unwrap_or(self.recipe.batch);
            if batch as usize > self.train.len() {
                return Err(PlanError::BatchLargerThanSet { stage: index, batch, images: self.train.len() });
            }
        }
        Ok(())
    }

    /// A hash of all that decides the weights: recipe, classes, samples, first
    /// weights. An interrupted run may only be taken up by an equal plan.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 training plan v1");
        let recipe = self.recipe.to_toml();
        for text in std::iter::once(&recipe).chain(&self.classes) {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        for samples in [&self.train, &self.valid] {
            hasher.update(&(samples.len() as u64).to_le_bytes());
            for sample in samples {
                hasher.update(sample.image.as_bytes()).update(sample.blob.as_bytes());
                hasher.update(&sample.label.to_le_bytes());
            }
        }
        if let Some(initial) = &self.initial {
            hasher.update(BlobId::of(initial).as_bytes());
        }
        hasher.finish()
    }
}

/// The labelled images of a split, and how many others it has.
fn labelled(manifest: &Manifest, split: Split) -> Result<(Vec<Sample>, usize), PlanError> {
    let classes = manifest.classes().len();
    let mut unlabelled = 0;
    let mut samples = Vec::new();
    for ManifestRow { image, blob, label, .. } in manifest.split(split) {
        match label {
            None => unlabelled += 1,
            Some(label) if usize::from(label.0) >= classes => {
                return Err(PlanError::NoSuchClass { image: *image, label: label.0, classes });
            }
            Some(label) => samples.push(Sample { image: *image, blob: *blob, label: label.0 }),
        }
    }
    Ok((samples, unlabelled))
}

/// Groups of image ids as a recipe has them; it was checked to hold ids.
fn together(groups: &[Vec<String>]) -> Vec<Vec<ImageId>> {
    let ids = |group: &Vec<String>| group.iter().filter_map(|text| text.parse().ok()).collect();
    groups.iter().map(ids).collect()
}

/// Takes one of `of` folds out of `train`; see [`folds`].
fn take_fold(
    train: &mut Vec<Sample>,
    fold: u8,
    of: u8,
    seed: u64,
    together: &[Vec<ImageId>],
) -> Result<Vec<Sample>, PlanError> {
    let samples: Vec<FoldSample> = train
        .iter()
        .map(|sample| FoldSample { image: sample.image, label: Some(ClassIndex(sample.label)) })
        .collect();
    let places = folds(&samples, of, seed, together).map_err(|error| PlanError::Folds { error })?;
    let mut valid = Vec::new();
    let mut rest = Vec::new();
    for (sample, place) in train.iter().zip(places) {
        if place == fold { valid.push(*sample) } else { rest.push(*sample) }
    }
    *train = rest;
    Ok(valid)
}

/// Takes a share of every class out of `train`: the images whose
/// hash(seed, image id) is smallest. An image's place among them does not
/// depend on the other images, so a set that changes a little is split alike.
fn hold_out(train: &mut Vec<Sample>, fraction: f64, seed: u64, classes: usize) -> Vec<Sample> {
    let mut by_class: Vec<Vec<(u64, ImageId)>> = vec![Vec::new(); classes];
    for sample in train.iter() {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 validation split v1");
        hasher.update(&seed.to_le_bytes()).update(sample.image.as_bytes());
        by_class[usize::from(sample.label)].push((hasher.finish_u64(), sample.image));
    }
    let mut held = Vec::new();
    for class in &mut by_class {
        class.sort_unstable();
        let share = (class.len() as f64 * fraction).round() as usize;
        held.extend(class.iter().take(share.min(class.len().saturating_sub(1))).map(|(_, image)| *image));
    }
    held.sort_unstable();
    let (valid, rest) = train.iter().partition(|sample| held.binary_search(&sample.image).is_ok());
    *train = rest;
    valid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(rows: impl IntoIterator<Item = (u8, Option<u16>, Split)>) -> Manifest {
        let rows = rows.into_iter().map(|(image, label, split)| ManifestRow {
            image: ImageId([image; 16]),
            blob: BlobId([image; 32]),
            label: label.map(ClassIndex),
            split,
        });
        Manifest::new(vec!["sea".into(), "forest".into()], rows.collect())
    }

    fn forty() -> Manifest {
        manifest((0..40).map(|i| (i, Some(u16::from(i < 10)), Split::Train)))
    }

    #[test]
    fn generated_images_are_trained_on_and_never_validate() {
        let generated: BTreeSet<ImageId> = (5..20).map(|image| ImageId([image; 16])).collect();
        let real = (0..40).filter(|i| !(5..20).contains(i));
        let without = manifest(real.map(|i| (i, Some(u16::from(i < 10)), Split::Train)));
        for text in ["fraction = 0.5", "fold = 0, folds = 2"] {
            let recipe = recipe(&format!("batch = 4\nvalidation = {{ {text} }}"));
            let plan = Plan::from_manifest(recipe.clone(), &forty(), &generated).expect("fits");
            assert!(plan.valid.iter().all(|sample| !generated.contains(&sample.image)), "{text}");
            assert_eq!(plan.train.len() + plan.valid.len(), 40);
            assert!(plan.train.is_sorted_by_key(|sample| sample.image));
            let alone = Plan::from_manifest(recipe, &without, &BTreeSet::new()).expect("fits");
            assert_eq!(alone.valid, plan.valid, "{text}: they change nothing about what validates");
        }
    }

    fn recipe(text: &str) -> Recipe {
        Recipe::parse(text).expect("valid")
    }

    #[test]
    fn every_class_gives_the_same_share_and_nothing_is_lost() {
        let plan = Plan::from_manifest(
            recipe("batch = 8\nvalidation = { fraction = 0.2 }"),
            &forty(),
            &BTreeSet::new(),
        )
        .expect("fits");
        let of_class = |samples: &[Sample], class| samples.iter().filter(|s| s.label == class).count();
        assert_eq!((of_class(&plan.valid, 0), of_class(&plan.valid, 1)), (6, 2));
        assert_eq!(plan.train.len() + plan.valid.len(), 40);
        assert!(plan.valid.iter().all(|sample| !plan.train.contains(sample)));
    }

    #[test]
    fn one_image_more_leaves_the_others_where_they_were() {
        let recipe = recipe("batch = 8\nvalidation = { fraction = 0.5 }");
        let before = Plan::from_manifest(recipe.clone(), &forty(), &BTreeSet::new()).expect("fits");
        let rows = (0..41).map(|i| (i, Some(u16::from(i < 10)), Split::Train));
        let after = Plan::from_manifest(recipe, &manifest(rows), &BTreeSet::new()).expect("fits");
        let moved = before.valid.iter().filter(|sample| !after.valid.contains(sample)).count();
        assert!(moved <= 1, "{moved} moved");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let check = |text: &str, manifest: &Manifest| {
            Plan::from_manifest(recipe(text), manifest, &BTreeSet::new()).expect_err(text)
        };
        let few = manifest((0..3).map(|i| (i, Some(0), Split::Train)));
        assert_eq!(check("", &few), PlanError::EmptyClasses { names: vec!["forest".into()] });
        assert_eq!(check("", &forty()), PlanError::BatchLargerThanSet { stage: 0, batch: 64, images: 32 });
        assert_eq!(
            check("batch = 8\nvalidation = { split = \"test\" }", &forty()),
            PlanError::EmptyValidation { split: ValidationSplit::Test }
        );
        let wrong = manifest([(1, Some(2), Split::Train)]);
        assert!(matches!(check("", &wrong), PlanError::NoSuchClass { label: 2, classes: 2, .. }));
    }

    #[test]
    fn unlabelled_images_are_counted() {
        let rows = (0..20).map(|i| (i, (i < 16).then_some(u16::from(i % 2)), Split::Train));
        let plan = Plan::from_manifest(recipe("batch = 4"), &manifest(rows), &BTreeSet::new()).expect("fits");
        assert_eq!((plan.unlabelled, plan.train.len() + plan.valid.len()), (4, 16));
    }

    #[test]
    fn images_that_belong_together_are_in_one_fold() {
        let ids: Vec<ImageId> = forty().rows().iter().map(|row| row.image).collect();
        let valid_of = |together: &str| -> Vec<Vec<ImageId>> {
            let valid = |fold: u8| {
                let text = format!(
                    "batch = 8\nvalidation = {{ fold = {fold}, folds = 4, together = [{together}] }}"
                );
                let plan = Plan::from_manifest(recipe(&text), &forty(), &BTreeSet::new()).expect("fits");
                plan.valid.iter().map(|sample| sample.image).collect()
            };
            (0..4).map(valid).collect()
        };
        let apart = valid_of("");
        let one = apart[0][0];
        let other = *ids.iter().find(|image| !apart[0].contains(image)).expect("in another fold");
        let joined = valid_of(&format!("[\"{one}\", \"{other}\"]"));
        assert!(joined.iter().any(|fold| fold.contains(&one) && fold.contains(&other)));
        let refused = Recipe::parse("validation = { fold = 0, folds = 2, together = [[\"x\"]] }");
        assert!(refused.is_err_and(|error| error.to_string().contains("together")));
        assert!(Recipe::parse(&format!("validation = {{ together = [[\"{one}\"]] }}")).is_err());
    }

    #[test]
    fn the_digest_covers_recipe_and_samples() {
        let plan = |text: &str| Plan::from_manifest(recipe(text), &forty(), &BTreeSet::new()).expect("fits");
        let base = plan("batch = 8");
        assert_eq!(base.digest(), plan("batch = 8").digest());
        assert_ne!(base.digest(), plan("batch = 9").digest());
        let mut other = plan("batch = 8");
        other.train[0].label ^= 1;
        assert_ne!(base.digest(), other.digest());
    }
}
