//! A folder of scenes to import, with errors planted in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::blend::blend;
use super::class::SceneClass;
use super::dice::Dice;
use super::paint::paint;

/// How good the JPEG files are, of 100.
const QUALITY: u8 = 90;

/// How many scenes to paint, and how many of them to spoil.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoSpec {
    /// Pictures in each class folder below `train`, about: planting moves some.
    pub train_per_class: u32,
    /// Pictures in each class folder below `test`.
    pub test_per_class: u32,
    /// Of a thousand training pictures, how many lie in the wrong folder.
    pub wrong_per_mille: u32,
    /// Of a thousand training pictures, how many show two classes.
    pub blended_per_mille: u32,
}

impl Default for DemoSpec {
    fn default() -> Self {
        DemoSpec { train_per_class: 60, test_per_class: 20, wrong_per_mille: 50, blended_per_mille: 50 }
    }
}

impl DemoSpec {
    /// How many pictures [`dataset`] writes.
    pub fn pictures(&self) -> u32 {
        (self.train_per_class + self.test_per_class) * SceneClass::ALL.len() as u32
    }
}

/// What is wrong with a planted picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlantKind {
    /// It lies in the folder of a class that it does not show.
    WrongLabel,
    /// It shows the class of its folder and another one.
    Blended,
}

/// One error that was planted on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planted {
    /// The file, relative to the folder: `train/CLASS/NUMBER.jpg`.
    pub path: String,
    /// What is wrong with it.
    pub kind: PlantKind,
    /// The class whose folder it lies in.
    pub folder: SceneClass,
    /// What it shows: one class, or two for a blended picture.
    pub shows: Vec<SceneClass>,
}

/// What was painted, and the truth about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoSet {
    /// The seed it was painted from.
    pub seed: u64,
    /// What was asked for.
    pub spec: DemoSpec,
    /// The planted errors, sorted by path.
    pub planted: Vec<Planted>,
}

/// Why a demo data set could not be written or its list not be read.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The folder holds something already, and scenes would mix with it.
    #[error("{} is not empty", .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A folder or file could not be made, read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The list of planted errors is not what [`DemoSet::save`] wrote.
    #[error("{} is not a list of planted errors: {source}", .path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl DemoSet {
    /// Writes the list of planted errors as JSON. It belongs outside the folder
    /// of pictures: nothing that is to find the errors may see it.
    ///
    /// # Errors
    ///
    /// [`DemoError::Io`] when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DemoError> {
        let failed = |source| DemoError::Io { path: path.to_owned(), source };
        let mut text = serde_json::to_string_pretty(self).map_err(|error| failed(io::Error::other(error)))?;
        text.push('\n');
        fs::write(path, text).map_err(failed)
    }

    /// Reads what [`DemoSet::save`] wrote.
    ///
    /// # Errors
    ///
    /// [`DemoError::Io`] when there is no such file, [`DemoError::List`] when it
    /// is something else.
    pub fn load(path: &Path) -> Result<Self, DemoError> {
        let text = fs::read(path).map_err(|source| DemoError::Io { path: path.to_owned(), source })?;
        serde_json::from_slice(&text).map_err(|source| DemoError::List { path: path.to_owned(), source })
    }
}

/// One picture to paint.
struct Plan {
    split: &'static str,
    folder: SceneClass,
    shows: Vec<SceneClass>,
    index: u32,
    number: u32,
}

impl Plan {
    fn path(&self) -> String {
        format!("{}/{}/{:05}.jpg", self.split, self.folder, self.number)
    }

    fn kind(&self) -> Option<PlantKind> {
        match self.shows[..] {
            [shown] => (shown != self.folder).then_some(PlantKind::WrongLabel),
            _ => Some(PlantKind::Blended),
        }
    }

    fn picture(&self, seed: u64) -> image::RgbImage {
        let first = paint(seed, self.shows[0], self.index);
        match self.shows.get(1) {
            // Indexes from the upper half are used for nothing else.
            Some(&other) => blend(&first, &paint(seed, other, self.index | 1 << 31)),
            None => first,
        }
    }
}

/// Paints a data set into `folder`, as `train/CLASS/*.jpg` and `test/CLASS/*.jpg`.
///
/// Numbers in file names are dealt out at random, so that nothing but the
/// pixels tells a planted picture from the others. The same seed and spec give
/// the same bytes. `progress` is called with the number of pictures written so
/// far, from several threads. Files written before an error stay.
///
/// # Errors
///
/// [`DemoError::NotEmpty`] when the folder holds anything, [`DemoError::Io`]
/// when a file cannot be written.
pub fn dataset(
    folder: &Path,
    seed: u64,
    spec: &DemoSpec,
    progress: &(dyn Fn(u32) + Sync),
) -> Result<DemoSet, DemoError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DemoError::Io { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    if fs::read_dir(folder).map_err(failed(folder))?.next().is_some() {
        return Err(DemoError::NotEmpty { path: folder.to_owned() });
    }
    for split in ["train", "test"] {
        for class in SceneClass::ALL {
            let path = folder.join(split).join(class.name());
            fs::create_dir_all(&path).map_err(failed(&path))?;
        }
    }
    let plans = plan(seed, spec);
    let written = AtomicU32::new(0);
    plans.par_iter().try_for_each(|plan| {
        let path = folder.join(plan.path());
        let mut bytes = Vec::with_capacity(16 << 10);
        JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .encode_image(&plan.picture(seed))
            .map_err(|error| failed(&path)(io::Error::other(error)))?;
        fs::write(&path, bytes).map_err(failed(&path))?;
        progress(written.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(())
    })?;
    let mut planted: Vec<Planted> = plans
        .into_iter()
        .filter_map(|plan| {
            plan.kind().map(|kind| Planted {
                path: plan.path(),
                kind,
                folder: plan.folder,
                shows: plan.shows,
            })
        })
        .collect();
    planted.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(DemoSet { seed, spec: spec.clone(), planted })
}

/// Decides what every picture shows and where it lies.
fn plan(seed: u64, spec: &DemoSpec) -> Vec<Plan> {
    let mut dice = Dice::new(&[seed, 0xda7a]);
    let mut plans = Vec::new();
    for (split, count) in [("train", spec.train_per_class), ("test", spec.test_per_class)] {
        for class in SceneClass::ALL {
            let offset = if split == "train" { 0 } else { spec.train_per_class };
            plans.extend((0..count).map(|place| Plan {
                split,
                folder: class,
                shows: vec![class],
                index: offset + place,
                number: 0,
            }));
        }
    }
    let mut numbers: Vec<u32> = (1..=plans.len() as u32).collect();
    dice.shuffle(&mut numbers);
    for (plan, number) in plans.iter_mut().zip(numbers) {
        plan.number = number;
    }
    let train = spec.train_per_class as usize * SceneClass::ALL.len();
    let share = |per_mille: u32| (train * per_mille as usize + 500) / 1000;
    let wrong = share(spec.wrong_per_mille);
    let mut order: Vec<usize> = (0..train).collect();
    dice.shuffle(&mut order);
    for (place, at) in order.into_iter().take(wrong + share(spec.blended_per_mille)).enumerate() {
        let shown = plans[at].folder;
        let other = SceneClass::ALL
            [(shown.index() + 1 + dice.below(SceneClass::ALL.len() - 1)) % SceneClass::ALL.len()];
        if place < wrong {
            plans[at].folder = other;
        } else {
            plans[at].shows.push(other);
        }
    }
    plans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> DemoSpec {
        DemoSpec { train_per_class: 4, test_per_class: 1, wrong_per_mille: 100, blended_per_mille: 100 }
    }

    fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        for split in ["train", "test"] {
            for class in SceneClass::ALL {
                for entry in fs::read_dir(folder.join(split).join(class.name())).unwrap() {
                    let entry = entry.unwrap();
                    let name = format!("{split}/{class}/{}", entry.file_name().to_str().unwrap());
                    files.push((name, fs::read(entry.path()).unwrap()));
                }
            }
        }
        files.sort();
        files
    }

    #[test]
    fn the_same_seed_gives_the_same_folder_and_another_seed_another() {
        let home = tempfile::tempdir().unwrap();
        let paint = |name: &str, seed| dataset(&home.path().join(name), seed, &small(), &|_| ()).unwrap();
        let first = paint("first", 1);
        assert_eq!(first, paint("second", 1));
        let files = contents(&home.path().join("first"));
        assert_eq!(files.len() as u32, small().pictures());
        assert_eq!(files, contents(&home.path().join("second")));
        paint("third", 2);
        assert_ne!(files, contents(&home.path().join("third")));
    }

    #[test]
    fn as_many_errors_are_planted_as_asked_for_and_only_in_training_pictures() {
        let plans = plan(3, &DemoSpec::default());
        let count = |kind| plans.iter().filter(|plan| plan.kind() == Some(kind)).count();
        assert_eq!(count(PlantKind::WrongLabel), 18);
        assert_eq!(count(PlantKind::Blended), 18);
        assert!(plans.iter().all(|plan| plan.split == "train" || plan.kind().is_none()));
        let mut paths: Vec<_> = plans.iter().map(Plan::path).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len() as u32, DemoSpec::default().pictures());
        for plan in plans.iter().filter(|plan| plan.kind() == Some(PlantKind::Blended)) {
            assert_eq!(plan.shows[0], plan.folder);
            assert_ne!(plan.shows[1], plan.folder);
        }
    }

    #[test]
    fn progress_counts_to_the_end_and_the_list_round_trips() {
        let home = tempfile::tempdir().unwrap();
        let seen = AtomicU32::new(0);
        let folder = home.path().join("scenes");
        let set = dataset(&folder, 5, &small(), &|done| {
            seen.fetch_max(done, Ordering::Relaxed);
        })
        .unwrap();
        assert_eq!(seen.into_inner(), small().pictures());
        for planted in &set.planted {
            assert!(folder.join(&planted.path).is_file());
            assert!(planted.path.starts_with(&format!("train/{}/", planted.folder)));
        }
        let list = home.path().join("planted.json");
        set.save(&list).unwrap();
        assert_eq!(DemoSet::load(&list).unwrap(), set);
        fs::write(&list, "{}").unwrap();
        assert!(matches!(DemoSet::load(&list), Err(DemoError::List { .. })));
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("mine.txt"), "mine").unwrap();
        let outcome = dataset(home.path(), 1, &small(), &|_| ());
        assert!(matches!(outcome, Err(DemoError::NotEmpty { .. })), "{outcome:?}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
