//! Bringing images in, as often as one likes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::event::{ClassesAdded, Event, ImageImported, ImageRevised, Origin, Split};
use crate::id::ImageId;
use crate::state::State;
use crate::value::ClassIndex;

use super::command::NewImage;
use super::dispatch::check_classes;
use super::rejection::Rejection;

/// What became of the images that were to be brought in. Every one of them is
/// counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ImportSummary {
    /// New in the dataset.
    pub imported: u64,
    /// New bytes at a path that was there.
    pub revised: u64,
    /// There already, with the same bytes.
    pub unchanged: u64,
    /// There already but removed; they stay removed and as they are.
    pub still_removed: u64,
    /// Given more than once in this import; the first one counts.
    pub repeated: u64,
    /// Of the unchanged and revised ones: how many have another label in the
    /// dataset now. Their label stays, because a correction must not be lost to
    /// the next import of the same folder.
    pub label_differs: u64,
    /// Classes that were new.
    pub classes: u64,
}

/// Decides how to bring images in.
///
/// An image is known by its split and path. One that is there with the same
/// bytes gives nothing; with other bytes it gives [`ImageRevised`] and keeps its
/// label; one that is removed stays so. Class names that are new are added
/// first, in order of their bytes. Importing twice is importing once.
///
/// # Errors
///
/// When there is no dataset or a class name cannot be.
pub fn import(state: &State, images: Vec<NewImage>) -> Result<(Vec<Event>, ImportSummary), Rejection> {
    let known = &state.dataset().ok_or(Rejection::NoDataset)?.classes;
    let mut labels: BTreeMap<&str, ClassIndex> = BTreeMap::new();
    for (place, class) in known.iter().enumerate() {
        labels.entry(class).or_insert(ClassIndex(place as u16));
    }
    let given: BTreeSet<&str> = images.iter().filter_map(|image| image.label.as_deref()).collect();
    let new: Vec<String> =
        given.into_iter().filter(|name| !labels.contains_key(name)).map(str::to_owned).collect();
    check_classes(known, &new)?;
    let mut summary = ImportSummary { classes: new.len() as u64, ..ImportSummary::default() };
    for (place, class) in new.iter().enumerate() {
        labels.insert(class, ClassIndex((known.len() + place) as u16));
    }

    let mut events = Vec::with_capacity(images.len() + 1);
    if !new.is_empty() {
        events.push(ClassesAdded { classes: new.clone() }.into());
    }
    let mut seen: BTreeSet<(Split, &[u8])> = BTreeSet::new();
    for image in &images {
        if !seen.insert((image.split, image.path.as_bytes())) {
            summary.repeated += 1;
            continue;
        }
        let label = image.label.as_deref().and_then(|name| labels.get(name).copied());
        events.extend(bring_in(state, image, label, &mut summary));
    }
    Ok((events, summary))
}

fn bring_in(
    state: &State,
    image: &NewImage,
    label: Option<ClassIndex>,
    summary: &mut ImportSummary,
) -> Option<Event> {
    let id = ImageId::of_import(image.blob, image.path.as_bytes(), image.split);
    let known = state.images_at_path(image.split, image.path.as_bytes());
    // Rows whose import was reverted are not there; of others there is one.
    let Some(there) = known.iter().rev().find(|known| known.exists) else {
        summary.imported += 1;
        return Some(Event::ImageImported(ImageImported {
            image: id,
            blob: image.blob,
            path: image.path.clone(),
            label,
            split: image.split,
            origin: Origin::File,
        }));
    };
    if there.removed {
        summary.still_removed += 1;
        return None;
    }
    if label.is_some() && label != there.label {
        summary.label_differs += 1;
    }
    if there.blob == image.blob {
        summary.unchanged += 1;
        return None;
    }
    summary.revised += 1;
    Some(Event::ImageRevised(ImageRevised {
        image: there.id,
        old: there.blob,
        new: image.blob,
        reason: "imported again with other bytes".to_owned(),
    }))
}
