//! `safelight generate train`: starts a child that trains a generator, and
//! watches it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use safelight_lineage::id::{CheckpointId, GeneratorId};

use super::super::context::Context;
use super::super::output::Output;
use super::super::train::{default_threads, recipe_text};
use super::super::{engine, resolve, words};
use crate::error::{AppError, Exit};
use crate::generate::held_out::held_out;
use crate::generate::plan::GeneratorPlanError;
use crate::generate::prepare::{
    GeneratorJob, PrepareGeneratorError, prepare_generator, prepare_generator_resume,
};
use crate::generate::progress::GenerateLine;
use crate::generate::recipe::GeneratorRecipe;
use crate::jobs::child::JobChild;
use crate::session::Session;
use crate::stop::Stop;

/// Train a generator on the training images of a class, or of all of them
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight generate train --print-recipe > generator.toml\n  \
                  safelight generate train generator.toml --class sea\n  \
                  safelight generate train generator.toml --set penalty=gradient --judge 77c0\n  \
                  safelight generate train --resume 5d02\n  safelight generate train --resume 5d02 --keep\n\n\
                  Ctrl-C stops it at its next step; what it needs to go on is kept in the cache, and so is a\n\
                  grid of samples of every epoch: .safelight/cache/generators/ID/epoch-0001.png")]
pub(super) struct TrainArgs {
    /// The recipe, TOML [default: fastai's Wasserstein GAN at 32 pixels].
    recipe: Option<PathBuf>,

    /// Learn this class only; all of them, each with its label, without it.
    #[arg(long)]
    class: Option<String>,

    /// Change one value of the recipe; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Say how far samples are from real pictures on the embeddings of this
    /// checkpoint.
    #[arg(long, value_name = "CHECKPOINT")]
    judge: Option<String>,

    /// After how many epochs each.
    #[arg(long, value_name = "EPOCHS", default_value_t = 5, requires = "judge")]
    judge_every: u32,

    /// Go on with a generator whose training was stopped or killed.
    #[arg(long, value_name = "GENERATOR", conflicts_with_all = ["recipe", "class", "set", "judge"])]
    resume: Option<String>,

    /// Do not go on with it, but keep the generator as it is.
    #[arg(long, requires = "resume")]
    keep: bool,

    /// Threads that compute; the weights depend on it [default: all cores; going
    /// on with a training, as many as it had].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// What to remember about it.
    #[arg(short, long)]
    message: Option<String>,

    /// Print the recipe with every default filled in, and train nothing.
    #[arg(long)]
    print_recipe: bool,
}

pub(super) fn run(args: &TrainArgs, context: &Context) -> Result<Exit, AppError> {
    let mut recipe =
        GeneratorRecipe::parse(&recipe_text(args.recipe.as_deref(), &args.set)?).map_err(bad_recipe)?;
    if let Some(class) = &args.class {
        recipe.class = Some(class.clone());
    }
    let out = &context.out;
    if args.print_recipe {
        out.line(recipe.to_toml().trim_end());
        out.document(&recipe);
        return Ok(Exit::Done);
    }
    engine::built_in()?;
    let mut session = context.session()?;
    let cache = session.repository().cache_dir();
    // What cannot work is said before a process is started for it.
    let (generator, resume, recorded) = match &args.resume {
        Some(prefix) => {
            let generator = unfinished(&cache, prefix)?;
            let (prepared, job) = prepare_generator_resume(session.state(), &cache, generator)?;
            if args.keep && prepared.plan.resume.is_none() {
                return Err(AppError::refused(
                    "its first epoch was not finished; there is no generator to keep",
                )
                .hint(format!("go on with: safelight generate train --resume {}", generator.short())));
            }
            (generator, true, job.threads)
        }
        None => {
            let prepared = prepare_generator(session.state(), recipe.clone(), session.head())?;
            let learned = prepared.plan.train.iter().map(|sample| sample.image).collect();
            let blobs = session.repository().blobs();
            let held = held_out(session.state(), |blob| blobs.get(blob), &learned);
            if let Some(words) = held.in_words() {
                out.notice(&format!("note: {words}"));
            }
            (new_id()?, false, None)
        }
    };
    let judge: Option<CheckpointId> =
        args.judge.as_deref().map(|text| resolve::id(session.state(), text)).transpose()?;
    let threads = args.threads.or(recorded).unwrap_or_else(default_threads).max(1);
    let arguments = arguments(args, generator, judge, resume, threads);
    let recipe_file = (!resume).then(|| recipe.to_toml());
    let stop = Stop::install();
    let ended = follow(&mut session, generator, arguments, recipe_file, &stop, out)?;
    let trained = session.state().generators().contains(generator);
    match (trained, ended.exit) {
        (true, Exit::Done) => {
            out.line(format!("next: safelight generate sample {} -n 100", generator.short()));
        }
        (true, _) => {
            let why = ended.reason.unwrap_or_default();
            return Err(AppError::failed(format!(
                "generator {generator} was kept, but {}",
                words::text(&why)
            ))
            .hint(format!("look at it with: safelight generate show {}", generator.short()))
            .hint("a lower learning rate, or penalty = \"gradient\", may help"));
        }
        (false, Exit::Interrupted | Exit::Terminated) => {
            out.line(format!(
                "generator {generator} stopped; go on with: safelight generate train --resume {}",
                generator.short()
            ));
        }
        (false, _) => {
            let why = ended.reason.unwrap_or_else(|| "it did not say why".to_owned());
            let mut error = AppError::failed(format!("the generator was not trained: {}", words::text(&why)))
                .hint_if_full();
            if GeneratorJob::resume_file(&cache, generator).is_file() {
                error = error.hint(format!(
                    "go on from its last epoch with: safelight generate train --resume {}",
                    generator.short()
                ));
            }
            return Err(error);
        }
    }
    out.document(&serde_json::json!({
        "generator": generator,
        "record": session.state().generators().get(generator),
        "status": ended.status,
        "folder": GeneratorJob::folder(&cache, generator).display().to_string(),
    }));
    Ok(ended.exit)
}

fn new_id() -> Result<GeneratorId, AppError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id)
        .map_err(|error| AppError::failed(format!("the operating system gave no random bytes: {error}")))?;
    Ok(GeneratorId(id))
}

/// The one generator in training whose id begins so.
fn unfinished(cache: &Path, prefix: &str) -> Result<GeneratorId, AppError> {
    let all = GeneratorJob::unfinished(cache);
    let found: Vec<GeneratorId> =
        all.iter().filter(|generator| generator.to_string().starts_with(prefix)).copied().collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let error =
                AppError::refused(format!("no generator '{}' was stopped or killed", words::text(prefix)));
            let error =
                all.iter().fold(error, |error, generator| error.hint(format!("there is {generator}")));
            Err(error.hint("those that were trained to their end are listed by: safelight generate list"))
        }
        several => {
            let error = AppError::refused(format!("'{}' begins several ids", words::text(prefix)));
            Err(several.iter().fold(error, |error, generator| error.hint(generator.to_string())))
        }
    }
}

fn arguments(
    args: &TrainArgs,
    generator: GeneratorId,
    judge: Option<CheckpointId>,
    resume: bool,
    threads: usize,
) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec![
        "--generator".into(),
        generator.to_string().into(),
        "--threads".into(),
        threads.to_string().into(),
    ];
    if resume {
        arguments.push("--resume".into());
    }
    if args.keep {
        arguments.push("--keep".into());
    }
    if let Some(judge) = judge {
        arguments.extend(["--judge".into(), judge.to_string().into()]);
        arguments.extend(["--judge-every".into(), args.judge_every.max(1).to_string().into()]);
    }
    if let Some(message) = &args.message {
        arguments.extend(["--message".into(), message.into()]);
    }
    arguments
}

/// How a watched child ended.
struct Watched {
    exit: Exit,
    status: Option<String>,
    reason: Option<String>,
}

fn follow(
    session: &mut Session,
    generator: GeneratorId,
    more: Vec<OsString>,
    recipe: Option<String>,
    stop: &Stop,
    out: &Output,
) -> Result<Watched, AppError> {
    let cache = session.repository().cache_dir();
    out.become_job(&cache);
    let jobs = cache.join("jobs");
    fs::create_dir_all(&jobs).map_err(|error| AppError::io("make", &jobs, &error))?;
    let name = format!("generate-{generator}");
    let mut arguments: Vec<OsString> =
        vec!["-C".into(), session.root().into(), "job".into(), "generate".into()];
    let file = jobs.join(format!("{name}.toml"));
    if let Some(text) = &recipe {
        fs::write(&file, text).map_err(|error| AppError::io("write", &file, &error))?;
        arguments.extend(["--recipe".into(), file.clone().into()]);
    }
    if let safelight_lineage::event::Actor::Person { name } = session.actor() {
        arguments.extend(["--actor".into(), name.into()]);
    }
    arguments.extend(more);
    let child = match out.job() {
        Some(job) => JobChild::spawn_for(job, &arguments),
        None => JobChild::spawn(&jobs, &name, &arguments),
    };
    let child = child.map_err(|error| AppError::io("start a job in", &jobs, &error))?;
    let output = child.output().to_owned();
    let mut watch =
        Watch { out, bar: out.bar("generator", 0, "steps"), epochs: 0, status: None, reason: None };
    let ended = child
        .follow(stop, |line| watch.line(line))
        .map_err(|error| AppError::io("follow the job's output in", &output, &error))?;
    watch.bar.finish_and_clear();
    // The recipe is kept elsewhere now; the file was how it got to the child.
    let _ = fs::remove_file(&file);
    session.repository_mut().refresh()?;
    let exit = ended.status.code().and_then(Exit::from_code).unwrap_or(Exit::Failed);
    let last = || ended.errors.lines().last().map(str::to_owned);
    Ok(Watched {
        exit,
        status: watch.status,
        reason: ended.killed_by().or(watch.reason).or_else(|| (exit != Exit::Done).then(last).flatten()),
    })
}

/// Turns a child's lines into a bar and words.
struct Watch<'a> {
    out: &'a Output,
    bar: ProgressBar,
    epochs: u32,
    status: Option<String>,
    reason: Option<String>,
}

impl Watch<'_> {
    fn line(&mut self, line: &str) {
        // A line of a newer program is for somebody else.
        let Some(line) = GenerateLine::parse(line) else { return };
        match line {
            GenerateLine::GeneratorStarted {
                generator,
                images,
                classes,
                image_size,
                epochs,
                steps,
                threads,
            } => {
                self.epochs = epochs;
                self.bar.set_length(u64::from(epochs) * u64::from(steps));
                let of = classes.join(", ");
                self.say(&format!(
                    "generator {generator}: {} at {image_size} px from {images} images, {epochs} epochs of {steps} steps, {threads} threads",
                    words::text(&of)
                ));
            }
            GenerateLine::Decoding { done, total } => {
                self.bar.set_message(format!("decoding {done}/{total}"))
            }
            GenerateLine::CriticStep { epoch, step, steps, critic_distance, images_per_second } => {
                self.bar.set_position(u64::from(epoch) * u64::from(steps) + u64::from(step) + 1);
                self.bar.set_message(format!(
                    "epoch {}/{} critic {critic_distance:.3} {images_per_second:.0} images/s",
                    epoch + 1,
                    self.epochs
                ));
            }
            GenerateLine::GeneratorEpochFinished { figures, grid_file } => {
                let figure = |name: &str, value: Option<f64>| {
                    value.map_or_else(String::new, |value| format!("  {name} {value:.3}"))
                };
                self.say(&format!(
                    "  epoch {}/{}  critic distance {:.4}{}{}  {:.1} s{}",
                    figures.epoch + 1,
                    self.epochs,
                    figures.critic_distance,
                    figure("diversity", figures.diversity),
                    figure("Fréchet distance", figures.frechet_distance),
                    figures.seconds,
                    if figures.collapsed { "  COLLAPSED: its samples are all alike" } else { "" }
                ));
                if let Some(file) = grid_file.filter(|_| figures.epoch == 0) {
                    self.say(&format!("  samples of each epoch are drawn beside {}", words::text(&file)));
                }
            }
            GenerateLine::GeneratorSaved { generator, weights } => {
                self.say(&format!("generator {generator}: weights {weights}"));
            }
            GenerateLine::GeneratorEnded { status, reason } => {
                self.status = Some(status);
                self.reason = reason;
            }
        }
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| self.out.line(text));
    }
}

/// What a child that trains a generator is told.
#[derive(Debug, clap::Args)]
pub struct WorkArgs {
    /// The generator that it will become, whole.
    #[arg(long)]
    pub generator: String,
    /// The recipe, TOML.
    #[arg(long)]
    pub recipe: Option<PathBuf>,
    /// Go on with it.
    #[arg(long, conflicts_with = "recipe")]
    pub resume: bool,
    /// Keep it as it is.
    #[arg(long, requires = "resume")]
    pub keep: bool,
    /// The checkpoint that judges, whole.
    #[arg(long)]
    pub judge: Option<String>,
    /// After how many epochs each.
    #[arg(long, default_value_t = 1)]
    pub judge_every: u32,
    /// Threads that compute.
    #[arg(long)]
    pub threads: usize,
    /// What to remember.
    #[arg(long)]
    pub message: Option<String>,
}

/// What is wrong with a recipe, and where to see what is right.
pub fn bad_recipe(error: crate::train::recipe::RecipeError) -> AppError {
    AppError::refused(error.to_string()).hint("see every key with: safelight generate train --print-recipe")
}

impl From<PrepareGeneratorError> for AppError {
    fn from(error: PrepareGeneratorError) -> AppError {
        let refused = AppError::refused(words::text(&error.to_string()));
        match error {
            PrepareGeneratorError::OtherDataset { .. } => AppError::new(Exit::Damaged, error.to_string()),
            PrepareGeneratorError::Plan(GeneratorPlanError::TooFewImages { .. }) => refused
                .hint("see how many images each class has with: safelight status")
                .hint("or learn another class: safelight generate train --class CLASS"),
            _ => refused,
        }
    }
}
