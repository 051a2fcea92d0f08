//! `safelight replay`.

use std::path::PathBuf;

use safelight_lineage::event::ReplayOutcome;
use safelight_lineage::id::SubmissionId;
use safelight_lineage::query::lineage_of_submission;
use safelight_lineage::state::State;

use super::context::Context;
use super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::replay::votes::{ReplayError, Replayed, record, replay_votes};

/// Make a past submission again from the log and prove that it is the same
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight replay 9c41 --depth votes\n  \
                  safelight replay 9c41 --output rebuilt.csv --receipt receipt.json\n\n\
                  Ends with 0 when every byte is equal, 8 when something differs, 6 when something that the\n\
                  submission needs is damaged.")]
pub struct ReplayArgs {
    /// The submission, by the beginning of its id.
    submission: String,

    /// How deep: `votes` recounts stored predictions and rebuilds the file.
    #[arg(long, value_enum, default_value_t = Depth::Votes)]
    depth: Depth,

    /// Write the rebuilt file here.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write the receipt here.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,

    /// Record nothing in the log.
    #[arg(long)]
    no_record: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Depth {
    /// Recount stored predictions and rebuild the file: equal bytes anywhere.
    Votes,
}

pub fn run(args: &ReplayArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let submission: SubmissionId = resolve::id(session.state(), &args.submission)?;
    let Depth::Votes = args.depth;
    describe_plan(context, session.state(), submission)?;
    let spinner = context.out.spinner("replaying");
    let replayed = replay_votes(&session, submission, &mut |step| spinner.set_message(step.to_owned()))?;
    spinner.finish_and_clear();
    for (path, bytes) in [(&args.output, &replayed.csv), (&args.receipt, &replayed.receipt.to_json())] {
        if let Some(path) = path {
            std::fs::write(path, bytes).map_err(|error| AppError::io("write", path, &error))?;
        }
    }
    if !args.no_record {
        record(&mut session, &replayed.receipt)?;
    }
    report(context, &replayed);
    context.out.document(&replayed.receipt);
    Ok(exit(&replayed.receipt.outcome))
}

/// The exit code of a verdict.
pub fn exit(outcome: &ReplayOutcome) -> Exit {
    match outcome {
        ReplayOutcome::Identical => Exit::Done,
        ReplayOutcome::WithinTolerance { .. } => Exit::WithinTolerance,
        ReplayOutcome::Diverged { .. } => Exit::Diverged,
    }
}

/// Says what a replay is going to do.
pub fn describe_plan(context: &Context, state: &State, submission: SubmissionId) -> Result<(), AppError> {
    let plan = lineage_of_submission(state, submission).map_err(ReplayError::from)?;
    let end = plan.steps.last().map_or(state.seq(), |step| step.seq);
    context.out.line(format!(
        "plan: fold the log up to seq {end}, compare {} recorded steps, on any machine",
        plan.steps.iter().filter(|step| !step.outputs.is_empty()).count()
    ));
    Ok(())
}

/// Says what was compared and the verdict.
pub fn report(context: &Context, replayed: &Replayed) {
    for step in &replayed.receipt.steps {
        context.out.line(format!(
            "  {}  {:<52} {}{}",
            if step.is_equal() { "equal  " } else { "DIFFERS" },
            step.what,
            step.actual.short(),
            if step.is_equal() { String::new() } else { format!(", recorded {}", step.expected.short()) }
        ));
    }
    context.out.line(format!(
        "{} ({} bytes rebuilt)",
        words::outcome(&replayed.receipt.outcome),
        replayed.csv.len()
    ));
}

impl From<ReplayError> for AppError {
    fn from(error: ReplayError) -> AppError {
        match error {
            ReplayError::Store(error) => error.into(),
            ReplayError::Session(error) => error.into(),
            ReplayError::Cast(error) => error.into(),
            ReplayError::Commit(error) => error.into(),
            ReplayError::Blob { what, error } => {
                let inner = AppError::from(error);
                AppError {
                    message: format!("{what} cannot be read, so no verdict is given: {}", inner.message),
                    ..inner
                }
            }
            other => AppError::refused(words::text(&other.to_string())),
        }
    }
}
