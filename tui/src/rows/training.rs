//! Training runs.

use ratatui::text::{Line, Span};
use safelight_lineage::state::RunStatus;

use crate::model::Model;
use crate::text::{safe, time};

pub(super) fn row(model: &Model, place: usize, width: usize) -> Option<Line<'static>> {
    let theme = model.theme;
    let state = model.state();
    let record = state.runs().iter().rev().nth(place)?;
    let style = match record.status {
        RunStatus::Running => theme.warning(),
        RunStatus::Finished { .. } => theme.good(),
        RunStatus::Failed { .. } => theme.bad(),
        RunStatus::Cancelled { .. } => theme.faint(),
    };
    let last = record.checkpoints.last().and_then(|id| state.checkpoints().get(*id));
    let run = record.started.event.run;
    let mark = if model.run_views.marked.contains(&run) { "●" } else { " " };
    let mut spans = vec![
        Span::styled(format!("{mark}{} ", run.short()), theme.name()),
        Span::styled(format!("{:<9} ", record.status.name()), style),
    ];
    if width >= 56 {
        spans.push(Span::styled(format!("{} ", time(record.started.time)), theme.faint()));
    }
    if let Some(saved) = last {
        let accuracy = saved.event.metrics.get("accuracy").map(|value| format!("{:.4} ", value.0));
        spans.push(Span::raw(accuracy.unwrap_or_default()));
        spans.push(Span::raw(format!("{} {} px", safe(&saved.event.architecture), saved.event.image_size)));
    }
    Some(Line::from(spans))
}
