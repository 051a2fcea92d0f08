//! `safelight audit removed`, `relabelled` and `by`.

use std::collections::BTreeMap;

use safelight_lineage::event::Evidence;
use safelight_lineage::id::ImageId;
use safelight_lineage::query::{Occasion, relabels, removals};
use safelight_lineage::state::{Because, Effect, State, TransactionRecord};
use safelight_lineage::value::Seq;
use serde::Serialize;

use super::super::context::Context;
use super::super::words;
use super::filter::{Filter, FilterArgs, FormArgs, acts_as, stamp};
use super::table;
use crate::error::{AppError, Exit};

/// Which images were removed
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight audit removed --class sea\n  safelight audit removed --since 2026-11-01 --csv"
)]
pub(super) struct RemovedArgs {
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// Which images got another label
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight audit relabelled --by rule\n  safelight audit relabelled --rule confidently-wrong --as-of 6200"
)]
pub(super) struct RelabelledArgs {
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// Everything that somebody or something did
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight audit by ada\n  safelight audit by confidently-wrong --class sea\n  safelight audit by person --csv"
)]
pub(super) struct ByArgs {
    /// A name, a rule, the beginning of a checkpoint's id, or person, rule,
    /// model, program.
    who: String,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    form: FormArgs,
}

pub(super) fn removed(args: &RemovedArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    args.filter.with_state(&session, |state| {
        let filter = args.filter.checked(state)?;
        let found: Vec<_> = removals(state)
            .filter(|removal| filter.all || removal.still_removed)
            .filter(|removal| {
                filter.admits(state, removal.image, [None; 2], &removal.occasion, removal.because)
            })
            .collect();
        if args.form.csv {
            let rows = found.iter().map(|removal| {
                let view = state.image(removal.image);
                let mut row = row(state, removal.image, &removal.occasion, removal.because);
                row.insert(4, words::class(state, view.and_then(|view| view.label)));
                row
            });
            return table::csv(context, &header(&["class"]), rows);
        }
        for removal in &found {
            context.out.line(line(state, removal.image, &removal.occasion, removal.because, "removed"));
        }
        context.out.line(words::count(found.len() as u64, "removal", "removals"));
        context.out.document(&found);
        Ok(())
    })?;
    Ok(Exit::Done)
}

pub(super) fn relabelled(args: &RelabelledArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    args.filter.with_state(&session, |state| {
        let filter = args.filter.checked(state)?;
        let found: Vec<_> = relabels(state)
            .filter(|change| {
                let labels = [change.old, change.new];
                filter.admits(state, change.image, labels, &change.occasion, change.because)
            })
            .collect();
        if args.form.csv {
            let rows = found.iter().map(|change| {
                let mut row = row(state, change.image, &change.occasion, change.because);
                row.insert(4, words::class(state, change.old));
                row.insert(5, words::class(state, change.new));
                row
            });
            return table::csv(context, &header(&["old", "new"]), rows);
        }
        for change in &found {
            let what = format!("{} → {}", words::class(state, change.old), words::class(state, change.new));
            context.out.line(line(state, change.image, &change.occasion, change.because, &what));
        }
        context.out.line(words::count(found.len() as u64, "change of a label", "changes of labels"));
        context.out.document(&found);
        Ok(())
    })?;
    Ok(Exit::Done)
}

/// The columns of a change, with more after the path.
fn header(more: &[&'static str]) -> Vec<&'static str> {
    let mut header = vec!["seq", "time", "image", "path"];
    header.extend(more);
    header.extend(["actor", "reason", "rule", "score", "pass", "predictions", "taken_back"]);
    header
}

fn row(state: &State, image: ImageId, occasion: &Occasion<'_>, because: &Because) -> Vec<String> {
    let Evidence { pass, predictions, rule, score } = &because.evidence;
    let or_nothing = |text: Option<String>| text.unwrap_or_default();
    vec![
        occasion.seq.to_string(),
        stamp(occasion.time),
        image.to_string(),
        or_nothing(state.image(image).map(|view| view.path_text())),
        occasion.actor.to_string(),
        because.reason.clone(),
        or_nothing(rule.clone()),
        or_nothing(score.map(|score| score.to_string())),
        or_nothing(pass.map(|pass| pass.to_string())),
        or_nothing(predictions.map(|id| id.to_string())),
        occasion.reverted_by.is_some().to_string(),
    ]
}

fn line(state: &State, image: ImageId, occasion: &Occasion<'_>, because: &Because, what: &str) -> String {
    format!(
        "{:>8}  {}  {}  {what} by {}: {}{}",
        occasion.seq,
        words::time(occasion.time),
        words::image(state, image),
        occasion.actor,
        words::text(&because.reason),
        taken_back(occasion)
    )
}

pub(super) fn taken_back(occasion: &Occasion<'_>) -> &'static str {
    if occasion.reverted_by.is_some() { "  (taken back)" } else { "" }
}

/// What one transaction did, as far as the state tells.
#[derive(Debug, Serialize)]
struct Deed<'a> {
    #[serde(flatten)]
    transaction: &'a TransactionRecord,
    /// How many images came in.
    imported: u64,
    /// How many images were changed in which way.
    changes: BTreeMap<&'static str, u64>,
    /// The rest: facts about models, and reverts.
    other: u64,
}

pub(super) fn by(args: &ByArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    args.filter.with_state(&session, |state| {
        let filter = args.filter.checked(state)?;
        let deeds = deeds(state, &args.who, &filter);
        if args.form.csv {
            let header = ["first_seq", "time", "transaction", "actor", "events", "what", "message"];
            let rows = deeds.iter().map(|deed| {
                let record = deed.transaction;
                vec![
                    record.first_seq.to_string(),
                    stamp(record.time),
                    record.transaction.to_string(),
                    record.actor.to_string(),
                    record.events.to_string(),
                    summary(deed),
                    record.message.clone().unwrap_or_default(),
                ]
            });
            return table::csv(context, &header, rows);
        }
        for deed in &deeds {
            let record = deed.transaction;
            let message =
                record.message.as_ref().map_or_else(String::new, |text| format!("  ({})", words::text(text)));
            context.out.line(format!(
                "{:>8}  {}  {}  {}{message}",
                record.first_seq,
                words::time(record.time),
                record.actor,
                summary(deed)
            ));
        }
        let events: u64 = deeds.iter().map(|deed| deed.transaction.events).sum();
        context.out.line(format!(
            "{}, {}; one in full: safelight show TRANSACTION",
            words::count(deeds.len() as u64, "transaction", "transactions"),
            words::count(events, "event", "events")
        ));
        context.out.document(&deeds);
        Ok(())
    })?;
    Ok(Exit::Done)
}

fn deeds<'a>(state: &'a State, who: &str, filter: &Filter) -> Vec<Deed<'a>> {
    let mut changes: BTreeMap<Seq, BTreeMap<&'static str, u64>> = BTreeMap::new();
    for change in state.all_changes() {
        let Some(occasion) = Occasion::of(state, change.seq) else { continue };
        if !acts_as(occasion.actor, who) {
            continue;
        }
        let labels = match change.effect {
            Effect::Relabelled { old, new } => [old, new],
            _ => [None; 2],
        };
        if filter.admits(state, change.image, labels, &occasion, change.because) {
            let first = Seq(change.seq.0 - u64::from(change.at.index));
            *changes.entry(first).or_default().entry(kind(change.effect)).or_default() += 1;
        }
    }
    state
        .transactions()
        .iter()
        .filter(|record| acts_as(&record.actor, who) && filter.acts(&record.actor) && filter.at(record.time))
        .filter_map(|record| {
            let changes = changes.remove(&record.first_seq).unwrap_or_default();
            if filter.about_images() && changes.is_empty() {
                return None;
            }
            let imported = imported(state, record);
            let counted = imported + changes.values().sum::<u64>();
            Some(Deed {
                transaction: record,
                imported,
                changes,
                other: record.events.saturating_sub(counted),
            })
        })
        .collect()
}

/// How many images came in with a transaction. Images are in order of import.
fn imported(state: &State, record: &TransactionRecord) -> u64 {
    let before = |seq: Seq| {
        let (mut low, mut high) = (0, state.image_count());
        while low < high {
            let middle = low.midpoint(high);
            if state.image_at(middle).is_some_and(|view| view.imported < seq) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low as u64
    };
    before(Seq(record.last_seq().0 + 1)) - before(record.first_seq)
}

const fn kind(effect: Effect) -> &'static str {
    match effect {
        Effect::Imported { .. } => "imported again",
        Effect::Admitted { .. } => "admitted",
        Effect::Expelled { .. } => "expelled",
        Effect::Revised { .. } => "revised",
        Effect::Relabelled { .. } => "relabelled",
        Effect::Removed => "removed",
        Effect::Restored => "restored",
        Effect::Reviewed { .. } => "reviewed",
    }
}

fn summary(deed: &Deed<'_>) -> String {
    let mut parts = Vec::new();
    if deed.imported > 0 {
        parts.push(format!("{} imported", words::count(deed.imported, "image", "images")));
    }
    for (kind, count) in &deed.changes {
        parts.push(format!("{count} {kind}"));
    }
    if deed.other > 0 {
        parts.push(words::count(deed.other, "other event", "other events"));
    }
    parts.join(", ")
}
