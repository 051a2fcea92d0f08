//! Findings of a cleaning pass.

use ratatui::text::{Line, Span};
use safelight_lineage::event::Decision;

use crate::event_text::label;
use crate::model::Model;
use crate::plot;
use crate::text::{cut_start, fit};

pub(super) fn row(model: &Model, place: usize, width: usize) -> Option<Line<'static>> {
    let theme = model.theme;
    let finding = model.findings().get(place)?;
    let state = model.state();
    let image = state.image(finding.image);
    let decided = model.decided(finding.image);
    let (mark, style) = match decided {
        None => ("·", theme.faint()),
        Some(Decision::Kept) => ("✓", theme.good()),
        Some(Decision::Relabelled { .. }) => ("→", theme.warning()),
        Some(Decision::Removed) => ("✗", theme.bad()),
        Some(Decision::Skipped) => ("?", theme.faint()),
    };
    let chosen = model.review.range.is_some_and(|start| {
        let end = model.review.cursor.selected;
        (start.min(end)..=start.max(end)).contains(&place)
    });
    let chosen = if chosen { '●' } else { ' ' };
    let mut spans = vec![Span::styled(mark, style), Span::styled(chosen.to_string(), theme.warning())];
    let label_width = (width / 4).clamp(4, 10);
    spans
        .push(Span::styled(fit(&label(state, image.and_then(|view| view.label)), label_width), theme.name()));
    if width >= 24 {
        let suggestion = finding.suggestion.map(|index| label(state, Some(index))).unwrap_or_default();
        spans.push(Span::styled(fit(&format!("→{suggestion}"), label_width + 1), theme.warning()));
    }
    let used: usize = spans.iter().map(Span::width).sum::<usize>() + 1;
    let name = crate::event_text::image_name(state, finding.image);
    spans.push(Span::raw(format!(" {}", cut_start(&name, width.saturating_sub(used)))));
    Some(Line::from(spans))
}

pub(super) fn heading(model: &Model, width: usize) -> String {
    let Some(pass) = model.pass() else { return String::new() };
    let Some((_, progress)) = &model.review.progress else { return String::new() };
    let bar = plot::bar(progress.done as f64 / progress.total.max(1) as f64, 10.min(width / 4));
    let mut heading = format!("{bar} {}/{} of pass {}", progress.done, progress.total, pass.short());
    if let Some(rate) = progress.per_minute {
        heading.push_str(&format!(" · {rate:.0}/min"));
    }
    if let Some(yielded) = progress.yield_of_last {
        let last = progress.last;
        heading.push_str(&format!(" · {:.0} % of the last {last} wrong", yielded * 100.0));
    }
    heading
}
