//! Generators of images.

use ratatui::text::{Line, Span};

use crate::event_text::label;
use crate::model::Model;
use crate::text::{counted, time};

pub(super) fn row(model: &Model, place: usize, width: usize) -> Option<Line<'static>> {
    let theme = model.theme;
    let state = model.state();
    let record = state.generators().iter().rev().nth(place)?;
    let event = &record.event;
    let of =
        |batch: &&safelight_lineage::state::SamplesRecord| batch.generated.event.generator == event.generator;
    let drawn: usize = state.samples().iter().filter(of).map(|batch| batch.generated.event.blobs.len()).sum();
    let class = event.class.map_or_else(|| "any class".to_owned(), |class| label(state, Some(class)));
    let mut spans = vec![
        Span::styled(format!("{} ", event.generator.short()), theme.name()),
        Span::raw(format!("{class} ")),
    ];
    if width >= 56 {
        spans.push(Span::styled(format!("{} ", time(record.time)), theme.faint()));
    }
    spans.push(Span::styled(counted(drawn as u64, "sample", "samples"), theme.faint()));
    Some(Line::from(spans))
}
