//! The form that a recipe is filled in on.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear};

use crate::command_line;
use crate::model::{Level, Model};
use crate::recipe_form::{Input, Page, RecipeForm, Row};
use crate::text::{counted, cut, cut_start, fit, safe, width};

/// As wide as it gets, in cells.
const WIDEST: u16 = 78;
/// What the names of fields take, in cells.
const LABEL: usize = 14;

/// Draws the form in the middle of the screen; without room for a frame, its
/// lines alone.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, form: &RecipeForm) {
    let Some(recipes) = &model.recipes else { return };
    let theme = model.theme;
    let (mut lines, selected) = match &form.page {
        Page::Toml(scroll) => (toml(model, form), *scroll),
        Page::Fields | Page::Saving(_) => fields(model, form, &form.rows(&**recipes, model.newest())),
    };
    let room = frame.area();
    let framed = room.width >= 24 && room.height >= 8;
    let border = if framed { 2 } else { 0 };
    let area_width = WIDEST.min(room.width);
    // One line below the fields says what is wrong, or the keys.
    let height = (lines.len() as u16 + 1).saturating_add(border).min(room.height);
    let area = Rect {
        x: room.x + (room.width - area_width) / 2,
        y: room.y + (room.height - height) / 3,
        width: area_width,
        height,
    };
    frame.render_widget(Clear, area);
    let mut inner = area;
    if framed {
        let title = match (&form.page, form.like) {
            (Page::Toml(_), _) => " The recipe as a file ".to_owned(),
            (_, Some(run)) => format!(" Train like run {}, but … ", run.short()),
            (_, None) => " Train, from the defaults ".to_owned(),
        };
        let block = Block::bordered().title(Span::styled(title, theme.heading()));
        inner = block.inner(area);
        frame.render_widget(block, area);
    }
    let shown = usize::from(inner.height.saturating_sub(1));
    let top = match form.page {
        Page::Toml(scroll) => scroll.min(lines.len().saturating_sub(shown)),
        // The selected one in view, with the one after it where there is room.
        _ => (selected + 2).saturating_sub(shown).min(lines.len().saturating_sub(shown)).min(selected),
    };
    for (place, line) in lines.drain(..).skip(top).take(shown).enumerate() {
        let at = Rect { y: inner.y + place as u16, height: 1, ..inner };
        frame.render_widget(line, at);
    }
    if inner.height > 0 {
        let at = Rect { y: inner.bottom() - 1, height: 1, ..inner };
        frame.render_widget(footer(model, form, usize::from(inner.width)), at);
    }
}

/// The fields, and on which line the selected one is.
fn fields(model: &Model, form: &RecipeForm, rows: &[Row]) -> (Vec<Line<'static>>, usize) {
    let theme = model.theme;
    let (mut lines, mut selected, mut stage) = (Vec::new(), 0, None);
    let room = usize::from(WIDEST.min(model.size.width)).saturating_sub(2);
    for (place, row) in rows.iter().enumerate() {
        if row.stage != stage {
            stage = row.stage;
            let words = format!("stage {} of {}", row.stage.map_or(0, |stage| stage + 1), form.stages());
            lines.push(Line::styled(words, theme.heading()));
        }
        if place == form.selected {
            selected = lines.len();
        }
        lines.push(field(model, form, row, place == form.selected, room));
    }
    (lines, selected)
}

fn field(model: &Model, form: &RecipeForm, row: &Row, selected: bool, room: usize) -> Line<'static> {
    let theme = model.theme;
    let fault = form.fault(&row.key);
    let value = form.value(&row.key);
    let indent = if row.stage.is_some() { "  " } else { "" };
    let label = fit(&format!("{indent}{}", row.label), LABEL.min(room / 2));
    let mut left = room.saturating_sub(width(&label) + 2);
    if fault.is_some() && !selected && left > 40 {
        // Half of it is for what is wrong.
        left /= 2;
    }
    let mut spans = vec![Span::styled(label, if selected { theme.key() } else { theme.faint() })];
    let style = match (fault, selected) {
        (Some(_), false) => theme.bad(),
        (_, true) if form.fresh || matches!(row.input, Input::Choice(_)) => theme.selected(),
        _ => theme.plain(),
    };
    match &row.input {
        Input::Choice(values) => {
            let shown = values.iter().find(|(other, _)| *other == value).map(|(_, shown)| shown.clone());
            let shown = cut(&shown.unwrap_or_else(|| safe(&value)), left.saturating_sub(4));
            let (before, after) = if selected { ("‹ ", " ›") } else { ("  ", "") };
            spans.extend([
                Span::styled(before, theme.key()),
                Span::styled(shown, style),
                Span::styled(after, theme.key()),
            ]);
        }
        Input::Text => {
            spans.push(Span::raw("  "));
            if value.is_empty() && (form.fresh || !selected) {
                // What it is when nobody says.
                let default = form.checked.resolved.get(&row.key).map_or("none", String::as_str);
                spans.push(Span::styled(
                    cut(&safe(default), left),
                    if selected { style } else { theme.faint() },
                ));
            } else {
                spans.push(Span::styled(cut_start(&safe(&value), left.saturating_sub(1)), style));
            }
            if selected && !form.fresh {
                spans.push(Span::raw("▏"));
            }
        }
    }
    let used: usize = spans.iter().map(Span::width).sum();
    if let Some(words) = fault.filter(|_| room > used + 4) {
        spans.push(Span::styled(cut(&format!("  {}", safe(words)), room - used), theme.bad()));
    }
    Line::from(spans)
}

/// What it comes to: the command, and the file.
fn toml(model: &Model, form: &RecipeForm) -> Vec<Line<'static>> {
    let theme = model.theme;
    let mut lines = vec![
        Line::styled("saved as a file, it is started from a shell by", theme.faint()),
        Line::raw(command_line::started(&form.request())),
        Line::default(),
    ];
    if let Some(complaint) = form.complaint() {
        lines.push(Line::styled(safe(&format!("with defaults where it is wrong: {complaint}")), theme.bad()));
        lines.push(Line::default());
    }
    lines.extend(form.checked.toml.lines().map(|line| Line::raw(safe(line))));
    lines
}

/// The line below: a name to type, what there is to say, what is wrong with the
/// selected field, or the keys.
fn footer(model: &Model, form: &RecipeForm, room: usize) -> Line<'static> {
    let theme = model.theme;
    if let Page::Saving(name) = &form.page {
        let label = "save as ";
        let typed = cut_start(&safe(name), room.saturating_sub(width(label) + 1));
        return Line::from(vec![Span::styled(label, theme.key()), Span::raw(typed), Span::raw("▏")]);
    }
    if let Some(notice) = &model.notice {
        let style = if notice.level == Level::Error { theme.bad() } else { theme.good() };
        return Line::styled(cut(&notice.text, room), style);
    }
    if matches!(form.page, Page::Toml(_)) {
        return Line::from(vec![
            Span::styled("j k", theme.key()),
            Span::styled(" scroll  any other key goes back", theme.faint()),
        ]);
    }
    let rows = model.recipes.as_ref().map(|recipes| form.rows(&**recipes, model.newest()));
    let row = rows.as_ref().and_then(|rows| rows.get(form.selected));
    if let Some(words) = row.and_then(|row| form.fault(&row.key)) {
        return Line::styled(cut(&safe(words), room), theme.bad());
    }
    let mut spans = Vec::new();
    let mut left = room;
    if let faults @ 1.. = form.checked.faults.len() {
        let words = cut(&format!("{}  ", counted(faults as u64, "is wrong", "are wrong")), left);
        left -= width(&words);
        spans.push(Span::styled(words, theme.bad()));
    }
    for (key, words) in [
        ("Enter", "train"),
        ("Esc", "leave"),
        ("C-a", "stage"),
        ("C-x", "without it"),
        ("C-t", "TOML"),
        ("C-s", "save"),
        ("C-d", "defaults"),
    ] {
        let needed = width(key) + width(words) + 3;
        if needed <= left {
            left -= needed;
            spans
                .extend([Span::styled(key, theme.key()), Span::styled(format!(" {words}  "), theme.faint())]);
        }
    }
    Line::from(spans)
}
