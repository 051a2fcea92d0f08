//! `safelight audit sheet`: looking instead of reading.

use std::path::PathBuf;

use safelight_lineage::id::{ImageId, PassId, PredictionsId};
use safelight_lineage::query::{relabels, removals};
use safelight_lineage::state::State;
use safelight_lineage::value::ClassIndex;

use super::super::context::Context;
use super::super::{resolve, words};
use super::filter::FilterArgs;
use crate::clean::{combine, pass::findings};
use crate::ensemble::cast::probabilities;
use crate::error::{AppError, Exit};
use crate::predictions::{Probabilities, argmax};
use crate::session::Session;
use crate::sheet::{Cell, Page, PageError, Tone, html, png};

/// Write one page of pictures with label, prediction and reason under each
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight audit sheet --pass 77c0 --output found.png\n  \
                  safelight audit sheet --pass 77c0 --rule confidently-wrong -n 30 --output found.html\n  \
                  safelight audit sheet --removed --since 2026-11-01 --output removed.png\n  \
                  safelight audit sheet --class sea -n 100 --output sea.html\n  \
                  safelight audit sheet train/sea/0001.jpg 3fa9c1 --output two.png\n\n\
                  A PNG, or one HTML file that needs no other, by the ending of the name.")]
pub(super) struct SheetArgs {
    /// Images, by the beginning of their ids or by path.
    #[arg(conflicts_with_all = ["pass", "removed", "relabelled"])]
    images: Vec<String>,

    /// What this cleaning pass found, the worst first.
    #[arg(long, value_name = "PASS", conflicts_with_all = ["removed", "relabelled"])]
    pass: Option<String>,

    /// Images that were removed, as `audit removed` lists them.
    #[arg(long, conflicts_with = "relabelled")]
    removed: bool,

    /// Images that got another label, as `audit relabelled` lists them.
    #[arg(long)]
    relabelled: bool,

    #[command(flatten)]
    filter: FilterArgs,

    /// Say what these predictions hold each picture for [default: those of the pass].
    #[arg(long, value_name = "PREDICTIONS")]
    predictions: Option<String>,

    /// At most this many pictures.
    #[arg(short = 'n', long, default_value_t = 60)]
    number: usize,

    /// Pictures beside each other.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=30))]
    columns: u8,

    /// The file to write: NAME.png or NAME.html.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
}

/// A picture to show, and why.
struct Shown {
    image: ImageId,
    label: Option<ClassIndex>,
    suggested: Option<ClassIndex>,
    reasons: Vec<String>,
}

pub(super) fn run(args: &SheetArgs, context: &Context) -> Result<Exit, AppError> {
    let ending =
        args.output.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
    if !["png", "html", "htm"].contains(&ending.as_str()) {
        return Err(AppError::new(
            Exit::Usage,
            format!("{} ends neither in .png nor in .html", words::text(&args.output.to_string_lossy())),
        ));
    }
    if args.output.exists() && !args.force {
        return Err(AppError::refused(format!(
            "{} is there already",
            words::text(&args.output.to_string_lossy())
        ))
        .hint("write over it with --force"));
    }
    let session = context.session()?;
    let (page, of) = args.filter.with_state(&session, |state| page(args, &session, state))?;
    let shown = page.cells.len();
    let bytes = if ending == "png" { png(&page)? } else { html(&page)?.into_bytes() };
    std::fs::write(&args.output, &bytes).map_err(|error| AppError::io("write", &args.output, &error))?;
    let name = words::text(&args.output.to_string_lossy());
    context.out.line(format!("{} of {of} in {name}", words::count(shown as u64, "picture", "pictures")));
    context
        .out
        .document(&serde_json::json!({ "file": name, "shown": shown, "of": of, "bytes": bytes.len() }));
    Ok(Exit::Done)
}

fn page(args: &SheetArgs, session: &Session, state: &State) -> Result<(Page, usize), AppError> {
    let pass: Option<PassId> = args.pass.as_deref().map(|text| resolve::id(state, text)).transpose()?;
    let (title, mut shown) = chosen(args, session, state, pass)?;
    let of = shown.len();
    if of == 0 {
        return Err(AppError::refused("there are no pictures to show: nothing matches"));
    }
    shown.truncate(args.number.max(1));
    let predictions: Option<PredictionsId> = match (&args.predictions, pass) {
        (Some(text), _) => Some(resolve::id(state, text)?),
        (None, Some(pass)) => {
            state.passes().get(pass).and_then(|record| record.proposed.event.predictions.first().copied())
        }
        (None, None) => None,
    };
    let blobs = session.repository().blobs();
    let said = predictions.map(|id| probabilities(state, |blob| blobs.get(blob), id)).transpose()?;
    let cells = shown
        .iter()
        .filter_map(|shown| Some((shown, state.image(shown.image)?)))
        .map(|(shown, view)| {
            Ok(Cell { picture: blobs.get(view.blob)?, lines: lines(state, shown, said.as_ref()) })
        })
        .collect::<Result<Vec<_>, AppError>>()?;
    let more = if of > cells.len() { format!(", {} of {of}", cells.len()) } else { format!(", {of}") };
    Ok((Page { title: format!("{title}{more}"), columns: usize::from(args.columns), cells }, of))
}

fn chosen(
    args: &SheetArgs,
    session: &Session,
    state: &State,
    pass: Option<PassId>,
) -> Result<(String, Vec<Shown>), AppError> {
    let filter = args.filter.checked(state)?;
    let now = |image: ImageId| state.image(image).and_then(|view| view.label);
    if let Some(pass) = pass {
        let blobs = session.repository().blobs();
        let mut found = findings(state, |blob| blobs.get(blob), pass)?.0;
        found.retain(|finding| filter.found(&finding.rule, finding.label, &finding.reason));
        let entries = combine(found).into_iter().map(|entry| Shown {
            image: entry.image,
            label: entry.findings.first().and_then(|finding| finding.label),
            suggested: entry.suggested,
            reasons: entry
                .findings
                .iter()
                .map(|finding| format!("{}: {}", finding.rule, finding.reason))
                .collect(),
        });
        return Ok((format!("Found by pass {}", pass.short()), entries.collect()));
    }
    if args.removed {
        let found = removals(state)
            .filter(|removal| filter.all || removal.still_removed)
            .filter(|removal| {
                filter.admits(state, removal.image, [None; 2], &removal.occasion, removal.because)
            })
            .map(|removal| Shown {
                image: removal.image,
                label: now(removal.image),
                suggested: None,
                reasons: vec![format!("removed by {}: {}", removal.occasion.actor, removal.because.reason)],
            });
        return Ok(("Removed".to_owned(), found.collect()));
    }
    if args.relabelled {
        let found = relabels(state)
            .filter(|change| {
                filter.admits(state, change.image, [change.old, change.new], &change.occasion, change.because)
            })
            .map(|change| Shown {
                image: change.image,
                label: change.old,
                suggested: change.new,
                reasons: vec![format!("relabelled by {}: {}", change.occasion.actor, change.because.reason)],
            });
        return Ok(("Relabelled".to_owned(), found.collect()));
    }
    let plain = |image| Shown { image, label: now(image), suggested: None, reasons: Vec::new() };
    if !args.images.is_empty() {
        let images = resolve::images(state, &args.images)?;
        return Ok(("Images".to_owned(), images.into_iter().map(plain).collect()));
    }
    if let Some(class) = filter.class() {
        let images = state.images().filter(|view| view.present && view.label == Some(class));
        let title = format!("Images labelled {}", words::class(state, Some(class)));
        return Ok((title, images.map(|view| plain(view.id)).collect()));
    }
    Err(AppError::new(Exit::Usage, "say which pictures: images, --pass, --removed, --relabelled or --class"))
}

fn lines(state: &State, shown: &Shown, said: Option<&Probabilities>) -> Vec<(Tone, String)> {
    let label = words::class(state, shown.label);
    let label = match shown.suggested.filter(|suggested| Some(*suggested) != shown.label) {
        Some(suggested) => format!("{label} → {}", words::class(state, Some(suggested))),
        None => label,
    };
    // The arrow is not in every font.
    let mut lines = vec![(Tone::Label, label.replace('→', "->"))];
    if let Some(row) = said.and_then(|said| said.row(shown.image)) {
        let class = argmax(row);
        let sure = f64::from(row[usize::from(class.0)]) * 100.0;
        lines.push((Tone::Prediction, format!("predicted {} {sure:.1} %", words::class(state, Some(class)))));
    }
    lines.extend(shown.reasons.iter().map(|reason| (Tone::Reason, words::text(reason))));
    if let Some(view) = state.image(shown.image) {
        lines.push((Tone::Name, format!("{} {}", view.id.short(), view.path_text())));
    }
    lines
}

impl From<PageError> for AppError {
    fn from(error: PageError) -> AppError {
        match error {
            PageError::Encode(_) => AppError::failed(error.to_string()),
            other => AppError::refused(other.to_string()),
        }
    }
}
