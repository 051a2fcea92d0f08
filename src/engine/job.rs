//! `safelight job`: work in this process, told as JSON lines.

use safelight::cli::context::Context;
use safelight::cli::job::{Job, JobArgs};
use safelight::cli::words;

use crate::error::{AppError, Exit};

/// Does the job in this process.
pub fn run(args: &JobArgs, context: &Context) -> Result<Exit, AppError> {
    use crate::runs::execute::{Ending, Order, execute};
    use crate::runs::find::find;
    use crate::runs::prepare::Start;
    use crate::train::device::Machine;
    use crate::train::recipe::Recipe;

    let (recipe, from, resume, at, threads, device, message, find_rate, method) = match &args.job {
        Job::Train { recipe, from, resume, at, threads, device, message, find_rate, method } => {
            (recipe, from, resume, at, threads, device, message, find_rate, method)
        }
        Job::Generate(args) => return crate::generate::work(args, context),
    };
    let text = std::fs::read_to_string(recipe).map_err(|error| AppError::io("read", recipe, &error))?;
    let id = |text: &str| AppError::new(Exit::Usage, format!("'{text}' is not a whole id"));
    let start = match (from, resume) {
        (_, Some(run)) => Start::Resume(run.parse().map_err(|_| id(run))?),
        (Some(checkpoint), None) => Start::Checkpoint(checkpoint.parse().map_err(|_| id(checkpoint))?),
        (None, None) => Start::Fresh,
    };
    let at = at.as_ref().map(|at| at.parse().map_err(|_| id(at))).transpose()?;
    let recipe = Recipe::parse(&text)?;
    let machine = Machine { device: *device, threads: *threads };
    let order = Order { recipe, start, at, machine, message: message.clone() };
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

impl From<crate::runs::execute::ExecuteError> for AppError {
    fn from(error: crate::runs::execute::ExecuteError) -> AppError {
        use crate::runs::execute::ExecuteError;
        match error {
            ExecuteError::Prepare(error) => error.into(),
            ExecuteError::Session(error) => error.into(),
            ExecuteError::Blob(error) => error.into(),
            ExecuteError::Train(error) => AppError::failed(words::text(&error.to_string())),
            ExecuteError::NoRate { .. } => AppError::failed(error.to_string()),
        }
    }
}
