//! A generator's recipe applied to a dataset: which images it learns from.

use safelight_lineage::digest::{BlobId, Hasher};
use safelight_lineage::event::Split;
use safelight_lineage::manifest::Manifest;
use safelight_lineage::value::ClassIndex;

use super::network::GeneratorNote;
use super::recipe::GeneratorRecipe;
use crate::train::plan::Sample;

/// The fewest images of a class that a generator is trained on: from fewer it
/// learns the images themselves.
pub const FEWEST: usize = 50;

/// Everything that the training of a generator needs besides the bytes of the
/// images.
#[derive(Debug, Clone)]
pub struct GeneratorPlan {
    /// The recipe, resolved.
    pub recipe: GeneratorRecipe,
    /// What the generator will be.
    pub note: GeneratorNote,
    /// What it learns from, ascending by image id; the label is the place in
    /// the note's classes.
    pub train: Vec<Sample>,
    /// Where an interrupted run of this very plan left off.
    pub resume: Option<Vec<u8>>,
    /// Train no further: the generator is what it was there.
    pub keep: bool,
}

/// Why a recipe does not fit a dataset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GeneratorPlanError {
    /// The class is none of the dataset's.
    #[error("there is no class '{name}'; the classes are {}", classes.join(", "))]
    NoSuchClass {
        /// What was asked for.
        name: String,
        /// The dataset's classes.
        classes: Vec<String>,
    },
    /// Too little to learn from.
    #[error(
        "class {name} has {found} training images; a generator needs at least {FEWEST}, or it would learn them by heart"
    )]
    TooFewImages {
        /// The class.
        name: String,
        /// How many training images it has.
        found: usize,
    },
    /// The dataset has no classes.
    #[error("the dataset has no class with images to learn")]
    NoClasses,
    /// An image of another split, or a generated one, is among the images.
    #[error("image {image} is of the {split} split; generators learn from training images only")]
    NotTraining {
        /// The image.
        image: safelight_lineage::id::ImageId,
        /// Its split.
        split: Split,
    },
}

impl GeneratorPlan {
    /// Applies a resolved recipe to the images of `dataset`, all of which it
    /// learns from.
    ///
    /// # Errors
    /// When a class has too few images, or an image is not of the training split.
    pub fn from_manifest(
        recipe: GeneratorRecipe,
        dataset: &Manifest,
    ) -> Result<GeneratorPlan, GeneratorPlanError> {
        let wanted = class(&recipe, dataset.classes())?;
        let names = dataset.classes();
        let classes: Vec<(u16, String)> = (0u16..)
            .zip(names)
            .filter(|(index, _)| wanted.is_none_or(|class| class.0 == *index))
            .map(|(index, name)| (index, name.clone()))
            .collect();
        if classes.is_empty() {
            return Err(GeneratorPlanError::NoClasses);
        }
        let mut train = Vec::new();
        for row in dataset.rows() {
            if row.split != Split::Train {
                return Err(GeneratorPlanError::NotTraining { image: row.image, split: row.split });
            }
            let place = row.label.and_then(|label| classes.iter().position(|(index, _)| *index == label.0));
            if let Some(place) = place {
                train.push(Sample { image: row.image, blob: row.blob, label: place as u16 });
            }
        }
        for (place, (_, name)) in classes.iter().enumerate() {
            let found = train.iter().filter(|sample| usize::from(sample.label) == place).count();
            if found < FEWEST {
                return Err(GeneratorPlanError::TooFewImages { name: name.clone(), found });
            }
        }
        let note = GeneratorNote::new(&recipe, classes);
        Ok(GeneratorPlan { recipe, note, train, resume: None, keep: false })
    }

    /// Real pictures in a step of the critic.
    pub fn batch(&self) -> usize {
        (self.recipe.batch as usize).min(self.train.len())
    }

    /// Steps of the critic in an epoch; images that do not fill a last one are
    /// left out of that epoch.
    pub fn steps(&self) -> u32 {
        (self.train.len() / self.batch().max(1)) as u32
    }

    /// A hash of all that decides the weights. An interrupted run may only be
    /// taken up by an equal plan.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 generator plan v1");
        let recipe = self.recipe.to_toml();
        hasher.update(&(recipe.len() as u64).to_le_bytes()).update(recipe.as_bytes());
        for (index, name) in &self.note.classes {
            hasher.update(&index.to_le_bytes());
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        }
        for sample in &self.train {
            hasher.update(sample.image.as_bytes()).update(sample.blob.as_bytes());
            hasher.update(&sample.label.to_le_bytes());
        }
        hasher.finish()
    }

    /// The blobs it learns from.
    pub fn blobs(&self) -> impl Iterator<Item = BlobId> + '_ {
        self.train.iter().map(|sample| sample.blob)
    }
}

/// The class that a recipe names, by its place; none for all classes.
///
/// # Errors
/// When the dataset has no such class.
pub fn class(recipe: &GeneratorRecipe, classes: &[String]) -> Result<Option<ClassIndex>, GeneratorPlanError> {
    let Some(name) = &recipe.class else { return Ok(None) };
    match classes.iter().position(|class| class == name) {
        Some(place) => Ok(Some(ClassIndex(place as u16))),
        None => Err(GeneratorPlanError::NoSuchClass { name: name.clone(), classes: classes.to_vec() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use safelight_lineage::id::ImageId;
    use safelight_lineage::manifest::ManifestRow;

    fn manifest(sea: u8, forest: u8, split: Split) -> Manifest {
        let row = |image: u8, label| ManifestRow {
            image: ImageId([image; 16]),
            blob: BlobId([image; 32]),
            label: Some(ClassIndex(label)),
            split,
        };
        let rows = (0..sea).map(|image| row(image, 0)).chain((0..forest).map(|image| row(100 + image, 1)));
        Manifest::new(vec!["sea".into(), "forest".into()], rows.collect())
    }

    fn recipe(text: &str) -> GeneratorRecipe {
        GeneratorRecipe::parse(text).expect("valid")
    }

    #[test]
    fn a_class_or_all_of_them() {
        let dataset = manifest(60, 70, Split::Train);
        let all = GeneratorPlan::from_manifest(recipe("batch = 32"), &dataset).expect("fits");
        assert_eq!((all.train.len(), all.note.classes.len(), all.steps()), (130, 2, 4));
        let forest = GeneratorPlan::from_manifest(recipe("class = \"forest\""), &dataset).expect("fits");
        assert_eq!((forest.train.len(), forest.note.classes.clone()), (70, vec![(1, "forest".into())]));
        assert!(forest.train.iter().all(|sample| sample.label == 0));
        assert_ne!(all.digest(), forest.digest());
        let few = manifest(51, 0, Split::Train);
        let few = GeneratorPlan::from_manifest(recipe("class = \"sea\""), &few).expect("fits");
        assert_eq!((few.batch(), few.steps()), (51, 1), "a batch is all there are");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let check = |text: &str, dataset: &Manifest| {
            GeneratorPlan::from_manifest(recipe(text), dataset).expect_err(text).to_string()
        };
        let few = manifest(60, 49, Split::Train);
        assert!(
            check("", &few).contains("class forest has 49 training images; a generator needs at least 50")
        );
        assert!(check("class = \"desert\"", &few).contains("the classes are sea, forest"));
        assert!(check("", &manifest(60, 60, Split::Valid)).contains("valid split"));
        assert!(check("", &manifest(60, 60, Split::Test)).contains("test split"));
    }
}
