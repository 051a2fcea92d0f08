//! Submissions.

use ratatui::text::{Line, Span};
use safelight_lineage::event::ReplayOutcome;

use crate::detail::replay_job;
use crate::event_text::{depth, score};
use crate::model::Model;
use crate::ports::{JobStatus, JobView};
use crate::replay_view::ReplayView;
use crate::text::safe;

pub(super) fn row(model: &Model, place: usize, _width: usize) -> Option<Line<'static>> {
    let theme = model.theme;
    let record = model.state().submissions().iter().rev().nth(place)?;
    let mut spans = vec![
        Span::styled(format!("{} ", record.written.event.submission.short()), theme.name()),
        Span::raw(format!("{} {} ", score(record.public_score()), score(record.private_score()))),
    ];
    let runs =
        |(job, _): &(&JobView, &ReplayView)| matches!(job.status, JobStatus::Running | JobStatus::Stopping);
    if let Some((job, replay)) = replay_job(model, record).filter(runs) {
        let done = job.progress.map_or_else(String::new, |done| format!(" {:.0} %", done * 100.0));
        spans.push(Span::styled(format!("replaying{done} to {}", safe(&replay.depth)), theme.warning()));
    } else if let Some(replay) = record.replays.last() {
        let (words, style) = match replay.event.outcome {
            ReplayOutcome::Identical => ("identical", theme.good()),
            ReplayOutcome::WithinTolerance { .. } => ("within tolerance", theme.warning()),
            ReplayOutcome::Diverged { .. } => ("diverged", theme.bad()),
        };
        spans.push(Span::styled(format!("{} {words}", depth(replay.event.depth)), style));
    }
    Some(Line::from(spans))
}
