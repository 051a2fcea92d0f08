//! `safelight job`: what a child process runs. Hidden: people use `train`.

use std::path::PathBuf;

use super::context::Context;
use crate::error::{AppError, Exit};
use crate::train::rate_finder::Method;

/// Work that runs in a child process and tells its progress as JSON lines
#[derive(Debug, clap::Args)]
pub struct JobArgs {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, clap::Subcommand)]
enum Job {
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
}

#[cfg(feature = "torch")]
pub fn run(args: &JobArgs, context: &Context) -> Result<Exit, AppError> {
    use crate::runs::execute::{Ending, Order, execute};
    use crate::runs::find::find;
    use crate::runs::prepare::Start;
    use crate::train::recipe::Recipe;

    let Job::Train { recipe, from, resume, at, threads, message, find_rate, method } = &args.job;
    let text = std::fs::read_to_string(recipe).map_err(|error| AppError::io("read", recipe, &error))?;
    let id = |text: &str| AppError::new(Exit::Usage, format!("'{text}' is not a whole id"));
    let start = match (from, resume) {
        (_, Some(run)) => Start::Resume(run.parse().map_err(|_| id(run))?),
        (Some(checkpoint), None) => Start::Checkpoint(checkpoint.parse().map_err(|_| id(checkpoint))?),
        (None, None) => Start::Fresh,
    };
    let at = at.as_ref().map(|at| at.parse().map_err(|_| id(at))).transpose()?;
    let recipe = Recipe::parse(&text)?;
    let order = Order { recipe, start, at, threads: *threads, message: message.clone() };
    let stop = crate::stop::Stop::install();
    let mut session = context.session()?;
    let output = &mut std::io::stdout().lock();
    let ending = match (find_rate, method) {
        (Some(stage), Some(method)) => find(&mut session, &order, *stage, *method, &stop, output),
        _ => execute(&mut session, &order, &stop, output),
    };
    match ending? {
        Ending::Finished => Ok(Exit::Done),
        Ending::Cancelled => Ok(stop.exit()),
    }
}

#[cfg(not(feature = "torch"))]
pub fn run(_: &JobArgs, _: &Context) -> Result<Exit, AppError> {
    Err(AppError::refused("this build of safelight has no training in it")
        .hint("build it with its default features: make build"))
}

#[cfg(feature = "torch")]
impl From<crate::runs::execute::ExecuteError> for AppError {
    fn from(error: crate::runs::execute::ExecuteError) -> AppError {
        use crate::runs::execute::ExecuteError;
        match error {
            ExecuteError::Prepare(error) => error.into(),
            ExecuteError::Session(error) => error.into(),
            ExecuteError::Blob(error) => error.into(),
            ExecuteError::Train(error) => AppError::failed(super::words::text(&error.to_string())),
            ExecuteError::NoRate { .. } => AppError::failed(error.to_string()),
        }
    }
}
