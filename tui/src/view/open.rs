//! What is open above the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::draw::tiles;
use super::{help, lineage, recipe};
use crate::confirmation;
use crate::model::Model;
use crate::overlay::{Chooser, Overlay, Prompt, PromptKind};
use crate::text::{cut_start, fit, safe, width};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>) {
    let Some(overlay) = &model.overlay else { return };
    match overlay {
        Overlay::Help(scroll) => {
            let lines = help::lines(model).into_iter().skip(*scroll).collect();
            window(model, frame, "Keys · Esc closes", lines, 76, None);
        }
        Overlay::Prompt(prompt) => line(model, frame, prompt),
        Overlay::Chooser(chooser) => choose(model, frame, chooser),
        Overlay::Recipe(form) => recipe::draw(model, frame, form),
        Overlay::Lineage(walk) => lineage::draw(model, frame, walk),
        Overlay::Confirm(_) if pictured(model, frame) => {}
        Overlay::Confirm(confirm) => {
            let lines =
                vec![Line::raw(confirm.question.clone()), Line::default(), Line::from(answers(model))];
            window(model, frame, SURE, lines, 60, None);
        }
        Overlay::Note { title, lines } => {
            let lines = lines.iter().cloned().map(Line::raw).collect();
            window(model, frame, title, lines, 76, None);
        }
    }
}

/// What stands above a question.
const SURE: &str = "Sure?";

/// The keys that answer a question.
fn answers(model: &Model) -> Vec<Span<'static>> {
    vec![
        Span::styled("y", model.theme.key()),
        Span::raw(" yes   "),
        Span::styled("n", model.theme.key()),
        Span::raw(" no"),
    ]
}

/// Draws the question with the pictures that it is about, if there are any and
/// they fit.
fn pictured(model: &Model, frame: &mut Frame<'_>) -> bool {
    let room = frame.area();
    let Some(pictured) = confirmation::pictured(model) else { return false };
    // The terminal may have shrunk since the model was told.
    if pictured.window.intersection(room) != pictured.window {
        return false;
    }
    frame.render_widget(Clear, pictured.window);
    let title = Span::styled(format!(" {SURE} "), model.theme.heading());
    frame.render_widget(Block::bordered().title(title), pictured.window);
    let (at, lines) = pictured.question;
    frame.render_widget(Paragraph::new(lines.into_iter().map(Line::raw).collect::<Vec<_>>()), at);
    tiles(model, frame, &pictured.tiles);
    let mut words = vec![Span::styled(pictured.more, model.theme.warning())];
    words.extend(answers(model));
    frame.render_widget(Line::from(words), pictured.answers);
    true
}

/// A window in the middle, as large as it needs to be and there is room for;
/// without room for a frame, the lines alone. `selected` is kept in view.
fn window(
    model: &Model,
    frame: &mut Frame<'_>,
    title: &str,
    lines: Vec<Line<'static>>,
    most: u16,
    selected: Option<usize>,
) {
    let room = frame.area();
    let framed = room.width >= 24 && room.height >= 8;
    let border = if framed { 2 } else { 0 };
    let width = most.min(room.width);
    let inner_width = width.saturating_sub(border).max(1);
    let wrapped: usize =
        lines.iter().map(|line| line.width().div_ceil(usize::from(inner_width)).max(1)).sum();
    let height = (wrapped as u16).saturating_add(border).min(room.height);
    let area =
        Rect { x: room.x + (room.width - width) / 2, y: room.y + (room.height - height) / 3, width, height };
    frame.render_widget(Clear, area);
    let inner_height = usize::from(height.saturating_sub(border)).max(1);
    let scroll = selected.map_or(0, |selected| (selected + 1).saturating_sub(inner_height)) as u16;
    let mut words = Paragraph::new(lines).scroll((scroll, 0));
    if selected.is_none() {
        words = words.wrap(Wrap { trim: false });
    }
    if framed {
        words =
            words.block(Block::bordered().title(Span::styled(format!(" {title} "), model.theme.heading())));
    }
    frame.render_widget(words, area);
}

fn choose(model: &Model, frame: &mut Frame<'_>, chooser: &Chooser) {
    let theme = model.theme;
    let most = 64;
    let inner = usize::from(most.min(frame.area().width)).saturating_sub(2);
    let mut lines = Vec::new();
    if let Some(search) = &chooser.search {
        lines.push(Line::from(vec![
            Span::styled("› ", theme.key()),
            Span::raw(safe(search)),
            Span::raw("▏"),
        ]));
    }
    let before = lines.len();
    let shown = chooser.shown();
    for (place, entry) in shown.iter().enumerate() {
        let key = entry.key.map(|key| format!("{key} ")).unwrap_or_default();
        let room = inner.saturating_sub(width(&key) + width(&entry.hint) + 1);
        let mut line = Line::from(vec![
            Span::styled(key, theme.key()),
            Span::raw(fit(&entry.text, room)),
            Span::styled(format!(" {}", entry.hint), theme.faint()),
        ]);
        if place == chooser.selected {
            line = line.style(theme.selected());
        }
        lines.push(line);
    }
    if shown.is_empty() {
        lines.push(Line::styled("nothing fits", theme.faint()));
    }
    window(model, frame, &chooser.title, lines, most, Some(before + chooser.selected));
}

/// A line to fill in, above the bottom line.
fn line(model: &Model, frame: &mut Frame<'_>, prompt: &Prompt) {
    let theme = model.theme;
    let room = frame.area();
    let (label, hint) = match prompt.kind {
        PromptKind::Filter if model.screen == crate::screen::Screen::Images => (
            "filter ",
            "label:sea conf<.6 predicted:sea disagree split:train origin:generated reason:dup removed -changed image: path:",
        ),
        PromptKind::Filter => ("filter ", "words of a message, a name, a path, an id"),
        PromptKind::Goto => ("as of Seq ", "0 is before everything; empty the line for another"),
        PromptKind::Reason => ("reason ", "why is it removed?"),
        PromptKind::Recipe => ("recipe ", "the path of a recipe file"),
        PromptKind::GeneratorRecipe(_) => {
            ("recipe ", "the path of a generator's recipe; empty for the usual one: WGAN, 32 pixels")
        }
        PromptKind::Draw(..) => {
            ("how many, seed ", "a seed draws the same samples again, another one others")
        }
        PromptKind::Confidence(_) => (
            "sure from ",
            "the least probability of their class; after it, a checkpoint other than the newest",
        ),
    };
    let bottom = room.bottom().saturating_sub(1);
    let typed = cut_start(&safe(&prompt.text), usize::from(room.width).saturating_sub(width(label) + 2));
    let at = Rect { y: bottom, height: room.height.min(1), ..room };
    frame.render_widget(Clear, at);
    frame.render_widget(
        Line::from(vec![Span::styled(label, theme.key()), Span::raw(typed), Span::raw("▏")]),
        at,
    );
    if room.height > 1 {
        let above = Rect { y: bottom - 1, ..at };
        let (words, style) = match &prompt.error {
            Some(error) => (error.as_str(), theme.bad()),
            None => (hint, theme.faint()),
        };
        frame.render_widget(Clear, above);
        frame.render_widget(Line::styled(safe(words), style), above);
    }
}
