//! `safelight submit`.

use std::path::PathBuf;

use safelight_lineage::event::SubmissionSource;
use safelight_lineage::id::{EnsembleId, PredictionsId};
use safelight_lineage::query::{PrefixError, resolve_prefix};
use safelight_lineage::state::State;

use super::context::Context;
use super::words;
use crate::error::{AppError, Exit};
use crate::submit::commit::{CommitError, commit, decisions};
use crate::submit::{SubmissionFormat, SubmissionImage, format_like};

/// Write a submission: a CSV of an ensemble's or a model's decisions
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight submit 5d02 --output submission.csv\n  \
                  safelight submit 5d02 --output submission.csv --like sample_submission.csv")]
pub struct SubmitArgs {
    /// An ensemble or predictions, by the beginning of the id.
    source: String,

    /// Where to write the file. It is kept in the store in any case.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Take columns, order, and how images and labels are named from this file.
    #[arg(long, value_name = "FILE")]
    like: Option<PathBuf>,

    /// What to remember about it.
    #[arg(short, long)]
    message: Option<String>,

    /// Overwrite the output file.
    #[arg(long)]
    force: bool,
}

pub fn run(args: &SubmitArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let source = source(session.state(), &args.source)?;
    if let Some(path) = args.output.as_ref().filter(|path| path.exists() && !args.force) {
        return Err(AppError::refused(format!("{} exists already", path.display()))
            .hint("choose another name, or overwrite it with --force"));
    }
    let format = match &args.like {
        None => SubmissionFormat::default(),
        Some(path) => {
            let sample = std::fs::read(path).map_err(|error| AppError::io("read", path, &error))?;
            let blobs = session.repository().blobs().clone();
            let state = session.state();
            let decided = decisions(state, |blob| blobs.get(blob), source)?;
            let images: Vec<SubmissionImage<'_>> = decided
                .iter()
                .filter_map(|(image, _)| {
                    Some(SubmissionImage { image: *image, path: state.image(*image)?.path })
                })
                .collect();
            format_like(&sample, &images, state.classes()).map_err(|error| {
                AppError::refused(format!("{} cannot serve as a sample: {error}", path.display()))
                    .hint("it must name exactly the images that were predicted, each once")
            })?
        }
    };
    let done = commit(&mut session, source, &format, args.message.as_deref())?;
    if let Some(path) = &args.output {
        std::fs::write(path, &done.csv).map_err(|error| {
            AppError::io("write", path, &error).hint(format!(
                "the submission is recorded; get the file with: safelight replay {} --output FILE",
                done.submission.short()
            ))
        })?;
    }
    let out = &context.out;
    out.line(format!("submission {}: {} rows, {}", done.submission, done.rows, done.blob));
    if let Some(path) = &args.output {
        out.line(format!("written to {}", path.display()));
    }
    out.line(format!("next: safelight replay {} --depth votes", done.submission.short()));
    out.document(&serde_json::json!({
        "submission": done.submission,
        "csv": done.blob,
        "rows": done.rows,
        "output": args.output.as_ref().map(|path| path.display().to_string()),
    }));
    Ok(Exit::Done)
}

/// An ensemble or predictions by the beginning of an id.
fn source(state: &State, prefix: &str) -> Result<SubmissionSource, AppError> {
    match (resolve_prefix::<EnsembleId>(state, prefix), resolve_prefix::<PredictionsId>(state, prefix)) {
        (Ok(ensemble), Err(PrefixError::NotFound { .. })) => Ok(SubmissionSource::Ensemble { ensemble }),
        (Err(PrefixError::NotFound { .. }), Ok(predictions)) => {
            Ok(SubmissionSource::Predictions { predictions })
        }
        (Ok(ensemble), Ok(predictions)) => {
            Err(AppError::refused(format!("'{}' is ambiguous", words::text(prefix)))
                .hint(format!("{ensemble}  (ensemble)"))
                .hint(format!("{predictions}  (predictions)")))
        }
        (Err(error @ PrefixError::Ambiguous { .. }), _) | (_, Err(error @ PrefixError::Ambiguous { .. })) => {
            Err(error.into())
        }
        (Err(PrefixError::NotFound { .. }), Err(PrefixError::NotFound { .. })) => Err(AppError::refused(
            format!("there is no ensemble and no predictions '{}'", words::text(prefix)),
        )
        .hint("see what there is with: safelight log --kind EnsembleVoted")),
        (Err(error), _) | (_, Err(error)) => Err(error.into()),
    }
}

impl From<CommitError> for AppError {
    fn from(error: CommitError) -> AppError {
        match error {
            CommitError::Session(error) => error.into(),
            CommitError::Blob(error) => error.into(),
            CommitError::Predictions(error) => error.into(),
            CommitError::Votes { .. } => AppError::new(Exit::Damaged, error.to_string()),
            other => AppError::refused(words::text(&other.to_string())),
        }
    }
}
