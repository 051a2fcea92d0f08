//! Filling in a recipe.

use std::sync::Arc;

use crossterm::event::KeyCode;
use safelight_lineage::id::RunId;

use super::overlays::edit;
use crate::key::Key;
use crate::model::Model;
use crate::msg::Cmd;
use crate::overlay::Overlay;
use crate::recipe::{RecipeFields, Recipes};
use crate::recipe_form::{Input, Page, RecipeForm, Row};

/// Opens the form, as the recipe of the selected run if one is selected.
pub(super) fn open(model: &mut Model) {
    let Some(recipes) = model.recipes.clone() else {
        return model.complain("this program was started without the rules of recipes");
    };
    let run =
        model.state().runs().iter().rev().nth(model.runs.selected).map(|record| record.started.event.run);
    let like = match run.filter(|_| model.abilities.runs).map(|run| (run, recipe_of(model, run))) {
        None => None,
        Some((run, Some(Ok(fields)))) => Some((run, fields)),
        Some((run, Some(Err(error)))) => {
            model.complain(format!("run {} cannot be read: {error}", run.short()));
            None
        }
        Some((run, None)) => return model.say(format!("reading the recipe of run {} …", run.short())),
    };
    show(model, &*recipes, like);
}

/// The recipe of a run; none while it is being read.
fn recipe_of(model: &Model, run: RunId) -> Option<Result<RecipeFields, String>> {
    Some(model.run_views.read.get(&run)?.as_ref().map(|view| view.recipe.clone()).map_err(Clone::clone))
}

fn show(model: &mut Model, recipes: &dyn Recipes, like: Option<(RunId, RecipeFields)>) {
    let form = RecipeForm::new(recipes, model.newest(), like, &model.device);
    model.overlay = Some(Overlay::Recipe(Box::new(form)));
}

/// A key while the form is open; it is put back unless the key closes it.
pub(super) fn press(model: &mut Model, mut form: Box<RecipeForm>, key: Key, cmds: &mut Vec<Cmd>) {
    let Some(recipes) = model.recipes.clone() else { return };
    match form.page.clone() {
        Page::Toml(scroll) => form.page = toml(&form, scroll, key),
        Page::Saving(name) => form.page = save(&form, name, key, cmds),
        Page::Fields => match key {
            Key { code: KeyCode::Esc, .. } => return,
            Key { code: KeyCode::Enter, .. } => {
                if submit(model, &recipes, &mut form, cmds) {
                    return;
                }
            }
            key if key == Key::ctrl('d') => {
                model.say("from the defaults");
                return show(model, &*recipes, None);
            }
            key => fill_in(model, &recipes, &mut form, key),
        },
    }
    model.overlay = Some(Overlay::Recipe(form));
}

/// Starts the training, unless something is wrong: that is gone to.
fn submit(model: &mut Model, recipes: &Arc<dyn Recipes>, form: &mut RecipeForm, cmds: &mut Vec<Cmd>) -> bool {
    form.check(&**recipes, model.newest());
    if let Some(complaint) = form.complaint() {
        let rows = form.rows(&**recipes, model.newest());
        if let Some(place) = rows.iter().position(|row| form.fault(&row.key).is_some()) {
            select(form, place);
        }
        model.complain(format!("not started: {complaint}"));
        return false;
    }
    model.device.clone_from(&form.device);
    cmds.push(Cmd::StartJob(form.request()));
    model.say("starting; see Jobs");
    true
}

fn select(form: &mut RecipeForm, place: usize) {
    form.selected = place;
    form.fresh = true;
}

fn fill_in(model: &mut Model, recipes: &Arc<dyn Recipes>, form: &mut RecipeForm, key: Key) {
    let rows = form.rows(&**recipes, model.newest());
    let last = rows.len().saturating_sub(1);
    form.selected = form.selected.min(last);
    let page = usize::from(model.size.height / 2).max(1);
    let Some(row) = rows.get(form.selected) else { return };
    match key.code {
        KeyCode::Down | KeyCode::Tab => select(form, (form.selected + 1).min(last)),
        KeyCode::Up | KeyCode::BackTab => select(form, form.selected.saturating_sub(1)),
        KeyCode::PageDown => select(form, (form.selected + page).min(last)),
        KeyCode::PageUp => select(form, form.selected.saturating_sub(page)),
        KeyCode::Home => select(form, 0),
        KeyCode::End => select(form, last),
        KeyCode::Left => choose(form, row, -1),
        KeyCode::Right => choose(form, row, 1),
        _ if key == Key::ctrl('t') => form.page = Page::Toml(0),
        _ if key == Key::ctrl('s') => match form.complaint() {
            Some(complaint) => model.complain(format!("not saved: {complaint}")),
            None => form.page = Page::Saving(String::new()),
        },
        _ if key == Key::ctrl('a') => {
            let like = row.stage.unwrap_or_else(|| form.stages().saturating_sub(1));
            let stage = form.add_stage(like);
            let place = form.rows(&**recipes, model.newest()).iter().position(|row| row.stage == Some(stage));
            select(form, place.unwrap_or(0));
        }
        _ if key == Key::ctrl('x') => match row.stage {
            None => model.complain("select a stage to take it away"),
            Some(stage) if form.remove_stage(stage) => {
                let rows = form.rows(&**recipes, model.newest());
                let before = stage.min(form.stages().saturating_sub(1));
                select(form, rows.iter().position(|row| row.stage == Some(before)).unwrap_or(0));
            }
            Some(_) => model.complain("a recipe has one stage at least"),
        },
        _ => match row.input {
            Input::Choice(_) if key.typed() == Some(' ') => choose(form, row, 1),
            Input::Choice(_) => {}
            Input::Text => {
                let mut text = form.value(&row.key);
                // What was there goes when one begins to type, as elsewhere.
                if form.fresh && key.typed().is_some() {
                    text.clear();
                }
                edit(&mut text, key);
                form.set(&row.key, &text);
                form.fresh = false;
            }
        },
    }
    form.check(&**recipes, model.newest());
}

/// Takes the next choice, or the one before, and around.
fn choose(form: &mut RecipeForm, row: &Row, step: isize) {
    let Input::Choice(values) = &row.input else { return };
    let now = form.value(&row.key);
    let place = values.iter().position(|(value, _)| *value == now);
    let next = match place {
        Some(place) => (place as isize + step).rem_euclid(values.len() as isize) as usize,
        None => 0,
    };
    if let Some((value, _)) = values.get(next) {
        form.set(&row.key, value);
    }
}

fn toml(form: &RecipeForm, scroll: usize, key: Key) -> Page {
    let last = form.checked.toml.lines().count();
    match key.code {
        KeyCode::Char('j') | KeyCode::Down => Page::Toml((scroll + 1).min(last)),
        KeyCode::Char('k') | KeyCode::Up => Page::Toml(scroll.saturating_sub(1)),
        KeyCode::PageDown | KeyCode::Char(' ') => Page::Toml((scroll + 10).min(last)),
        KeyCode::PageUp => Page::Toml(scroll.saturating_sub(10)),
        _ => Page::Fields,
    }
}

fn save(form: &RecipeForm, mut name: String, key: Key, cmds: &mut Vec<Cmd>) -> Page {
    match key.code {
        KeyCode::Esc => return Page::Fields,
        KeyCode::Enter if name.trim().is_empty() => {}
        KeyCode::Enter => {
            let path = name.trim().to_owned();
            cmds.push(Cmd::SaveRecipe { path, toml: form.checked.toml.clone() });
            return Page::Fields;
        }
        _ => edit(&mut name, key),
    }
    Page::Saving(name)
}

/// A pasted text, without control characters: into the selected field, or the
/// name of the file.
pub(super) fn paste(model: &mut Model, text: &str) {
    let Some(recipes) = model.recipes.clone() else { return };
    let state = Arc::clone(model.newest());
    let Some(Overlay::Recipe(form)) = &mut model.overlay else { return };
    if let Page::Saving(name) = &mut form.page {
        return name.push_str(text);
    }
    let rows = form.rows(&*recipes, &state);
    let Some(Row { key, input: Input::Text, .. }) = rows.get(form.selected) else { return };
    if form.page == Page::Fields {
        let before = if form.fresh { String::new() } else { form.value(key) };
        form.set(key, &(before + text));
        form.fresh = false;
        form.check(&*recipes, &state);
    }
}
