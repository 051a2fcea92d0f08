//! A training run and its checkpoints.

use ratatui::text::Span;
use safelight_lineage::state::{RunRecord, RunStatus};

use super::line::{DetailLine, Target};
use crate::lineage_tree::checkpoint;
use crate::model::Model;
use crate::text;

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    let state = model.state();
    let Some(record) = state.runs().iter().rev().nth(model.runs.selected) else { return Vec::new() };
    let theme = model.theme;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let started = &record.started;
    let mut lines = vec![
        fact("run", started.event.run.to_string()),
        fact("started", format!("{} UTC", text::time(started.time))).to(Target::Frame(started.seq)),
        fact("status", status(record)),
        fact("recipe", started.event.recipe.short()),
        fact("dataset", started.event.manifest.short()),
    ];
    if let Some(seq) = state.transactions().seq_after(started.event.at) {
        lines.push(fact("as of", format!("Seq {seq}")).to(Target::Frame(seq)));
    }
    if let Some(parent) = started.event.parent.and_then(|parent| state.checkpoints().get(parent)) {
        lines.push(fact("from", checkpoint(parent)).to(Target::Run(parent.event.run)));
    }
    for found in &record.learning_rates {
        let text = format!("{:.2e} by {}", found.event.suggestion.0, text::safe(&found.event.method));
        lines.push(fact("found lr", text).to(Target::Frame(found.seq)));
    }
    for saved in record.checkpoints.iter().filter_map(|id| state.checkpoints().get(*id)) {
        lines.push(DetailLine::new("", theme.plain()));
        lines.push(DetailLine::new(checkpoint(saved), theme.heading()).to(Target::Frame(saved.seq)));
        for (name, value) in &saved.event.metrics {
            lines.push(DetailLine::spans(vec![
                Span::styled(format!("  {:<20} ", text::safe(name)), theme.faint()),
                Span::raw(format!("{:.5}", value.0)),
            ]));
        }
    }
    lines
}

fn status(record: &RunRecord) -> String {
    let name = record.status.name();
    match &record.status {
        RunStatus::Failed { end } => format!("{name}: {}", text::safe(&end.event.reason)),
        RunStatus::Cancelled { end } => format!("{name}: {}", text::safe(&end.event.reason)),
        RunStatus::Running | RunStatus::Finished { .. } => name.to_owned(),
    }
}
