//! The command line: parses it, runs one use-case, and says how it went.

mod archive;
mod audit;
mod change;
pub mod checkout;
pub mod clean;
pub mod context;
pub mod demo;
mod duration;
pub mod engine;
pub mod ensemble;
mod find_rate;
mod gc;
pub mod generate;
mod history;
pub mod import;
mod index;
mod init;
pub mod job;
mod jobs;
pub mod output;
pub mod predict;
mod predictions;
mod proof;
mod repair;
pub mod replay;
pub mod resolve;
mod runs;
mod sign;
mod status;
mod submissions;
mod submit;
pub mod train;
mod tui;
mod undo;
mod verify;
mod watch;
mod weights;
mod what_if;
pub mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::error::Exit;
use context::Context;

/// Keeps the whole life of an image-classification dataset, and of the models
/// trained from it, in an append-only log, and replays it.
#[derive(Debug, Parser)]
#[command(name = "safelight", version, propagate_version = true, after_help = after_help())]
struct Cli {
    #[command(flatten)]
    global: Global,

    /// Without a command, inside a repository: the terminal interface.
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
struct Global {
    /// Work as if started in this folder.
    #[arg(short = 'C', long = "repository", value_name = "DIR", global = true)]
    repository: Option<PathBuf>,

    /// Write one JSON document to stdout instead of text.
    #[arg(long, global = true)]
    json: bool,

    /// No progress and no notices.
    #[arg(short, long, global = true)]
    quiet: bool,

    /// Who acts; recorded with every change [default: the login name].
    #[arg(long, value_name = "NAME", env = "SAFELIGHT_ACTOR", global = true)]
    actor: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Import(import::ImportArgs),
    Watch(watch::WatchArgs),
    Status(status::StatusArgs),
    Log(history::LogArgs),
    Show(history::ShowArgs),
    Relabel(change::RelabelArgs),
    Remove(change::RemoveArgs),
    Restore(change::RestoreArgs),
    Undo(undo::UndoArgs),
    Audit(audit::AuditArgs),
    FindRate(find_rate::FindRateArgs),
    Train(train::TrainArgs),
    Runs(runs::RunsArgs),
    Predict(predict::PredictArgs),
    Predictions(predictions::PredictionsArgs),
    Clean(clean::CleanArgs),
    Generate(generate::GenerateArgs),
    Ensemble(ensemble::EnsembleArgs),
    Submit(submit::SubmitArgs),
    Score(submissions::ScoreArgs),
    Submissions(submissions::SubmissionsArgs),
    Replay(replay::ReplayArgs),
    CheckReceipt(replay::CheckReceiptArgs),
    Jobs(jobs::JobsArgs),
    Checkout(checkout::CheckoutArgs),
    Prove(proof::ProveArgs),
    CheckProof(proof::CheckProofArgs),
    Key(sign::KeyArgs),
    Sign(sign::SignArgs),
    Check(sign::CheckArgs),
    Weights(weights::WeightsArgs),
    Export(archive::ExportArgs),
    Verify(verify::VerifyArgs),
    Repair(repair::RepairArgs),
    Gc(gc::GcArgs),
    Index(index::IndexArgs),
    Demo(demo::DemoArgs),
    Tui(tui::TuiArgs),
    #[command(hide = true)]
    Job(job::JobArgs),
}

fn after_help() -> String {
    let mut text = String::from(
        "Examples:\n  safelight demo                     the whole chain on pictures it draws itself\n  \
         safelight init scenes && cd scenes && safelight import ../photos\n  \
         safelight train recipe.toml\n\nExit codes:\n",
    );
    for exit in Exit::ALL {
        text.push_str(&format!("  {:>3}  {}\n", exit.code(), exit.meaning()));
    }
    text
}

/// Runs the program with these arguments and gives its exit code. Where a
/// command computes on libtorch the process becomes the engine, which lies
/// beside it.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_with(arguments, None)
}

/// As [`run`], computing in this very process.
pub fn run_engine(
    arguments: impl IntoIterator<Item = OsString>,
    engine: &'static engine::Engine,
) -> ExitCode {
    run_with(arguments, Some(engine))
}

fn run_with(
    arguments: impl IntoIterator<Item = OsString>,
    engine: Option<&'static engine::Engine>,
) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors to clap either: they end with 0.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // Nothing can be said any more where stderr is closed.
            let _ = error.print();
            output::Output::new(false, false).end(exit);
            return exit.into();
        }
    };
    let context = Context::new(&cli.global, engine);
    if let (Some(_), Err(error)) = (engine, engine::check_caller()) {
        context.out.failure(&error);
        return error.exit.into();
    }
    let outcome = match cli.command {
        Some(command) => dispatch(command, &context),
        None => tui::run_or_help(&context, || {
            Cli::command().print_help().map_err(|error| crate::error::AppError::failed(error.to_string()))
        }),
    };
    let exit = match outcome {
        Ok(exit) => exit,
        Err(error) => {
            context.out.failure(&error);
            error.exit
        }
    };
    context.out.end(exit);
    exit.into()
}

/// Whether these are arguments that the program takes.
///
/// # Errors
/// When they are not, in the words of the command line.
fn check(arguments: &[String]) -> Result<(), crate::error::AppError> {
    let all = std::iter::once("safelight").chain(arguments.iter().map(String::as_str));
    match Cli::try_parse_from(all) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let sentence = text.lines().next().unwrap_or_default();
            let sentence = sentence.strip_prefix("error: ").unwrap_or(sentence);
            Err(crate::error::AppError::new(
                Exit::Usage,
                format!("no job can be started: {}", words::text(sentence)),
            )
            .hint("see every command with: safelight --help"))
        }
    }
}

fn dispatch(command: Command, context: &Context) -> Result<Exit, crate::error::AppError> {
    match command {
        Command::Init(args) => init::run(&args, context),
        Command::Import(args) => import::run(&args, context),
        Command::Watch(args) => watch::run(&args, context),
        Command::Status(args) => status::run(&args, context),
        Command::Log(args) => history::log(&args, context),
        Command::Show(args) => history::show(&args, context),
        Command::Relabel(args) => change::relabel(&args, context),
        Command::Remove(args) => change::remove(&args, context),
        Command::Restore(args) => change::restore(&args, context),
        Command::Undo(args) => undo::run(&args, context),
        Command::Audit(args) => audit::run(&args, context),
        Command::FindRate(args) => find_rate::run(&args, context),
        Command::Train(args) => train::run(&args, context),
        Command::Runs(args) => runs::run(&args, context),
        Command::Predict(args) => predict::run(&args, context),
        Command::Predictions(args) => predictions::run(&args, context),
        Command::Clean(args) => clean::run(&args, context),
        Command::Generate(args) => generate::run(&args, context),
        Command::Ensemble(args) => ensemble::run(&args, context),
        Command::Submit(args) => submit::run(&args, context),
        Command::Score(args) => submissions::score(&args, context),
        Command::Submissions(args) => submissions::submissions(&args, context),
        Command::Replay(args) => replay::run(&args, context),
        Command::CheckReceipt(args) => replay::check_receipt(&args, context),
        Command::Jobs(args) => jobs::run(&args, context),
        Command::Checkout(args) => checkout::run(&args, context),
        Command::Prove(args) => proof::prove_submission(&args, context),
        Command::CheckProof(args) => proof::check_proof(&args, context),
        Command::Key(args) => sign::key(&args, context),
        Command::Sign(args) => sign::sign(&args, context),
        Command::Check(args) => sign::check(&args, context),
        Command::Weights(args) => weights::run(&args, context),
        Command::Export(args) => archive::export(&args, context),
        Command::Verify(args) => verify::run(&args, context),
        Command::Repair(args) => repair::run(&args, context),
        Command::Gc(args) => gc::run(&args, context),
        Command::Index(args) => index::run(&args, context),
        Command::Demo(args) => demo::run(&args, context),
        Command::Tui(args) => tui::run(&args, context),
        Command::Job(args) => job::run(&args, context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        for command in Cli::command().get_subcommands_mut() {
            let help = command.clone().render_long_help().to_string();
            assert!(
                command.is_hide_set() || help.contains("Example"),
                "{} has no example in its help",
                command.get_name()
            );
        }
    }
}
