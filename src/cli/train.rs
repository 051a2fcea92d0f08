//! `safelight train`: starts a training child and watches it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use safelight_lineage::digest::FrameDigest;
use safelight_lineage::id::{CheckpointId, RunId};

use super::context::Context;
use super::output::Output;
use super::{engine, resolve, words};
use crate::error::{AppError, Exit};
use crate::jobs::child::JobChild;
use crate::runs::death::{DeathError, record_death};
use crate::runs::prepare::{PrepareError, machine_of, prepare, prepare_resume};
use crate::runs::report::{JobEvent, JobLine};
use crate::session::Session;
use crate::stop::Stop;
use crate::train::device::{DeviceName, Machine};
use crate::train::progress::Progress;
use crate::train::recipe::{Recipe, RecipeError};

/// Train a model as a recipe says; every stage leaves a checkpoint
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight train --print-recipe > recipe.toml\n  safelight train recipe.toml\n  \
                  safelight train recipe.toml --set seed=2 --set architecture=mobilenet_v2\n  \
                  safelight train recipe.toml --from 8d41\n  safelight train recipe.toml --weights 5ac1\n  safelight train --resume 77aa\n  safelight train recipe.toml --device cuda:0\n\n\
                  A recipe may also say moving_average = 0.99, precision = \"bf16\", or\n\
                  augmentation = { preset = \"trivial_augment\" }.\n\n\
                  Ctrl-C stops the run at its next step; what it needs to go on is kept."
)]
pub struct TrainArgs {
    /// The recipe, TOML [default: ResNet-18, five epochs at 64 pixels].
    recipe: Option<PathBuf>,

    /// Change one top-level value of the recipe; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Start from this checkpoint's weights.
    #[arg(long, value_name = "CHECKPOINT")]
    from: Option<String>,

    /// Start from these weights, kept with `weights add`.
    #[arg(long, value_name = "WEIGHTS", conflicts_with = "from")]
    weights: Option<String>,

    /// Go on with a run that was stopped or killed.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["recipe", "set", "from", "weights"])]
    resume: Option<String>,

    /// What computes: auto (the first GPU where there is one), cpu, or cuda:N
    /// [default: auto; going on with a run, what it computed on].
    #[arg(long, value_name = "DEVICE")]
    device: Option<DeviceName>,

    /// Threads that compute; the weights depend on it [default: all cores; going
    /// on with a run, as many as it had].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// What to remember about the run.
    #[arg(short, long)]
    message: Option<String>,

    /// Print the recipe with every default filled in, and train nothing.
    #[arg(long)]
    print_recipe: bool,
}

/// A run to start, as the command line and the demo give it.
#[derive(Debug, Clone)]
pub struct TrainRequest {
    /// The recipe.
    pub recipe: Recipe,
    /// The checkpoint to start from.
    pub from: Option<CheckpointId>,
    /// The run to go on with.
    pub resume: Option<RunId>,
    /// The head that the dataset is taken at, when it is not the present one.
    pub at: Option<FrameDigest>,
    /// What computes.
    pub machine: Machine,
    /// What to remember about it.
    pub message: Option<String>,
}

/// How a watched run ended.
#[derive(Debug)]
pub struct Trained {
    /// The run.
    pub run: RunId,
    /// Its last checkpoint.
    pub checkpoint: Option<CheckpointId>,
    /// How the process ended.
    pub exit: Exit,
    /// Why, unless it finished.
    pub reason: Option<String>,
    /// Seconds of each epoch.
    pub epoch_seconds: Vec<f64>,
}

/// How many threads to compute with when nobody says.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The machine that a command line names.
pub fn machine(device: DeviceName, threads: Option<usize>) -> Machine {
    Machine { device, threads: threads.unwrap_or_else(default_threads).max(1) }
}

/// Trains, watching a child process.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn run(args: &TrainArgs, context: &Context) -> Result<Exit, AppError> {
    let mut recipe = read_recipe(args.recipe.as_deref(), &args.set)?;
    if let Some(text) = &args.weights {
        recipe.weights = Some(resolve::id(context.session()?.state(), text)?);
    }
    if args.print_recipe {
        let text = recipe.to_toml();
        context.out.line(text.trim_end());
        context.out.document(&recipe);
        return Ok(Exit::Done);
    }
    engine::built_in()?;
    let mut session = context.session()?;
    let state = session.state();
    let blobs = session.repository().blobs().clone();
    let resume = args.resume.as_deref().map(|text| resolve::id(state, text)).transpose()?;
    let recorded = resume.map(|run| machine_of(state, |blob| blobs.get(blob), run)).transpose()?.flatten();
    let request = TrainRequest {
        recipe,
        from: args.from.as_deref().map(|text| resolve::id(state, text)).transpose()?,
        resume,
        at: None,
        machine: Machine {
            device: args.device.or(recorded.map(|machine| machine.device)).unwrap_or(DeviceName::Auto),
            threads: args
                .threads
                .or(recorded.map(|machine| machine.threads))
                .unwrap_or_else(default_threads)
                .max(1),
        },
        message: args.message.clone(),
    };
    // What cannot work is said before a process is started for it.
    match request.resume {
        Some(run) => drop(prepare_resume(state, |blob| blobs.get(blob), run)?),
        None => drop(prepare(state, |blob| blobs.get(blob), request.recipe.clone(), request.from)?),
    }
    let stop = Stop::install();
    let trained = train(&mut session, &request, &stop, &context.out)?;
    let out = &context.out;
    match trained.exit {
        Exit::Done => {
            if let Some(checkpoint) = trained.checkpoint {
                out.line(format!("next: safelight predict {} --split test", checkpoint.short()));
            }
        }
        Exit::Interrupted | Exit::Terminated => {
            out.line(format!(
                "run {} stopped; go on with: safelight train --resume {}",
                trained.run,
                trained.run.short()
            ));
        }
        _ => {
            let reason = trained.reason.clone().unwrap_or_else(|| "it did not say why".to_owned());
            let mut error = AppError::failed(format!("run {} failed: {}", trained.run, words::text(&reason)))
                .hint_if_full();
            let resumable = session.state().runs().get(trained.run).is_some_and(|record| {
                matches!(&record.status, safelight_lineage::state::RunStatus::Failed { end } if end.event.resume.is_some())
            });
            if resumable {
                error = error.hint(format!(
                    "go on from its last epoch with: safelight train --resume {}",
                    trained.run.short()
                ));
            }
            return Err(error);
        }
    }
    out.document(&serde_json::json!({
        "run": trained.run,
        "checkpoint": trained.checkpoint,
        "checkpoint_record": trained.checkpoint.and_then(|id| session.state().checkpoints().get(id)),
        "status": session.state().runs().get(trained.run).map(|record| record.status.name()),
        "epoch_seconds": trained.epoch_seconds,
    }));
    Ok(trained.exit)
}

/// The recipe of a file (the defaults without one), with some of its values set.
pub fn read_recipe(recipe: Option<&Path>, settings: &[String]) -> Result<Recipe, AppError> {
    Recipe::parse(&recipe_text(recipe, settings)?).map_err(AppError::from)
}

/// The text of a recipe's file (none without one), with some of its top-level
/// values set.
pub(super) fn recipe_text(recipe: Option<&Path>, settings: &[String]) -> Result<String, AppError> {
    let mut text = match recipe {
        None => String::new(),
        Some(path) => {
            fs::read_to_string(path).map_err(|error| AppError::io("read the recipe", path, &error))?
        }
    };
    for setting in settings {
        let Some((key, value)) = setting.split_once('=') else {
            return Err(AppError::new(Exit::Usage, format!("'{}' is not KEY=VALUE", words::text(setting)))
                .hint("such as --set seed=2 or --set architecture=mobilenet_v2"));
        };
        text = set(&text, key.trim(), value.trim())?;
    }
    Ok(text)
}

/// Replaces or adds one top-level key of a TOML text.
fn set(text: &str, key: &str, value: &str) -> Result<String, AppError> {
    let bad =
        |error: &dyn std::fmt::Display| AppError::refused(format!("the recipe cannot be read: {error}"));
    let mut table: toml::Table = text.parse().map_err(|error| bad(&error))?;
    // A value that is no TOML by itself is meant as text: architecture=resnet18.
    let parsed =
        format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("value"));
    table.insert(key.to_owned(), parsed.unwrap_or_else(|| toml::Value::String(value.to_owned())));
    toml::to_string(&table).map_err(|error| bad(&error))
}

/// Starts a training child and watches it until it ends.
///
/// # Errors
/// When it cannot be started or watched; how the run ended is a result.
pub fn train(
    session: &mut Session,
    request: &TrainRequest,
    stop: &Stop,
    out: &Output,
) -> Result<Trained, AppError> {
    start(session, request, &[], stop, out)
}

/// As [`train`], with more arguments for the child.
pub fn start(
    session: &mut Session,
    request: &TrainRequest,
    more: &[OsString],
    stop: &Stop,
    out: &Output,
) -> Result<Trained, AppError> {
    let cache = session.repository().cache_dir();
    out.become_job(&cache);
    let jobs = out.job().map_or_else(|| cache.join("jobs"), |job| job.path().to_owned());
    fs::create_dir_all(&jobs).map_err(|error| AppError::io("make", &jobs, &error))?;
    let name = format!("train-{}-{}", std::process::id(), session.state().seq());
    let recipe = jobs.join(format!("{name}.toml"));
    fs::write(&recipe, request.recipe.to_toml()).map_err(|error| AppError::io("write", &recipe, &error))?;
    let mut arguments: Vec<OsString> = vec!["-C".into(), session.root().into(), "job".into(), "train".into()];
    arguments.extend(["--recipe".into(), recipe.clone().into()]);
    arguments.extend(["--threads".into(), request.machine.threads.to_string().into()]);
    arguments.extend(["--device".into(), request.machine.device.to_string().into()]);
    if let safelight_lineage::event::Actor::Person { name } = session.actor() {
        arguments.extend(["--actor".into(), name.into()]);
    }
    if let Some(from) = request.from {
        arguments.extend(["--from".into(), from.to_string().into()]);
    }
    if let Some(resume) = request.resume {
        arguments.extend(["--resume".into(), resume.to_string().into()]);
    }
    if let Some(at) = request.at {
        arguments.extend(["--at".into(), at.to_string().into()]);
    }
    if let Some(message) = &request.message {
        arguments.extend(["--message".into(), message.into()]);
    }
    arguments.extend_from_slice(more);
    let child = match out.job() {
        Some(job) => JobChild::spawn_for(job, &arguments),
        None => JobChild::spawn(&jobs, &name, &arguments),
    };
    let child = child.map_err(|error| AppError::io("start a job in", &jobs, &error))?;
    let output = child.output().to_owned();
    let mut watch = Watch::new(out);
    let ended = child
        .follow(stop, |line| watch.line(line))
        .map_err(|error| AppError::io("follow the job's output in", &output, &error))?;
    watch.bar.finish_and_clear();
    // The recipe is in the store now; the file was how it got to the child.
    let _ = fs::remove_file(&recipe);
    session.repository_mut().refresh()?;
    let Some(run) = watch.run else {
        let why = ended.killed_by().unwrap_or_else(|| last_line(&ended.errors));
        return Err(AppError::failed(format!(
            "the training process did not start a run: {}",
            words::text(&why)
        )));
    };
    let run: RunId = run.parse().map_err(|_| AppError::failed("the training process named no run"))?;
    let killed = ended.killed_by();
    record_death(session, run, killed.as_deref().unwrap_or("the process ended without saying why"))?;
    let exit = ended.status.code().and_then(Exit::from_code).unwrap_or(Exit::Failed);
    Ok(Trained {
        run,
        checkpoint: session.state().runs().get(run).and_then(|record| record.checkpoints.last().copied()),
        exit,
        reason: killed.or(watch.reason).or_else(|| (exit != Exit::Done).then(|| last_line(&ended.errors))),
        epoch_seconds: watch.epoch_seconds,
    })
}

fn last_line(text: &str) -> String {
    // Hints follow the sentence; what ran it says its own.
    let said =
        text.lines().rev().find_map(|line| line.strip_prefix("error: ")).or_else(|| text.lines().last());
    said.map_or_else(|| "it did not say why".to_owned(), str::to_owned)
}

/// Turns a training child's lines into bars and words.
struct Watch<'a> {
    out: &'a Output,
    bar: ProgressBar,
    run: Option<String>,
    reason: Option<String>,
    epoch_seconds: Vec<f64>,
    epochs: u32,
    steps: u32,
}

impl<'a> Watch<'a> {
    fn new(out: &'a Output) -> Self {
        let bar = out.bar("training", 0, "steps");
        Watch { out, bar, run: None, reason: None, epoch_seconds: Vec::new(), epochs: 0, steps: 0 }
    }

    fn line(&mut self, line: &str) {
        match JobLine::parse(line) {
            Some(JobLine::Log(event)) => self.log(event),
            Some(JobLine::Work(progress)) => self.work(progress),
            // A line of a newer program: it is for somebody else.
            None => {}
        }
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| self.out.line(text));
    }

    fn log(&mut self, event: JobEvent) {
        match event {
            JobEvent::RunStarted { run, train, valid, unlabelled, architecture, threads } => {
                self.say(&format!(
                    "run {run}: {architecture} on {train} images, validated by {valid}, {threads} threads"
                ));
                if unlabelled > 0 {
                    self.say(&format!("  {unlabelled} images without a label take no part"));
                }
                self.run = Some(run);
            }
            JobEvent::CheckpointSaved { checkpoint, stage, weights } => {
                self.say(&format!("  stage {}: checkpoint {checkpoint}, weights {weights}", stage + 1));
            }
            JobEvent::RateFound { suggestion, method, .. } => {
                self.say(&format!("  learning rate {suggestion:.2e} by {method}"));
            }
            JobEvent::RunEnded { reason, .. } => self.reason = reason,
        }
    }

    fn work(&mut self, progress: Progress) {
        match progress {
            Progress::Decoding { done, total } => {
                self.bar.set_prefix("decoding");
                self.bar.set_length(total);
                self.bar.set_position(done);
            }
            Progress::StageStarted { stage, stages, image_size, epochs, steps } => {
                (self.epochs, self.steps) = (epochs, steps);
                self.bar.reset();
                self.bar.set_prefix(format!("stage {}/{stages}", stage + 1));
                self.bar.set_length(u64::from(epochs) * u64::from(steps));
                self.say(&format!(
                    "  stage {}/{stages}: {image_size} px, {epochs} epochs of {steps} steps",
                    stage + 1
                ));
            }
            Progress::EpochStarted { .. } => {}
            Progress::Step { epoch, step, steps, loss, images_per_second, .. } => {
                self.bar.set_position(u64::from(epoch) * u64::from(steps) + u64::from(step) + 1);
                self.bar.set_message(format!(
                    "epoch {}/{} loss {loss:.3} {images_per_second:.0} images/s",
                    epoch + 1,
                    self.epochs
                ));
            }
            Progress::Validating { done, total } => {
                self.bar.set_message(format!("validating {done}/{total}"));
            }
            Progress::EpochFinished { epoch, metrics, seconds, .. } => {
                self.epoch_seconds.push(seconds);
                let figures: Vec<String> = metrics
                    .iter()
                    .map(|(name, value)| format!("{} {value:.4}", name.replace('_', " ")))
                    .collect();
                self.say(&format!(
                    "  epoch {}/{}  {}  {seconds:.1} s",
                    epoch + 1,
                    self.epochs,
                    figures.join("  ")
                ));
            }
            Progress::StageFinished { .. } | Progress::Predicting { .. } => {}
        }
    }
}

impl From<RecipeError> for AppError {
    fn from(error: RecipeError) -> AppError {
        AppError::refused(error.to_string()).hint("see every key with: safelight train --print-recipe")
    }
}

impl From<PrepareError> for AppError {
    fn from(error: PrepareError) -> AppError {
        match error {
            PrepareError::Blob(error) => error.into(),
            PrepareError::OtherDataset { .. } => AppError::new(Exit::Damaged, error.to_string()),
            PrepareError::Plan(error) => AppError::refused(words::text(&error.to_string()))
                .hint("see how many images each class has with: safelight status"),
            other => AppError::refused(other.to_string()),
        }
    }
}

impl From<DeathError> for AppError {
    fn from(error: DeathError) -> AppError {
        match error {
            DeathError::Session(error) => error.into(),
            DeathError::Blob(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_can_be_set_as_text_or_number() {
        let text =
            set(&set("", "seed", "7").expect("a number"), "architecture", "mobilenet_v2").expect("text");
        let recipe = Recipe::parse(&text).expect("a recipe");
        assert_eq!(recipe.seed, 7);
        assert_eq!(recipe.architecture.name(), "mobilenet_v2");
    }
}
