//! `safelight predictions`.

use std::path::PathBuf;

use safelight_lineage::event::{Honesty, PredictionSource, PredictionsRecorded, Split, ViewPolicy};
use safelight_lineage::id::PredictionsId;
use safelight_lineage::manifest::Manifest;
use safelight_lineage::query::{ManifestFilter, manifest};
use safelight_lineage::state::{PredictionsRecord, State};
use safelight_lineage::value::{PathBytes, Real};

use super::context::Context;
use super::{resolve, words};
use crate::ensemble::cast::probabilities;
use crate::error::{AppError, Exit};
use crate::predictions::{
    External, ExternalError, ImageDifferences, KnownImage, Probabilities, argmax, read_external_partly,
};
use crate::train::metrics::Judgement;

/// How many names of images are listed before the rest is only counted.
const LISTED: usize = 10;

/// Bring in predictions that were made elsewhere, and look at those there are
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight predictions add oof.csv --source \"timm vit-b\" --honesty out-of-fold\n  \
                  safelight predictions list\n  safelight predictions show 3fa9\n  \
                  safelight predictions show 3fa9 --csv > oof.csv"
)]
pub struct PredictionsArgs {
    #[command(subcommand)]
    action: PredictionsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PredictionsCommand {
    /// Record probabilities from a CSV file: a column that names the image by
    /// path, id or file name, and one for each class by its name
    #[command(after_help = "Examples:\n  safelight predictions add oof.csv --source \"timm vit-b\"\n  \
                      safelight predictions add test.csv --source \"timm vit-b\" --split test --honesty held-out")]
    Add(AddArgs),
    /// List the predictions, the newest first
    #[command(after_help = "Example:\n  safelight predictions list")]
    List,
    /// Show where predictions came from and how good they are
    #[command(
        after_help = "Examples:\n  safelight predictions show 3fa9\n  safelight predictions show 3fa9 --csv"
    )]
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// The file.
    file: PathBuf,

    /// What made them, in your words; kept for ever.
    #[arg(long)]
    source: String,

    /// The split that they are for.
    #[arg(long, value_enum, default_value_t = SplitName::Train)]
    split: SplitName,

    /// Whether the model had learned from these images.
    #[arg(long, value_enum, default_value_t = HonestyName::Unknown)]
    honesty: HonestyName,

    /// Take what fits when images are missing or not known; they are listed.
    #[arg(long)]
    partial: bool,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The predictions, by the beginning of their id.
    predictions: String,

    /// Write every probability as CSV, in the form that `predictions add` reads.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SplitName {
    Train,
    Valid,
    Test,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum HonestyName {
    /// The model never saw them.
    HeldOut,
    /// Each was judged by a model that had not seen it.
    OutOfFold,
    /// The model learned from these very images.
    InSample,
    /// Not known.
    Unknown,
}

pub fn run(args: &PredictionsArgs, context: &Context) -> Result<Exit, AppError> {
    match &args.action {
        PredictionsCommand::Add(args) => add(args, context),
        PredictionsCommand::List => list(context),
        PredictionsCommand::Show(args) => show(args, context),
    }
}

fn add(args: &AddArgs, context: &Context) -> Result<Exit, AppError> {
    if args.source.trim().is_empty() {
        return Err(AppError::new(Exit::Usage, "--source is empty; say what made the predictions"));
    }
    let mut session = context.session()?;
    let split = match args.split {
        SplitName::Train => Split::Train,
        SplitName::Valid => Split::Valid,
        SplitName::Test => Split::Test,
    };
    let csv = std::fs::read(&args.file).map_err(|error| AppError::io("read", &args.file, &error))?;
    let state = session.state();
    let dataset = manifest(state, &ManifestFilter::split(split));
    if dataset.rows().is_empty() {
        return Err(AppError::refused(format!("the {split} split holds no image"))
            .hint("say which split they are for with --split"));
    }
    let known: Vec<KnownImage> = dataset
        .rows()
        .iter()
        .filter_map(|row| state.image(row.image))
        .map(|view| KnownImage { image: view.id, path: PathBytes::new(view.path) })
        .collect();
    let file = words::text(&args.file.to_string_lossy());
    let External { probabilities, differences } =
        read_external_partly(&csv, state.classes(), &known).map_err(|error| refused(&file, &error))?;
    if !differences.is_empty() && !args.partial {
        return Err(listed(&differences)
            .into_iter()
            .fold(
                AppError::refused(format!("{file}: {}", ExternalError::Images(differences.clone()))),
                AppError::hint,
            )
            .hint("take what fits with --partial, or say which split they are for with --split"));
    }
    if probabilities.is_empty() {
        return Err(AppError::refused(format!("{file} names no image of the {split} split")));
    }
    let rows = dataset.rows().iter().filter(|row| probabilities.row(row.image).is_some());
    let covered = Manifest::new(dataset.classes().to_vec(), rows.copied().collect());
    let (at, manifest) = (session.head(), covered.digest());
    let blob = session.repository().blobs().put(&probabilities.to_bytes())?;
    let honesty = match args.honesty {
        HonestyName::HeldOut => Honesty::HeldOut,
        HonestyName::OutOfFold => Honesty::OutOfFold,
        HonestyName::InSample => Honesty::InSample,
        HonestyName::Unknown => Honesty::Unknown,
    };
    let frame = session.record(None, |_, transaction| PredictionsRecorded {
        predictions: PredictionsId(transaction.derive("predictions", 0)),
        source: PredictionSource::External { name: args.source.clone() },
        manifest,
        split,
        at,
        views: ViewPolicy::Unknown,
        honesty,
        temperature: None,
        probabilities: blob,
        environment: None,
    })?;
    let id = PredictionsId(frame.header.transaction.derive("predictions", 0));
    for line in listed(&differences) {
        context.out.notice(&format!("left out: {line}"));
    }
    let accuracy = accuracy(session.state(), &probabilities);
    context.out.line(format!("predictions {id}: {} images of the {split} split", probabilities.len()));
    if let Some((right, labelled)) = accuracy {
        context.out.line(agreement(right, labelled));
    }
    context.out.line(format!("next: safelight clean propose --predictions {}", id.short()));
    context.out.document(&serde_json::json!({
        "predictions": id,
        "images": probabilities.len(),
        "agree_with_label": accuracy.map(|(right, labelled)| right as f64 / labelled as f64),
        "missing": differences.missing,
        "unknown": differences.unknown,
        "duplicate": differences.duplicate,
        "ambiguous": differences.ambiguous,
    }));
    Ok(if differences.is_empty() { Exit::Done } else { Exit::Partly })
}

fn refused(file: &str, error: &ExternalError) -> AppError {
    let refused = AppError::refused(format!("{file}: {}", words::text(&error.to_string())));
    match error {
        ExternalError::Classes { .. }
        | ExternalError::DuplicateClass { .. }
        | ExternalError::NoImageColumn => refused.hint("see the classes with: safelight status"),
        ExternalError::Row { .. } | ExternalError::Value { .. } => {
            refused.hint("probabilities are 0 to 1 and add up to 1; scores of a network need a softmax first")
        }
        _ => refused,
    }
}

/// What differs, a line for each way.
fn listed(differences: &ImageDifferences) -> Vec<String> {
    [
        ("missing from the file", &differences.missing),
        ("not an image of the split", &differences.unknown),
        ("there more than once", &differences.duplicate),
        ("the file name of several images", &differences.ambiguous),
    ]
    .into_iter()
    .filter(|(_, paths)| !paths.is_empty())
    .map(|(what, paths)| {
        let shown: Vec<String> = paths.iter().take(LISTED).map(PathBytes::to_string).collect();
        let more = match paths.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{} {what}: {}{more}", paths.len(), shown.join(", "))
    })
    .collect()
}

fn list(context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let records: Vec<&PredictionsRecord> = session.state().predictions().iter().collect();
    for record in records.iter().rev() {
        let event = &record.event;
        context.out.line(format!(
            "{}  {}  {:5}  {:11}  {}",
            event.predictions.short(),
            words::time(record.time),
            event.split.name(),
            honesty(event.honesty),
            source(&event.source)
        ));
    }
    if records.is_empty() {
        context
            .out
            .line("no predictions yet; make some with: safelight predict or safelight predictions add");
    }
    context.out.document(&records);
    Ok(Exit::Done)
}

fn show(args: &ShowArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let id: PredictionsId = resolve::id(state, &args.predictions)?;
    let blobs = session.repository().blobs().clone();
    let said = probabilities(state, |blob| blobs.get(blob), id)?;
    if args.csv {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let failed = |error: csv::Error| AppError::failed(format!("could not write CSV: {error}"));
        let header = std::iter::once("image").chain(state.classes().iter().map(String::as_str));
        csv.write_record(header).map_err(failed)?;
        for (image, row) in said.rows() {
            let values = row.iter().map(f32::to_string);
            csv.write_record(std::iter::once(image.to_string()).chain(values)).map_err(failed)?;
        }
        let bytes = csv.into_inner().map_err(|error| AppError::failed(error.to_string()))?;
        context.out.line(String::from_utf8_lossy(&bytes).trim_end());
        return Ok(Exit::Done);
    }
    let Some(record) = state.predictions().get(id) else {
        return Err(AppError::refused(format!("there are no predictions {id}")));
    };
    let event = &record.event;
    let out = &context.out;
    out.line(format!("predictions {id}"));
    out.line(format!("  made by    {}", source(&event.source)));
    out.line(format!("  recorded   {} as event {}", words::time(record.time), record.seq));
    out.line(format!("  for        {} images of the {} split", said.len(), event.split));
    out.line(format!("  honesty    {}", honesty(event.honesty)));
    let accuracy = accuracy(state, &said);
    if let Some((right, labelled)) = accuracy {
        out.line(format!("  {}", agreement(right, labelled)));
    }
    let calibration_error = calibration_errors(state, &said, event.temperature);
    if let Some(temperature) = event.temperature {
        out.line(format!("  calibrated temperature {:.4}", temperature.0));
    }
    match calibration_error {
        Some((before, Some(after))) => {
            out.line(format!("  calibration error by their labels {before:.4} before, {after:.4} after"));
        }
        Some((as_said, None)) => out.line(format!("  calibration error by their labels {as_said:.4}")),
        None => {}
    }
    out.document(&serde_json::json!({
        "record": record,
        "images": said.len(),
        "agree_with_label": accuracy.map(|(right, labelled)| right as f64 / labelled as f64),
        "calibration_error": calibration_error.map(|(first, after)| after.unwrap_or(first)),
        "calibration_error_before": calibration_error.and_then(|(first, after)| after.map(|_| first)),
    }));
    Ok(Exit::Done)
}

/// How often the most probable class is the label of now, of how many labelled.
fn accuracy(state: &State, said: &Probabilities) -> Option<(usize, usize)> {
    let labelled: Vec<bool> =
        said.rows().filter_map(|(image, row)| Some(state.image(image)?.label? == argmax(row))).collect();
    let right = labelled.iter().filter(|right| **right).count();
    (!labelled.is_empty()).then_some((right, labelled.len()))
}

/// The calibration error of what was said by the labels of now; where it was
/// calibrated, first that of what was said before.
fn calibration_errors(
    state: &State,
    said: &Probabilities,
    temperature: Option<Real>,
) -> Option<(f64, Option<f64>)> {
    let of = |said: &Probabilities| {
        let labelled = said.rows().filter_map(|(image, row)| Some((row, state.image(image)?.label?.0)));
        let (rows, labels): (Vec<&[f32]>, Vec<u16>) = labelled.unzip();
        (!labels.is_empty())
            .then(|| Judgement::new(&rows.concat(), &labels, said.classes()).calibration_error)
    };
    let now = of(said)?;
    match temperature.and_then(|temperature| said.at_temperature(1.0 / temperature.0).ok()) {
        Some(before) => Some((of(&before)?, Some(now))),
        None => Some((now, None)),
    }
}

fn agreement(right: usize, labelled: usize) -> String {
    let share = right as f64 / labelled as f64;
    format!("they agree with {right} of {labelled} labels ({share:.4})")
}

fn honesty(honesty: Honesty) -> &'static str {
    match honesty {
        Honesty::HeldOut => "held out",
        Honesty::OutOfFold => "out of fold",
        Honesty::InSample => "in-sample",
        Honesty::Unknown => "not known",
    }
}

fn source(source: &PredictionSource) -> String {
    match source {
        PredictionSource::Checkpoint { checkpoint } => format!("checkpoint {}", checkpoint.short()),
        PredictionSource::Folds { checkpoints } => {
            let names: Vec<String> = checkpoints.iter().map(|id| id.short()).collect();
            format!("checkpoints of folds {}", names.join(", "))
        }
        PredictionSource::External { name } => words::text(name),
    }
}
