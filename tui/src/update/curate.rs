//! Changing images.

use std::sync::Arc;

use safelight_lineage::decide::Command;
use safelight_lineage::event::{Decision, Evidence, Frame};
use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

use super::{navigate, review, undo};
use crate::model::Model;
use crate::msg::Cmd;
use crate::overlay::{Confirm, Consequence, Overlay};
use crate::screen::Screen;
use crate::text::{counted, safe};

/// Whether something can be changed now; says why not.
pub(super) fn allowed(model: &mut Model) -> bool {
    if model.past.is_some() {
        model.complain("this is the past; press n for the present");
    } else if !model.abilities.change {
        model.complain("this program was started to read only");
    } else {
        return true;
    }
    false
}

/// The rows of the range that is being selected.
pub(super) fn range_rows(model: &Model) -> Vec<u32> {
    let Some(start) = model.images.range else { return Vec::new() };
    let (one, two) = (model.images.rows.place(start), model.images.cursor.selected);
    (one.min(two)..=one.max(two)).filter_map(|place| model.images.rows.row(place)).collect()
}

/// The rows that a change is for: what is picked and in the range, or else the
/// selected one.
pub(super) fn target_rows(model: &Model) -> Vec<u32> {
    if model.screen == Screen::Review {
        return model.selected_image().map(|image| image.row).into_iter().collect();
    }
    let mut rows = range_rows(model);
    rows.extend(&model.images.picked);
    if rows.is_empty() {
        rows.extend(model.selected_image().map(|image| image.row));
    }
    rows.sort_unstable();
    rows.dedup();
    rows
}

fn targets(model: &Model) -> Vec<ImageId> {
    let state = Arc::clone(model.newest());
    target_rows(model).into_iter().filter_map(|row| Some(state.image_at(row as usize)?.id)).collect()
}

/// `3 images`, or the name of the only one.
pub(super) fn targets_in_words(model: &Model) -> String {
    let rows = target_rows(model);
    match rows.as_slice() {
        [row] => model.newest().image_at(*row as usize).map_or_else(String::new, |image| image.path_text()),
        rows => counted(rows.len() as u64, "image", "images"),
    }
}

/// Gives the images a label. In a review that is a decision.
pub(super) fn relabel(model: &mut Model, label: Option<ClassIndex>, cmds: &mut Vec<Cmd>) {
    if !allowed(model) {
        return;
    }
    if model.screen == Screen::Review {
        if let Some(label) = label {
            review::decide_as(model, Decision::Relabelled { label }, String::new(), cmds);
        }
        return;
    }
    let name = label.and_then(|index| model.newest().classes().get(usize::from(index.0)).cloned());
    let words =
        name.as_deref().map_or_else(|| "without label".to_owned(), |name| format!("as {}", safe(name)));
    let images = targets(model);
    let command =
        Command::Relabel { images, label: name, reason: String::new(), evidence: Evidence::default() };
    send(model, command, &format!("Label {} {words}", targets_in_words(model)), cmds);
}

/// Takes the images out. In a review that is a decision.
pub(super) fn remove(model: &mut Model, reason: String, cmds: &mut Vec<Cmd>) {
    if !allowed(model) {
        return;
    }
    model.last_reason = Some(reason.clone());
    if model.screen == Screen::Review {
        review::decide_as(model, Decision::Removed, reason, cmds);
        return;
    }
    let question = format!("Remove {} as {}", targets_in_words(model), safe(&reason));
    let images = targets(model);
    let command = Command::Remove { images, reason, evidence: Evidence::default(), force: false };
    send(model, command, &question, cmds);
}

/// Takes the images back in.
pub(super) fn restore(model: &mut Model, cmds: &mut Vec<Cmd>) {
    if !allowed(model) || target_rows(model).is_empty() {
        return;
    }
    let images = targets(model);
    let command = Command::Restore { images, reason: String::new(), evidence: Evidence::default() };
    send(model, command, &format!("Restore {}", targets_in_words(model)), cmds);
}

/// Sends a change off: at once for one image, after a question for several.
fn send(model: &mut Model, command: Command, question: &str, cmds: &mut Vec<Cmd>) {
    if target_rows(model).len() > 1 {
        let question = format!("{question}?");
        let consequence = Consequence::Execute(vec![command]);
        model.overlay = Some(Overlay::Confirm(Confirm { question, consequence }));
    } else {
        execute(model, vec![command], cmds);
    }
}

/// Sends commands off.
pub(super) fn execute(model: &mut Model, commands: Vec<Command>, cmds: &mut Vec<Cmd>) {
    model.sent.pending += 1;
    model.images.picked.clear();
    model.images.range = None;
    cmds.push(Cmd::Execute(commands));
}

/// An answer came.
pub(super) fn executed(model: &mut Model, frame: Option<&Frame>, error: Option<String>, cmds: &mut Vec<Cmd>) {
    model.sent.pending = model.sent.pending.saturating_sub(1);
    if let Some(frame) = frame {
        model.sent.until = model.sent.until.max(Some(frame.last_seq()));
    }
    match error {
        Some(error) => {
            // What the log says is right; decisions that did not get there are not.
            model.review.sent.clear();
            model.sent.queue.clear();
            model.sent.select = None;
            model.complain(error);
        }
        None if frame.is_none() => model.say("nothing to change"),
        None => {}
    }
    log_grew(model, cmds);
}

/// Goes on with what waited for the log.
pub(super) fn log_grew(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let there = model.sent.until.is_none_or(|until| model.newest().seq() >= until);
    if model.sent.pending > 0 || !there {
        return;
    }
    model.sent.until = None;
    if let Some(image) = model.sent.select.take() {
        match model.screen {
            Screen::Images => {
                if let Some(row) = model.state().image(image).map(|view| view.row) {
                    navigate::select_row(model, row);
                }
            }
            Screen::Review => review::select(model, image),
            _ => {}
        }
    }
    if !model.sent.queue.is_empty() {
        let action = model.sent.queue.remove(0);
        undo::press(model, action, cmds);
    }
}
