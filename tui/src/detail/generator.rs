//! A generator: how it learned, what it drew, and what became of that.

use safelight_lineage::id::SamplesId;
use safelight_lineage::state::{GeneratorRecord, SamplesRecord};

use super::generator_curves::{curves, table};
use super::line::{DetailLine, Target};
use crate::event_text::label;
use crate::generator_view::{LiveGenerator, SampleQuality, UnfinishedGenerator};
use crate::generators::{self, Row};
use crate::model::Model;
use crate::plot;
use crate::text::{self, counted};

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    parts(model).into_iter().map(|(line, _)| line).collect()
}

/// The batch that the line at a place of the detail is about.
pub fn batch_at(model: &Model, place: usize) -> Option<SamplesId> {
    parts(model).into_iter().nth(place)?.1
}

/// The lines, each with the batch that it is about.
fn parts(model: &Model) -> Vec<(DetailLine, Option<SamplesId>)> {
    let Some(row) = generators::selected(model) else { return Vec::new() };
    let mut lines = Vec::new();
    grid(model, row, &mut lines);
    match row {
        Row::Unfinished(unfinished) => {
            in_training(model, unfinished, &mut lines);
            lines.into_iter().map(|line| (line, None)).collect()
        }
        Row::Trained(record) => {
            trained(model, record, &mut lines);
            let mut parts: Vec<(DetailLine, Option<SamplesId>)> =
                lines.into_iter().map(|line| (line, None)).collect();
            drawn(model, record, &mut parts);
            parts.extend(origin(model, record).into_iter().map(|line| (line, None)));
            parts
        }
    }
}

/// Which epoch's grid is shown.
fn grid(model: &Model, row: Row<'_>, lines: &mut Vec<DetailLine>) {
    let epochs = generators::epochs(model, row);
    let Some(shown) = generators::shown(model, row.id(), &epochs) else { return };
    let last = epochs.last().map_or(shown.epoch, |epoch| epoch.epoch);
    let key =
        |action| model.keymap.hint(model.screen, action).map(|key| format!("{key} ")).unwrap_or_default();
    let keys = format!(
        "{}{}other epochs",
        key(crate::action::Action::EpochBefore),
        key(crate::action::Action::EpochAfter)
    );
    let theme = model.theme;
    lines.push(DetailLine::spans(vec![
        ratatui::text::Span::styled(format!("drawn after epoch {} of {last}", shown.epoch), theme.heading()),
        ratatui::text::Span::styled(format!("  {keys}"), theme.faint()),
    ]));
}

fn in_training(model: &Model, unfinished: &UnfinishedGenerator, lines: &mut Vec<DetailLine>) {
    let theme = model.theme;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    lines.push(fact("generator", unfinished.generator.to_string()));
    let class = unfinished.class.as_deref().map_or_else(|| "all classes".to_owned(), text::safe);
    lines.push(fact("learns", format!("{class} at {} px", unfinished.image_size)));
    let job = generators::job(model, unfinished.generator);
    if let Some(job) = job.filter(|_| generators::is_training(model, unfinished.generator)) {
        let done = job.progress.map(|done| format!("{} {:.0} % ", plot::bar(done, 12), done * 100.0));
        let left = job.eta.map(|eta| format!("· {} left ", text::seconds(eta)));
        let doing = job.output.last().map(|words| format!("· {}", text::safe(words)));
        lines.push(fact("now", [done, left, doing].into_iter().flatten().collect()));
    } else {
        let made = unfinished.grids.last().map_or(0, |(epoch, _)| *epoch);
        let words = format!("stopped after epoch {made} of {}; R goes on with it", unfinished.epochs);
        lines.push(DetailLine::new(words, theme.warning()));
        let words = job.and_then(|job| job.output.last());
        lines.extend(words.map(|words| DetailLine::new(text::safe(words), theme.faint())));
    }
    let told: Vec<&LiveGenerator> = generators::live(model, unfinished.generator).collect();
    let distances: Vec<f64> = told.iter().flat_map(|live| live.critic_distances.iter().copied()).collect();
    let epochs = generators::epochs(model, Row::Unfinished(unfinished));
    let shown = generators::shown(model, unfinished.generator, &epochs).map(|epoch| epoch.epoch);
    curves(model, &epochs, shown, &[("critic distance", &distances)], lines);
    table(model, &epochs, shown, lines);
}

fn trained(model: &Model, record: &GeneratorRecord, lines: &mut Vec<DetailLine>) {
    let theme = model.theme;
    let event = &record.event;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let class = event.class.map_or_else(|| "any class".to_owned(), |class| label(model.state(), Some(class)));
    lines.push(fact("generator", event.generator.to_string()));
    lines.push(fact("draws", class));
    by_class(model, record, lines);
    let epochs = generators::epochs(model, Row::Trained(record));
    let shown = generators::shown(model, event.generator, &epochs).map(|epoch| epoch.epoch);
    match model.generator_views.read.get(&event.generator) {
        Some(Ok(view)) => {
            let steps: [(&str, &[f64]); 3] = [
                ("critic distance", &view.critic_distances),
                ("generator loss", &view.generator_losses),
                ("gradient penalty", &view.gradient_penalties),
            ];
            curves(model, &epochs, shown, &steps, lines);
            table(model, &epochs, shown, lines);
        }
        Some(Err(error)) => lines.push(DetailLine::new(text::safe(error), theme.bad())),
        None if model.abilities.generators => {
            lines.push(DetailLine::new("reading its figures …", theme.faint()));
        }
        None => {}
    }
}

/// What it drew, by class.
fn by_class(model: &Model, record: &GeneratorRecord, lines: &mut Vec<DetailLine>) {
    let theme = model.theme;
    let classes = generators::by_class(model.state(), record.event.generator);
    if classes.is_empty() {
        let key = model.keymap.hint(model.screen, crate::action::Action::Draw);
        let key = key.map(|key| format!("; {key} draws some")).unwrap_or_default();
        return lines.push(DetailLine::new(format!("no samples were drawn yet{key}"), theme.faint()));
    }
    lines.push(DetailLine::new("", theme.plain()));
    lines.push(DetailLine::new(
        format!("{:<12} {:>8} {:>9} {:>8}", "samples of", "drawn", "let in", "in now"),
        theme.heading(),
    ));
    for (class, of) in classes {
        let name = text::fit(&label(model.state(), Some(class)), 12);
        let words = format!(
            "{name} {:>8} {:>9} {:>8}",
            text::count(of.drawn),
            text::count(of.admitted),
            text::count(of.present)
        );
        lines.push(DetailLine::new(words, theme.plain()));
    }
}

/// Every batch, with what became of it.
fn drawn(model: &Model, record: &GeneratorRecord, parts: &mut Vec<(DetailLine, Option<SamplesId>)>) {
    let (state, theme) = (model.state(), model.theme);
    for batch in generators::batches(state, record.event.generator) {
        let drawn = &batch.generated.event;
        let mut lines = vec![DetailLine::new("", theme.plain())];
        lines.push(
            DetailLine::new(heading(model, batch), theme.heading()).to(Target::Frame(batch.generated.seq)),
        );
        for admitted in &batch.admissions {
            let words = format!(
                "  admitted {} as {}",
                counted(admitted.event.images.len() as u64, "image", "images"),
                label(state, Some(admitted.event.label))
            );
            let style = if state.stands(admitted.seq) { theme.good() } else { theme.undone() };
            lines.push(DetailLine::new(words, style).to(Target::Frame(admitted.seq)));
        }
        let view = model.generator_views.of(record.event.generator);
        if let Some(quality) = view.and_then(|view| view.qualities.get(&drawn.samples)) {
            lines.extend(
                quality_in_words(quality).map(|it| DetailLine::new(format!("    {it}"), theme.faint())),
            );
        }
        for expelled in &batch.expulsions {
            let words = format!("  expelled: {}", text::safe(&expelled.event.reason));
            let style = if state.stands(expelled.seq) { theme.bad() } else { theme.undone() };
            lines.push(DetailLine::new(words, style).to(Target::Frame(expelled.seq)));
        }
        parts.extend(lines.into_iter().map(|line| (line, Some(drawn.samples))));
    }
}

fn heading(model: &Model, batch: &SamplesRecord) -> String {
    let drawn = &batch.generated.event;
    format!(
        "{} of {} · {} · seed {}",
        counted(drawn.blobs.len() as u64, "sample", "samples"),
        label(model.state(), Some(drawn.class)),
        drawn.samples.short(),
        drawn.seed
    )
}

/// What was measured of a batch, in lines.
fn quality_in_words(quality: &SampleQuality) -> impl Iterator<Item = String> + use<> {
    let diversity = quality.diversity.map(|diversity| format!("diversity {diversity:.2}"));
    let copies = match quality.copies {
        0 => "no copies".to_owned(),
        copies => counted(copies as u64, "copy", "copies"),
    };
    let first = diversity.into_iter().chain([copies]).collect::<Vec<_>>().join(" · ");
    let distance = quality
        .frechet_distances
        .map(|(of_samples, of_real)| format!("Fréchet distance {of_samples:.2}, real ones {of_real:.2}"));
    let judged = quality.by.map(|by| {
        let recognised =
            quality.recognised.map_or(String::new(), |it| format!("{:.0} % recognised ", it * 100.0));
        let least = quality.min_confidence.map_or(String::new(), |it| format!(", let in from {it}"));
        format!("{recognised}by {}{least}", by.short())
    });
    [Some(first), distance, judged].into_iter().flatten()
}

/// What it was made of.
fn origin(model: &Model, record: &GeneratorRecord) -> Vec<DetailLine> {
    let (state, theme, event) = (model.state(), model.theme, &record.event);
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let mut lines = vec![
        DetailLine::new("", theme.plain()),
        fact("trained", format!("{} UTC", text::time(record.time))).to(Target::Frame(record.seq)),
        fact("recipe", event.recipe.short()),
        fact("dataset", event.manifest.short()),
        fact("weights", event.weights.short()),
    ];
    if let Some(seq) = state.transactions().seq_after(event.at) {
        lines.push(fact("as of", format!("Seq {seq}")).to(Target::Frame(seq)));
    }
    if let Some(view) = model.generator_views.of(event.generator) {
        lines.extend(view.facts.iter().map(|(name, value)| {
            DetailLine::spans(vec![
                ratatui::text::Span::styled(format!("{:<18} ", text::safe(name)), theme.faint()),
                ratatui::text::Span::raw(text::safe(value)),
            ])
        }));
    }
    lines
}
