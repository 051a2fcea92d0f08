//! Bringing images in, as often as one likes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::event::{ClassesAdded, Event, ImageImported, ImageRevised, Origin, Split};
use crate::id::ImageId;
use crate::state::State;
use crate::value::ClassIndex;

use super::command::NewImage;
use super::dispatch::check_classes;
use super::fact_samples::Drawn;
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
/// When there is no dataset, a class name cannot be, or an image that a
/// generator drew would become a validation or test image.
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

    let drawn = Drawn::of(state);
    images.iter().try_for_each(|image| drawn.check(image.blob, image.split))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Command;
    use crate::testing::{Log, blob};
    use crate::value::PathBytes;

    fn file(path: &str, bytes: &str, label: &str) -> NewImage {
        let label = Some(label.to_owned());
        NewImage { blob: blob(bytes), path: PathBytes::new(path.as_bytes()), label, split: Split::Train }
    }

    fn import_into(log: &mut Log, images: Vec<NewImage>) -> ImportSummary {
        let (events, summary) = import(&log.state, images).expect("nothing is wrong with them");
        if !events.is_empty() {
            log.commit(events);
        }
        summary
    }

    #[test]
    fn importing_twice_is_importing_once() {
        let mut log = Log::with_classes(&["sea"]);
        let files =
            vec![file("b.jpg", "b", "street"), file("a.jpg", "a", "forest"), file("a.jpg", "x", "sea")];
        let first = import_into(&mut log, files.clone());
        assert_eq!(first, ImportSummary { imported: 2, repeated: 1, classes: 2, ..Default::default() });
        assert_eq!(log.state.classes(), ["sea", "forest", "street"], "new classes are sorted");
        let frames = log.frames.len();
        let second = import_into(&mut log, files);
        assert_eq!(second, ImportSummary { unchanged: 2, repeated: 1, ..Default::default() });
        assert_eq!(log.frames.len(), frames);
    }

    #[test]
    fn other_bytes_at_a_path_revise_and_back_again() {
        let mut log = Log::with_classes(&["sea"]);
        let image = log.import("a.jpg", "sea");
        for bytes in ["retouched", "a.jpg", "retouched"] {
            let summary = import_into(&mut log, vec![file("a.jpg", bytes, "sea")]);
            assert_eq!(summary, ImportSummary { revised: 1, ..Default::default() });
            assert_eq!(log.state.image(image).map(|image| image.blob), Some(blob(bytes)));
        }
        assert_eq!(log.state.image_count(), 1);
    }

    #[test]
    fn corrections_and_removals_survive_another_import() {
        let mut log = Log::with_classes(&["sea", "forest"]);
        let (relabelled, removed) = (log.import("a.jpg", "sea"), log.import("b.jpg", "sea"));
        log.relabel(relabelled, "forest");
        log.remove(removed);
        let summary = import_into(&mut log, vec![file("a.jpg", "a.jpg", "sea"), file("b.jpg", "new", "sea")]);
        let expected =
            ImportSummary { unchanged: 1, label_differs: 1, still_removed: 1, ..Default::default() };
        assert_eq!(summary, expected);
        assert!(log.state.image(removed).is_some_and(|image| image.removed && image.blob == blob("b.jpg")));
    }

    #[test]
    fn the_same_path_in_another_split_is_another_image() {
        let mut log = Log::with_classes(&["sea"]);
        log.import("a.jpg", "sea");
        let mut test = file("a.jpg", "a.jpg", "sea");
        test.split = Split::Test;
        assert_eq!(import_into(&mut log, vec![test]).imported, 1);
    }

    #[test]
    fn classes_that_differ_by_case_are_refused() {
        let log = Log::with_classes(&["sea"]);
        let clash = |existing: &str, new: &str| {
            Err(Rejection::ClassCaseClash { existing: existing.to_owned(), new: new.to_owned() })
        };
        assert_eq!(import(&log.state, vec![file("a.jpg", "a", "Sea")]), clash("sea", "Sea"));
        let two = vec![file("a.jpg", "a", "WALD"), file("b.jpg", "b", "wald")];
        assert_eq!(import(&log.state, two), clash("WALD", "wald"));
        let empty = import(&log.state, vec![file("a.jpg", "a", " ")]);
        assert_eq!(empty, Err(Rejection::EmptyName { what: "class" }));
    }

    #[test]
    fn there_must_be_a_dataset() {
        assert_eq!(import(&State::new(), Vec::new()), Err(Rejection::NoDataset));
        let command = Command::ImportImages { images: Vec::new() };
        assert_eq!(crate::decide::decide(&State::new(), command), Err(Rejection::NoDataset));
    }
}
