//! Deciding the findings of a cleaning pass.

use std::sync::Arc;

use safelight_lineage::decide::Command;
use safelight_lineage::event::{Decision, Evidence};
use safelight_lineage::id::{ImageId, PassId};
use safelight_lineage::value::{ClassIndex, Real};

use super::curate;
use crate::action::Action;
use crate::model::Model;
use crate::msg::Cmd;
use crate::picture::Slot;
use crate::ports::Finding;
use crate::screen::Screen;
use crate::wanted;

/// Findings were read.
pub(super) fn findings(model: &mut Model, pass: PassId, findings: Result<Vec<Finding>, String>) {
    if model.pass() != Some(pass) {
        return;
    }
    model.review.findings = Some(findings.map(Arc::new));
    // Where the review was left.
    model.review.cursor = Default::default();
    model.review.cursor.selected = undecided(model, 0).unwrap_or(0);
}

/// The first undecided finding from `start` on, or else before it.
fn undecided(model: &Model, start: usize) -> Option<usize> {
    let findings = model.findings();
    let count = findings.len();
    let places = (start..count).chain(0..start.min(count));
    places.into_iter().find(|place| model.decided(findings[*place].image).is_none())
}

/// The screen was drawn: the user has seen the selected image, if its picture
/// was there. Where pictures are off, its name will do.
pub(super) fn seen(model: &mut Model) {
    if model.screen != Screen::Review || model.overlay.is_some() {
        return;
    }
    let Some(image) = model.selected_image().map(|view| view.id) else { return };
    let key = wanted::selected(model);
    let drawn = key.is_none_or(|key| {
        model.pictures.get(key).is_some_and(|slot| match slot {
            Slot::Ready(_) | Slot::Failed(_) => true,
        })
    });
    if drawn {
        model.review.painted = Some(image);
    }
}

/// Decides the selected finding.
pub(super) fn decide(model: &mut Model, action: Action, cmds: &mut Vec<Cmd>) {
    let decision = match action {
        Action::Keep => Decision::Kept,
        Action::Skip => Decision::Skipped,
        Action::Accept => match model.finding().and_then(|finding| finding.suggestion) {
            Some(label) => Decision::Relabelled { label },
            None => return model.complain("the rule suggests no label"),
        },
        Action::Label(place) => {
            let label = ClassIndex(u16::from(place));
            if usize::from(place) >= model.newest().classes().len() {
                return model.complain(format!("there is no label {place}"));
            }
            Decision::Relabelled { label }
        }
        _ => return,
    };
    decide_as(model, decision, String::new(), cmds);
}

/// Decides the selected finding, with its group when that was asked for, and
/// goes to the next that is undecided.
pub(super) fn decide_as(model: &mut Model, decision: Decision, reason: String, cmds: &mut Vec<Cmd>) {
    if !curate::allowed(model) {
        return;
    }
    let (Some(pass), Some(finding)) = (model.pass(), model.finding().cloned()) else { return };
    // A key pressed before the picture came was meant for the one before.
    if model.review.painted != Some(finding.image) {
        return model.complain("not yet: the picture is still on its way");
    }
    let mut images = vec![finding.image];
    if model.review.group {
        images.extend(&finding.group);
    }
    model.review.group = false;
    let commands = images.iter().map(|image| Command::Review {
        image: *image,
        pass,
        decision,
        reason: reason.clone(),
        evidence: Evidence {
            pass: Some(pass),
            predictions: None,
            rule: Some(finding.rule.clone()),
            score: Some(Real(finding.score)),
        },
    });
    let commands = commands.collect();
    model.review.sent.extend(images.into_iter().map(|image| (image, decision)));
    curate::execute(model, commands, cmds);
    match undecided(model, model.review.cursor.selected) {
        Some(next) => model.review.cursor.selected = next,
        None => model.say("every finding of this pass is decided"),
    }
    model.detail = Default::default();
}

/// Selects the finding on an image.
pub(super) fn select(model: &mut Model, image: ImageId) {
    if let Some(place) = model.findings().iter().position(|finding| finding.image == image) {
        model.review.cursor.selected = place;
        model.review.sent.remove(&image);
    }
}
