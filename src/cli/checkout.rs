//! `safelight checkout`.

use std::path::{Path, PathBuf};

use safelight_lineage::event::Split;
use safelight_lineage::id::SubmissionId;
use safelight_lineage::query::{ManifestFilter, resolve_prefix};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use super::context::Context;
use super::{resolve, words};
use crate::checkout::{CheckoutError, checkout};
use crate::error::{AppError, Exit};
use crate::stop::Stop;

/// Write the dataset, as it was at any time, as a folder of images
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight checkout ../now\n  safelight checkout --as-of 5000 ../then\n  \
                  safelight checkout --as-of 9c41 ../as-submitted     when that submission was recorded\n  \
                  cd ../then && b3sum --check checksums.b3\n\n\
                  Images go to SPLIT/CLASS/FILE, those without a label to SPLIT/FILE. manifest.csv says of each\n\
                  which image it is, and is written last."
)]
pub struct CheckoutArgs {
    /// The folder; must be missing or empty.
    dir: PathBuf,

    /// A seq, a transaction or a submission [default: now].
    #[arg(long, value_name = "SEQ|SUBMISSION")]
    as_of: Option<String>,

    /// Only this split; may be repeated.
    #[arg(long, value_enum)]
    split: Vec<SplitName>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SplitName {
    Train,
    Valid,
    Test,
}

/// Writes a dataset as it was.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn run(args: &CheckoutArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let seq = match &args.as_of {
        None => session.state().seq(),
        Some(text) => moment(session.state(), text)?,
    };
    must_be_empty(&args.dir)?;
    let state = session.repository().state_as_of(seq)?;
    let mut filter = ManifestFilter::default();
    if !args.split.is_empty() {
        filter.splits = args
            .split
            .iter()
            .map(|split| match split {
                SplitName::Train => Split::Train,
                SplitName::Valid => Split::Valid,
                SplitName::Test => Split::Test,
            })
            .collect();
    }
    let stop = Stop::install();
    let bar = context.out.bar("writing", 0, "images");
    let done =
        checkout(&state, session.repository().blobs(), &filter, &args.dir, stop.flag(), &|done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
    bar.finish_and_clear();
    let done = done.map_err(|error| failure(error, &args.dir, &stop))?;
    let out = &context.out;
    out.line(format!(
        "{} as of seq {seq}: {:.1} MB in {}, {} reflinked",
        words::count(done.images, "image", "images"),
        done.bytes as f64 / 1e6,
        args.dir.display(),
        done.reflinked
    ));
    out.line(format!("manifest {}", done.manifest));
    out.line("check it with: b3sum --check checksums.b3");
    out.document(&serde_json::json!({
        "seq": seq, "frame": state.head(), "images": done.images, "bytes": done.bytes,
        "reflinked": done.reflinked, "manifest": done.manifest, "dir": args.dir.display().to_string(),
    }));
    Ok(Exit::Done)
}

/// A point in the log: a seq, a transaction, or where a submission was recorded.
pub fn moment(state: &State, text: &str) -> Result<Seq, AppError> {
    let is_seq = text.len() < 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_seq && let Ok(submission) = resolve_prefix::<SubmissionId>(state, text) {
        let written = state.submissions().get(submission).map(|record| &record.written);
        let end = written.and_then(|written| state.transactions().get(written.at.transaction));
        if let Some(end) = end {
            return Ok(end.last_seq());
        }
    }
    resolve::seq(state, text)
}

/// Says no before any work when a folder holds something.
pub fn must_be_empty(dir: &Path) -> Result<(), AppError> {
    match std::fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(AppError::refused(format!("{} is not empty", dir.display()))
                .hint("give a new folder; nothing is ever overwritten")),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(AppError::io("look into", dir, &error)),
    }
}

/// Why writing a folder ended, in words.
pub fn failure(error: CheckoutError, dir: &Path, stop: &Stop) -> AppError {
    let incomplete = format!("{} is not complete; delete it and run the same command again", dir.display());
    match error {
        CheckoutError::Cancelled => AppError::new(stop.exit(), "stopped").hint(incomplete),
        CheckoutError::Blob(error) => AppError::from(error).hint(incomplete),
        CheckoutError::Replay(error) => AppError::from(error).hint(incomplete),
        CheckoutError::Io { doing, path, source } => {
            AppError::io(doing.trim_start_matches("could not "), &path, &source).hint(incomplete)
        }
        other => AppError::refused(words::text(&other.to_string())),
    }
}
