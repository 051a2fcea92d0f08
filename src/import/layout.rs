//! What the place of a file in the folder says about it.

use std::collections::BTreeSet;

use safelight_lineage::event::Split;

/// How a folder of pictures is organised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Layout {
    /// Found out from the names of the folders.
    #[default]
    Auto,
    /// `train/CLASS/…`, `valid/CLASS/…` (also `val`, `validation`),
    /// `test/CLASS/…`, and `test/…` without labels.
    Splits,
    /// `CLASS/…`, all of one split.
    Classes,
}

/// Folders that fit two layouts, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ambiguity {
    pub(super) split: Vec<u8>,
    pub(super) class: Vec<u8>,
}

/// What a file is for, by its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// It has a class, whose folder has this name.
    Class(Split, &'a [u8]),
    /// It is to be predicted and has no label.
    Unlabelled(Split),
    /// It lies outside any class.
    Outside,
}

/// The split that a folder at the top is named after, in any case.
pub(super) fn split_named(name: &[u8]) -> Option<Split> {
    match name.to_ascii_lowercase().as_slice() {
        b"train" => Some(Split::Train),
        b"valid" | b"val" | b"validation" => Some(Split::Valid),
        b"test" => Some(Split::Test),
        _ => None,
    }
}

fn parts(path: &[u8]) -> Vec<&[u8]> {
    path.split(|&byte| byte == b'/').collect()
}

/// Finds out which layout a folder has from the relative paths of its folders
/// and of its pictures.
///
/// A folder named after a split could also be a class of that name. It is
/// taken for a split when there is nothing but such folders, or when one of
/// them has folders in it; it is taken for a class when none has and there are
/// others beside them. When one has folders in it *and* there are pictures in
/// other folders beside them, neither reading is safe.
pub(super) fn detect<'a>(
    folders: impl Iterator<Item = &'a [u8]>,
    pictures: impl Iterator<Item = &'a [u8]>,
) -> Result<Layout, Ambiguity> {
    let mut splits = BTreeSet::new();
    let mut nested = None;
    for folder in folders {
        let parts = parts(folder);
        if split_named(parts[0]).is_some() {
            splits.insert(parts[0]);
            if parts.len() > 1 {
                nested.get_or_insert(parts[0]);
            }
        }
    }
    if splits.is_empty() {
        return Ok(Layout::Classes);
    }
    let class = pictures
        .map(parts)
        .find(|parts| parts.len() > 1 && split_named(parts[0]).is_none())
        .map(|parts| parts[0]);
    match (nested, class) {
        (_, None) => Ok(Layout::Splits),
        (None, Some(_)) => Ok(Layout::Classes),
        (Some(split), Some(class)) => Err(Ambiguity { split: split.to_vec(), class: class.to_vec() }),
    }
}

/// What the file at a relative path is for. `split` is that of every file when
/// the layout has none; the layout must not be [`Layout::Auto`].
pub(super) fn place(layout: Layout, split: Split, path: &[u8]) -> Place<'_> {
    let parts = parts(path);
    match (layout, &parts[..]) {
        (Layout::Splits, [top, rest @ ..]) => match (split_named(top), rest) {
            (Some(split), [class, _, ..]) => Place::Class(split, class),
            (Some(Split::Test), [_]) => Place::Unlabelled(Split::Test),
            _ => Place::Outside,
        },
        (_, [class, _, ..]) => Place::Class(split, class),
        (_, [_] | []) => Place::Outside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(folders: &[&str], pictures: &[&str]) -> Result<Layout, Ambiguity> {
        detect(folders.iter().map(|path| path.as_bytes()), pictures.iter().map(|path| path.as_bytes()))
    }

    #[test]
    fn splits_and_classes_are_told_apart() {
        assert_eq!(detected(&["sea", "street"], &["sea/a.jpg"]), Ok(Layout::Classes));
        assert_eq!(detected(&["train", "train/sea"], &["train/sea/a.jpg"]), Ok(Layout::Splits));
        assert_eq!(detected(&["Test"], &["Test/a.jpg"]), Ok(Layout::Splits));
        // A class that is called "train", beside another one.
        assert_eq!(detected(&["bus", "train"], &["bus/a.jpg", "train/b.jpg"]), Ok(Layout::Classes));
        // A folder of notes beside the splits holds no picture.
        assert_eq!(detected(&["notes", "train", "train/sea"], &["train/sea/a.jpg"]), Ok(Layout::Splits));
    }

    #[test]
    fn folders_that_fit_both_layouts_are_not_guessed() {
        let outcome = detected(&["bus", "train", "train/steam"], &["bus/a.jpg", "train/steam/b.jpg"]);
        assert_eq!(outcome, Err(Ambiguity { split: b"train".to_vec(), class: b"bus".to_vec() }));
    }

    #[test]
    fn the_place_gives_split_and_class() {
        let of = |path: &'static str| place(Layout::Splits, Split::Train, path.as_bytes());
        assert_eq!(of("train/sea/a.jpg"), Place::Class(Split::Train, b"sea"));
        assert_eq!(of("VAL/sea/deep/a.jpg"), Place::Class(Split::Valid, b"sea"));
        assert_eq!(of("validation/sea/a.jpg"), Place::Class(Split::Valid, b"sea"));
        assert_eq!(of("test/sea/a.jpg"), Place::Class(Split::Test, b"sea"));
        assert_eq!(of("test/a.jpg"), Place::Unlabelled(Split::Test));
        assert_eq!(of("train/a.jpg"), Place::Outside);
        assert_eq!(of("a.jpg"), Place::Outside);
        assert_eq!(of("other/sea/a.jpg"), Place::Outside);
        let of = |path: &'static str| place(Layout::Classes, Split::Valid, path.as_bytes());
        assert_eq!(of("sea/a.jpg"), Place::Class(Split::Valid, b"sea"));
        assert_eq!(of("a.jpg"), Place::Outside);
    }
}
