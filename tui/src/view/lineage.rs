//! A walk along what was made of what, in three columns.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use crate::lineage_graph::Thing;
use crate::model::Model;
use crate::text::cut;
use crate::walk::{Side, Walk};

/// Below this the columns stand below each other.
const SIDE_BY_SIDE: u16 = 60;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, walk: &Walk) {
    let theme = model.theme;
    let mut room = frame.area();
    frame.render_widget(Clear, room);
    if room.height > 3 {
        let trail = walk.trail.iter().rev().take(3).rev().map(|thing| first_words(model, *thing));
        let trail: Vec<String> = trail.chain([first_words(model, walk.here)]).collect();
        let words = cut(&format!("Lineage · {}", trail.join(" › ")), usize::from(room.width));
        frame.render_widget(Line::styled(words, theme.heading()), Rect { height: 1, ..room });
        let hint =
            "← what it was made of   → what was made of it   ↑ ↓ choose   Tab side   Enter show   Esc close";
        let bottom = Rect { y: room.bottom() - 1, height: 1, ..room };
        let words = match &model.notice {
            Some(notice) => Line::styled(cut(&notice.text, usize::from(room.width)), theme.warning()),
            None => Line::styled(cut(hint, usize::from(room.width)), theme.faint()),
        };
        frame.render_widget(words, bottom);
        room.y += 2;
        room.height -= 3;
    }
    let [before, here, after] = columns(room);
    column(model, frame, walk, Side::Before, before);
    middle(model, frame, walk, here);
    column(model, frame, walk, Side::After, after);
}

fn first_words(model: &Model, thing: Thing) -> String {
    thing.words(model.state()).into_iter().next().unwrap_or_default()
}

fn columns(room: Rect) -> [Rect; 3] {
    if room.width >= SIDE_BY_SIDE {
        let width = room.width / 3;
        let at = |nth: u16| Rect { x: room.x + nth * width, width: width - 1, ..room };
        return [at(0), at(1), at(2)];
    }
    let height = room.height / 3;
    let at = |nth: u16| Rect { y: room.y + nth * height, height, ..room };
    [at(0), at(1), Rect { height: room.height - 2 * height, ..at(2) }]
}

fn column(model: &Model, frame: &mut Frame<'_>, walk: &Walk, side: Side, room: Rect) {
    let theme = model.theme;
    let things = walk.things(side, model.state());
    let selected = walk.selected(side, things.len());
    let title = match side {
        Side::Before => "made of",
        Side::After => "made into",
    };
    let looking = walk.side == side;
    let mut lines = vec![Line::styled(title, if looking { theme.heading() } else { theme.faint() })];
    let mut selected_at = 0;
    for (place, thing) in things.iter().enumerate() {
        for (nth, words) in thing.words(model.state()).into_iter().enumerate() {
            let chosen = place == selected;
            let style = match (nth, chosen && looking, chosen) {
                (0, true, _) => theme.selected(),
                (0, _, true) => theme.marked(),
                (0, ..) => theme.plain(),
                _ => theme.faint(),
            };
            if chosen && nth == 0 {
                selected_at = lines.len();
            }
            let arrow = match (side, nth) {
                (Side::Before, 0) => "← ",
                (Side::After, 0) => "→ ",
                _ => "  ",
            };
            let words = cut(&words, usize::from(room.width).saturating_sub(2));
            lines.push(Line::from(vec![Span::styled(arrow, theme.faint()), Span::styled(words, style)]));
        }
    }
    if things.is_empty() {
        lines.push(Line::styled("  nothing", theme.faint()));
    }
    let height = usize::from(room.height);
    let skip = (selected_at + 2).saturating_sub(height);
    for (nth, line) in lines.into_iter().skip(skip).take(height).enumerate() {
        frame.render_widget(line, Rect { y: room.y + nth as u16, height: 1, ..room });
    }
}

fn middle(model: &Model, frame: &mut Frame<'_>, walk: &Walk, room: Rect) {
    let theme = model.theme;
    let state = model.state();
    let mut lines = vec![Line::styled("this", theme.faint())];
    for (nth, words) in walk.here.words(state).into_iter().enumerate() {
        let style = if nth == 0 { theme.heading() } else { theme.plain() };
        lines.push(Line::styled(cut(&words, usize::from(room.width)), style));
    }
    if let Some(seq) = walk.here.seq(state) {
        let when = state.transactions().of_seq(seq);
        let when = when.map_or_else(String::new, |record| format!(" · {}", crate::text::time(record.time)));
        lines.push(Line::styled(format!("Seq {seq}{when}"), theme.faint()));
        if let Some(record) = state.transactions().of_seq(seq) {
            lines.push(Line::styled(
                cut(&format!("by {}", record.actor), usize::from(room.width)),
                theme.faint(),
            ));
            if let Some(message) = &record.message {
                let message = cut(&crate::text::safe(message), usize::from(room.width));
                lines.push(Line::styled(message, theme.faint()));
            }
        }
    }
    for (nth, line) in lines.into_iter().take(usize::from(room.height)).enumerate() {
        frame.render_widget(line, Rect { y: room.y + nth as u16, height: 1, ..room });
    }
}
