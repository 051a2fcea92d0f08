//! Which pictures a folder holds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Stat};
use safelight_lineage::event::Split;
use safelight_lineage::value::{PathBytes, escape};

use super::class_name::{ClassCollision, collision};
use super::layout::{Layout, Place, detect, place};
use super::problem::{Problem, ProblemKind};
use super::stamp::Stamp;

/// The folder of a repository; nothing in it is ever imported.
const REPOSITORY: &str = ".safelight";

/// So many entries of a folder are looked at on several threads.
const MANY: usize = 256;

/// Endings of names that announce a picture, also of kinds that
/// [`probe`](super::probe()) then refuses by name.
const PICTURES: [&str; 17] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "gif", "webp", "bmp", "dib", "tif", "tiff", "heic", "heif", "avif",
    "jxl", "jp2", "ico",
];

/// How a folder is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkOptions {
    /// How it is organised.
    pub layout: Layout,
    /// The split of every file when the layout is [`Layout::Classes`].
    pub split: Split,
}

impl Default for WalkOptions {
    fn default() -> Self {
        WalkOptions { layout: Layout::Auto, split: Split::Train }
    }
}

/// A file that looks like a picture by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where, relative to the folder, exactly as the names are.
    pub path: PathBytes,
    /// Where, to open it.
    pub absolute: PathBuf,
    /// The name of its class folder; none for unlabelled test pictures.
    pub label: Option<String>,
    /// What it is for.
    pub split: Split,
    /// Its size in bytes when the folder was walked.
    pub size: u64,
    /// What the file system said of it then.
    pub stamp: Stamp,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// How the folder is organised; never [`Layout::Auto`].
    pub layout: Layout,
    /// The pictures, sorted by the bytes of their paths.
    pub files: Vec<Found>,
    /// The names of the classes of those pictures, sorted.
    pub classes: Vec<String>,
    /// What is left out, sorted by the bytes of its paths.
    pub problems: Vec<Problem>,
}

/// Why nothing in a folder can be imported.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The folder is missing or cannot be listed.
    #[error("{}: {source}", escape(.path.as_os_str().as_bytes()))]
    Folder {
        /// As it was given.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a file.
    #[error("{} is not a folder; give the folder that holds the pictures", escape(.path.as_os_str().as_bytes()))]
    NotAFolder {
        /// As it was given.
        path: PathBuf,
    },
    /// It lies inside a repository's own folder.
    #[error(
        "{} lies inside a .safelight folder, which holds the repository itself; give the folder that the pictures \
         came from",
        escape(.path.as_os_str().as_bytes())
    )]
    InsideRepository {
        /// The folder, with links resolved.
        path: PathBuf,
    },
    /// There is nothing to import.
    #[error(
        "{} holds no pictures that can be imported; expected CLASS/*.jpg, or train/CLASS/*.jpg and test/*.jpg",
        escape(.path.as_os_str().as_bytes())
    )]
    NoPictures {
        /// As it was given.
        path: PathBuf,
        /// What it holds instead; empty when it is empty.
        problems: Vec<Problem>,
    },
    /// Two class folders are too alike.
    #[error(
        "classes whose names differ only in case or in how letters are encoded: {}; rename or merge the folders",
        .0.describe()
    )]
    ClassesCollide(ClassCollision),
    /// The folder fits two layouts.
    #[error(
        "{} may be a split or a class: it has folders in it, and {} beside it holds pictures; choose the layout, \
         splits or classes",
        escape(.split),
        escape(.class)
    )]
    AmbiguousLayout {
        /// The name of the folder that is called like a split.
        split: Vec<u8>,
        /// The name of the folder that looks like a class.
        class: Vec<u8>,
    },
}

/// Lists the pictures below `root` with what each is for, and everything that
/// is left out, in an order that depends on nothing but the names.
///
/// Reads names and sizes only. A link to a file counts as the file. A folder
/// that a link leads to is walked once, after all folders proper, unless the
/// walk has been to it already; so no link can make the walk endless.
///
/// # Errors
///
/// When the folder cannot be used at all; see [`WalkError`]. What is wrong with
/// single files and folders inside is among [`Walk::problems`].
pub fn walk(root: &Path, options: &WalkOptions) -> Result<Walk, WalkError> {
    let folder = |source| WalkError::Folder { path: root.to_owned(), source };
    let real = root.canonicalize().map_err(folder)?;
    if in_repository(&real) {
        return Err(WalkError::InsideRepository { path: real });
    }
    if !real.is_dir() {
        return Err(WalkError::NotAFolder { path: root.to_owned() });
    }
    let tour = Tour::of(&real).map_err(folder)?;
    let layout = match options.layout {
        Layout::Auto => detect(
            tour.folders.iter().map(Vec::as_slice),
            tour.files.iter().map(|file| file.path.as_slice()).filter(|path| is_picture_name(path)),
        )
        .map_err(|found| WalkError::AmbiguousLayout { split: found.split, class: found.class })?,
        chosen => chosen,
    };
    let mut problems = tour.problems;
    let mut files = Vec::with_capacity(tour.files.len());
    for file in tour.files {
        match judge(layout, options.split, &file.path) {
            Ok((split, label)) => files.push(Found {
                path: PathBytes::new(file.path),
                absolute: file.absolute,
                label,
                split,
                size: file.stamp.size,
                stamp: file.stamp,
            }),
            Err(kind) => problems.push(Problem { path: PathBytes::new(file.path), kind }),
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    if files.is_empty() {
        return Err(WalkError::NoPictures { path: root.to_owned(), problems });
    }
    let mut classes: Vec<String> = files.iter().filter_map(|file| file.label.clone()).collect();
    classes.sort();
    classes.dedup();
    if let Some(found) = collision(classes.iter().map(String::as_str)) {
        return Err(WalkError::ClassesCollide(found));
    }
    Ok(Walk { layout, files, classes, problems })
}

/// The split and label of a file, or why it has none.
fn judge(layout: Layout, split: Split, path: &[u8]) -> Result<(Split, Option<String>), ProblemKind> {
    if !is_picture_name(path) {
        return Err(ProblemKind::NotAPictureName);
    }
    match place(layout, split, path) {
        Place::Class(split, class) => match std::str::from_utf8(class) {
            Ok(class) => Ok((split, Some(class.to_owned()))),
            Err(_) => Err(ProblemKind::ClassNameNotText),
        },
        Place::Unlabelled(split) => Ok((split, None)),
        Place::Outside => Err(ProblemKind::OutsideClasses),
    }
}

fn is_picture_name(path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else { return false };
    PICTURES.iter().any(|ending| name[dot + 1..].eq_ignore_ascii_case(ending.as_bytes()))
}

fn in_repository(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == REPOSITORY)
}

/// What a name alone says against a file or folder.
fn objection(name: &[u8]) -> Option<ProblemKind> {
    if name == REPOSITORY.as_bytes() {
        Some(ProblemKind::Repository)
    } else if matches!(name, b".DS_Store" | b"Thumbs.db" | b"desktop.ini" | b"__MACOSX")
        || name.starts_with(b"._")
    {
        Some(ProblemKind::SystemFile)
    } else if name.starts_with(b".") {
        Some(ProblemKind::Hidden)
    } else {
        None
    }
}

/// A folder as the file system knows it, under whatever name.
type Identity = (u64, u64);

struct RawFile {
    path: Vec<u8>,
    absolute: PathBuf,
    stamp: Stamp,
}

/// Everything below a folder, before names mean anything.
struct Tour {
    files: Vec<RawFile>,
    folders: Vec<Vec<u8>>,
    problems: Vec<Problem>,
    /// Every folder that was walked, and as what.
    seen: HashMap<Identity, Vec<u8>>,
    /// The folders that the root lies in.
    above: HashSet<Identity>,
    /// Links to folders, to be followed when all else is walked.
    links: BTreeMap<Vec<u8>, PathBuf>,
}

impl Tour {
    fn of(root: &Path) -> io::Result<Tour> {
        let mut tour = Tour {
            files: Vec::new(),
            folders: Vec::new(),
            problems: Vec::new(),
            seen: HashMap::new(),
            above: HashSet::new(),
            links: BTreeMap::new(),
        };
        for above in root.ancestors().skip(1) {
            tour.above.insert(identity(&fs::metadata(above)?));
        }
        fs::read_dir(root)?;
        tour.descend(Vec::new(), root.to_owned());
        while let Some((path, target)) = tour.links.pop_first() {
            tour.descend(path, target);
        }
        Ok(tour)
    }

    fn problem(&mut self, path: Vec<u8>, kind: ProblemKind) {
        self.problems.push(Problem { path: PathBytes::new(path), kind });
    }

    /// Walks a folder and all folders proper in it.
    fn descend(&mut self, path: Vec<u8>, absolute: PathBuf) {
        let mut pending = vec![(path, absolute)];
        while let Some((path, absolute)) = pending.pop() {
            let entries = fs::metadata(&absolute).and_then(|metadata| {
                self.enter(&path, identity(&metadata)).map_or(Ok(None), |()| look(&absolute).map(Some))
            });
            let entries = match entries {
                Ok(Some(entries)) => entries,
                Ok(None) => continue,
                Err(error) => {
                    self.problem(path, ProblemKind::folder(&error));
                    continue;
                }
            };
            if !path.is_empty() {
                self.folders.push(path.clone());
            }
            self.files.reserve(entries.len());
            for (name, stat) in entries.into_iter().rev() {
                let below = join(&path, name.as_bytes());
                if let Some(kind) = objection(name.as_bytes()) {
                    self.problem(below, kind);
                } else if let Some(folder) = self.visit(below, absolute.join(&name), stat) {
                    pending.push(folder);
                }
            }
        }
    }

    /// Notes a folder as walked; none when it must not be.
    fn enter(&mut self, path: &[u8], identity: Identity) -> Option<()> {
        if self.above.contains(&identity) {
            self.problem(path.to_vec(), ProblemKind::LinkLoop);
            return None;
        }
        if let Some(first) = self.seen.get(&identity) {
            let around = first.is_empty() || path == first || path.starts_with(&join(first, b""));
            let first = PathBytes::new(first.clone());
            let kind = if around { ProblemKind::LinkLoop } else { ProblemKind::FolderTwice { first } };
            self.problem(path.to_vec(), kind);
            return None;
        }
        self.seen.insert(identity, path.to_vec());
        Some(())
    }

    /// Takes in one entry of a folder; gives it back when it is a folder.
    fn visit(
        &mut self,
        path: Vec<u8>,
        absolute: PathBuf,
        stat: io::Result<Stat>,
    ) -> Option<(Vec<u8>, PathBuf)> {
        let stat = match stat {
            Ok(stat) => stat,
            Err(error) => {
                self.problem(path, ProblemKind::file(&error));
                return None;
            }
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => self.follow(path, absolute),
            FileType::Directory => return Some((path, absolute)),
            FileType::RegularFile => {
                self.files.push(RawFile { path, absolute, stamp: Stamp::of_stat(&stat) });
            }
            _ => self.problem(path, ProblemKind::NotAFile),
        }
        None
    }

    /// Takes in a symbolic link.
    fn follow(&mut self, path: Vec<u8>, absolute: PathBuf) {
        let resolved = absolute.canonicalize().and_then(|target| Ok((fs::metadata(&target)?, target)));
        match resolved {
            Ok((_, target)) if in_repository(&target) => self.problem(path, ProblemKind::LinkIntoRepository),
            Ok((metadata, target)) if metadata.is_dir() => {
                self.links.insert(path, target);
            }
            Ok((metadata, _)) if metadata.is_file() => {
                self.files.push(RawFile { path, absolute, stamp: Stamp::of(&metadata) });
            }
            Ok(_) => self.problem(path, ProblemKind::NotAFile),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.problem(path, ProblemKind::BrokenLink)
            }
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                self.problem(path, ProblemKind::LinkLoop);
            }
            Err(error) => self.problem(path, ProblemKind::file(&error)),
        }
    }
}

fn identity(metadata: &fs::Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// The entries of a folder, sorted by the bytes of their names, each with what
/// the file system says of it; links are not followed.
fn look(folder: &Path) -> io::Result<Vec<(OsString, io::Result<Stat>)>> {
    let mut names =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<OsString>>>()?;
    names.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    // Relative to the open folder: the system need not find its path each time.
    let open = fs::File::open(folder)?;
    let stat = |name: OsString| {
        let stat = rustix::fs::statat(&open, &name, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from);
        (name, stat)
    };
    if names.len() < MANY {
        return Ok(names.into_iter().map(stat).collect());
    }
    Ok(names.into_par_iter().with_min_len(MANY).map(stat).collect())
}

fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

#[cfg(test)]
mod tests;
