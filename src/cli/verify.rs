//! `safelight verify`.

use safelight_store::{Repository, VerifyDepth};

use super::context::Context;
use crate::error::{AppError, Exit};

/// Check what is stored: the hash chain of the journal and every pack
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight verify           the chain and the footers of the packs\n  \
                  safelight verify --deep    every byte")]
pub struct VerifyArgs {
    /// Read and hash every byte.
    #[arg(long)]
    deep: bool,
}

pub fn run(args: &VerifyArgs, context: &Context) -> Result<Exit, AppError> {
    let root = Repository::discover(context.start())?;
    let depth = if args.deep { VerifyDepth::Deep } else { VerifyDepth::Quick };
    let bar = context.out.bar("verifying", 0, "MB");
    let report = safelight_store::verify(&root, depth, &mut |progress| {
        bar.set_length(progress.total >> 20);
        bar.set_position(progress.done >> 20);
    })?;
    bar.finish_and_clear();
    for problem in &report.problems {
        context.out.line(format!("damaged: {problem}"));
    }
    let checked = format!(
        "{} frames, {} events, {} blobs, {:.1} MB {}",
        report.frames,
        report.events,
        report.blobs,
        report.bytes as f64 / 1e6,
        if args.deep { "read and hashed" } else { "checked by chain and footers" },
    );
    context.out.document(&serde_json::json!({
        "frames": report.frames,
        "events": report.events,
        "blobs": report.blobs,
        "bytes": report.bytes,
        "deep": args.deep,
        "problems": report.problems.iter().map(|problem| serde_json::json!({
            "file": problem.file.display().to_string(),
            "offset": problem.offset,
            "blob": problem.blob,
            "what": problem.what,
            "expected": problem.expected.to_string(),
            "actual": problem.actual.to_string(),
        })).collect::<Vec<_>>(),
    }));
    if report.problems.is_empty() {
        context.out.line(format!("good: {checked}"));
        Ok(Exit::Done)
    } else {
        let count = report.problems.len();
        context.out.line(format!("{count} {} in {checked}", if count == 1 { "problem" } else { "problems" }));
        context
            .out
            .notice("hint: nothing was changed; put the damaged files back from a copy of the repository");
        Ok(Exit::Damaged)
    }
}
