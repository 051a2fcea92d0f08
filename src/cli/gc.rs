//! `safelight gc`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use safelight_store::{Fate, GarbageKind, GarbageReport, GcError};

use super::context::Context;
use super::output::columns;
use super::{duration, words};
use crate::error::{AppError, Exit};
use crate::stop::Stop;

/// Find what is stored that no event needs, and delete it when told to
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight gc                       look only: what could go\n  \
                  safelight gc --delete              delete what is older than 14 days\n  \
                  safelight gc --delete --grace 1h   delete what is older than an hour\n\n\
                  What can be garbage: blobs of an import, a run or another command that was killed before it\n\
                  could record them; second copies, which two processes wrote at once or a repair replaced; files\n\
                  that were being written when a process died. Nothing else: what the log names stays for ever,\n\
                  also of images that were removed and of changes that were undone. Needed blobs are copied to new\n\
                  packs and on the disk before an old pack goes. While anybody writes, nothing is deleted.")]
pub struct GcArgs {
    /// Delete; without this, only look.
    #[arg(long)]
    delete: bool,

    /// Keep what was written within this time.
    #[arg(long, value_name = "TIME", default_value = "14d", value_parser = duration::parse)]
    grace: Duration,
}

pub fn run(args: &GcArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let repository = session.repository_mut();
    let now = SystemTime::now();
    let stop = Stop::install();
    let report = if args.delete {
        let bar = context.out.bar("collecting", 0, "MB");
        let report = repository.collect_garbage(now, args.grace, stop.flag(), &mut |progress| {
            bar.set_length(progress.total >> 20);
            bar.set_position(progress.done >> 20);
        })?;
        bar.finish_and_clear();
        report
    } else {
        repository.find_garbage(now, args.grace)?
    };
    say(args, context, &report);
    context.out.document(&document(args, &report));
    if report.cancelled {
        return Ok(stop.exit());
    }
    Ok(if report.left.is_empty() { Exit::Done } else { Exit::Partly })
}

fn kind(kind: GarbageKind) -> &'static str {
    match kind {
        GarbageKind::Unreferenced => "that no event names",
        GarbageKind::SecondCopy => "that are second copies",
        GarbageKind::Unfinished => "that were never finished",
    }
}

fn fate(fate: Fate, grace: Duration) -> String {
    match fate {
        Fate::Young => format!("kept: younger than {}", duration::words(grace)),
        Fate::Due => "could go".to_owned(),
        Fate::Deleted => "deleted".to_owned(),
        Fate::Stuck => "kept: see below".to_owned(),
    }
}

fn say(args: &GcArgs, context: &Context, report: &GarbageReport) {
    let out = &context.out;
    out.line(format!(
        "the log needs {} (head {}, walked from its first frame)",
        words::count(report.live, "blob", "blobs"),
        report.head.short()
    ));
    let mut sums: BTreeMap<(GarbageKind, Fate), (u64, u64)> = BTreeMap::new();
    for garbage in &report.garbage {
        let (count, bytes) = sums.entry((garbage.kind, garbage.fate)).or_default();
        *count += 1;
        *bytes += garbage.bytes;
    }
    let rows: Vec<Vec<String>> = sums
        .iter()
        .map(|(&(of, became), &(count, bytes))| {
            vec![
                format!("  {count} {}", if of == GarbageKind::Unfinished { "files" } else { "blobs" }),
                kind(of).to_owned(),
                format!("{:.1} MB", bytes as f64 / 1e6),
                fate(became, args.grace),
            ]
        })
        .collect();
    columns(&rows).iter().for_each(|row| out.line(row));
    for left in &report.left {
        out.line(format!("left as it is: {}: {}", words::path(&left.file), left.why));
    }
    let (due, _) = report.with(Fate::Due);
    let (deleted, freed) = report.with(Fate::Deleted);
    if report.cancelled {
        out.line("stopped; what was deleted until then was garbage, and collecting again does the rest");
    }
    if args.delete && deleted > 0 {
        out.line(format!(
            "deleted {}, {:.1} MB; copied {:.1} MB of needed blobs to new packs first",
            words::count(deleted, "thing", "things"),
            freed as f64 / 1e6,
            report.copied as f64 / 1e6
        ));
    } else if due > 0 && !args.delete {
        out.line("nothing was changed; to delete what could go: safelight gc --delete");
    } else {
        out.line("there is nothing to delete");
    }
}

fn document(args: &GcArgs, report: &GarbageReport) -> serde_json::Value {
    let (due, due_bytes) = report.with(Fate::Due);
    let (young, young_bytes) = report.with(Fate::Young);
    let (deleted, deleted_bytes) = report.with(Fate::Deleted);
    serde_json::json!({
        "dry_run": !args.delete,
        "grace_seconds": args.grace.as_secs_f64(),
        "head": report.head,
        "needed": report.live,
        "due": { "count": due, "bytes": due_bytes },
        "young": { "count": young, "bytes": young_bytes },
        "deleted": { "count": deleted, "bytes": deleted_bytes },
        "copied_bytes": report.copied,
        "cancelled": report.cancelled,
        "garbage": report.garbage.iter().map(|garbage| serde_json::json!({
            "kind": match garbage.kind {
                GarbageKind::Unreferenced => "unreferenced",
                GarbageKind::SecondCopy => "second_copy",
                GarbageKind::Unfinished => "unfinished",
            },
            "blob": garbage.blob,
            "file": words::path(&garbage.file),
            "bytes": garbage.bytes,
            "fate": match garbage.fate {
                Fate::Young => "young",
                Fate::Due => "due",
                Fate::Deleted => "deleted",
                Fate::Stuck => "stuck",
            },
        })).collect::<Vec<_>>(),
        "left": report.left.iter().map(|left| serde_json::json!({
            "file": words::path(&left.file),
            "why": left.why,
        })).collect::<Vec<_>>(),
    })
}

impl From<GcError> for AppError {
    fn from(error: GcError) -> AppError {
        let message = words::text(&error.to_string());
        match error {
            GcError::Store(error) => error.into(),
            GcError::Busy => AppError::refused(message).hint(
                "nothing was deleted; wait until it is done, or close the terminal interface, and try again",
            ),
            GcError::UnknownEvents { .. } => AppError::refused(message)
                .hint("nothing was deleted; collect garbage with the version that wrote them"),
            GcError::HeadMoved { .. } | GcError::Unproven(_) => AppError::refused(message)
                .hint("nothing that is needed was deleted; run the same command again"),
        }
    }
}
