//! `safelight job`: what a child process runs. Hidden: people use `train`. The
//! engine does it.

use std::path::PathBuf;

use super::context::Context;
use crate::error::{AppError, Exit};
use crate::train::device::DeviceName;
use crate::train::rate_finder::Method;

/// Work that runs in a child process and tells its progress as JSON lines
#[derive(Debug, clap::Args)]
pub struct JobArgs {
    /// What to do.
    #[command(subcommand)]
    pub job: Job,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Job {
    /// Train a model
    Train {
        /// The recipe, TOML.
        #[arg(long)]
        recipe: PathBuf,
        /// The checkpoint to start from, whole.
        #[arg(long)]
        from: Option<String>,
        /// The run to go on with, whole.
        #[arg(long)]
        resume: Option<String>,
        /// The head that the dataset is taken at, whole; the present one when absent.
        #[arg(long)]
        at: Option<String>,
        /// Threads that compute.
        #[arg(long)]
        threads: usize,
        /// What computes: auto, cpu or cuda:N.
        #[arg(long, default_value_t)]
        device: DeviceName,
        /// What to remember.
        #[arg(long)]
        message: Option<String>,
        /// Only find a learning rate for this stage, from zero.
        #[arg(long, requires = "method")]
        find_rate: Option<usize>,
        /// How a rate is read from the finder's curve.
        #[arg(long, value_parser = super::find_rate::method)]
        method: Option<Method>,
    },
    /// Train a generator
    Generate(super::generate::WorkArgs),
}

/// Lets the engine do the job.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn run(args: &JobArgs, context: &Context) -> Result<Exit, AppError> {
    (context.engine()?.job)(args, context)
}
