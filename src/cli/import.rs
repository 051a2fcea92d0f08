//! `safelight import`.

use std::path::PathBuf;

use safelight_lineage::event::Split;
use safelight_lineage::value::escape;

use super::context::Context;
use super::words;
use crate::error::{AppError, Exit};
use crate::import::run::{ImportError, ImportOptions, Imported, run as import};
use crate::import::{Layout, ProbeDepth, ProbeLimits, ReadOptions, Severity, WalkError, WalkOptions};
use crate::stop::Stop;

/// Bring a folder of labelled images into the dataset
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight import ~/photos                  photos/train/CLASS/*.jpg, photos/test/…\n  \
                  safelight import ~/extra --split valid     CLASS/*.jpg, all for validation\n  \
                  safelight import ~/photos --dry-run        look only\n  \
                  safelight -C copy import --archive scenes.safelight   a repository from an archive\n\n\
                  Files are copied, never moved, linked or changed. Importing a folder again brings what is new\n\
                  or changed; files with the same size and times as at the last import are not read again\n\
                  (--reread does). Files that are no good pictures are listed with the reason; the exit code is then 3."
)]
pub struct ImportArgs {
    /// The folder.
    #[arg(required_unless_present = "archive", conflicts_with = "archive")]
    folder: Option<PathBuf>,

    /// Read an archive that `safelight export` wrote (`-` for stdin) into the
    /// folder to work in, which becomes a repository; one that holds the
    /// beginning of the same history already gets the rest.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["split", "layout", "check", "dry_run", "reread"])]
    archive: Option<PathBuf>,

    /// What the images are for, when the folder has no train, valid or test in it.
    #[arg(long, value_enum, default_value_t = SplitName::Train)]
    split: SplitName,

    /// How the folder is organised.
    #[arg(long, value_enum, default_value_t = LayoutName::Auto)]
    layout: LayoutName,

    /// How thoroughly pictures are checked.
    #[arg(long, value_enum, default_value_t = Check::Structure)]
    check: Check,

    /// Read and check everything, but keep nothing.
    #[arg(long)]
    dry_run: bool,

    /// Also read files whose size and times are those of the last import.
    #[arg(long)]
    reread: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum SplitName {
    Train,
    Valid,
    Test,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum LayoutName {
    /// By the names of the folders.
    Auto,
    /// train/CLASS/…, valid/CLASS/…, test/CLASS/… or test/….
    Splits,
    /// CLASS/….
    Classes,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Check {
    /// Header, markers and end: finds cut and foreign files at the speed of the disk.
    Structure,
    /// Decode every pixel.
    Decode,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Split {
        match name {
            SplitName::Train => Split::Train,
            SplitName::Valid => Split::Valid,
            SplitName::Test => Split::Test,
        }
    }
}

impl From<LayoutName> for Layout {
    fn from(name: LayoutName) -> Layout {
        match name {
            LayoutName::Auto => Layout::Auto,
            LayoutName::Splits => Layout::Splits,
            LayoutName::Classes => Layout::Classes,
        }
    }
}

/// Imports a folder, a table or IDX files.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn run(args: &ImportArgs, context: &Context) -> Result<Exit, AppError> {
    let folder = match (&args.archive, &args.folder) {
        (Some(archive), _) => return super::archive::import(archive, context),
        (None, Some(folder)) => folder,
        // The command line says that one of them is there.
        (None, None) => return Err(AppError::new(Exit::Usage, "give a folder or an archive")),
    };
    let mut session = context.session()?;
    let options = ImportOptions {
        walk: WalkOptions { layout: args.layout.into(), split: args.split.into() },
        read: ReadOptions {
            limits: ProbeLimits {
                depth: match args.check {
                    Check::Structure => ProbeDepth::Structure,
                    Check::Decode => ProbeDepth::Decode,
                },
                ..ProbeLimits::default()
            },
            ..ReadOptions::default()
        },
        dry_run: args.dry_run,
        reread: args.reread,
        only: None,
    };
    let stop = Stop::install();
    let bar = context.out.bar("importing", 0, "files");
    let started = std::time::Instant::now();
    let done = import(&mut session, folder, &options, stop.flag(), &mut |seen| {
        if seen.files % 64 == 0 || seen.files == seen.total {
            bar.set_length(seen.total);
            bar.set_position(seen.files);
            bar.set_message(format!(
                "{:.0} MB/s",
                seen.bytes as f64 / 1e6 / started.elapsed().as_secs_f64().max(1e-9)
            ));
        }
    })?;
    bar.finish_and_clear();
    report(context, &done, args.dry_run, started.elapsed().as_secs_f64());
    context.out.document(&serde_json::json!({
        "files": done.files,
        "bytes": done.bytes,
        "not_read": done.passed_over,
        "imported": done.summary.imported,
        "revised": done.summary.revised,
        "unchanged": done.summary.unchanged,
        "still_removed": done.summary.still_removed,
        "classes_added": done.summary.classes,
        "dry_run": args.dry_run,
        "cancelled": done.cancelled,
        "problems": done.problems.iter().map(|problem| serde_json::json!({
            "path": problem.path,
            "code": problem.kind.code(),
            "reason": words::text(&problem.reason()),
            "severity": problem.kind.severity(),
        })).collect::<Vec<_>>(),
        "head": session.head(),
    }));
    if done.cancelled {
        return Ok(stop.exit());
    }
    Ok(if done.refused().next().is_some() { Exit::Partly } else { Exit::Done })
}

/// Says what an import did and what it refused.
pub fn report(context: &Context, done: &Imported, dry_run: bool, seconds: f64) {
    let out = &context.out;
    for severity in [Severity::Ignored, Severity::Refused] {
        for problem in done.problems.iter().filter(|problem| problem.kind.severity() == severity) {
            let word = if severity == Severity::Ignored { "skipped" } else { "refused" };
            out.line(format!("{word}: {}: {}", problem.path, words::text(&problem.reason())));
        }
    }
    let summary = &done.summary;
    let mut parts =
        vec![format!("{} {}", summary.imported, if dry_run { "would be imported" } else { "imported" })];
    for (count, what) in [
        (summary.revised, "revised"),
        (summary.unchanged, "unchanged"),
        (summary.still_removed, "stay removed"),
        (summary.repeated, "given twice"),
        (summary.label_differs, "keep the label they were given here"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let refused = done.refused().count();
    if refused > 0 {
        parts.push(format!("{refused} refused"));
    }
    out.line(format!(
        "{}: {:.1} MB read in {seconds:.2} s ({:.0} files/s)",
        parts.join(", "),
        done.bytes as f64 / 1e6,
        done.files as f64 / seconds.max(1e-9)
    ));
    if done.cancelled {
        out.line("stopped; what was imported until then stays, and importing again brings the rest");
    }
}

impl From<ImportError> for AppError {
    fn from(error: ImportError) -> AppError {
        match error {
            ImportError::Walk(WalkError::NoPictures { path, problems }) => {
                let text = WalkError::NoPictures { path, problems: Vec::new() }.to_string();
                problems.iter().take(5).fold(AppError::refused(text), |error, problem| {
                    error.hint(format!("{}: {}", problem.path, words::text(&problem.reason())))
                })
            }
            ImportError::Walk(error @ WalkError::Folder { .. }) => {
                AppError::failed(words::text(&error.to_string()).replace("\\\\", "\\"))
                    .hint("check the path and its permissions")
            }
            ImportError::Walk(error) => {
                let ambiguous = matches!(error, WalkError::AmbiguousLayout { .. });
                let refused = AppError::refused(
                    error
                        .to_string()
                        .split('\\')
                        .map(|part| escape(part.as_bytes()))
                        .collect::<Vec<_>>()
                        .join("\\"),
                );
                if ambiguous { refused.hint("with --layout splits or --layout classes") } else { refused }
            }
            ImportError::Blob(error) => error.into(),
            ImportError::Session(error) => error.into(),
        }
    }
}
