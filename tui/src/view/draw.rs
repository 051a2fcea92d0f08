//! The whole screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{open, status};
use crate::detail;
use crate::layout::{self, Areas};
use crate::model::Model;
use crate::picture::Slot;
use crate::rows;
use crate::screen::Screen;
use crate::text;
use crate::tiles::{self, Tile};
use crate::wanted;

/// Draws the model. It draws what fits, down to a single cell.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    // The terminal may have shrunk since the model was told.
    let room = frame.area();
    let fits = |area: Rect| area.intersection(room);
    let areas = layout::areas(model);
    let areas = Areas {
        tabs: fits(areas.tabs),
        banner: fits(areas.banner),
        heading: fits(areas.heading),
        list: fits(areas.list),
        rule: fits(areas.rule),
        picture: fits(areas.picture),
        gallery: fits(areas.gallery),
        detail: fits(areas.detail),
        status: fits(areas.status),
    };
    tabs(model, frame, areas.tabs);
    banner(model, frame, areas.banner);
    list(model, frame, &areas);
    rule(model, frame, areas.rule);
    picture(model, frame, areas.picture);
    galleries(model, frame);
    lines(model, frame, areas.detail);
    status::draw(model, frame, areas.status);
    if model.overlay.is_some() {
        open::draw(model, frame);
    }
}

/// The names of all screens where they fit, closer together if need be, else
/// the name of this one.
fn tabs(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme;
    let names: usize = Screen::ALL.iter().map(|screen| screen.name().len()).sum();
    let fits = |gaps: usize| names + gaps * Screen::ALL.len() <= usize::from(area.width);
    let (all, wide) = (fits(2), fits(4));
    let mut spans = Vec::new();
    for screen in Screen::ALL {
        let current = screen == model.screen;
        if all || current {
            let style = if current { theme.heading() } else { theme.faint() };
            let (digit, gap) = (screen.index() + 1, if wide { " " } else { "" });
            spans.push(Span::styled(format!("{digit}{gap}"), theme.key()));
            spans.push(Span::styled(
                screen.name(),
                if current { style.add_modifier(ratatui::style::Modifier::UNDERLINED) } else { style },
            ));
            spans.push(Span::raw(if wide { "  " } else { " " }));
        }
    }
    if let Some(dataset) = model.state().dataset().filter(|_| wide) {
        let name = text::safe(&dataset.name);
        let used: usize = spans.iter().map(Span::width).sum();
        let free = usize::from(area.width).saturating_sub(used);
        let name = text::cut(&name, free);
        spans.push(Span::raw(" ".repeat(free - text::width(&name))));
        spans.push(Span::styled(name, theme.faint()));
    }
    frame.render_widget(Line::from(spans), area);
}

fn banner(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(past) = &model.past else { return };
    let when = model.newest().transactions().of_seq(past.seq).map(|record| text::time(record.time));
    let doing = if past.loading { "going to" } else { "AS OF" };
    let words = format!(
        " {doing} Seq {} of {} · {} · [ earlier  ] later  n now",
        past.seq,
        model.newest().seq(),
        when.unwrap_or_else(|| "before everything".to_owned())
    );
    let words = text::fit(&words, usize::from(area.width));
    frame.render_widget(Line::styled(words, model.theme.past()), area);
}

fn list(model: &Model, frame: &mut Frame<'_>, areas: &Areas) {
    let theme = model.theme;
    let width = usize::from(areas.list.width);
    if areas.heading.height > 0 {
        let heading = text::cut(&rows::heading(model, width), width.saturating_sub(1));
        frame.render_widget(Line::styled(heading, theme.faint()), areas.heading);
    }
    let len = model.list_len();
    if len == 0 {
        let words = Paragraph::new(rows::empty(model))
            .style(theme.faint())
            .wrap(ratatui::widgets::Wrap { trim: true });
        return frame.render_widget(words, areas.list);
    }
    if layout::wall(model).is_some() {
        return;
    }
    let cursor = model.cursor();
    for (line, place) in cursor.window(len, usize::from(areas.list.height)).enumerate() {
        let area = Rect { y: areas.list.y + line as u16, height: 1, ..areas.list };
        cut_line(frame, &rows::row(model, place, width), area);
        if place == cursor.selected {
            let style = if model.in_detail { theme.marked() } else { theme.selected() };
            frame.buffer_mut().set_style(area, style);
        }
    }
}

fn rule(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    for y in area.top()..area.bottom() {
        frame.render_widget(Span::styled("│", model.theme.faint()), Rect { y, height: 1, ..area });
    }
}

fn picture(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.is_empty() || wanted::blob(model).is_none() {
        return;
    }
    let words = match wanted::selected(model).and_then(|key| model.pictures.get(key)) {
        Some(Slot::Ready(painted)) => return painted.draw(area, frame.buffer_mut()),
        Some(Slot::Failed(reason)) => format!("no picture: {reason}"),
        None => "…".to_owned(),
    };
    let words = Paragraph::new(words).style(model.theme.faint()).wrap(ratatui::widgets::Wrap { trim: true });
    frame.render_widget(words, area);
}

/// Small pictures and what stands below them.
fn galleries(model: &Model, frame: &mut Frame<'_>) {
    let (theme, room) = (model.theme, frame.area());
    for gallery in tiles::galleries(model) {
        if let Some((at, words)) = gallery.title {
            frame.render_widget(Line::styled(words, theme.heading()), at.intersection(room));
        }
        tiles(model, frame, &gallery.tiles);
    }
}

/// Small pictures and the words below them.
pub(super) fn tiles(model: &Model, frame: &mut Frame<'_>, tiles: &[Tile]) {
    let (theme, room) = (model.theme, frame.area());
    for tile in tiles {
        let area = tile.area.intersection(room);
        match model.pictures.get(tile.key()) {
            Some(Slot::Ready(painted)) => painted.draw(area, frame.buffer_mut()),
            Some(Slot::Failed(_)) => frame.render_widget(Line::styled("no picture", theme.faint()), area),
            None => frame.render_widget(Line::styled("…", theme.faint()), area),
        }
        let caption = tile.caption().intersection(room);
        if let Some((words, style)) = &tile.words {
            frame.render_widget(Line::styled(words.clone(), *style), caption);
        }
        if tile.selected {
            let style = if model.in_detail { theme.marked() } else { theme.selected() };
            frame.buffer_mut().set_style(caption, style);
        }
    }
}

fn lines(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let lines = detail::lines(model);
    let window = model.detail.window(lines.len(), usize::from(area.height));
    for (shown, place) in window.enumerate() {
        let at = Rect { y: area.y + shown as u16, height: 1, ..area };
        cut_line(frame, &lines[place].line, at);
        if model.in_detail && place == model.detail.selected {
            frame.buffer_mut().set_style(at, model.theme.selected());
        }
    }
}

/// A line, with a sign where it was cut.
fn cut_line(frame: &mut Frame<'_>, line: &Line<'_>, area: Rect) {
    frame.render_widget(line, area);
    if line.width() > usize::from(area.width)
        && area.width > 1
        && let Some(cell) = frame.buffer_mut().cell_mut((area.right() - 1, area.y))
    {
        cell.set_char('…');
    }
}
