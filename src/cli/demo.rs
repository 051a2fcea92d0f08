//! `safelight demo`: the whole chain on pictures that the program draws itself.

use std::path::PathBuf;

use super::context::Context;
use crate::error::{AppError, Exit};

/// Draw a small data set with planted errors and run the whole chain on it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight demo\n  safelight demo elsewhere --seed 2")]
pub struct DemoArgs {
    /// Where; must be empty or missing [default: safelight-demo].
    pub dir: Option<PathBuf>,

    /// What the pictures and the training are drawn from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Threads that compute [default: all cores].
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// Lets the engine run the demo.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn run(args: &DemoArgs, context: &Context) -> Result<Exit, AppError> {
    (context.engine()?.demo)(args, context)
}
