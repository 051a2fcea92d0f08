//! What is open above the screen, and its keys.

use crossterm::event::KeyCode;

use super::{curate, generators, perform, prompt, recipe, review, walk};
use crate::key::Key;
use crate::model::Model;
use crate::msg::Cmd;
use crate::overlay::{Choice, Chooser, Confirm, Consequence, Entry, Overlay, Prompt, PromptKind};
use crate::ports::JobRequest;

/// Everything that can be done on this screen, to choose by name.
pub(super) fn palette(model: &Model) -> Overlay {
    let entries = model.keymap.rows(model.screen).map(|(binding, keys)| Entry {
        key: None,
        text: format!("{}: {}", binding.name, binding.help),
        hint: keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" "),
        choice: Choice::Do(binding.action),
    });
    Overlay::Chooser(Chooser {
        title: "Do what?".to_owned(),
        search: Some(String::new()),
        entries: entries.collect(),
        selected: 0,
    })
}

/// A key while something is open.
pub(super) fn press(model: &mut Model, key: Key, cmds: &mut Vec<Cmd>) {
    // Put back below unless the key closes it.
    let Some(overlay) = model.overlay.take() else { return };
    match overlay {
        // It has something to go back from.
        Overlay::Recipe(form) => recipe::press(model, form, key, cmds),
        _ if key.code == KeyCode::Esc => {}
        Overlay::Help(scroll) => help(model, scroll, key),
        Overlay::Note { .. } => {}
        Overlay::Lineage(walk) => walk::press(model, walk, key),
        Overlay::Prompt(prompt) => type_into(model, prompt, key, cmds),
        Overlay::Chooser(chooser) => choose(model, chooser, key, cmds),
        Overlay::Confirm(confirm) => answer(model, confirm, key, cmds),
    }
}

fn help(model: &mut Model, scroll: usize, key: Key) {
    let page = usize::from(model.size.height.saturating_sub(2).max(1));
    let scroll = match key.code {
        KeyCode::Char('j') | KeyCode::Down => scroll + 1,
        KeyCode::Char('k') | KeyCode::Up => scroll.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => scroll + page,
        KeyCode::PageUp => scroll.saturating_sub(page),
        _ => return,
    };
    let lines = crate::view::help_len(model);
    model.overlay = Some(Overlay::Help(scroll.min(lines.saturating_sub(1))));
}

fn type_into(model: &mut Model, mut prompt: Prompt, key: Key, cmds: &mut Vec<Cmd>) {
    if key.code == KeyCode::Enter {
        if let Err(error) = prompt::submit(model, prompt.kind, &prompt.text, cmds) {
            prompt.error = Some(error);
            model.overlay = Some(Overlay::Prompt(prompt));
        }
        return;
    }
    edit(&mut prompt.text, key);
    prompt.error = None;
    model.overlay = Some(Overlay::Prompt(prompt));
}

pub(super) fn edit(text: &mut String, key: Key) {
    if key.code == KeyCode::Backspace {
        text.pop();
    } else if key == Key::ctrl('u') {
        text.clear();
    } else if key == Key::ctrl('w') {
        let kept = text.trim_end().rfind(char::is_whitespace).map_or(0, |place| place + 1);
        text.truncate(kept);
    } else if let Some(typed) = key.typed() {
        text.push(typed);
    }
}

fn choose(model: &mut Model, mut chooser: Chooser, key: Key, cmds: &mut Vec<Cmd>) {
    let count = chooser.shown().len();
    match key.code {
        KeyCode::Down => chooser.selected = (chooser.selected + 1).min(count.saturating_sub(1)),
        KeyCode::Up => chooser.selected = chooser.selected.saturating_sub(1),
        KeyCode::Enter => {
            if let Some(choice) = chooser.shown().get(chooser.selected).map(|entry| entry.choice.clone()) {
                return chosen(model, choice, cmds);
            }
        }
        _ => match &mut chooser.search {
            Some(search) => {
                edit(search, key);
                chooser.selected = 0;
            }
            None => {
                let by_key = |entry: &&Entry| entry.key.is_some() && entry.key == key.typed();
                if let Some(entry) = chooser.entries.iter().find(by_key) {
                    return chosen(model, entry.choice.clone(), cmds);
                }
            }
        },
    }
    model.overlay = Some(Overlay::Chooser(chooser));
}

fn chosen(model: &mut Model, choice: Choice, cmds: &mut Vec<Cmd>) {
    match choice {
        Choice::Do(action) => perform::perform(model, action, cmds),
        Choice::Label(label) => curate::relabel(model, label, cmds),
        Choice::Reason(reason) => curate::remove(model, reason, cmds),
        Choice::OtherReason => {
            model.overlay = Some(Overlay::Prompt(Prompt::new(PromptKind::Reason, "")));
        }
        Choice::Job(request) => {
            if let JobRequest::Replay { depth, .. } = request {
                // Its steps come to the top of the detail.
                model.detail = Default::default();
                model.say(format!("replaying to {depth}; its steps are shown here, and under Jobs"));
            } else {
                model.say("starting; see Jobs");
            }
            cmds.push(Cmd::StartJob(request));
        }
        Choice::Learn(class) => {
            model.overlay = Some(Overlay::Prompt(Prompt::new(PromptKind::GeneratorRecipe(class), "")));
        }
        Choice::Draw(generator, class) => generators::how_many(model, generator, class),
        Choice::Admit(samples) => generators::how_to_judge(model, samples),
        Choice::AskAdmit(samples, judging) => generators::ask_admit(model, samples, &judging),
        Choice::AskConfidence(samples) => generators::ask_confidence(model, samples),
        Choice::Expel(batches) => generators::ask_expel(model, &batches),
    }
}

/// Only `y` is a yes; anything else but a slip is a no.
fn answer(model: &mut Model, confirm: Confirm, key: Key, cmds: &mut Vec<Cmd>) {
    match key.typed() {
        Some('y' | 'Y') => match confirm.consequence {
            Consequence::Execute(commands) => {
                if curate::allowed(model) {
                    curate::execute(model, commands, cmds);
                }
            }
            Consequence::Decide { decisions, reason } => {
                if curate::allowed(model) {
                    review::decide_all(model, decisions, reason, cmds);
                }
            }
            Consequence::CancelJob(id) => cmds.push(Cmd::CancelJob(id)),
            Consequence::Start(request) => {
                cmds.push(Cmd::StartJob(request));
                model.say("starting; see Jobs");
            }
        },
        Some('n' | 'N' | 'q') => model.say("nothing was changed"),
        _ => model.overlay = Some(Overlay::Confirm(confirm)),
    }
}

/// A pasted text: into an open line, and nowhere else, for it is no keys.
pub(super) fn paste(model: &mut Model, text: &str) {
    let typed = text.chars().filter(|c| !c.is_control());
    if matches!(model.overlay, Some(Overlay::Recipe(_))) {
        return recipe::paste(model, &typed.collect::<String>());
    }
    match &mut model.overlay {
        Some(Overlay::Prompt(prompt)) => {
            prompt.text.extend(typed);
            prompt.error = None;
        }
        Some(Overlay::Chooser(Chooser { search: Some(search), selected, .. })) => {
            search.extend(typed);
            *selected = 0;
        }
        _ => {}
    }
}
