//! `safelight audit diff`.

use std::collections::BTreeMap;

use safelight_lineage::query::{Held, ImageDifference, difference};
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, Seq};
use serde::Serialize;

use super::super::context::Context;
use super::super::{resolve, words};
use super::filter::FormArgs;
use super::table;
use crate::error::{AppError, Exit};

/// How the dataset differs between two points of the log
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight audit diff 5100 6200\n  safelight audit diff 5100 now --class sea --csv\n  safelight audit diff run:77aa now"
)]
pub(super) struct DiffArgs {
    /// A seq, the beginning of a transaction's id, run:ID (the dataset that a
    /// run was trained on), start or now.
    from: String,

    /// The other point.
    #[arg(default_value = "now")]
    to: String,

    /// Only images that have or had this class.
    #[arg(long)]
    class: Option<String>,

    /// At most this many lines.
    #[arg(short = 'n', long, default_value_t = 50)]
    number: usize,

    #[command(flatten)]
    form: FormArgs,
}

#[derive(Serialize)]
struct Document<'a> {
    from: Seq,
    to: Seq,
    counts: &'a BTreeMap<&'a str, u64>,
    images: &'a [ImageDifference],
}

pub(super) fn run(args: &DiffArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let (from, to) = (point(state, &args.from)?, point(state, &args.to)?);
    let mut found = difference(state, from, to);
    if let Some(name) = &args.class {
        let place = state.classes().iter().position(|class| class == name).ok_or_else(|| {
            AppError::refused(format!("there is no class '{}'", words::text(name)))
                .hint(format!("the classes are {}", words::text(&state.classes().join(", "))))
        })?;
        let class = Some(ClassIndex(place as u16));
        let has = |held: Option<Held>| held.is_some_and(|held| held.label == class);
        found.retain(|found| has(found.before) || has(found.after));
    }
    if args.form.csv {
        let header =
            ["image", "path", "change", "split", "label_before", "label_after", "blob_before", "blob_after"];
        let rows = found.iter().map(|found| {
            let split = found.after.or(found.before).map_or("", |held| held.split.name());
            let label =
                |held: Option<Held>| held.map_or_else(String::new, |held| words::class(state, held.label));
            let blob = |held: Option<Held>| held.map_or_else(String::new, |held| held.blob.to_string());
            vec![
                found.image.to_string(),
                state.image(found.image).map_or_else(String::new, |view| view.path_text()),
                kind(found).to_owned(),
                split.to_owned(),
                label(found.before),
                label(found.after),
                blob(found.before),
                blob(found.after),
            ]
        });
        table::csv(context, &header, rows)?;
        return Ok(Exit::Done);
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for found in &found {
        *counts.entry(kind(found)).or_default() += 1;
    }
    for found in found.iter().take(args.number) {
        context.out.line(format!(
            "{:10}  {}  {}",
            kind(found),
            words::image(state, found.image),
            words_of(state, found)
        ));
    }
    if found.len() > args.number {
        context.out.line(format!("and {} more; all of them with -n or --csv", found.len() - args.number));
    }
    let sum: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let sum = if sum.is_empty() { "nothing differs".to_owned() } else { sum.join(", ") };
    context.out.line(format!("between seq {from} and {to}: {sum}"));
    context.out.document(&Document { from, to, counts: &counts, images: &found });
    Ok(Exit::Done)
}

fn point(state: &State, text: &str) -> Result<Seq, AppError> {
    match text {
        "now" => Ok(state.seq()),
        "start" => Ok(Seq::ZERO),
        _ => match text.strip_prefix("run:") {
            None => resolve::seq(state, text),
            Some(prefix) => {
                let run = resolve::id(state, prefix)?;
                let started = state.runs().get(run).map(|record| &record.started);
                started
                    .map(|started| state.transactions().seq_after(started.event.at).unwrap_or(started.seq))
                    .ok_or_else(|| AppError::refused(format!("there is no run {run}")))
            }
        },
    }
}

fn kind(found: &ImageDifference) -> &'static str {
    match (found.before, found.after) {
        (None, _) => "added",
        (_, None) => "removed",
        (Some(before), Some(after)) if before.label != after.label => "relabelled",
        _ => "revised",
    }
}

fn words_of(state: &State, found: &ImageDifference) -> String {
    let label = |held: Held| words::class(state, held.label);
    match (found.before, found.after) {
        (Some(before), Some(after)) if before.label != after.label => {
            let revised = if before.blob == after.blob { "" } else { ", and other bytes" };
            format!("{} → {}{revised}", label(before), label(after))
        }
        (Some(before), Some(after)) => format!("{} → {}", before.blob.short(), after.blob.short()),
        (Some(held), None) | (None, Some(held)) => format!("{} ({})", label(held), held.split),
        (None, None) => String::new(),
    }
}
