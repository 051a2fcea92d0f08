//! The line at the bottom: where the log stands, or what there is to say.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::model::{Level, Model};
use crate::ports::JobStatus;
use crate::text::{count, counted, cut, width};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme;
    let room = usize::from(area.width);
    if let Some(notice) = &model.notice {
        let style = match notice.level {
            Level::Info => theme.good(),
            Level::Error => theme.bad(),
        };
        return frame.render_widget(Line::styled(cut(&notice.text, room), style), area);
    }
    let left = place(model, room);
    let free = room.saturating_sub(width(&left));
    let right = hints(model, free);
    let gap = " ".repeat(free.saturating_sub(width(&right)));
    let line = Line::from(vec![Span::raw(cut(&left, room)), Span::raw(gap), Span::raw(right)]);
    frame.render_widget(line.style(theme.status()), area);
}

/// Head, Seq and counts, as much as fits; the Seq first.
fn place(model: &Model, room: usize) -> String {
    let state = model.state();
    let mut words = format!(" Seq {}", state.seq());
    let running = model.jobs.views.iter().filter(|job| job.status == JobStatus::Running).count() as u64;
    let absent = state.image_count() as u64 - state.present_count().min(state.image_count() as u64);
    let mut more =
        vec![format!("head {}", state.head().short()), counted(state.present_count(), "image", "images")];
    if absent > 0 {
        more.push(format!("{} out", count(absent)));
    }
    if running > 0 {
        more.insert(0, counted(running, "job", "jobs"));
    }
    if model.sent.pending > 0 {
        more.insert(0, "saving …".to_owned());
    }
    for word in more {
        if width(&words) + width(&word) + 3 <= room {
            words.push_str(" · ");
            words.push_str(&word);
        }
    }
    words
}

/// Some keys, as many as fit; the one that tells the others first.
fn hints(model: &Model, room: usize) -> String {
    let actions =
        [(Action::Help, "help"), (Action::Quit, "quit"), (Action::Palette, "do"), (Action::Filter, "filter")];
    let mut words = String::new();
    for (action, word) in actions {
        let Some(key) = model.keymap.hint(model.screen, action) else { continue };
        let hint = format!("{key} {word}  ");
        if width(&words) + width(&hint) < room {
            words.push_str(&hint);
        }
    }
    words
}
