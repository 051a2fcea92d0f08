//! Frames of the log.

use ratatui::text::{Line, Span};

use crate::model::Model;
use crate::text::{counted, cut, safe, time};

pub(super) fn row(model: &Model, place: usize, width: usize) -> Option<Line<'static>> {
    let record = model.transaction(place)?;
    let theme = model.theme;
    let stands = record.events == 0
        || (record.first_seq.0..=record.last_seq().0.min(record.first_seq.0 + 9))
            .any(|seq| model.state().stands(safelight_lineage::value::Seq(seq)));
    let what = match model.timeline.frames.get(&record.first_seq) {
        Some(frame) if frame.lines.len() == 1 => format!("{} {}", frame.lines[0].kind, frame.lines[0].text),
        Some(frame) => frame.summary.clone(),
        None => counted(record.events, "event", "events"),
    };
    let what = match &record.message {
        Some(message) => format!("{} · {what}", safe(message)),
        None => what,
    };
    let mut spans = vec![Span::styled(format!("{:>6} ", record.last_seq()), theme.faint())];
    if width >= 48 {
        spans.push(Span::styled(format!("{} ", time(record.time)), theme.faint()));
    }
    if width >= 30 {
        spans.push(Span::styled(format!("{:<8} ", cut(&record.actor.to_string(), 8)), theme.name()));
    }
    spans.push(Span::styled(what, if stands { theme.plain() } else { theme.undone() }));
    Some(Line::from(spans))
}

pub(super) fn heading(model: &Model) -> String {
    let frames = counted(model.timeline_len() as u64, "frame", "frames");
    if model.timeline.filter.is_empty() {
        frames
    } else {
        let search = &model.timeline.search;
        let looking = match search.is_done() || search.wanted.is_empty() {
            true => String::new(),
            false => format!("looking, {:.0} % · ", search.progress() * 100.0),
        };
        format!("{looking}{frames} with '{}'", safe(&model.timeline.filter))
    }
}
