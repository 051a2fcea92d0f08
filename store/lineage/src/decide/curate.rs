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
