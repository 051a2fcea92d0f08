//! `safelight repair`.

use std::path::PathBuf;

use safelight_store::{RepairProgress, RepairReport, RepairSource, Repository, STORE_DIR};
use serde_json::json;

use super::context::Context;
use super::verify::{Affected, document, say};
use super::words;
use crate::error::{AppError, Exit};
use crate::stop::Stop;

/// Bring damaged and missing blobs back from the original files or a copy
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight repair --from ~/photos            the folder that was imported\n  \
                  safelight repair --from /mnt/backup/scenes  another repository, recognised as such\n  \
                  safelight repair --from-repository DIR      the same, said\n\n\
                  A file is taken only when its BLAKE3 is that of the blob, whatever it is called. Nothing is\n\
                  discarded: good copies are added, and files that are damaged as a whole are moved to\n\
                  .safelight/damaged once all that can be read of them is kept elsewhere."
)]
pub struct RepairArgs {
    /// A folder to search, or another repository.
    #[arg(long, value_name = "DIR", required_unless_present = "from_repository")]
    from: Vec<PathBuf>,

    /// Another repository.
    #[arg(long, value_name = "DIR")]
    from_repository: Vec<PathBuf>,
}

pub fn run(args: &RepairArgs, context: &Context) -> Result<Exit, AppError> {
    let root = Repository::discover(context.start())?;
    let sources = sources(args, &root)?;
    let stop = Stop::install();
    let bar = context.out.bar("repairing", 0, "MB");
    let report = safelight_store::repair(&root, &sources, stop.flag(), &mut |progress| {
        let (what, seen) = match progress {
            RepairProgress::Verifying(seen) => ("verifying", seen),
            RepairProgress::Searching(seen) => ("searching", seen),
        };
        bar.set_prefix(what);
        bar.set_length(seen.total >> 20);
        bar.set_position(seen.done >> 20);
    })?;
    bar.finish_and_clear();
    let affected = Affected::of(&root, &report.after.broken_blobs());
    let out = &context.out;
    for (blob, place) in report.restored.iter().take(20) {
        out.line(format!("restored: blob {blob} from {}", words::path(place)));
    }
    if report.restored.len() > 20 {
        out.line(format!("restored: {} more", report.restored.len() - 20));
    }
    if report.rescued > 0 {
        let blobs = words::count(report.rescued, "good blob", "good blobs");
        out.line(format!("copied {blobs} out of files that are damaged as a whole"));
    }
    say(&report.after, &affected, context);
    let mut value = document(&report.after, &affected);
    value["restored"] = json!(
        report
            .restored
            .iter()
            .map(|(blob, place)| json!({ "blob": blob, "from": words::path(place) }))
            .collect::<Vec<_>>()
    );
    value["was_broken"] = json!(report.broken.len());
    value["cancelled"] = json!(report.cancelled);
    out.document(&value);
    let exit = if report.cancelled { stop.exit() } else { exit(&report) };
    out.line(match exit {
        Exit::Done if report.broken.is_empty() && report.set_aside.is_empty() => {
            "nothing was damaged or missing".to_owned()
        }
        Exit::Done => format!("good: {} of {} restored", report.restored.len(), report.broken.len()),
        _ => format!(
            "{} of {} restored; the rest stays as it is, since nothing that was searched has the same bytes",
            report.restored.len(),
            report.broken.len()
        ),
    });
    if report
        .after
        .problems
        .iter()
        .any(|problem| problem.file.starts_with(root.join(STORE_DIR).join("journal")))
    {
        out.notice("hint: the journal itself is damaged, which original files cannot mend: put .safelight/journal back from a copy of the repository");
    }
    Ok(exit)
}

fn exit(report: &RepairReport) -> Exit {
    match report.after.is_good() {
        true => Exit::Done,
        false if report.restored.is_empty() => Exit::Damaged,
        false => Exit::Partly,
    }
}

fn sources(args: &RepairArgs, root: &std::path::Path) -> Result<Vec<RepairSource>, AppError> {
    let mut sources = Vec::new();
    for dir in &args.from_repository {
        if !dir.join(STORE_DIR).is_dir() {
            return Err(AppError::refused(format!("{} is no repository", words::path(dir)))
                .hint("search it as a folder with: safelight repair --from DIR"));
        }
        sources.push(RepairSource::Repository(dir.clone()));
    }
    for dir in &args.from {
        if !dir.is_dir() {
            return Err(AppError::refused(format!("there is no folder {}", words::path(dir))));
        }
        let own = dir.canonicalize().is_ok_and(|dir| dir == *root);
        if dir.join(STORE_DIR).is_dir() && !own {
            sources.push(RepairSource::Repository(dir.clone()));
        }
        sources.push(RepairSource::Folder(dir.clone()));
    }
    Ok(sources)
}
