//! `safelight generate list` and `show`.

use std::fs;
use std::path::PathBuf;

use safelight_lineage::id::{GeneratorId, SamplesId};
use safelight_lineage::query::resolve_prefix;
use safelight_lineage::state::{GeneratorRecord, SamplesRecord, State};
use serde::Serialize;

use super::super::context::Context;
use super::super::output::columns;
use super::super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::generate::history::GeneratorHistory;
use crate::generate::prepare::GeneratorJob;
use crate::session::Session;

/// List generators, those in training, and what was drawn by each
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight generate list\n  safelight generate list --json")]
pub(super) struct ListArgs {}

/// Show a generator with its epochs, or samples with what became of them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight generate show 8d41\n  safelight generate show 8d41 --grid grid.png\n  \
                  safelight generate show 3fa9"
)]
pub(super) struct ShowArgs {
    /// A generator or samples, by the beginning of its id.
    id: String,

    /// Write the grid of samples of its last epoch to this new file.
    #[arg(long, value_name = "FILE")]
    grid: Option<PathBuf>,
}

/// A batch in a list.
#[derive(Debug, Serialize)]
struct Batch {
    samples: SamplesId,
    class: String,
    seed: u64,
    drawn: usize,
    /// How many of them are in the dataset.
    present: usize,
    /// How often they were let in and taken out.
    admissions: usize,
    expulsions: usize,
}

fn batch(state: &State, record: &SamplesRecord) -> Batch {
    let drawn = &record.generated.event;
    let admitted = record.admissions.iter().flat_map(|admission| &admission.event.images);
    let mut present: Vec<_> = admitted
        .map(|admitted| admitted.image)
        .filter(|image| state.image(*image).is_some_and(|view| view.present))
        .collect();
    present.sort_unstable();
    present.dedup();
    Batch {
        samples: drawn.samples,
        class: words::class(state, Some(drawn.class)),
        seed: drawn.seed,
        drawn: drawn.blobs.len(),
        present: present.len(),
        admissions: record.admissions.len(),
        expulsions: record.expulsions.len(),
    }
}

fn class(state: &State, record: &GeneratorRecord) -> String {
    record.event.class.map_or_else(|| "all classes".to_owned(), |class| words::class(state, Some(class)))
}

fn batches(state: &State, generator: GeneratorId) -> Vec<Batch> {
    let of = |record: &&SamplesRecord| record.generated.event.generator == generator;
    state.samples().iter().filter(of).map(|record| batch(state, record)).collect()
}

pub(super) fn list(_: &ListArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let (state, out) = (session.state(), &context.out);
    let cache = session.repository().cache_dir();
    let mut document = Vec::new();
    for record in state.generators() {
        let generator = record.event.generator;
        out.line(format!(
            "generator {}  {}  trained {}",
            generator.short(),
            class(state, record),
            words::time(record.time)
        ));
        let drawn = batches(state, generator);
        let rows: Vec<Vec<String>> = drawn
            .iter()
            .map(|batch| {
                vec![
                    format!("  samples {}", batch.samples.short()),
                    batch.class.clone(),
                    format!("seed {}", batch.seed),
                    format!("{} drawn", batch.drawn),
                    format!("{} in the dataset", batch.present),
                ]
            })
            .collect();
        columns(&rows).iter().for_each(|row| out.line(row));
        document.push(serde_json::json!({
            "generator": generator, "class": class(state, record), "samples": drawn,
        }));
    }
    let unfinished: Vec<GeneratorId> = GeneratorJob::unfinished(&cache)
        .into_iter()
        .filter(|generator| !state.generators().contains(*generator))
        .collect();
    for generator in &unfinished {
        out.line(format!(
            "generator {}  not finished; unless it is in training: safelight generate train --resume {}",
            generator.short(),
            generator.short()
        ));
    }
    if document.is_empty() && unfinished.is_empty() {
        out.line("no generator was trained yet; begin with: safelight generate train --class CLASS");
    }
    out.document(&serde_json::json!({ "generators": document, "unfinished": unfinished }));
    Ok(Exit::Done)
}

pub(super) fn show(args: &ShowArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let generator = resolve_prefix::<GeneratorId>(state, &args.id).ok();
    let samples = resolve_prefix::<SamplesId>(state, &args.id).ok();
    match (
        generator.and_then(|id| state.generators().get(id)),
        samples.and_then(|id| state.samples().get(id)),
    ) {
        (Some(record), None) => show_generator(&session, record, args, context),
        (None, Some(record)) => show_samples(&session, record, context),
        (Some(_), Some(_)) => Err(AppError::refused(format!(
            "'{}' begins the id of a generator and of samples; give more digits",
            words::text(&args.id)
        ))),
        (None, None) => Err(resolve::id::<GeneratorId>(state, &args.id)
            .err()
            .unwrap_or_else(|| AppError::refused("there is no such generator"))
            .hint("see what there is with: safelight generate list")),
    }
}

fn show_generator(
    session: &Session,
    record: &GeneratorRecord,
    args: &ShowArgs,
    context: &Context,
) -> Result<Exit, AppError> {
    let (state, out, event) = (session.state(), &context.out, &record.event);
    let blobs = session.repository().blobs();
    let history = GeneratorHistory::from_json(&blobs.get(event.metrics)?)
        .map_err(|error| AppError::failed(format!("its metrics cannot be read: {error}")))?;
    out.line(format!("generator   {}", event.generator));
    out.line(format!("learned     {} from {} images", class(state, record), history.images));
    out.line(format!("dataset     {}", event.manifest));
    out.line(format!("weights     {}", event.weights));
    if let Some(ending) = &history.ending {
        out.line(format!("ended       {}", ending.in_words()));
    }
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let mut rows = vec![
        ["epoch", "critic distance", "diversity", "Fréchet distance", "seconds"].map(str::to_owned).to_vec(),
    ];
    rows.extend(history.epochs.iter().map(|epoch| {
        vec![
            (epoch.epoch + 1).to_string(),
            format!("{:.4}", epoch.critic_distance),
            figure(epoch.diversity),
            figure(epoch.frechet_distance),
            format!("{:.1}{}", epoch.seconds, if epoch.collapsed { "  collapsed" } else { "" }),
        ]
    }));
    columns(&rows).iter().for_each(|row| out.line(row));
    for batch in batches(state, event.generator) {
        out.line(format!(
            "samples {}: {} of {}, {} in the dataset",
            batch.samples.short(),
            batch.drawn,
            batch.class,
            batch.present
        ));
    }
    if let Some(path) = &args.grid {
        let grid = event.grids.last().ok_or_else(|| AppError::refused("this generator kept no grid"))?;
        let bytes = blobs.get(*grid)?;
        let mut file =
            fs::File::create_new(path).map_err(|error| AppError::io("make the new file", path, &error))?;
        std::io::Write::write_all(&mut file, &bytes).map_err(|error| AppError::io("write", path, &error))?;
        out.line(format!("samples of the last epoch are drawn in {}", path.display()));
    }
    out.document(&serde_json::json!({
        "generator": event,
        "history": history,
        "samples": batches(state, event.generator),
    }));
    Ok(Exit::Done)
}

fn show_samples(session: &Session, record: &SamplesRecord, context: &Context) -> Result<Exit, AppError> {
    let (state, out) = (session.state(), &context.out);
    let batch = batch(state, record);
    out.line(format!("samples     {}", batch.samples));
    out.line(format!(
        "drawn       {} of {} by generator {}, seed {}, {}",
        batch.drawn,
        batch.class,
        record.generated.event.generator.short(),
        batch.seed,
        words::time(record.generated.time)
    ));
    for admission in &record.admissions {
        out.line(format!(
            "admitted    {} at {}{}",
            admission.event.images.len(),
            words::time(admission.time),
            admission
                .event
                .quality
                .map_or_else(String::new, |blob| format!(", on the evidence of {}", blob.short()))
        ));
    }
    for expulsion in &record.expulsions {
        out.line(format!(
            "expelled    {}: {}",
            words::time(expulsion.time),
            words::text(&expulsion.event.reason)
        ));
    }
    out.line(format!("present     {}", batch.present));
    let blobs = session.repository().blobs();
    let evidence = record.admissions.iter().rev().find_map(|admission| admission.event.quality);
    let evidence: Option<serde_json::Value> = match evidence {
        None => None,
        Some(blob) => serde_json::from_slice(&blobs.get(blob)?).ok(),
    };
    out.document(&serde_json::json!({ "samples": record, "summary": batch, "evidence": evidence }));
    Ok(Exit::Done)
}
