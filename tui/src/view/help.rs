//! The keys, from the table of actions.

use ratatui::text::{Line, Span};

use crate::action::Scope;
use crate::key::Key;
use crate::model::Model;
use crate::text::fit;

/// How many lines the help has.
pub fn help_len(model: &Model) -> usize {
    lines(model).len()
}

pub(super) fn lines(model: &Model) -> Vec<Line<'static>> {
    let theme = model.theme;
    let mut lines = Vec::new();
    // What is special about this screen first.
    for special in [true, false] {
        let title = if special { model.screen.name() } else { "Everywhere" };
        let rows: Vec<_> = model
            .keymap
            .rows(model.screen)
            .filter(|(row, _)| matches!(row.scope, Scope::On(_)) == special)
            .collect();
        if rows.is_empty() {
            continue;
        }
        lines.push(Line::styled(title, theme.heading()));
        for (binding, keys) in rows {
            let keys = keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ");
            lines.push(Line::from(vec![
                Span::styled(format!("  {} ", fit(&keys, 14)), theme.key()),
                Span::raw(format!("{:<38}", binding.help)),
                Span::styled(binding.name, theme.faint()),
            ]));
        }
        lines.push(Line::default());
    }
    lines
}
