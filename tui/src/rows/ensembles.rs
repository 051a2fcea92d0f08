//! Votes of several models.

use ratatui::text::{Line, Span};

use crate::event_text::vote_rule;
use crate::model::Model;
use crate::text::{counted, time};

pub(super) fn row(model: &Model, place: usize, width: usize) -> Option<Line<'static>> {
    let theme = model.theme;
    let record = model.state().ensembles().iter().rev().nth(place)?;
    let event = &record.event;
    let mut spans = vec![
        Span::styled(format!("{} ", event.ensemble.short()), theme.name()),
        Span::raw(format!("{} ", vote_rule(event.rule))),
    ];
    if width >= 56 {
        spans.push(Span::styled(format!("{} ", time(record.time)), theme.faint()));
    }
    spans.push(Span::styled(counted(event.members.len() as u64, "member", "members"), theme.faint()));
    Some(Line::from(spans))
}
