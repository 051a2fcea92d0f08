//! Generators of images.

use ratatui::text::{Line, Span};

use crate::event_text::label;
use crate::generators::{self, Row};
use crate::model::Model;
use crate::text::{count, counted, safe, seconds, time};

pub(super) fn row(model: &Model, place: usize, width: usize) -> Option<Line<'static>> {
    let theme = model.theme;
    let state = model.state();
    let row = generators::row(model, place)?;
    let mut spans = vec![Span::styled(format!("{} ", row.id().short()), theme.name())];
    match row {
        Row::Unfinished(unfinished) => {
            let class = unfinished.class.as_deref().map_or_else(|| "any class".to_owned(), safe);
            let job = generators::job(model, unfinished.generator)
                .filter(|_| generators::is_training(model, unfinished.generator));
            let told = job.and_then(|job| job.generator.as_ref());
            let made = told.and_then(|live| live.epochs.last()).map(|epoch| epoch.epoch);
            let made = made.max(unfinished.grids.last().map(|(epoch, _)| *epoch)).unwrap_or(0);
            let (words, style) = match job {
                Some(_) => ("training", theme.warning()),
                None => ("stopped", theme.bad()),
            };
            spans.push(Span::styled(format!("{words} {made}/{} ", unfinished.epochs), style));
            spans.push(Span::raw(format!("{class} ")));
            // The detail says both; here what fits.
            if let Some(eta) = job.and_then(|job| job.eta).filter(|_| width >= 44) {
                spans.push(Span::styled(format!("{} left ", seconds(eta)), theme.faint()));
            }
            let distance = told.and_then(|live| live.critic_distances.last());
            if let Some(distance) = distance.filter(|_| width >= 60) {
                spans.push(Span::styled(format!("critic {distance:.3}"), theme.faint()));
            }
        }
        Row::Trained(record) => {
            let event = &record.event;
            let class = event.class.map_or_else(|| "any class".to_owned(), |class| label(state, Some(class)));
            spans.push(Span::raw(format!("{class} ")));
            if width >= 56 {
                spans.push(Span::styled(format!("{} ", time(record.time)), theme.faint()));
            }
            let batches = || generators::batches(state, event.generator);
            let drawn: usize = batches().map(|batch| batch.generated.event.blobs.len()).sum();
            spans.push(Span::styled(counted(drawn as u64, "sample", "samples"), theme.faint()));
            let present: u64 = batches().map(|batch| generators::inside(state, batch).present).sum();
            if present > 0 {
                spans.push(Span::styled(format!(" {} in", count(present)), theme.good()));
            }
        }
    }
    Some(Line::from(spans))
}
