//! `safelight export`, and `safelight import --archive`.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use safelight_lineage::event::ReplayDepth;
use safelight_lineage::id::SubmissionId;
use safelight_lineage::query::{ReplayPlanError, blobs_of_submission};
use safelight_store::{
    ArchiveChoice, ArchiveEnd, ArchiveError, ArchiveProgress, ArchiveRead, ArchiveSummary, Repository,
    StoreError, import_archive,
};
use serde_json::json;

use super::context::Context;
use super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::stop::Stop;

/// Write the repository, or what one submission needs, as one file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight export scenes.safelight                      all of it\n  \
                  safelight export proof.safelight --submission 9c41     the log, and what its replay needs\n  \
                  safelight export small.safelight --submission 9c41 --depth votes\n  \
                  safelight export - | ssh host safelight -C copy import --archive -\n\n\
                  The file is checksummed piece by piece and as a whole; store/FORMAT.md maps its bytes. Read it\n\
                  back, into a folder without a repository, with: safelight -C DIR import --archive FILE")]
pub struct ExportArgs {
    /// The file to write; `-` for stdout.
    file: PathBuf,

    /// Only the blobs that replaying this submission needs; the log comes whole.
    #[arg(long, value_name = "ID")]
    submission: Option<String>,

    /// How deep that replay is to go.
    #[arg(long, value_enum, default_value_t = Depth::Training, requires = "submission")]
    depth: Depth,

    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Depth {
    /// The stored predictions: enough to rebuild the file.
    Votes,
    /// Also the weights, and the images that were predicted on.
    Predictions,
    /// Also the recipes, and the images that were trained on.
    Training,
}

pub fn export(args: &ExportArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let choice = match &args.submission {
        None => ArchiveChoice::All,
        Some(text) => {
            let submission: SubmissionId = resolve::id(session.state(), text)?;
            let depth = match args.depth {
                Depth::Votes => ReplayDepth::Votes,
                Depth::Predictions => ReplayDepth::Predictions,
                Depth::Training => ReplayDepth::Training,
            };
            let blobs = blobs_of_submission(session.state(), submission, depth)
                .map_err(|error: ReplayPlanError| AppError::refused(error.to_string()))?;
            ArchiveChoice::Submission(submission, blobs)
        }
    };
    let stop = Stop::install();
    let bar = context.out.bar("exporting", 0, "MB");
    let mut progress = |seen: ArchiveProgress| {
        bar.set_length(seen.total >> 20);
        bar.set_position(seen.done >> 20);
    };
    let written = if args.file == Path::new("-") {
        let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
        safelight_store::export(session.repository(), &choice, &mut out, stop.flag(), &mut progress)
    } else {
        write_file(args, session.repository(), &choice, stop.flag(), &mut progress)?
    };
    let summary = match written {
        Ok(summary) => summary,
        Err(ArchiveError::Stopped) => {
            context.out.notice("stopped; nothing was written");
            return Ok(stop.exit());
        }
        Err(error) => return Err(error.into()),
    };
    bar.finish_and_clear();
    report(args, context, &summary);
    Ok(Exit::Done)
}

/// Writes beside the file and gives it its name when all is on the disk.
fn write_file(
    args: &ExportArgs,
    repository: &Repository,
    choice: &ArchiveChoice,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(ArchiveProgress),
) -> Result<Result<ArchiveSummary, ArchiveError>, AppError> {
    let file = &args.file;
    if file.exists() && !args.force {
        return Err(AppError::refused(format!("{} is there already", words::path(file)))
            .hint("replace it with --force"));
    }
    let failed = |doing: &'static str| move |error: io::Error| AppError::io(doing, file, &error);
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let temporary =
        tempfile::Builder::new().prefix(".safelight-export-").tempfile_in(folder).map_err(failed("write"))?;
    let mut out = BufWriter::with_capacity(1 << 20, temporary.as_file());
    let summary = match safelight_store::export(repository, choice, &mut out, stop, progress) {
        Ok(summary) => summary,
        Err(error) => return Ok(Err(error)),
    };
    out.flush().map_err(failed("write"))?;
    drop(out);
    temporary.as_file().sync_all().map_err(failed("write"))?;
    temporary.persist(file).map_err(|error| AppError::io("write", file, &error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("write"))?;
    Ok(Ok(summary))
}

fn report(args: &ExportArgs, context: &Context, summary: &ArchiveSummary) {
    let text = format!(
        "wrote {}: {}, {}, {:.1} MB, head {}",
        words::path(&args.file),
        words::count(summary.frames, "frame", "frames"),
        words::count(summary.blobs, "blob", "blobs"),
        summary.len as f64 / 1e6,
        summary.head.short()
    );
    let left_out = (summary.absent > 0)
        .then(|| format!("{} of other things left out", words::count(summary.absent, "blob", "blobs")));
    let document = json!({
        "file": words::path(&args.file),
        "head": summary.head,
        "seq": summary.seq,
        "frames": summary.frames,
        "blobs": summary.blobs,
        "left_out": summary.absent,
        "bytes": summary.len,
    });
    // The archive itself is on stdout then.
    if args.file == Path::new("-") {
        context.out.notice(&text);
        left_out.iter().for_each(|line| context.out.notice(line));
        return;
    }
    context.out.line(text);
    left_out.iter().for_each(|line| context.out.line(line));
    context.out.document(&document);
}

/// Reads an archive into the folder to work in.
pub fn import(file: &Path, context: &Context) -> Result<Exit, AppError> {
    let mut input: Box<dyn Read> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let open = File::open(file).map_err(|error| AppError::io("read", file, &error))?;
        Box::new(BufReader::with_capacity(1 << 20, open))
    };
    let start = context.start();
    // Into the repository that the folder is in, as every command; or a new one.
    let dir = match Repository::discover(start) {
        Ok(root) => root,
        Err(StoreError::NotARepository { .. }) => start.to_owned(),
        Err(_) if !start.exists() => start.to_owned(),
        Err(error) => return Err(error.into()),
    };
    let stop = Stop::install();
    let bar = context.out.bar("importing", 0, "MB");
    let read = import_archive(&dir, &mut input, stop.flag(), &mut |seen| {
        bar.set_length(seen.total >> 20);
        bar.set_position(seen.done >> 20);
    })?;
    bar.finish_and_clear();
    let exit = match &read.end {
        ArchiveEnd::Whole => Exit::Done,
        ArchiveEnd::Truncated { .. } => Exit::Partly,
        ArchiveEnd::Damaged { .. } => Exit::Damaged,
        ArchiveEnd::Stopped => stop.exit(),
    };
    say(&read, &dir, context);
    Ok(exit)
}

fn say(read: &ArchiveRead, dir: &Path, context: &Context) {
    let out = &context.out;
    out.line(format!(
        "read {} and {} into {} ({} there already)",
        words::count(read.appended, "frame", "frames"),
        words::count(read.blobs, "blob", "blobs"),
        words::path(dir),
        words::count(read.known, "frame was", "frames were"),
    ));
    let kept = format!(
        "what came before is kept and whole: {} of {} frames",
        read.appended + read.known,
        read.promised_frames
    );
    let end = match &read.end {
        ArchiveEnd::Whole => {
            out.line(format!("head {}, as the archive says", read.promised.short()));
            "whole"
        }
        ArchiveEnd::Truncated { offset } => {
            out.line(format!("the archive is cut short: it ends at byte {offset}; {kept}"));
            out.notice("hint: read a whole copy of it into the same folder to get the rest");
            "truncated"
        }
        ArchiveEnd::Damaged { offset, what, expected, actual } => {
            out.line(format!(
                "the archive is damaged at byte {offset}: {what}: expected {expected}, found {actual}; {kept}"
            ));
            out.notice("hint: read a good copy of it into the same folder to get the rest");
            "damaged"
        }
        ArchiveEnd::Stopped => {
            out.line(format!("stopped; {kept}; the same command goes on from there"));
            "stopped"
        }
    };
    if read.absent > 0 {
        out.line(format!(
            "{} did not come along, on purpose: it holds what {} needs",
            words::count(read.absent, "blob", "blobs"),
            read.submission
                .map_or_else(|| "one submission".to_owned(), |id| format!("submission {}", id.short()))
        ));
    }
    let (offset, what) = match &read.end {
        ArchiveEnd::Truncated { offset } => (Some(*offset), None),
        ArchiveEnd::Damaged { offset, what, .. } => (Some(*offset), Some(*what)),
        _ => (None, None),
    };
    out.document(&json!({
        "repository": words::path(dir),
        "end": end,
        "offset": offset,
        "what": what,
        "frames": read.appended,
        "known_frames": read.known,
        "promised_frames": read.promised_frames,
        "blobs": read.blobs,
        "bytes": read.bytes,
        "absent_on_purpose": read.absent,
        "submission": read.submission,
        "promised_head": read.promised,
        "head": read.head,
        "seq": read.seq,
    }));
}

impl From<ArchiveError> for AppError {
    fn from(error: ArchiveError) -> AppError {
        let message = words::text(&error.to_string());
        match error {
            ArchiveError::Store(error) => error.into(),
            ArchiveError::Append(error) => error.into(),
            ArchiveError::OtherHistory { .. } => AppError::refused(message).hint(
                "nothing was changed; read it into a folder without a repository: safelight -C DIR import --archive FILE",
            ),
            ArchiveError::NotAnArchive { .. } => {
                AppError::refused(message).hint("archives are written by: safelight export FILE")
            }
            ArchiveError::NoHeader { .. } | ArchiveError::DamagedHeader { .. } | ArchiveError::Frame { .. } => {
                AppError::new(Exit::Damaged, message)
            }
            ArchiveError::Version { .. } => {
                AppError::failed(message).hint("a newer version of safelight may have written it")
            }
            _ => AppError::failed(message),
        }
    }
}
