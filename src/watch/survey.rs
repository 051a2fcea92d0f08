//! One look at a folder: what differs from the log, and what holds still.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Split;
use safelight_lineage::id::ImageId;
use safelight_lineage::state::State;
use safelight_lineage::value::PathBytes;

use crate::import::{Found, ProbeDepth, Problem, RescanIndex, Stamp, Walk, WalkError, WalkOptions, walk};

/// Something in the folder that the log does not have like that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A picture that no import has seen.
    New {
        /// Where, relative to the folder.
        path: PathBytes,
        /// What it would be for.
        split: Split,
        /// Its class folder.
        label: Option<String>,
    },
    /// A picture whose bytes are others than the log has for it.
    Changed {
        /// Where, relative to the folder.
        path: PathBytes,
        /// The image.
        image: ImageId,
    },
    /// A picture of the dataset that was in the folder and is not any more.
    Vanished {
        /// Where it was, relative to the folder.
        path: PathBytes,
        /// The image, which stays.
        image: ImageId,
    },
}

impl Change {
    /// Where, relative to the folder.
    pub fn path(&self) -> &PathBytes {
        match self {
            Change::New { path, .. } | Change::Changed { path, .. } | Change::Vanished { path, .. } => path,
        }
    }
}

/// What one look found.
#[derive(Debug, Default)]
pub struct Look {
    /// Everything that differs and holds still, ascending.
    pub changes: Vec<Change>,
    /// The files that are new or changed and hold still, with their stamps.
    pub settled: BTreeMap<PathBytes, Stamp>,
    /// How many files may still be being written.
    pub unsettled: usize,
    /// What is left out, and why.
    pub problems: Vec<Problem>,
}

/// Looks at one folder again and again.
#[derive(Debug)]
pub struct Surveyor {
    folder: PathBuf,
    options: WalkOptions,
    settle: Duration,
    /// What was read of files before: by the last import, or here.
    read: BTreeMap<PathBytes, (Stamp, BlobId)>,
    /// Files that differ, with the stamp they have and since when.
    waiting: BTreeMap<PathBytes, (Stamp, Instant)>,
    /// Files that are or were in the folder.
    seen: BTreeMap<PathBytes, Split>,
}

impl Surveyor {
    /// Begins with what the last import of the folder left in `cache`.
    pub fn new(cache: &Path, folder: &Path, options: WalkOptions, settle: Duration) -> Self {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let mut surveyor = Surveyor {
            folder: folder.to_owned(),
            options,
            settle,
            read: BTreeMap::new(),
            waiting: BTreeMap::new(),
            seen: BTreeMap::new(),
        };
        if let Some(index) = RescanIndex::read(cache, &real) {
            for row in &index.rows {
                let known = index.unchanged(row, row.stamp, ProbeDepth::Structure).is_some();
                if known {
                    surveyor.read.insert(row.path.clone(), (row.stamp, row.blob));
                }
            }
            surveyor.remember(index.rows.iter().map(|row| row.path.clone()));
        }
        surveyor
    }

    /// Remembers files of an earlier import; which split they are for is found
    /// in the log.
    fn remember(&mut self, paths: impl Iterator<Item = PathBytes>) {
        for path in paths {
            self.seen.entry(path).or_insert(self.options.split);
        }
    }

    /// Looks at every file's stamp, and at the bytes of those whose stamp is
    /// new. `now` is the time by which files hold still or do not.
    ///
    /// # Errors
    /// When the folder cannot be used at all.
    pub fn look(&mut self, state: &State, now: Instant) -> Result<Look, WalkError> {
        let Walk { files, problems, .. } = match walk(&self.folder, &self.options) {
            Ok(walk) => walk,
            // An empty folder is one from which everything has vanished.
            Err(WalkError::NoPictures { problems, .. }) => {
                Walk { layout: self.options.layout, files: Vec::new(), classes: Vec::new(), problems }
            }
            Err(error) => return Err(error),
        };
        let mut look = Look { problems, ..Look::default() };
        let mut waiting = BTreeMap::new();
        for file in &files {
            let Some(change) = self.differs(state, file) else { continue };
            let since = match self.waiting.get(&file.path) {
                Some((stamp, since)) if *stamp == file.stamp => *since,
                _ => now,
            };
            if now.duration_since(since) >= self.settle {
                look.settled.insert(file.path.clone(), file.stamp);
                look.changes.push(change);
            } else {
                look.unsettled += 1;
            }
            waiting.insert(file.path.clone(), (file.stamp, since));
        }
        self.waiting = waiting;
        self.vanished(state, &files, &mut look);
        look.changes.sort();
        Ok(look)
    }

    /// Whether the log has other bytes for a file, or none.
    fn differs(&mut self, state: &State, file: &Found) -> Option<Change> {
        let there = state.images_at_path(file.split, file.path.as_bytes());
        let Some(image) = there.iter().rev().find(|image| image.exists) else {
            let Found { path, split, label, .. } = file;
            return Some(Change::New { path: path.clone(), split: *split, label: label.clone() });
        };
        if image.removed {
            return None;
        }
        let blob = match self.read.get(&file.path) {
            Some((stamp, blob)) if *stamp == file.stamp => *blob,
            _ => {
                // One that cannot be read now is looked at again next time.
                let blob = BlobId::of(&std::fs::read(&file.absolute).ok()?);
                self.read.insert(file.path.clone(), (file.stamp, blob));
                blob
            }
        };
        (blob != image.blob).then(|| Change::Changed { path: file.path.clone(), image: image.id })
    }

    /// Files that were here and are not.
    fn vanished(&mut self, state: &State, files: &[Found], look: &mut Look) {
        let here: BTreeSet<&PathBytes> = files.iter().map(|file| &file.path).collect();
        for path in self.seen.keys().filter(|path| !here.contains(path)) {
            let image = Split::ALL
                .iter()
                .flat_map(|split| state.images_at_path(*split, path.as_bytes()))
                .find(|image| image.present);
            if let Some(image) = image {
                look.changes.push(Change::Vanished { path: path.clone(), image: image.id });
            }
        }
        for file in files {
            self.seen.insert(file.path.clone(), file.split);
        }
    }
}

#[cfg(test)]
mod tests {
    use safelight_lineage::decide::{Command, NewImage, decide};
    use safelight_lineage::digest::FrameDigest;
    use safelight_lineage::event::{Actor, Evidence, Frame, FrameHeader};
    use safelight_lineage::id::TransactionId;
    use safelight_lineage::value::Timestamp;

    use super::*;

    const SETTLE: Duration = Duration::from_millis(500);

    struct Stage {
        folder: tempfile::TempDir,
        state: State,
        surveyor: Surveyor,
        now: Instant,
    }

    impl Stage {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::create_dir_all(folder.path().join("photos/sea")).expect("a folder");
            let surveyor = Surveyor::new(
                &folder.path().join("cache"),
                &folder.path().join("photos"),
                WalkOptions::default(),
                SETTLE,
            );
            let mut stage = Stage { folder, state: State::new(), surveyor, now: Instant::now() };
            stage.commit(Command::CreateDataset { name: "photos".into(), classes: vec!["sea".into()] });
            stage
        }

        /// Takes in what a command decides, as a log would.
        fn commit(&mut self, command: Command) {
            let events = decide(&self.state, command).expect("nothing is wrong with it");
            let number = self.state.seq().0 as u8 + 1;
            let header = FrameHeader {
                digest: FrameDigest([number; 32]),
                parent: self.state.head(),
                transaction: TransactionId::new(u64::from(number), [number; 10]),
                actor: Actor::Person { name: "ann".into() },
                time: Timestamp(u64::from(number)),
                message: None,
                first_seq: self.state.seq().plus(1),
            };
            self.state.apply(&Frame { header, events });
        }

        fn write(&self, name: &str, bytes: &str) {
            std::fs::write(self.folder.path().join("photos/sea").join(name), bytes).expect("written");
        }

        fn look(&mut self, later: Duration) -> Look {
            self.now += later;
            self.surveyor.look(&self.state, self.now).expect("a folder")
        }

        fn import(&mut self, name: &str, bytes: &str) {
            let image = NewImage {
                blob: BlobId::of(bytes.as_bytes()),
                path: PathBytes::new(format!("sea/{name}").into_bytes()),
                label: Some("sea".into()),
                split: Split::Train,
            };
            self.commit(Command::ImportImages { images: vec![image] });
        }
    }

    fn paths(look: &Look) -> Vec<String> {
        let word = |change: &Change| match change {
            Change::New { .. } => "new",
            Change::Changed { .. } => "changed",
            Change::Vanished { .. } => "vanished",
        };
        look.changes.iter().map(|change| format!("{} {}", word(change), change.path())).collect()
    }

    #[test]
    fn a_file_counts_once_it_holds_still() {
        let mut stage = Stage::new();
        stage.write("a.jpg", "half");
        let look = stage.look(Duration::ZERO);
        assert_eq!((paths(&look), look.unsettled), (Vec::new(), 1));
        std::thread::sleep(Duration::from_millis(20));
        stage.write("a.jpg", "half and the rest");
        let look = stage.look(SETTLE);
        assert_eq!((paths(&look), look.unsettled), (Vec::new(), 1), "it was still being written");
        let look = stage.look(SETTLE / 2);
        assert_eq!(look.unsettled, 1);
        let look = stage.look(SETTLE / 2);
        assert_eq!((paths(&look), look.unsettled), (vec!["new sea/a.jpg".to_owned()], 0));
        assert_eq!(look.settled.len(), 1);
    }

    #[test]
    fn changed_and_vanished_files_are_told_from_those_that_are_as_they_were() {
        let mut stage = Stage::new();
        for (name, bytes) in [("a.jpg", "a"), ("b.jpg", "b"), ("c.jpg", "c")] {
            stage.write(name, bytes);
            stage.import(name, bytes);
        }
        assert!(paths(&stage.look(SETTLE)).is_empty());
        std::thread::sleep(Duration::from_millis(20));
        // Written again with the same bytes, it is the same.
        stage.write("a.jpg", "a");
        stage.write("b.jpg", "other");
        std::fs::remove_file(stage.folder.path().join("photos/sea/c.jpg")).expect("removed");
        stage.look(SETTLE);
        assert_eq!(paths(&stage.look(SETTLE)), ["changed sea/b.jpg", "vanished sea/c.jpg"]);
        stage.import("b.jpg", "other");
        assert_eq!(paths(&stage.look(SETTLE)), ["vanished sea/c.jpg"]);
        stage.write("c.jpg", "c");
        stage.look(SETTLE);
        assert!(paths(&stage.look(SETTLE)).is_empty(), "it is back");
        std::fs::remove_dir_all(stage.folder.path().join("photos/sea")).expect("removed");
        assert_eq!(stage.look(SETTLE).changes.len(), 3, "all are gone, and the folder is no error");
    }

    #[test]
    fn a_removed_image_is_left_in_peace() {
        let mut stage = Stage::new();
        stage.write("a.jpg", "a");
        stage.import("a.jpg", "a");
        let image = stage.state.images().next().expect("one").id;
        stage.commit(Command::Remove {
            images: vec![image],
            reason: String::new(),
            evidence: Evidence::default(),
            force: true,
        });
        stage.write("a.jpg", "retouched");
        stage.look(SETTLE);
        assert!(paths(&stage.look(SETTLE)).is_empty());
    }
}
