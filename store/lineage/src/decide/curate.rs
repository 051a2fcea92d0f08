//! Changing images that are there.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::BlobId;
use crate::event::{
    Decision, Event, Evidence, ImageRelabelled, ImageRemoved, ImageRestored, ImageRevised, ReviewDecided,
    Split,
};
use crate::id::{ImageId, PassId};
use crate::state::{ImageView, State};
use crate::value::ClassIndex;

use super::fact_samples::Drawn;
use super::rejection::{Rejection, Thing};

pub(super) fn relabel(
    state: &State,
    images: &[ImageId],
    label: Option<&str>,
    reason: &str,
    evidence: &Evidence,
) -> Result<Vec<Event>, Rejection> {
    let dataset = state.dataset().ok_or(Rejection::NoDataset)?;
    let unknown =
        |name: &str| Rejection::UnknownClass { name: name.to_owned(), known: dataset.classes.clone() };
    let new = match label {
        Some(name) => Some(dataset.class_index(name).ok_or_else(|| unknown(name))?),
        None => None,
    };
    let mut events = Vec::new();
    for image in each_once(state, images)? {
        if image.label != new {
            events.push(relabelled(&image, new, reason, evidence));
        }
    }
    something(events)
}

pub(super) fn remove(
    state: &State,
    images: &[ImageId],
    reason: &str,
    evidence: &Evidence,
    force: bool,
) -> Result<Vec<Event>, Rejection> {
    let mut events = Vec::new();
    let mut by_class: BTreeMap<ClassIndex, u64> = BTreeMap::new();
    for image in each_once(state, images)? {
        if !image.removed {
            if let Some(label) = image.label {
                *by_class.entry(label).or_default() += 1;
            }
            events.push(removed(image.id, reason, evidence));
        }
    }
    if !force {
        for (class, count) in by_class {
            let present: u64 = Split::ALL.iter().map(|split| state.count_of(*split, Some(class))).sum();
            if count >= present {
                let name = state.dataset().and_then(|dataset| dataset.class(class));
                let class = name.map_or_else(|| format!("number {}", class.0), str::to_owned);
                return Err(Rejection::LastOfClass { class, count });
            }
        }
    }
    something(events)
}

pub(super) fn restore(
    state: &State,
    images: &[ImageId],
    reason: &str,
    evidence: &Evidence,
) -> Result<Vec<Event>, Rejection> {
    let mut events: Vec<Event> = Vec::new();
    for image in each_once(state, images)? {
        if image.removed {
            let event =
                ImageRestored { image: image.id, reason: reason.to_owned(), evidence: evidence.clone() };
            events.push(event.into());
        }
    }
    something(events)
}

pub(super) fn revise(
    state: &State,
    image: ImageId,
    new: BlobId,
    reason: String,
) -> Result<Vec<Event>, Rejection> {
    let image = existing(state, image)?;
    if image.blob == new {
        return Err(Rejection::NothingToDo);
    }
    Drawn::of(state).check(new, image.split)?;
    Ok(vec![ImageRevised { image: image.id, old: image.blob, new, reason }.into()])
}

pub(super) fn review(
    state: &State,
    image: ImageId,
    pass: PassId,
    decision: Decision,
    reason: String,
    evidence: Evidence,
) -> Result<Vec<Event>, Rejection> {
    let image = existing(state, image)?;
    if !state.passes().contains(pass) {
        return Err(Rejection::Unknown(Thing::Pass(pass)));
    }
    let evidence = Evidence { pass: Some(pass), ..evidence };
    let mut events: Vec<Event> = Vec::new();
    // The same decision again is not news, but its effect may have been undone.
    if state.review(pass, image.id) != Some(decision) {
        events.push(ReviewDecided { image: image.id, pass, decision }.into());
    }
    match decision {
        Decision::Kept | Decision::Skipped => {}
        Decision::Relabelled { label } => {
            if state.dataset().is_none_or(|dataset| dataset.class(label).is_none()) {
                return Err(Rejection::Unknown(Thing::Class(label)));
            }
            if image.label != Some(label) {
                events.push(relabelled(&image, Some(label), &reason, &evidence));
            }
        }
        Decision::Removed => {
            if !image.removed {
                events.push(removed(image.id, &reason, &evidence));
            }
        }
    }
    something(events)
}

fn relabelled(image: &ImageView<'_>, new: Option<ClassIndex>, reason: &str, evidence: &Evidence) -> Event {
    let (reason, evidence) = (reason.to_owned(), evidence.clone());
    ImageRelabelled { image: image.id, old: image.label, new, reason, evidence }.into()
}

fn removed(image: ImageId, reason: &str, evidence: &Evidence) -> Event {
    ImageRemoved { image, reason: reason.to_owned(), evidence: evidence.clone() }.into()
}

fn existing(state: &State, image: ImageId) -> Result<ImageView<'_>, Rejection> {
    let view = state.image(image).ok_or(Rejection::Unknown(Thing::Image(image)))?;
    if view.exists { Ok(view) } else { Err(Rejection::NotInDataset { image }) }
}

fn each_once<'a>(state: &'a State, images: &[ImageId]) -> Result<Vec<ImageView<'a>>, Rejection> {
    let mut seen = BTreeSet::new();
    images.iter().filter(|image| seen.insert(**image)).map(|image| existing(state, *image)).collect()
}

fn something(events: Vec<Event>) -> Result<Vec<Event>, Rejection> {
    if events.is_empty() { Err(Rejection::NothingToDo) } else { Ok(events) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Command, decide};
    use crate::event::CleaningPassProposed;
    use crate::testing::{Log, blob};

    fn relabel_all(images: &[ImageId], class: &str) -> Command {
        let (label, evidence) = (Some(class.to_owned()), Evidence::default());
        Command::Relabel { images: images.to_vec(), label, reason: "wrong".to_owned(), evidence }
    }

    fn remove_all(images: &[ImageId], force: bool) -> Command {
        let evidence = Evidence::default();
        Command::Remove { images: images.to_vec(), reason: "blurred".to_owned(), evidence, force }
    }

    #[test]
    fn only_what_changes_becomes_an_event() {
        let mut log = Log::with_classes(&["sea", "forest"]);
        let (one, two) = (log.import("a.jpg", "sea"), log.import("b.jpg", "forest"));
        let events = decide(&log.state, relabel_all(&[one, two, one], "forest")).expect("one is not so yet");
        let [Event::ImageRelabelled(event)] = events.as_slice() else { panic!("one event, not {events:?}") };
        assert_eq!((event.image, event.old, event.new), (one, Some(ClassIndex(0)), Some(ClassIndex(1))));
        assert_eq!(decide(&log.state, relabel_all(&[two], "forest")), Err(Rejection::NothingToDo));
        let unknown = decide(&log.state, relabel_all(&[one], "glacier"));
        assert!(matches!(unknown, Err(Rejection::UnknownClass { known, .. }) if known == ["sea", "forest"]));
        let nobody = ImageId([9; 16]);
        let missing = decide(&log.state, relabel_all(&[nobody], "sea"));
        assert_eq!(missing, Err(Rejection::Unknown(Thing::Image(nobody))));
    }

    #[test]
    fn a_class_keeps_its_last_image_unless_forced() {
        let mut log = Log::with_classes(&["sea", "forest"]);
        let images = [log.import("a.jpg", "sea"), log.import("b.jpg", "sea"), log.import("c.jpg", "forest")];
        let refused = decide(&log.state, remove_all(&images[..2], false));
        assert_eq!(refused, Err(Rejection::LastOfClass { class: "sea".to_owned(), count: 2 }));
        log.run(remove_all(&images[..1], false));
        assert!(decide(&log.state, remove_all(&images[..2], false)).is_err(), "the other is the last now");
        log.run(remove_all(&images[..2], true));
        assert_eq!(decide(&log.state, remove_all(&images[..2], true)), Err(Rejection::NothingToDo));
        assert_eq!(log.state.present_count(), 1);
    }

    #[test]
    fn restoring_brings_back_what_was_removed_only() {
        let mut log = Log::with_classes(&["sea"]);
        let images = [log.import("a.jpg", "sea"), log.import("b.jpg", "sea")];
        log.remove(images[0]);
        let restore = Command::Restore {
            images: images.to_vec(),
            reason: "sharp enough".to_owned(),
            evidence: Evidence::default(),
        };
        let events = decide(&log.state, restore.clone()).expect("one is removed");
        assert_eq!(events.len(), 1);
        log.commit(events);
        assert_eq!(log.state.present_count(), 2);
        assert_eq!(decide(&log.state, restore), Err(Rejection::NothingToDo));
    }

    #[test]
    fn a_review_does_what_it_decides_and_can_be_undone() {
        let mut log = Log::with_classes(&["sea", "forest"]);
        let image = log.import("a.jpg", "sea");
        let pass = PassId([3; 16]);
        log.run(Command::Record(Box::new(
            CleaningPassProposed {
                pass,
                predictions: Vec::new(),
                rules: Vec::new(),
                manifest: crate::digest::ManifestDigest([0; 32]),
                at: log.state.head(),
                findings: blob("findings"),
                found: 1,
            }
            .into(),
        )));
        let review = |decision| Command::Review {
            image,
            pass,
            decision,
            reason: "trees".to_owned(),
            evidence: Evidence::default(),
        };
        let decision = Decision::Relabelled { label: ClassIndex(1) };
        let events = decide(&log.state, review(decision)).expect("a new decision");
        let [Event::ReviewDecided(_), Event::ImageRelabelled(relabelled)] = events.as_slice() else {
            panic!("a decision and its effect, not {events:?}")
        };
        assert_eq!(relabelled.evidence.pass, Some(pass));
        let reviewed = log.commit(events);
        assert_eq!(log.state.review(pass, image), Some(decision));
        assert_eq!(log.state.reviews(pass).collect::<Vec<_>>(), [(image, decision)]);
        assert_eq!(decide(&log.state, review(decision)), Err(Rejection::NothingToDo));
        log.undo(reviewed).expect("nothing happened since");
        assert_eq!(log.state.review(pass, image), None);
        assert_eq!(log.state.image(image).and_then(|image| image.label), Some(ClassIndex(0)));
        log.run(review(Decision::Removed));
        assert_eq!(log.state.present_count(), 0);
        let nowhere = Command::Review {
            image,
            pass: PassId([4; 16]),
            decision: Decision::Kept,
            reason: String::new(),
            evidence: Evidence::default(),
        };
        assert_eq!(decide(&log.state, nowhere), Err(Rejection::Unknown(Thing::Pass(PassId([4; 16])))));
    }

    #[test]
    fn revising_needs_other_bytes() {
        let mut log = Log::with_classes(&["sea"]);
        let image = log.import("a.jpg", "sea");
        let revise = |bytes| Command::Revise { image, new: blob(bytes), reason: "retouched".to_owned() };
        assert_eq!(decide(&log.state, revise("a.jpg")), Err(Rejection::NothingToDo));
        log.run(revise("better"));
        assert_eq!(log.state.image(image).map(|image| image.blob), Some(blob("better")));
    }
}
