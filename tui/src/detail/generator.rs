//! A generator, and what became of what it drew.

use super::line::{DetailLine, Target};
use crate::event_text::label;
use crate::model::Model;
use crate::text::{self, counted};

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    let state = model.state();
    let Some(record) = state.generators().iter().rev().nth(model.generators.selected) else {
        return Vec::new();
    };
    let theme = model.theme;
    let event = &record.event;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let class = event.class.map_or_else(|| "any class".to_owned(), |class| label(state, Some(class)));
    let mut lines = vec![
        fact("generator", event.generator.to_string()),
        fact("draws", class),
        fact("trained", format!("{} UTC", text::time(record.time))).to(Target::Frame(record.seq)),
        fact("recipe", event.recipe.short()),
        fact("dataset", event.manifest.short()),
        fact("weights", event.weights.short()),
    ];
    if let Some(seq) = state.transactions().seq_after(event.at) {
        lines.push(fact("as of", format!("Seq {seq}")).to(Target::Frame(seq)));
    }
    for batch in state.samples().iter().filter(|batch| batch.generated.event.generator == event.generator) {
        let drawn = &batch.generated.event;
        lines.push(DetailLine::new("", theme.plain()));
        lines.push(
            DetailLine::new(
                format!(
                    "{} of {} · {} · seed {}",
                    counted(drawn.blobs.len() as u64, "sample", "samples"),
                    label(state, Some(drawn.class)),
                    drawn.samples.short(),
                    drawn.seed
                ),
                theme.heading(),
            )
            .to(Target::Frame(batch.generated.seq)),
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
        for expelled in &batch.expulsions {
            let words = format!("  expelled: {}", text::safe(&expelled.event.reason));
            let style = if state.stands(expelled.seq) { theme.bad() } else { theme.undone() };
            lines.push(DetailLine::new(words, style).to(Target::Frame(expelled.seq)));
        }
    }
    lines
}
