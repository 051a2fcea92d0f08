//! Deciding the findings of a cleaning pass.

use std::sync::Arc;

use safelight_lineage::decide::Command;
use safelight_lineage::event::{Decision, Evidence};
use safelight_lineage::id::{ImageId, PassId};
use safelight_lineage::value::{ClassIndex, Real};

use super::curate;
use crate::action::Action;
use crate::event_text;
use crate::model::Model;
use crate::msg::Cmd;
use crate::overlay::{Confirm, Consequence, Overlay};
use crate::picture::Slot;
use crate::ports::Finding;
use crate::progress::{Counted, Progress, progress};
use crate::screen::Screen;
use crate::text::counted;
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

/// What is to be decided of each image.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    /// The same of all.
    Same(Decision),
    /// What the rule suggests of each.
    Suggested,
}

/// Decides the selected finding.
pub(super) fn decide(model: &mut Model, action: Action, cmds: &mut Vec<Cmd>) {
    let verdict = match action {
        Action::Keep => Verdict::Same(Decision::Kept),
        Action::Skip => Verdict::Same(Decision::Skipped),
        Action::Accept => Verdict::Suggested,
        Action::Label(place) => {
            let label = ClassIndex(u16::from(place));
            if usize::from(place) >= model.newest().classes().len() {
                return model.complain(format!("there is no label {place}"));
            }
            Verdict::Same(Decision::Relabelled { label })
        }
        _ => return,
    };
    give(model, verdict, String::new(), cmds);
}

/// Decides the selected finding, and those that were chosen with it.
pub(super) fn decide_as(model: &mut Model, decision: Decision, reason: String, cmds: &mut Vec<Cmd>) {
    give(model, Verdict::Same(decision), reason, cmds);
}

/// What each of the chosen findings is decided to be: those of the range, or the
/// selected one, with its group when that was asked for.
fn decisions(model: &Model, finding: &Finding, verdict: Verdict) -> Vec<(ImageId, Decision)> {
    let of = |finding: &Finding| match verdict {
        Verdict::Same(decision) => Some(decision),
        Verdict::Suggested => finding.suggestion.map(|label| Decision::Relabelled { label }),
    };
    if let Some(start) = model.review.range {
        let end = model.review.cursor.selected;
        let range = model.findings().get(start.min(end)..=start.max(end)).unwrap_or_default();
        return range.iter().filter_map(|finding| Some((finding.image, of(finding)?))).collect();
    }
    let group = if model.review.group { &finding.group[..] } else { &[] };
    let images = std::iter::once(&finding.image).chain(group);
    images.filter_map(|image| Some((*image, of(finding)?))).collect()
}

fn give(model: &mut Model, verdict: Verdict, reason: String, cmds: &mut Vec<Cmd>) {
    if !curate::allowed(model) {
        return;
    }
    let Some(finding) = model.finding().cloned() else { return };
    // A key pressed before the picture came was meant for the one before.
    if model.review.painted != Some(finding.image) {
        return model.complain("not yet: the picture is still on its way");
    }
    let decisions = decisions(model, &finding, verdict);
    if decisions.is_empty() {
        return model.complain("the rule suggests no label");
    }
    let Some(start) = model.review.range.filter(|_| decisions.len() > 1) else {
        return decide_all(model, decisions, reason, cmds);
    };
    let chosen = start.abs_diff(model.review.cursor.selected) + 1;
    let what = match verdict {
        Verdict::Suggested => "Take the suggested label of".to_owned(),
        Verdict::Same(Decision::Kept) => "Keep".to_owned(),
        Verdict::Same(Decision::Skipped) => "Leave undecided".to_owned(),
        Verdict::Same(Decision::Removed) => "Remove".to_owned(),
        Verdict::Same(Decision::Relabelled { label }) => {
            format!("Label as {}:", event_text::label(model.newest(), Some(label)))
        }
    };
    let left = match chosen - decisions.len() {
        0 => String::new(),
        left => format!(" {left} of the range have no suggestion and stay."),
    };
    let question = format!("{what} {}?{left}", counted(decisions.len() as u64, "image", "images"));
    let consequence = Consequence::Decide { decisions, reason };
    model.overlay = Some(Overlay::Confirm(Confirm { question, consequence }));
}

/// Commits decisions as one frame and goes to the next finding that is undecided.
pub(super) fn decide_all(
    model: &mut Model,
    decisions: Vec<(ImageId, Decision)>,
    reason: String,
    cmds: &mut Vec<Cmd>,
) {
    let (Some(pass), Some(selected)) = (model.pass(), model.finding().cloned()) else { return };
    model.review.group = false;
    model.review.range = None;
    let mut commands = Vec::with_capacity(decisions.len());
    for (image, decision) in &decisions {
        // One of a group may have no finding of its own.
        let own = model.findings().iter().find(|finding| finding.image == *image);
        let finding = own.unwrap_or(&selected);
        commands.push(Command::Review {
            image: *image,
            pass,
            decision: *decision,
            reason: reason.clone(),
            evidence: Evidence {
                pass: Some(pass),
                predictions: None,
                rule: Some(finding.rule.clone()),
                score: Some(Real(finding.score)),
            },
        });
    }
    model.review.sent.extend(decisions);
    curate::execute(model, commands, cmds);
    match undecided(model, model.review.cursor.selected) {
        Some(next) => model.review.cursor.selected = next,
        None => model.say("every finding of this pass is decided"),
    }
    model.detail = Default::default();
}

/// Starts a range, or ends it.
pub(super) fn range(model: &mut Model) {
    model.review.range = match model.review.range {
        Some(_) => None,
        None if model.findings().is_empty() => None,
        None => {
            model.say("the next decision is for all from here to the selected one");
            Some(model.review.cursor.selected)
        }
    };
}

/// Counts how the review goes, when something changed.
pub(super) fn count(model: &mut Model) {
    let counted = Counted::of(model);
    let same = |(of, _): &(Counted, Progress)| *of == counted;
    if model.screen == Screen::Review && !model.review.progress.as_ref().is_some_and(same) {
        model.review.progress = Some((counted, progress(model)));
    }
}

/// Selects the finding on an image.
pub(super) fn select(model: &mut Model, image: ImageId) {
    if let Some(place) = model.findings().iter().position(|finding| finding.image == image) {
        model.review.cursor.selected = place;
        model.review.sent.remove(&image);
    }
}
