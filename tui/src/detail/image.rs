//! An image: what it is, and its life.

use ratatui::text::Span;
use safelight_lineage::event::Origin;
use safelight_lineage::query::{BiographyEntry, Happening, biography};
use safelight_lineage::state::{Effect, ImageView, State};

use super::judgement::{bars, neighbours};
use super::line::{DetailLine, Target};
use crate::event_text::{decision, label};
use crate::model::Model;
use crate::text;

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    let Some(image) = model.selected_image() else { return Vec::new() };
    let gap = || DetailLine::new("", model.theme.plain());
    let mut lines = facts(model, &image);
    for part in [life(model, &image), bars(model, &image), neighbours(model, &image)] {
        if !part.is_empty() {
            lines.push(gap());
            lines.extend(part);
        }
    }
    lines
}

/// What the rule says comes first: it is what is to be decided.
pub(super) fn review_lines(model: &Model) -> Vec<DetailLine> {
    let (Some(finding), Some(image)) = (model.finding(), model.selected_image()) else { return Vec::new() };
    let theme = model.theme;
    let state = model.state();
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let mut lines = vec![fact("label", label(state, image.label))];
    if let Some(suggestion) = finding.suggestion {
        lines.push(DetailLine::spans(vec![
            Span::styled(format!("{:<12}", "suggested"), theme.faint()),
            Span::styled(label(state, Some(suggestion)), theme.warning()),
        ]));
    }
    lines.push(fact("rule", format!("{} · {:.3}", text::safe(&finding.rule), finding.score)));
    if !finding.note.is_empty() {
        let room = usize::from(crate::layout::areas(model).detail.width).saturating_sub(12).max(20);
        for (nth, words) in text::wrap(&text::safe(&finding.note), room).into_iter().enumerate() {
            lines.push(fact(if nth == 0 { "why" } else { "" }, words));
        }
    }
    if !finding.group.is_empty() {
        let marked = if model.review.group { " · decided together" } else { " · * decides together" };
        lines.push(fact(
            "same as",
            format!("{}{marked}", text::counted(finding.group.len() as u64, "other", "others")),
        ));
    }
    if let Some(decided) = model.decided(image.id) {
        lines.push(fact("decided", decision(state, decided)));
    }
    lines.extend(bars(model, &image));
    lines.push(DetailLine::new("", theme.plain()));
    lines.extend(facts(model, &image));
    lines.extend(life(model, &image));
    lines
}

fn facts(model: &Model, image: &ImageView<'_>) -> Vec<DetailLine> {
    let theme = model.theme;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let mut lines = vec![
        fact("path", image.path_text()),
        fact("label", label(model.state(), image.label)),
        fact("split", image.split.name().to_owned()),
        fact("image", image.id.to_string()),
        fact("blob", image.blob.short()),
    ];
    if let Origin::Generated { samples } = image.origin {
        lines.push(fact("generated", format!("batch {}", samples.short())));
    }
    if image.removed {
        lines.push(DetailLine::new("removed", theme.bad()));
    } else if !image.present {
        lines.push(DetailLine::new("not in the dataset", theme.bad()));
    }
    lines
}

fn life(model: &Model, image: &ImageView<'_>) -> Vec<DetailLine> {
    let state = model.state();
    let Some(life) = biography(state, image.id) else { return Vec::new() };
    life.entries.iter().map(|entry| moment(model, state, entry)).collect()
}

fn moment(model: &Model, state: &State, entry: &BiographyEntry<'_>) -> DetailLine {
    let theme = model.theme;
    let occasion = &entry.occasion;
    let because =
        |reason: &str| if reason.is_empty() { String::new() } else { format!(": {}", text::safe(reason)) };
    let what = match &entry.what {
        Happening::Imported { label: given, .. } => format!("imported as {}", label(state, *given)),
        Happening::Changed { effect, because: why } => {
            format!("{}{}", effect_in_words(state, effect), because(&why.reason))
        }
        Happening::Reverted { reason, .. } => format!("taken back{}", because(reason)),
    };
    let style = if occasion.reverted_by.is_some() { theme.undone() } else { theme.plain() };
    DetailLine::spans(vec![
        Span::styled(format!("{:>6} {} ", occasion.seq, text::time(occasion.time)), theme.faint()),
        Span::styled(what, style),
        Span::styled(format!(" · {}", occasion.actor), theme.faint()),
    ])
    .to(Target::Frame(occasion.seq))
}

fn effect_in_words(state: &State, effect: &Effect) -> String {
    match effect {
        Effect::Imported { label: given, .. } => format!("imported again as {}", label(state, *given)),
        Effect::Admitted { samples, .. } => format!("admitted again with batch {}", samples.short()),
        Effect::Expelled { samples } => format!("expelled with batch {}", samples.short()),
        Effect::Revised { old, new } => format!("revised {} → {}", old.short(), new.short()),
        Effect::Relabelled { old, new } => format!("{} → {}", label(state, *old), label(state, *new)),
        Effect::Removed => "removed".to_owned(),
        Effect::Restored => "restored".to_owned(),
        Effect::Reviewed { pass, decision: decided } => {
            format!("reviewed in pass {}: {}", pass.short(), decision(state, *decided))
        }
    }
}
