//! What each action does.

use safelight_lineage::id::PassId;
use safelight_lineage::state::RunStatus;

use super::{curate, generators, navigate, overlays, recipe, review, time, undo, walk, wall};
use crate::action::Action;
use crate::command_line;
use crate::event_text;
use crate::model::Model;
use crate::msg::Cmd;
use crate::overlay::{Choice, Chooser, Confirm, Consequence, Entry, Overlay, Prompt, PromptKind};
use crate::ports::{Evidence, JobRequest, JobStatus};
use crate::screen::Screen;

pub(super) fn perform(model: &mut Model, action: Action, cmds: &mut Vec<Cmd>) {
    let page = navigate::page(model);
    match action {
        Action::Quit => cmds.push(Cmd::Quit),
        Action::Suspend => cmds.push(Cmd::Suspend),
        Action::Help => model.overlay = Some(Overlay::Help(0)),
        Action::Palette => model.overlay = Some(overlays::palette(model)),
        Action::ShowCommand => {
            let lines = command_line::lines(model);
            model.overlay = Some(Overlay::Note { title: "The same from the command line".into(), lines });
        }
        Action::Back => navigate::back(model),
        Action::Show(screen) => navigate::show(model, screen),
        Action::NextScreen => navigate::show(model, model.screen.further(1)),
        Action::PreviousScreen => navigate::show(model, model.screen.further(-1)),
        Action::Down => navigate::step(model, navigate::line(model)),
        Action::Up => navigate::step(model, -navigate::line(model)),
        Action::Left => navigate::left(model),
        Action::Right => navigate::right(model),
        Action::PageDown => navigate::step(model, page),
        Action::PageUp => navigate::step(model, -page),
        Action::First => navigate::step(model, isize::MIN + 1),
        Action::Last => navigate::step(model, isize::MAX),
        Action::Open => navigate::open(model),
        Action::Filter => filter(model),
        Action::Zoom => navigate::zoom(model),
        Action::Wall => wall::switch(model),
        Action::Larger => wall::resize(model, 1),
        Action::Smaller => wall::resize(model, -1),
        Action::Sort => wall::sort(model, cmds),
        Action::Reverse => wall::reverse(model, cmds),
        Action::Lineage => walk::open(model),
        Action::Goto => goto(model),
        Action::Earlier => time::earlier(model, cmds),
        Action::Later => time::later(model, cmds),
        Action::Now if model.past.is_none() => model.say("this is the present"),
        Action::Now => time::now(model, cmds),
        Action::Relabel => relabel(model),
        Action::Remove => remove(model),
        Action::Restore => curate::restore(model, cmds),
        Action::Range if model.screen == Screen::Review => review::range(model),
        Action::Range => range(model),
        Action::Pick if model.screen == Screen::Training => compare(model),
        Action::Pick => pick(model),
        Action::Undo | Action::Redo => undo::press(model, action, cmds),
        Action::Revert => undo::ask_revert(model),
        Action::Keep | Action::Accept | Action::Skip | Action::Label(_) => {
            review::decide(model, action, cmds)
        }
        Action::Group => group(model),
        Action::NextPass => next_pass(model),
        Action::Start if model.screen == Screen::Generators => generators::train(model),
        Action::Start => {
            if allowed_jobs(model) {
                model.overlay = Some(Overlay::Prompt(Prompt::new(PromptKind::Recipe, "")));
            }
        }
        Action::Recipe => {
            if allowed_jobs(model) {
                recipe::open(model);
            }
        }
        Action::Resume if model.screen == Screen::Generators => generators::resume(model, cmds),
        Action::Resume => resume(model, cmds),
        Action::Propose => propose(model),
        Action::Cancel if model.screen == Screen::Generators => generators::stop(model),
        Action::Cancel => cancel(model),
        Action::Replay => replay(model),
        Action::EpochBefore => generators::epoch(model, -1),
        Action::EpochAfter => generators::epoch(model, 1),
        Action::Draw => generators::draw(model),
        Action::Admit => generators::admit(model),
        Action::Expel => generators::expel(model),
    }
}

fn filter(model: &mut Model) {
    let text = match model.screen {
        Screen::Timeline => model.timeline.filter.clone(),
        Screen::Images => model.images.filter_text.clone(),
        other => return model.complain(format!("{} has no filter", other.name())),
    };
    model.overlay = Some(Overlay::Prompt(Prompt::new(PromptKind::Filter, text)));
}

/// On the timeline the selected frame is the first guess.
fn goto(model: &mut Model) {
    let guess = match model.screen {
        Screen::Timeline => model.selected_transaction().map(|record| record.last_seq().to_string()),
        _ => None,
    };
    model.overlay = Some(Overlay::Prompt(Prompt::new(PromptKind::Goto, guess.unwrap_or_default())));
}

fn relabel(model: &mut Model) {
    if !curate::allowed(model) || curate::target_rows(model).is_empty() {
        return;
    }
    let state = model.newest();
    let classes = 0..state.classes().len().min(usize::from(u16::MAX));
    let entry = |label, hint: String| Entry {
        key: None,
        text: event_text::label(state, label),
        hint,
        choice: Choice::Label(label),
    };
    let mut entries: Vec<Entry> = classes
        .map(|place| entry(Some(safelight_lineage::value::ClassIndex(place as u16)), place.to_string()))
        .collect();
    if model.screen == Screen::Images {
        entries.push(entry(None, String::new()));
    }
    let title = format!("Label of {}", curate::targets_in_words(model));
    model.overlay =
        Some(Overlay::Chooser(Chooser { title, search: Some(String::new()), entries, selected: 0 }));
}

/// Why images are taken out; the key of each.
const REASONS: [(char, &str); 5] = [
    ('d', "duplicate"),
    ('b', "bad quality"),
    ('o', "off topic"),
    ('a', "ambiguous"),
    ('m', "several classes in one picture"),
];

fn remove(model: &mut Model) {
    if !curate::allowed(model) || curate::target_rows(model).is_empty() {
        return;
    }
    let entry = |key: char, text: &str, choice| Entry {
        key: Some(key),
        text: text.to_owned(),
        hint: String::new(),
        choice,
    };
    let mut entries: Vec<Entry> = REASONS
        .iter()
        .map(|(key, reason)| entry(*key, reason, Choice::Reason((*reason).to_owned())))
        .collect();
    if let Some(last) = &model.last_reason {
        entries.push(entry('.', &crate::text::safe(last), Choice::Reason(last.clone())));
    }
    entries.push(entry('/', "another reason …", Choice::OtherReason));
    let title = format!("Remove {}: why?", curate::targets_in_words(model));
    model.overlay = Some(Overlay::Chooser(Chooser { title, search: None, entries, selected: 0 }));
}

fn range(model: &mut Model) {
    model.images.range = match model.images.range {
        // The range becomes part of what was picked.
        Some(_) => {
            let rows = curate::range_rows(model);
            model.images.picked.extend(rows);
            None
        }
        None => model.images.rows.row(model.images.cursor.selected),
    };
}

fn pick(model: &mut Model) {
    if let Some(row) = model.images.rows.row(model.images.cursor.selected) {
        if !model.images.picked.remove(&row) {
            model.images.picked.insert(row);
        }
        navigate::step(model, 1);
    }
}

/// Marks the selected run, to be laid over another.
fn compare(model: &mut Model) {
    let run = model.state().runs().iter().rev().nth(model.runs.selected);
    let Some(run) = run.map(|record| record.started.event.run) else {
        return model.complain("no run is selected");
    };
    model.run_views.mark(run);
    match model.run_views.marked[..] {
        [one] => model.say(format!("run {} is marked; mark another to compare", one.short())),
        [] => model.say("no run is marked"),
        _ => {}
    }
}

fn group(model: &mut Model) {
    let count = model.finding().map_or(0, |finding| finding.group.len());
    if count == 0 {
        return model.complain("no image is nearly the same as this");
    }
    model.review.group = !model.review.group;
    if model.review.group {
        model.say(format!("the next decision is also for {count} near-duplicates"));
    }
}

fn next_pass(model: &mut Model) {
    let passes: Vec<PassId> =
        model.state().passes().iter().map(|record| record.proposed.event.pass).collect();
    let place = model.pass().and_then(|pass| passes.iter().position(|other| *other == pass));
    let Some(place) = place else { return model.complain("there is no cleaning pass") };
    // From the newest to the oldest, and around.
    model.review.pass = Some(passes[(place + passes.len() - 1) % passes.len()]);
    model.review.findings = None;
    model.review.cursor = Default::default();
}

/// Whether jobs can be run; says why not.
pub(super) fn allowed_jobs(model: &mut Model) -> bool {
    if !model.abilities.jobs {
        model.complain("this program was started without the means to run jobs");
    }
    model.abilities.jobs
}

fn resume(model: &mut Model, cmds: &mut Vec<Cmd>) {
    let run = model.state().runs().iter().rev().nth(model.runs.selected);
    let Some(run) = run.map(|record| (record.started.event.run, record.status.clone())) else {
        return model.complain("no run is selected");
    };
    if !matches!(run.1, RunStatus::Failed { .. } | RunStatus::Cancelled { .. }) {
        return model.complain(format!("this run is {}; only one that was stopped goes on", run.1.name()));
    }
    if allowed_jobs(model) {
        cmds.push(Cmd::StartJob(JobRequest::Resume { run: run.0.to_string() }));
        model.say("going on; see Jobs");
    }
}

fn propose(model: &mut Model) {
    if !allowed_jobs(model) {
        return;
    }
    let entries = [
        ('p', "pictures", "duplicates, leakage, blank, tiny and unreadable ones", Evidence::Pictures),
        ('m', "models", "train three, and ask each about the images it has not seen", Evidence::Models),
    ];
    let entries = entries.map(|(key, text, hint, by)| Entry {
        key: Some(key),
        text: text.to_owned(),
        hint: hint.to_owned(),
        choice: Choice::Job(JobRequest::Clean { by }),
    });
    let title = "Propose a cleaning pass, judged by what?".to_owned();
    model.overlay =
        Some(Overlay::Chooser(Chooser { title, search: None, entries: entries.into(), selected: 0 }));
}

fn cancel(model: &mut Model) {
    let Some(job) = model.jobs.views.get(model.jobs.cursor.selected) else { return };
    if job.status != JobStatus::Running {
        return model.complain("this job does not run");
    }
    let question = format!("Stop '{}'? What it did so far stays.", crate::text::safe(&job.title));
    let consequence = Consequence::CancelJob(job.id.clone());
    model.overlay = Some(Overlay::Confirm(Confirm { question, consequence }));
}

fn replay(model: &mut Model) {
    let Some(record) = navigate::submission(model) else { return };
    let submission = record.written.event.submission.to_string();
    if !allowed_jobs(model) {
        return;
    }
    let depths = [
        ('v', "votes", "recount stored predictions, rebuild the file"),
        ('p', "predictions", "also recompute the predictions"),
        ('t', "training", "also train again"),
    ];
    let entries = depths.map(|(key, depth, hint)| Entry {
        key: Some(key),
        text: depth.to_owned(),
        hint: hint.to_owned(),
        choice: Choice::Job(JobRequest::Replay { submission: submission.clone(), depth }),
    });
    let title = format!("Replay {} to which depth?", &submission[..8]);
    model.overlay =
        Some(Overlay::Chooser(Chooser { title, search: None, entries: entries.into(), selected: 0 }));
}
