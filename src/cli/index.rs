//! `safelight index`.

use super::context::Context;
use super::words;
use crate::error::{AppError, Exit};

/// Look after the index over the log, which is derived and never needed
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight index rebuild    delete it and fill it anew from the log\n\n\
                  The index only makes answers quicker. What is damaged, behind or held by another process is done\n\
                  without; .safelight/index can be deleted at any time.")]
pub struct IndexArgs {
    #[command(subcommand)]
    command: IndexCommand,
}

#[derive(Debug, clap::Subcommand)]
enum IndexCommand {
    /// Delete the index and fill it anew from the log
    #[command(after_help = "Examples:\n  safelight index rebuild\n  safelight index rebuild --json")]
    Rebuild,
}

pub fn run(args: &IndexArgs, context: &Context) -> Result<Exit, AppError> {
    let IndexCommand::Rebuild = args.command;
    let mut session = context.session()?;
    let spinner = context.out.spinner("filling the index");
    let started = std::time::Instant::now();
    let whole = session.repository_mut().rebuild_index()?;
    spinner.finish_and_clear();
    if !whole {
        return Err(AppError::refused("another process has the index open, so it was left alone")
            .hint("nothing is lost by that: every command works without it")
            .hint("close the terminal interface, or wait for the other command, and try again"));
    }
    let events = session.repository().indexed().map_or(0, |seq| seq.0);
    context.out.line(format!(
        "the index holds {} again ({:.2} s)",
        words::count(events, "event", "events"),
        started.elapsed().as_secs_f64()
    ));
    context.out.document(&serde_json::json!({ "events": events, "head": session.head() }));
    Ok(Exit::Done)
}
