//! A training run: its curves, its checkpoints, and what it mixes up.

use std::collections::BTreeSet;

use ratatui::style::Style;
use ratatui::text::Span;
use safelight_lineage::id::RunId;
use safelight_lineage::state::{RunRecord, RunStatus};

use super::line::{DetailLine, Target};
use crate::chart::{Curve, chart};
use crate::layout;
use crate::lineage_tree::checkpoint;
use crate::model::Model;
use crate::plot;
use crate::ports::JobView;
use crate::run_view::{Figures, RunView};
use crate::text;

/// The height of a plot, in lines.
const HEIGHT: usize = 5;

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    if let [one, other] = model.run_views.marked[..] {
        return comparison(model, one, other);
    }
    let state = model.state();
    let Some(record) = state.runs().iter().rev().nth(model.runs.selected) else { return Vec::new() };
    let theme = model.theme;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let started = &record.started;
    let run = started.event.run;
    let mut lines = vec![fact("run", run.to_string()), fact("status", status(record))];
    if let Some(job) = model.jobs.views.iter().find(|job| job.run == Some(run) && record.status.is_running())
    {
        live(model, job, &mut lines);
    }
    if let Some(view) = model.run_views.of(run) {
        curves(model, &[(&view.figures, theme.good())], &mut lines);
    }
    match model.run_views.read.get(&run) {
        Some(Err(error)) => lines.push(DetailLine::new(text::safe(error), theme.bad())),
        Some(Ok(view)) => {
            finders(model, view, &mut lines);
            confusion(model, view, &mut lines);
        }
        None if model.abilities.runs => lines.push(DetailLine::new("reading its figures …", theme.faint())),
        None => {}
    }
    lines.push(DetailLine::new("", theme.plain()));
    lines.extend([
        fact("started", format!("{} UTC", text::time(started.time))).to(Target::Frame(started.seq)),
        fact("recipe", started.event.recipe.short()),
        fact("dataset", started.event.manifest.short()),
    ]);
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

/// How far a running job is, with its figures up to now.
fn live(model: &Model, job: &JobView, lines: &mut Vec<DetailLine>) {
    let theme = model.theme;
    let done = job.progress.map(|done| format!("{} {:.0} % ", plot::bar(done, 12), done * 100.0));
    let left = job.eta.map(|eta| format!("· {} left ", text::seconds(eta)));
    let doing = job.output.last().map(|words| format!("· {}", text::safe(words)));
    let words = [done, left, doing].into_iter().flatten().collect::<String>();
    lines.push(DetailLine::fact("now", words, theme.faint()));
    let of = |name: &str| {
        let found = job.series.iter().find(|(other, _)| other == name);
        found.map(|(_, values)| values.clone()).unwrap_or_default()
    };
    let figures = Figures {
        losses: of("train_loss"),
        rates: of("learning_rate"),
        accuracies: of("accuracy"),
        valid_losses: of("valid_loss"),
        ..Figures::default()
    };
    curves(model, &[(&figures, theme.good())], lines);
}

/// Loss, accuracy and learning rate, of one run or of several over each other.
pub(super) fn curves(model: &Model, runs: &[(&Figures, Style)], lines: &mut Vec<DetailLine>) {
    type Part = (&'static str, fn(&Figures) -> &[f64], fn(&Figures) -> &[usize]);
    let parts: [Part; 4] = [
        ("loss", |it| &it.losses, |it| &it.stages),
        ("accuracy", |it| &it.accuracies, |it| &it.epoch_stages),
        ("validation loss", |it| &it.valid_losses, |it| &it.epoch_stages),
        ("learning rate", |it| &it.rates, |it| &it.stages),
    ];
    let width = usize::from(layout::areas(model).detail.width);
    for (name, values, marks) in parts {
        let drawn: Vec<Curve<'_>> =
            runs.iter().map(|(figures, style)| Curve { values: values(figures), style: *style }).collect();
        // Stages of several runs begin at several places: only those of one are marked.
        let marks = if let [(only, _)] = runs { marks(only) } else { &[] };
        let rows = chart(&drawn, marks, width, HEIGHT, model.theme.faint());
        if rows.is_empty() {
            continue;
        }
        let mut heading = vec![Span::styled(name.to_owned(), model.theme.heading())];
        for (curve, (_, style)) in drawn.iter().zip(runs) {
            if let Some(last) = curve.values.last() {
                heading.push(Span::styled(format!("  {last:.5}"), *style));
            }
        }
        lines.push(DetailLine::new("", model.theme.plain()));
        lines.push(DetailLine::spans(heading));
        lines.extend(rows.into_iter().map(|row| DetailLine::spans(row.spans)));
    }
}

fn finders(model: &Model, view: &RunView, lines: &mut Vec<DetailLine>) {
    let theme = model.theme;
    let width = usize::from(layout::areas(model).detail.width);
    for found in &view.finders {
        // The rise at the end would flatten all before it.
        let best = found.losses.iter().copied().filter(|it| it.is_finite()).fold(f64::INFINITY, f64::min);
        let ceiling = found.losses.first().copied().unwrap_or(best).max(best) * 1.5;
        let shown: Vec<f64> =
            found.losses.iter().map(|loss| if *loss <= ceiling { *loss } else { f64::NAN }).collect();
        let chosen = found.rates.iter().position(|rate| *rate >= found.suggestion).unwrap_or(0);
        let rows = chart(
            &[Curve { values: &shown, style: theme.warning() }],
            &[chosen],
            width,
            HEIGHT,
            theme.faint(),
        );
        let ends = found.rates.first().zip(found.rates.last());
        let ends = ends.map_or_else(String::new, |(one, other)| format!(" over {one:.0e} … {other:.0e}"));
        lines.push(DetailLine::new("", theme.plain()));
        let words = format!("finder: {:.2e} by {}{ends}", found.suggestion, text::safe(&found.method));
        lines.push(DetailLine::new(words, theme.heading()));
        lines.extend(rows.into_iter().map(|row| DetailLine::spans(row.spans)));
    }
}

/// Rows are labels, columns what the model said, each cell by its share of the row.
fn confusion(model: &Model, view: &RunView, lines: &mut Vec<DetailLine>) {
    if view.confusion.is_empty() {
        return;
    }
    let theme = model.theme;
    let cell = view.classes.iter().map(|class| text::width(class).min(6)).max().unwrap_or(4).max(4) + 1;
    let mut heading = format!("{:<13}", "label \\ said");
    for class in &view.classes {
        heading.push_str(&format!("{} ", text::fit(&text::safe(class), cell - 1)));
    }
    heading.push_str("recall");
    lines.push(DetailLine::new("", theme.plain()));
    lines.push(DetailLine::new(heading, theme.heading()));
    for (place, counts) in view.confusion.iter().enumerate() {
        let class = view.classes.get(place).map_or("?", String::as_str);
        let all: u64 = counts.iter().sum();
        let mut spans = vec![Span::raw(text::fit(&text::safe(class), 13))];
        for (said, count) in counts.iter().enumerate() {
            let share = *count as f64 / all.max(1) as f64;
            // Shade and number say it without colour too.
            let shade = match share {
                0.0 => ' ',
                share if share < 0.1 => '░',
                share if share < 0.3 => '▒',
                share if share < 0.6 => '▓',
                _ => '█',
            };
            let style = match (said == place, share) {
                (true, _) => theme.good(),
                (false, share) if share >= 0.1 => theme.bad(),
                _ => theme.faint(),
            };
            spans.push(Span::styled(format!("{shade}{} ", text::fit(&count.to_string(), cell - 2)), style));
        }
        let right = counts.get(place).copied().unwrap_or(0);
        let recall = if all > 0 { format!("{:.3}", right as f64 / all as f64) } else { "–".to_owned() };
        spans.push(Span::raw(recall));
        lines.push(DetailLine::spans(spans));
    }
}

/// Two runs over each other, and in what they differ.
fn comparison(model: &Model, one: RunId, other: RunId) -> Vec<DetailLine> {
    let theme = model.theme;
    let styles = [theme.good(), theme.warning()];
    let mut lines = vec![DetailLine::spans(vec![
        Span::styled("compared: ", theme.faint()),
        Span::styled(one.short(), styles[0]),
        Span::raw(" with "),
        Span::styled(other.short(), styles[1]),
        Span::styled("  Space unmarks", theme.faint()),
    ])];
    let (Some(first), Some(second)) = (model.run_views.of(one), model.run_views.of(other)) else {
        for run in [one, other] {
            let words = match model.run_views.read.get(&run) {
                Some(Err(error)) => format!("run {} cannot be read: {}", run.short(), text::safe(error)),
                _ => format!("reading run {} …", run.short()),
            };
            lines.push(DetailLine::new(words, theme.faint()));
        }
        return lines;
    };
    curves(model, &[(&first.figures, styles[0]), (&second.figures, styles[1])], &mut lines);
    lines.push(DetailLine::new("", theme.plain()));
    lines.push(DetailLine::new("differs in", theme.heading()));
    let keys: BTreeSet<&String> = first.facts.keys().chain(second.facts.keys()).collect();
    let value = |view: &RunView, key: &String| {
        // A digest is recognised by its beginning.
        let short = |text: &String| text.get(..16).filter(|_| text.len() == 64).unwrap_or(text).to_owned();
        view.facts.get(key).map(short)
    };
    let before = lines.len();
    for key in keys {
        let (one, other) = (value(first, key), value(second, key));
        if one != other {
            let show = |value: Option<String>| value.map_or_else(|| "–".to_owned(), |text| text::safe(&text));
            lines.push(DetailLine::spans(vec![
                Span::styled(text::fit(&text::safe(key), 28), theme.faint()),
                Span::styled(format!(" {}", show(one)), styles[0]),
                Span::styled(format!("  {}", show(other)), styles[1]),
            ]));
        }
    }
    if lines.len() == before {
        lines.push(DetailLine::new("nothing: the same recipe, dataset and environment", theme.plain()));
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
