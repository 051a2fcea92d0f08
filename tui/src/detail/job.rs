//! A job: how far it is, its figures, and what it wrote.

use super::line::DetailLine;
use crate::chart::{Curve, chart};
use crate::model::Model;
use crate::plot;
use crate::text;

/// The width of a plot, in cells.
const PLOT: usize = 50;

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    let Some(job) = model.jobs.views.get(model.jobs.cursor.selected) else { return Vec::new() };
    let theme = model.theme;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let mut lines = vec![fact("job", text::safe(&job.title))];
    if let Some(progress) = job.progress {
        let bar = plot::bar(progress, 20);
        lines.push(fact("done", format!("{bar} {:.0} %", progress.clamp(0.0, 1.0) * 100.0)));
    }
    if let Some(eta) = job.eta {
        lines.push(fact("left", text::seconds(eta)));
    }
    for (name, values) in &job.series {
        let last = values.last().map_or_else(String::new, |value| format!(" {value:.5}"));
        lines.push(DetailLine::new("", theme.plain()));
        lines.push(DetailLine::new(format!("{}{last}", text::safe(name)), theme.heading()));
        let curve = Curve { values, style: theme.good() };
        let rows = chart(&[curve], &[], PLOT, 5, theme.faint());
        lines.extend(rows.into_iter().map(|row| DetailLine::spans(row.spans)));
    }
    if !job.output.is_empty() {
        lines.push(DetailLine::new("", theme.plain()));
    }
    lines.extend(job.output.iter().map(|line| DetailLine::new(text::safe(line), theme.plain())));
    lines
}
