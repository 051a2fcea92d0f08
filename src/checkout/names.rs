//! A place below a folder for every image: `split/class/file`, or `split/file`
//! for images without a label.
//!
//! Names come from outside and may be anything: `..`, a class called `a/b`, two
//! files of one name from two folders, names that differ in case only. No name
//! may lead out of the folder or hide another file, on any file system, and
//! every place must be one that `b3sum --check` can read.

use std::collections::{BTreeMap, BTreeSet};

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;
use safelight_lineage::manifest::Manifest;

/// Longer names are replaced; every file system takes this many bytes and an
/// id behind them.
const LONGEST: usize = 180;

/// Where an image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The image.
    pub image: ImageId,
    /// Its bytes.
    pub blob: BlobId,
    /// The name of its class, if it has a label.
    pub label: Option<String>,
    /// The name of its split.
    pub split: &'static str,
    /// Its place below the folder, with `/` between.
    pub place: String,
}

/// A place for every image of a manifest, ascending by place. `path` gives the
/// path that an image was imported by.
///
/// A file keeps its name where that is safe and nobody else in its folder has
/// it; otherwise the image's id is added, or takes its place. So the places are
/// a function of the manifest and the paths alone.
pub fn names<'a>(manifest: &Manifest, path: impl Fn(ImageId) -> &'a [u8]) -> Vec<Named> {
    let classes = class_folders(manifest.classes());
    let mut named: Vec<Named> = Vec::with_capacity(manifest.rows().len());
    let mut takers: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut wanted = Vec::with_capacity(manifest.rows().len());
    for row in manifest.rows() {
        let class = row.label.map(|label| usize::from(label.0));
        let folder = match class.and_then(|class| classes.get(class)) {
            Some(class) => format!("{}/{class}", row.split),
            None => row.split.to_string(),
        };
        let file = file_name(row.image, path(row.image));
        *takers.entry((folder.clone(), file.to_lowercase())).or_default() += 1;
        wanted.push((folder, file));
    }
    // Class folders are in the way of unlabelled files.
    for split in safelight_lineage::event::Split::ALL {
        for class in &classes {
            *takers.entry((split.to_string(), class.to_lowercase())).or_default() += 1;
        }
    }
    let mut taken: BTreeSet<(String, String)> = BTreeSet::new();
    for (row, (folder, file)) in manifest.rows().iter().zip(wanted) {
        let alone = takers.get(&(folder.clone(), file.to_lowercase())) == Some(&1);
        let mut file = if alone { file } else { with_id(&file, row.image) };
        // Somebody may have named a file after the id of another image.
        while (!alone && takers.contains_key(&(folder.clone(), file.to_lowercase())))
            || !taken.insert((folder.clone(), file.to_lowercase()))
        {
            file = with_id(&file, row.image);
        }
        named.push(Named {
            image: row.image,
            blob: row.blob,
            label: row.label.and_then(|label| manifest.classes().get(usize::from(label.0)).cloned()),
            split: row.split.name(),
            place: format!("{folder}/{file}"),
        });
    }
    named.sort_by(|one, other| one.place.cmp(&other.place));
    named
}

/// A folder for every class, all different whatever the case.
fn class_folders(classes: &[String]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut folders = Vec::with_capacity(classes.len());
    for (index, class) in classes.iter().enumerate() {
        let mut folder = match is_safe(class.as_bytes()) {
            true => class.clone(),
            false => format!("class-{index}"),
        };
        while !taken.insert(folder.to_lowercase()) {
            folder.push_str(&format!("-{index}"));
        }
        folders.push(folder);
    }
    folders
}

fn file_name(image: ImageId, path: &[u8]) -> String {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    match std::str::from_utf8(name) {
        Ok(name) if is_safe(name.as_bytes()) => name.to_owned(),
        _ => format!("{image}{}", extension(name)),
    }
}

/// The extension of a name with its dot, if it is plain.
fn extension(name: &[u8]) -> String {
    let dot = name.iter().rposition(|byte| *byte == b'.');
    let extension = dot.and_then(|dot| name.get(dot + 1..)).unwrap_or_default();
    match (1..=8).contains(&extension.len()) && extension.iter().all(u8::is_ascii_alphanumeric) {
        true => format!(".{}", String::from_utf8_lossy(extension)),
        false => String::new(),
    }
}

fn with_id(file: &str, image: ImageId) -> String {
    match file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem}-{image}.{extension}"),
        _ => format!("{file}-{image}"),
    }
}

/// Whether a name can be that of a file or folder anywhere, and be written in a
/// line of checksums as it is.
fn is_safe(name: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(name) else { return false };
    let odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    // Escaping leaves alone what neither hides nor moves its neighbours.
    !text.is_empty()
        && text.len() <= LONGEST
        && !text.starts_with('.')
        && !text.ends_with(['.', ' '])
        && !text.starts_with(' ')
        && !text.contains(odd)
        && safelight_lineage::value::escape(name) == text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use safelight_lineage::event::Split;
    use safelight_lineage::manifest::ManifestRow;
    use safelight_lineage::value::ClassIndex;

    use super::*;

    fn image(n: u8) -> ImageId {
        ImageId([n; 16])
    }

    fn places(classes: &[&str], images: &[(&[u8], Option<u16>)]) -> Vec<String> {
        let classes = classes.iter().map(|class| (*class).to_owned()).collect();
        let rows = (0u8..).zip(images).map(|(n, (_, label))| ManifestRow {
            image: image(n),
            blob: BlobId([n; 32]),
            label: label.map(ClassIndex),
            split: Split::Train,
        });
        let named = names(&Manifest::new(classes, rows.collect()), |id| images[usize::from(id.0[0])].0);
        let mut places: Vec<(ImageId, String)> =
            named.into_iter().map(|named| (named.image, named.place)).collect();
        places.sort();
        places.into_iter().map(|(_, place)| place).collect()
    }

    #[test]
    fn names_are_kept_where_they_are_safe_and_alone() {
        let found = places(
            &["sea", "forest"],
            &[
                (b"x/1.jpg", Some(0)),
                (b"y/1.jpg", Some(1)),
                (b"2.jpg", None),
                ("grün.png".as_bytes(), Some(0)),
            ],
        );
        assert_eq!(found, ["train/sea/1.jpg", "train/forest/1.jpg", "train/2.jpg", "train/sea/grün.png"]);
    }

    #[test]
    fn files_of_one_name_carry_their_ids() {
        let found = places(&["sea"], &[(b"a/1.jpg", Some(0)), (b"b/1.JPG", Some(0)), (b"2", Some(0))]);
        assert_eq!(found[0], format!("train/sea/1-{}.jpg", image(0)));
        assert_eq!(found[1], format!("train/sea/1-{}.JPG", image(1)));
        assert_eq!(found[2], "train/sea/2");
        // Somebody named a file as another one would be named.
        let sly = format!("c/1-{}.jpg", image(0));
        let found =
            places(&["sea"], &[(b"1.jpg", Some(0)), (b"b/1.jpg", Some(0)), (sly.as_bytes(), Some(0))]);
        assert_eq!(found[2], format!("train/sea/1-{}.jpg", image(0)));
        assert_eq!(found[0], format!("train/sea/1-{0}-{0}.jpg", image(0)));
    }

    #[test]
    fn no_name_leads_out_or_hides() {
        let found = places(
            &["..", "a/b", "CLASS-1", ""],
            &[
                (b"..", Some(0)),
                (b"x/\x1b[31m.jpg", Some(1)),
                (b"\xff.jpg", Some(2)),
                (b"", Some(3)),
                (b".hidden", None),
                (b"class-0", None),
            ],
        );
        assert_eq!(found[0], format!("train/class-0/{}", image(0)));
        assert_eq!(found[1], format!("train/class-1/{}.jpg", image(1)));
        assert_eq!(found[2], format!("train/CLASS-1-2/{}.jpg", image(2)));
        assert_eq!(found[3], format!("train/class-3/{}", image(3)));
        assert_eq!(found[4], format!("train/{}.hidden", image(4)));
        assert_eq!(found[5], format!("train/class-0-{}", image(5)), "a folder has that name");
    }

    proptest! {
        #[test]
        fn every_place_is_below_the_folder_and_anothers_nowhere(
            classes in prop::collection::vec("[a-cA-C./]{0,3}", 1..4),
            images in prop::collection::vec((prop::collection::vec(prop::sample::select(b"ab./\\\n\xffA".to_vec()), 0..6), prop::option::of(0u16..4)), 0..12),
        ) {
            let classes: Vec<&str> = classes.iter().map(String::as_str).collect();
            let images: Vec<(&[u8], Option<u16>)> = images.iter().map(|(path, label)| (&path[..], *label)).collect();
            let found = places(&classes, &images);
            let different: BTreeSet<String> = found.iter().map(|place| place.to_lowercase()).collect();
            prop_assert_eq!(different.len(), found.len());
            for place in &found {
                let parts: Vec<&str> = place.split('/').collect();
                prop_assert!(parts.len() == 2 || parts.len() == 3);
                prop_assert!(parts.iter().all(|part| !part.is_empty() && !part.starts_with('.')));
                let below = format!("{place}/");
                prop_assert!(!found.iter().any(|other| other.starts_with(&below)));
            }
        }
    }
}
