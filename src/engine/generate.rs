//! Generators, and training and drawing from them.

use safelight::cli::context::Context;
use safelight::cli::generate::{SampleArgs, WorkArgs, bad_recipe, class_of, sampled};
use safelight::cli::train::default_threads;
use safelight::cli::{resolve, words};
pub use safelight::generate::*;
use safelight_lineage::id::{CheckpointId, GeneratorId};

use crate::error::{AppError, Exit};
use crate::session::Session;
use crate::stop::Stop;

#[path = "../generate/execute.rs"]
pub mod execute;
#[path = "../generate/judge.rs"]
pub mod judge;

/// Trains a generator in this process, told as JSON lines.
pub fn work(args: &WorkArgs, context: &Context) -> Result<Exit, AppError> {
    use execute::{GenerateEnd, GenerateOrder, execute_generator};
    use history::GeneratorEnding;

    let id = |text: &str| AppError::new(Exit::Usage, format!("'{text}' is not a whole id"));
    let recipe = match &args.recipe {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| AppError::io("read", path, &error))?;
            Some(recipe::GeneratorRecipe::parse(&text).map_err(bad_recipe)?)
        }
    };
    let judge = args.judge.as_ref().map(|text| text.parse().map_err(|_| id(text))).transpose()?;
    let order = GenerateOrder {
        generator: args.generator.parse().map_err(|_| id(&args.generator))?,
        recipe: recipe.filter(|_| !args.resume),
        judge: judge.map(|checkpoint| (checkpoint, args.judge_every)),
        threads: args.threads,
        keep: args.keep,
        message: args.message.clone(),
    };
    let stop = Stop::install();
    let mut session = context.session()?;
    let output = &mut std::io::stdout().lock();
    match execute_generator(&mut session, &order, &stop, output)? {
        GenerateEnd::Trained(GeneratorEnding::NotFinite { .. }) => Ok(Exit::Failed),
        GenerateEnd::Trained(_) => Ok(Exit::Done),
        GenerateEnd::Cancelled => Ok(stop.exit()),
    }
}

/// Draws samples in this process and records them.
pub fn sample(args: &SampleArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let state = session.state();
    let generator: GeneratorId = resolve::id(state, &args.generator)?;
    let record = state
        .generators()
        .get(generator)
        .ok_or_else(|| AppError::refused(format!("there is no generator {generator}")))?;
    let class = class_of(state, record.event.class, args.class.as_deref())?;
    let weights = session.repository().blobs().get(record.event.weights)?;
    let stop = Stop::install();
    let bar = context.out.bar("drawing", u64::from(args.number), "samples");
    let threads = args.threads.unwrap_or_else(default_threads).max(1);
    let began = std::time::Instant::now();
    let mut report = |done: usize| bar.set_position(done as u64);
    let drawn = crate::train::torch::draw(
        &weights,
        class,
        args.number as usize,
        args.seed,
        threads,
        &mut report,
        stop.flag(),
    );
    bar.finish_and_clear();
    let (note, pictures) = drawn.map_err(|error| match error {
        crate::train::torch::DrawError::Cancelled => {
            AppError::new(stop.exit(), "stopped; nothing was recorded")
        }
        other => AppError::refused(words::text(&other.to_string())),
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let encoded = pictures::encoded(&pictures, note.size).map_err(AppError::from)?;
    sampled(&mut session, generator, class, args, &encoded, seconds, context)
}

/// A checkpoint that judges pictures.
pub fn judge(
    session: &Session,
    checkpoint: CheckpointId,
    threads: usize,
) -> Result<Box<dyn quality::PictureJudge>, AppError> {
    let judge = judge::Judge::new(session.state(), session.repository().blobs(), checkpoint, threads);
    Ok(Box::new(judge.map_err(|error| match error {
        judge::JudgeError::Blob(error) => AppError::from(error),
        other => AppError::refused(words::text(&other.to_string())),
    })?))
}

impl From<execute::GenerateError> for AppError {
    fn from(error: execute::GenerateError) -> AppError {
        use execute::GenerateError;
        match error {
            GenerateError::Prepare(error) => error.into(),
            GenerateError::Session(error) => error.into(),
            GenerateError::Blob(error) => error.into(),
            other => AppError::failed(words::text(&other.to_string())),
        }
    }
}
