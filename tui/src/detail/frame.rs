//! A frame of the log: who, when, and each event.

use ratatui::text::Span;

use super::line::{DetailLine, Target};
use crate::model::Model;
use crate::text;

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    let Some(record) = model.selected_transaction() else { return Vec::new() };
    let theme = model.theme;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let mut lines = vec![
        fact("frame", record.digest.short()),
        fact("transaction", record.transaction.to_string()),
        fact("when", format!("{} UTC", text::time(record.time))),
        fact("who", record.actor.to_string()),
    ];
    if let Some(message) = &record.message {
        lines.push(fact("why", text::safe(message)));
    }
    lines.push(DetailLine::new("", theme.plain()));
    let Some(frame) = model.timeline.frames.get(&record.first_seq) else {
        let events = text::counted(record.events, "event", "events");
        lines.push(DetailLine::new(format!("{events}, being read …"), theme.faint()));
        return lines;
    };
    for event in &frame.lines {
        let stands = model.state().stands(event.seq);
        let style = if stands { theme.plain() } else { theme.undone() };
        let line = DetailLine::spans(vec![
            Span::styled(format!("{:>6} ", event.seq), theme.faint()),
            Span::styled(event.kind, if stands { theme.name() } else { theme.undone() }),
            Span::styled(format!(" {}", event.text), style),
        ]);
        lines.push(match event.image {
            Some(image) => line.to(Target::Image(image)),
            None => line,
        });
    }
    if frame.more > 0 {
        let more = text::counted(frame.more, "more event", "more events");
        lines.push(DetailLine::new(format!("       and {more}"), theme.faint()));
    }
    lines
}
