//! The manifest: which images a dataset holds, as which bytes, under which
//! labels, at one point of the log.
//!
//! A manifest is a function of the log's prefix alone. Its digest goes into
//! every run and every set of predictions, so that what a model saw can be
//! rebuilt and compared.

use crate::digest::{BlobId, Hasher, ManifestDigest};
use crate::event::Split;
use crate::id::ImageId;
use crate::value::ClassIndex;

/// One image as a model sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestRow {
    /// The image.
    pub image: ImageId,
    /// Its bytes.
    pub blob: BlobId,
    /// Its label, if it has one.
    pub label: Option<ClassIndex>,
    /// What it is for.
    pub split: Split,
}

/// A set of images, ordered by id, each at most once, and the names of the
/// classes that the labels mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    classes: Vec<String>,
    rows: Vec<ManifestRow>,
}

impl Manifest {
    /// Makes a manifest of these rows, in any order. Of two rows with one
    /// image id the smaller is kept; callers give each image once.
    pub fn new(classes: Vec<String>, mut rows: Vec<ManifestRow>) -> Self {
        rows.sort_unstable();
        rows.dedup_by_key(|row| row.image);
        Manifest { classes, rows }
    }

    /// The names of the classes, by [`ClassIndex`].
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The images, ascending by id.
    pub fn rows(&self) -> &[ManifestRow] {
        &self.rows
    }

    /// The images of one split, ascending by id.
    pub fn split(&self, split: Split) -> impl Iterator<Item = &ManifestRow> {
        self.rows.iter().filter(move |row| row.split == split)
    }

    /// The row of one image.
    pub fn row(&self, image: ImageId) -> Option<&ManifestRow> {
        let place = self.rows.binary_search_by_key(&image, |row| row.image).ok()?;
        self.rows.get(place)
    }

    /// The name of this manifest: a hash of its classes and rows.
    pub fn digest(&self) -> ManifestDigest {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 manifest v1");
        hasher.update(&(self.classes.len() as u64).to_le_bytes());
        for class in &self.classes {
            hasher.update(&(class.len() as u64).to_le_bytes()).update(class.as_bytes());
        }
        for row in &self.rows {
            let mut bytes = [0u8; 52];
            bytes[..16].copy_from_slice(row.image.as_bytes());
            bytes[16..48].copy_from_slice(row.blob.as_bytes());
            // 0 stands for no label, so that class 0 is told from it.
            let label = row.label.map_or(0, |label| u32::from(label.0) + 1);
            bytes[48..51].copy_from_slice(&label.to_le_bytes()[..3]);
            bytes[51] = row.split.code();
            hasher.update(&bytes);
        }
        ManifestDigest(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(image: u8, label: Option<u16>) -> ManifestRow {
        ManifestRow {
            image: ImageId([image; 16]),
            blob: BlobId([9; 32]),
            label: label.map(ClassIndex),
            split: Split::Train,
        }
    }

    fn classes() -> Vec<String> {
        vec!["sea".into(), "forest".into()]
    }

    #[test]
    fn order_of_rows_does_not_matter() {
        let one = Manifest::new(classes(), vec![row(1, Some(0)), row(2, Some(1))]);
        let two = Manifest::new(classes(), vec![row(2, Some(1)), row(1, Some(0))]);
        assert_eq!(one.digest(), two.digest());
        assert_eq!(one.row(ImageId([2; 16])), Some(&row(2, Some(1))));
    }

    #[test]
    fn every_part_matters() {
        let base = Manifest::new(classes(), vec![row(1, Some(0))]).digest();
        assert_ne!(base, Manifest::new(classes(), vec![row(1, None)]).digest());
        assert_ne!(base, Manifest::new(classes(), vec![row(1, Some(1))]).digest());
        assert_ne!(base, Manifest::new(vec!["seaforest".into()], vec![row(1, Some(0))]).digest());
        let mut test = row(1, Some(0));
        test.split = Split::Test;
        assert_ne!(base, Manifest::new(classes(), vec![test]).digest());
    }
}
