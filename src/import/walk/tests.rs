//! What walks make of folders of every kind.

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A folder of files that are empty but for their names.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[&[u8]]) -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        for file in files {
            folder.add(file);
        }
        folder
    }

    fn at(&self, path: &[u8]) -> PathBuf {
        self.0.path().join(OsStr::from_bytes(path))
    }

    fn add(&self, path: &[u8]) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "12345").unwrap();
    }

    fn walk(&self) -> Result<Walk, WalkError> {
        walk(self.0.path(), &WalkOptions::default())
    }
}

fn described(walk: &Walk) -> Vec<String> {
    let label = |file: &Found| file.label.clone().unwrap_or_else(|| "-".to_owned());
    walk.files.iter().map(|file| format!("{} {} {}", file.path, file.split, label(file))).collect()
}

fn problems(walk: &Walk) -> Vec<(String, &'static str)> {
    walk.problems.iter().map(|problem| (problem.path.to_string(), problem.kind.code())).collect()
}

#[test]
fn splits_and_labels_come_from_the_folders() {
    let folder = Folder::with(&[
        b"train/sea/b.jpg",
        b"train/sea/deep/a.PNG",
        b"train/forest/a.jpeg",
        b"val/sea/a.jpg",
        b"test/1.jpg",
        b"test/sea/2.jpg",
    ]);
    let found = folder.walk().unwrap();
    assert_eq!(found.layout, Layout::Splits);
    assert_eq!(found.classes, ["forest", "sea"]);
    assert_eq!(
        described(&found),
        [
            "test/1.jpg test -",
            "test/sea/2.jpg test sea",
            "train/forest/a.jpeg train forest",
            "train/sea/b.jpg train sea",
            "train/sea/deep/a.PNG train sea",
            "val/sea/a.jpg valid sea",
        ]
    );
    assert!(found.files.iter().all(|file| file.size == 5 && file.absolute.is_file()));
    assert_eq!(found.problems, []);
}

#[test]
fn class_folders_alone_are_of_one_split() {
    let folder = Folder::with(&[b"sea/a.jpg", b"forest/a.jpg", b"loose.jpg"]);
    let options = WalkOptions { split: Split::Valid, ..WalkOptions::default() };
    let found = walk(folder.0.path(), &options).unwrap();
    assert_eq!(described(&found), ["forest/a.jpg valid forest", "sea/a.jpg valid sea"]);
    assert_eq!(problems(&found), [("loose.jpg".to_owned(), "outside_classes")]);
}

#[test]
fn names_are_kept_byte_for_byte() {
    let names: [&[u8]; 4] = [b"sea/a\nb.jpg", b"sea/\x1b[31mred.jpg", b"sea/\xff\xfe.jpg", b"sea/ .jpg"];
    let folder = Folder::with(&names);
    let found = folder.walk().unwrap();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert!(found.files.iter().map(|file| file.path.as_bytes()).eq(expected));
    assert!(found.files.iter().all(|file| file.absolute.is_file()));
}

#[test]
fn everything_that_is_left_out_is_listed() {
    let folder = Folder::with(&[
        b"sea/a.jpg",
        b"sea/.hidden.jpg",
        b"sea/.DS_Store",
        b"sea/Thumbs.db",
        b"sea/notes.txt",
        b"sea/jpg",
        b"\xff/a.jpg",
        b".safelight/packs/1.jpg",
        b".git/x.jpg",
    ]);
    let found = folder.walk().unwrap();
    assert_eq!(described(&found), ["sea/a.jpg train sea"]);
    let expected = [
        (".git", "hidden"),
        (".safelight", "repository"),
        ("sea/.DS_Store", "system_file"),
        ("sea/.hidden.jpg", "hidden"),
        ("sea/Thumbs.db", "system_file"),
        ("sea/jpg", "not_a_picture_name"),
        ("sea/notes.txt", "not_a_picture_name"),
        ("\\xff/a.jpg", "class_name_not_text"),
    ];
    assert!(
        problems(&found).into_iter().eq(expected.map(|(path, code)| (path.to_owned(), code))),
        "{found:?}"
    );
    let refused =
        found.problems.iter().filter(|problem| problem.kind.severity() == super::super::Severity::Refused);
    assert_eq!(refused.count(), 3);
}

#[test]
fn links_are_followed_once_and_never_in_circles() {
    let folder = Folder::with(&[b"sea/a.jpg", b"sea/deep/b.jpg"]);
    let elsewhere = Folder::with(&[b"c.jpg", b"more/d.jpg"]);
    symlink(folder.at(b"sea/a.jpg"), folder.at(b"sea/alias.jpg")).unwrap();
    symlink("../..", folder.at(b"sea/deep/up")).unwrap();
    symlink("..", folder.at(b"sea/out")).unwrap();
    symlink(folder.0.path().parent().unwrap(), folder.at(b"sea/above")).unwrap();
    symlink("self", folder.at(b"sea/self")).unwrap();
    symlink("nowhere.jpg", folder.at(b"sea/broken.jpg")).unwrap();
    symlink(elsewhere.0.path(), folder.at(b"lake")).unwrap();
    symlink(elsewhere.0.path(), folder.at(b"river")).unwrap();
    symlink("sea/deep", folder.at(b"a-link-that-sorts-first")).unwrap();
    let found = folder.walk().unwrap();
    assert_eq!(
        described(&found),
        [
            "lake/c.jpg train lake",
            "lake/more/d.jpg train lake",
            "sea/a.jpg train sea",
            "sea/alias.jpg train sea",
            "sea/deep/b.jpg train sea",
        ]
    );
    let expected = [
        ("a-link-that-sorts-first", "folder_twice"),
        ("river", "folder_twice"),
        ("sea/above", "link_loop"),
        ("sea/broken.jpg", "broken_link"),
        ("sea/deep/up", "link_loop"),
        ("sea/out", "link_loop"),
        ("sea/self", "link_loop"),
    ];
    assert!(
        problems(&found).into_iter().eq(expected.map(|(path, code)| (path.to_owned(), code))),
        "{found:?}"
    );
}

#[test]
fn links_into_a_repository_and_pipes_are_refused() {
    let folder = Folder::with(&[b"sea/a.jpg"]);
    let other = Folder::with(&[b".safelight/objects/x.jpg"]);
    symlink(other.at(b".safelight/objects"), folder.at(b"stolen")).unwrap();
    symlink(other.at(b".safelight/objects/x.jpg"), folder.at(b"sea/stolen.jpg")).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, folder.at(b"sea/pipe.jpg"), FileType::Fifo, mode, 0).unwrap();
    let expected = [
        ("sea/pipe.jpg", "not_a_file"),
        ("sea/stolen.jpg", "link_into_repository"),
        ("stolen", "link_into_repository"),
    ];
    let found = folder.walk().unwrap();
    assert!(
        problems(&found).into_iter().eq(expected.map(|(path, code)| (path.to_owned(), code))),
        "{found:?}"
    );
}

#[test]
fn a_folder_that_may_not_be_read_is_a_problem() {
    let folder = Folder::with(&[b"sea/a.jpg", b"secret/b.jpg"]);
    let secret = folder.at(b"secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    let readable = fs::read_dir(&secret).is_ok();
    let found = folder.walk().unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o755)).unwrap();
    if readable {
        // Nothing is unreadable to root.
        assert_eq!(found.files.len(), 2);
    } else {
        assert_eq!(problems(&found), [("secret".to_owned(), "unreadable_folder")]);
    }
}

#[test]
fn a_folder_that_cannot_be_listed_is_a_problem() {
    let mut tour = Tour {
        files: Vec::new(),
        folders: Vec::new(),
        problems: Vec::new(),
        seen: HashMap::new(),
        above: HashSet::new(),
        links: BTreeMap::new(),
    };
    let folder = Folder::with(&[b"file"]);
    tour.descend(b"gone".to_vec(), folder.at(b"gone"));
    tour.descend(b"file".to_vec(), folder.at(b"file"));
    let codes: Vec<_> = tour.problems.iter().map(|problem| problem.kind.code()).collect();
    assert_eq!(codes, ["unreadable_folder", "unreadable_folder"]);
}

#[test]
fn classes_that_differ_only_in_case_or_encoding_are_refused() {
    for names in [["sea", "Sea"], ["caf\u{e9}", "cafe\u{301}"]] {
        let paths = names.map(|name| format!("train/{name}/a.jpg"));
        let folder = Folder::with(&paths.each_ref().map(|path| path.as_bytes()));
        if fs::read_dir(folder.at(b"train")).unwrap().count() < 2 {
            continue; // This file system does not tell them apart itself.
        }
        let Err(WalkError::ClassesCollide(found)) = folder.walk() else { panic!("{names:?}") };
        assert_eq!(found.names.len(), 2);
    }
    let folder = Folder::with(&[b"train/sea/a.jpg", b"test/SEA/a.jpg"]);
    assert!(matches!(folder.walk(), Err(WalkError::ClassesCollide(_))));
}

#[test]
fn folders_that_cannot_be_imported_say_so() {
    let empty = Folder::with(&[]);
    assert!(matches!(empty.walk(), Err(WalkError::NoPictures { problems, .. }) if problems.is_empty()));
    let loose = Folder::with(&[b"a.jpg", b"b.txt"]);
    assert!(matches!(loose.walk(), Err(WalkError::NoPictures { problems, .. }) if problems.len() == 2));
    let options = WalkOptions::default();
    let missing = walk(&empty.at(b"missing"), &options);
    assert!(
        matches!(missing, Err(WalkError::Folder { source, .. }) if source.kind() == io::ErrorKind::NotFound)
    );
    assert!(matches!(walk(&loose.at(b"a.jpg"), &options), Err(WalkError::NotAFolder { .. })));
    let repository = Folder::with(&[b".safelight/objects/ab/a.jpg"]);
    for inside in [&b".safelight"[..], b".safelight/objects"] {
        assert!(matches!(walk(&repository.at(inside), &options), Err(WalkError::InsideRepository { .. })));
    }
    let either = Folder::with(&[b"bus/a.jpg", b"train/steam/b.jpg"]);
    assert!(matches!(either.walk(), Err(WalkError::AmbiguousLayout { .. })));
    let chosen = walk(either.0.path(), &WalkOptions { layout: Layout::Classes, ..options }).unwrap();
    assert_eq!(chosen.classes, ["bus", "train"]);
}
