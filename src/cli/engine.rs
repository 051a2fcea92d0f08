//! Where what computes on libtorch runs.
//!
//! The system takes a fifth of a second to load libtorch, and most commands
//! need nothing of it. So there are two programs: `safelight-engine`, which has
//! libtorch in it and hands an [`Engine`] in, and `safelight`, which has neither
//! and starts every command in two milliseconds. A command that computes asks its context for the
//! engine; in `safelight` the process then becomes `safelight-engine` with the
//! same arguments and the same process id, so whoever waits for it, signals it
//! or reads its output notices nothing.
//!
//! Law: a command asks before it writes, says or reads anything.

use std::path::Path;

use safelight_lineage::id::{CheckpointId, ImageId, PredictionsId, SubmissionId};

use super::context::Context;
use super::demo::DemoArgs;
use super::generate::SampleArgs;
use super::job::JobArgs;
use super::output::Output;
use super::predict::PredictArgs;
use crate::clean::Embeddings;
use crate::clean::gather::Pictures;
use crate::error::{AppError, Exit};
use crate::generate::quality::PictureJudge;
use crate::session::Session;
use crate::stop::Stop;
use crate::train::recipe::Recipe;

/// What computes on libtorch, as functions that only the engine names.
#[derive(Debug)]
pub struct Engine {
    /// The whole chain on pictures that are drawn.
    pub demo: fn(&DemoArgs, &Context) -> Result<Exit, AppError>,
    /// The embeddings of every picture that can be decoded, by a checkpoint.
    pub embed: Embed,
    /// Work told as JSON lines.
    pub job: fn(&JobArgs, &Context) -> Result<Exit, AppError>,
    /// A checkpoint that judges pictures which are no images of the dataset.
    pub judge: MakeJudge,
    /// Out-of-fold predictions by models of folds.
    pub out_of_fold: OutOfFold,
    /// Predictions of a checkpoint.
    pub predict: fn(&PredictArgs, &Context) -> Result<Exit, AppError>,
    /// Out-of-fold predictions by a linear probe.
    pub probe: fn(&mut Session, &Embeddings, &Fast<'_>, &Stop, &Output) -> Result<PredictionsId, AppError>,
    /// What predicts and trains again.
    pub replay: fn(&Session, &Stop) -> Box<dyn crate::replay::engine::Engine>,
    /// Samples of a generator.
    pub sample: fn(&SampleArgs, &Context) -> Result<Exit, AppError>,
    /// A submission as if the dataset had been another.
    pub with_labels_as_of: WithLabelsAsOf,
}

/// A linear probe to fit.
#[derive(Debug, Clone, Copy)]
pub struct Fast<'a> {
    /// Whose embeddings.
    pub checkpoint: CheckpointId,
    /// How many folds.
    pub folds: u8,
    /// What the folds depend on, besides the images.
    pub seed: u64,
    /// Images that belong in one fold.
    pub together: &'a [Vec<ImageId>],
    /// Whether the checkpoint may have learned from these images.
    pub in_sample: bool,
    /// Threads that compute.
    pub threads: usize,
}

/// Loads a checkpoint to judge with so many threads.
pub type MakeJudge = fn(&Session, CheckpointId, usize) -> Result<Box<dyn PictureJudge>, AppError>;

/// Computes embeddings with so many threads.
pub type Embed = fn(&Session, CheckpointId, &Pictures, usize, &Stop, &Output) -> Result<Embeddings, AppError>;

/// Trains models of folds and puts together what they say.
pub type OutOfFold =
    fn(&mut Session, &Recipe, u8, &[Vec<ImageId>], usize, &Stop, &Output) -> Result<PredictionsId, AppError>;

/// Makes a submission as if the dataset had been that of another time.
pub type WithLabelsAsOf =
    fn(&mut Session, SubmissionId, &str, Option<&Path>, &Stop, &Context) -> Result<Exit, AppError>;

/// Says no where this build has nothing that computes.
///
/// # Errors
/// When it has not.
pub fn built_in() -> Result<(), AppError> {
    if cfg!(feature = "torch") {
        Ok(())
    } else {
        Err(AppError::refused("this build of safelight has no training and predicting in it")
            .hint("build it with its default features: make build"))
    }
}

/// The name of the program that has libtorch in it; it lies beside `safelight`.
#[cfg(feature = "torch")]
const PROGRAM: &str = "safelight-engine";

/// Tells the engine which version called it.
const CALLER: &str = "SAFELIGHT_CALLER_VERSION";

/// Lets this process become the engine, with the same arguments. It comes back
/// only to say why it could not.
#[cfg(feature = "torch")]
pub(super) fn hand_over() -> AppError {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use crate::train::environment::ENGINE_VARIABLES;

    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| "safelight".into());
    let program = match std::env::current_exe() {
        Ok(program) => program.with_file_name(PROGRAM),
        Err(error) => return AppError::failed(format!("cannot tell where this program lies: {error}")),
    };
    let mut engine = Command::new(&program);
    engine.arg0(name).args(arguments).env(CALLER, env!("CARGO_PKG_VERSION"));
    for (variable, value) in ENGINE_VARIABLES {
        if std::env::var_os(variable).is_none() {
            engine.env(variable, value);
        }
    }
    let error = engine.exec();
    AppError::io("start the engine, which trains and predicts,", &program, &error)
        .hint("it belongs beside the program safelight itself; build both with: make build")
}

#[cfg(not(feature = "torch"))]
pub(super) fn hand_over() -> AppError {
    built_in().err().unwrap_or_else(|| AppError::failed("this build has no engine"))
}

/// Refuses to work for a program of another version.
///
/// # Errors
/// When the caller named itself and is of another version.
pub(super) fn check_caller() -> Result<(), AppError> {
    let here = env!("CARGO_PKG_VERSION");
    match std::env::var(CALLER) {
        Ok(caller) if caller != here => Err(AppError::refused(format!(
            "safelight is of version {caller}, and the engine beside it of version {here}"
        ))
        .hint("build both together: make build")),
        _ => Ok(()),
    }
}
