//! What models say of an image, as bars, and which images look like it.

use ratatui::text::Span;
use safelight_lineage::state::ImageView;
use safelight_lineage::value::ClassIndex;

use super::line::{DetailLine, Target};
use crate::event_text::{image_name, label, source, views};
use crate::judged::PredictionsMark;
use crate::judgements::Judgement;
use crate::model::Model;
use crate::plot;
use crate::text::{count, fit};

/// Of so many models every class is shown as a bar, of others the surest.
const IN_FULL: usize = 2;
/// So many classes of a model.
const CLASSES: usize = 5;
/// Less than this is no bar, 0 to 1.
const LEAST: f32 = 0.005;
/// Cells of a bar.
const BAR: usize = 20;

/// What models say, the newest first.
pub(super) fn bars(model: &Model, image: &ImageView<'_>) -> Vec<DetailLine> {
    let mark = PredictionsMark::of(model.state());
    match model.judged.of_image.get(&(image.id, mark)) {
        Some(Ok(said)) => {
            let shown = said.iter().enumerate();
            shown.flat_map(|(nth, said)| one(model, image, said, nth < IN_FULL)).collect()
        }
        Some(Err(error)) => {
            let words = format!("predictions cannot be read: {error}");
            vec![DetailLine::new(words, model.theme.bad())]
        }
        None => Vec::new(),
    }
}

fn one(model: &Model, image: &ImageView<'_>, said: &Judgement, in_full: bool) -> Vec<DetailLine> {
    let (state, theme) = (model.state(), model.theme);
    let record = state.predictions().get(said.predictions);
    let words = record.map_or_else(
        || said.predictions.short(),
        |record| format!("{} · {}", source(&record.event.source), views(record.event.views)),
    );
    let mut classes: Vec<(usize, f32)> = said.probabilities.iter().copied().enumerate().collect();
    classes.sort_by(|one, other| other.1.total_cmp(&one.1));
    classes.truncate(if in_full { CLASSES } else { 1 });
    let title = DetailLine::new(words, theme.heading());
    let mut lines = vec![match record {
        Some(record) => title.to(Target::Frame(record.seq)),
        None => title,
    }];
    let top = classes.first().map(|(class, _)| *class);
    for (class, share) in classes.into_iter().filter(|(_, share)| *share >= LEAST) {
        let index = ClassIndex(class as u16);
        // Right and wrong are only told where there is a label.
        let style = match image.label {
            Some(label) if label == index => theme.good(),
            Some(_) if Some(class) == top => theme.warning(),
            None if Some(class) == top => theme.name(),
            _ => theme.faint(),
        };
        lines.push(DetailLine::spans(vec![
            Span::raw(format!("  {} ", fit(&label(state, Some(index)), 12))),
            Span::styled(plot::bar(f64::from(share), BAR), style),
            Span::styled(format!(" {:>5.1} %", share * 100.0), style),
        ]));
    }
    lines
}

/// The images that look alike, the nearest first.
pub(super) fn neighbours(model: &Model, image: &ImageView<'_>) -> Vec<DetailLine> {
    if !model.abilities.likeness {
        return Vec::new();
    }
    let (state, theme) = (model.state(), model.theme);
    let past = model.past.as_ref().map(|past| past.seq);
    let found = match model.judged.neighbours.get(&(image.id, past)) {
        Some(Ok(found)) => found,
        Some(Err(error)) => return vec![DetailLine::new(format!("no neighbours: {error}"), theme.faint())],
        None => return vec![DetailLine::new("looking for images like it …", theme.faint())],
    };
    let title = format!("most like it, by {}, of {}", found.by, count(found.among));
    let mut lines = vec![DetailLine::new(title, theme.heading())];
    for (other, near) in &found.images {
        let view = state.image(*other);
        let class = label(state, view.and_then(|view| view.label));
        let same = view.is_some_and(|view| view.label == image.label);
        let line = DetailLine::spans(vec![
            Span::styled(format!("  {} ", fit(near, 9)), theme.faint()),
            Span::styled(format!("{} ", fit(&class, 12)), if same { theme.name() } else { theme.warning() }),
            Span::raw(image_name(state, *other)),
        ]);
        lines.push(line.to(Target::Image(*other)));
    }
    lines
}
