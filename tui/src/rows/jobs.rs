//! Jobs.

use ratatui::text::{Line, Span};

use crate::model::Model;
use crate::plot;
use crate::ports::JobStatus;
use crate::text::safe;

pub(super) fn row(model: &Model, place: usize, width: usize) -> Option<Line<'static>> {
    let theme = model.theme;
    let job = model.jobs.views.get(place)?;
    let (words, style) = match job.status {
        JobStatus::Running => ("running", theme.warning()),
        JobStatus::Stopping => ("stopping", theme.warning()),
        JobStatus::Done => ("done", theme.good()),
        JobStatus::Failed => ("failed", theme.bad()),
        JobStatus::Cancelled => ("cancelled", theme.faint()),
    };
    let mut spans = vec![Span::styled(format!("{words:<9} "), style)];
    if let Some(progress) = job.progress.filter(|_| width >= 30) {
        spans.push(Span::styled(format!("{} ", plot::bar(progress, 8)), theme.good()));
    }
    spans.push(Span::raw(safe(&job.title)));
    Some(Line::from(spans))
}
