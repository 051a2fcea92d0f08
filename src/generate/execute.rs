//! The training of a generator in this process: the work of a child.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::GeneratorTrained;
use safelight_lineage::id::{CheckpointId, GeneratorId};
use safelight_store::{BlobError, Blobs};

use super::frechet::Reference;
use super::history::GeneratorEnding;
use super::judge::{Judge, JudgeError};
use super::pictures::{encoded, real_picture};
use super::prepare::{
    GeneratorJob, PrepareGeneratorError, PreparedGenerator, prepare_generator, prepare_generator_resume,
};
use super::progress::{EpochSamples, GenerateLine, GenerateOutcome, GenerateSink};
use super::recipe::GeneratorRecipe;
use crate::runs::StoredImages;
use crate::runs::execute::program;
use crate::session::{Session, SessionError};
use crate::stop::Stop;
use crate::train::keyed::Moment;
use crate::train::progress::SinkError;
use crate::train::torch::{self, TrainError};

/// Pictures, real and generated each, that a Fréchet distance is measured on
/// while a generator learns, all classes together.
const JUDGED: usize = 600;

/// What a child is to do.
#[derive(Debug, Clone)]
pub struct GenerateOrder {
    /// The generator that it will become.
    pub generator: GeneratorId,
    /// The recipe; none to go on with a training that was stopped.
    pub recipe: Option<GeneratorRecipe>,
    /// The checkpoint that judges samples, and after how many epochs each; not
    /// looked at when going on.
    pub judge: Option<(CheckpointId, u32)>,
    /// Threads that compute.
    pub threads: usize,
    /// Do not go on with what was stopped, but keep it as it is.
    pub keep: bool,
    /// What the person says about it.
    pub message: Option<String>,
}

/// How the training ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GenerateEnd {
    /// There is a generator, and how its training ended.
    Trained(GeneratorEnding),
    /// It was told to stop.
    Cancelled,
}

/// Why there is no generator.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// It could not be planned.
    #[error(transparent)]
    Prepare(#[from] PrepareGeneratorError),
    /// The log could not be written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A blob could not be written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A file in the cache could not be written.
    #[error("{} could not be written: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The samples cannot be judged.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The training itself failed.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// Trains a generator and records it; lines of JSON go to `output`.
///
/// # Errors
/// When it cannot be begun or fails. What was kept to go on from stays.
pub fn execute_generator(
    session: &mut Session,
    order: &GenerateOrder,
    stop: &Stop,
    output: &mut dyn Write,
) -> Result<GenerateEnd, GenerateError> {
    let blobs = session.repository().blobs().clone();
    let cache = session.repository().cache_dir();
    let (prepared, job) = begin(session, order, &cache)?;
    let mut sink = CacheSink {
        blobs: blobs.clone(),
        cache: cache.clone(),
        generator: order.generator,
        output,
        judge: None,
        every: job.judge_every,
        stop,
    };
    let note = &prepared.plan.note;
    sink.progress(&GenerateLine::GeneratorStarted {
        generator: order.generator.to_string(),
        images: prepared.plan.train.len(),
        classes: note.classes.iter().map(|(_, name)| name.clone()).collect(),
        image_size: note.size,
        epochs: prepared.plan.recipe.epochs,
        steps: prepared.plan.steps(),
        threads: order.threads,
    });
    let outcome = train(session, order, &prepared, &job, &mut sink);
    match outcome {
        Ok(GenerateOutcome::Trained { weights, history, ending }) => {
            let environment = blobs.put(&torch::environment(order.threads).to_json())?;
            let recipe = blobs.put(prepared.plan.recipe.to_toml().as_bytes())?;
            let weights = blobs.put(&weights)?;
            let metrics = blobs.put(&history.to_json())?;
            let grids: Vec<BlobId> =
                history.epochs.iter().filter_map(|epoch| epoch.grid.as_ref()?.parse().ok()).collect();
            session.set_actor(program());
            session.record(order.message.as_deref(), |_, _| GeneratorTrained {
                generator: order.generator,
                class: prepared.class,
                recipe,
                manifest: prepared.manifest,
                at: prepared.at,
                weights,
                metrics,
                environment,
                grids: grids.clone(),
            })?;
            GeneratorJob::clear(&cache, order.generator);
            sink.progress(&GenerateLine::GeneratorSaved {
                generator: order.generator.to_string(),
                weights: weights.to_string(),
            });
            let (status, reason) = words(ending);
            sink.progress(&GenerateLine::GeneratorEnded { status: status.to_owned(), reason });
            Ok(GenerateEnd::Trained(ending))
        }
        Ok(GenerateOutcome::Cancelled { resume }) => {
            sink.resume_point(&|| Ok(resume.clone()))
                .map_err(|error| GenerateError::Train(TrainError::Sink(error)))?;
            let reason = Some("told to stop".to_owned());
            sink.progress(&GenerateLine::GeneratorEnded { status: "cancelled".to_owned(), reason });
            Ok(GenerateEnd::Cancelled)
        }
        Err(error) => {
            let reason = Some(error.to_string());
            sink.progress(&GenerateLine::GeneratorEnded { status: "failed".to_owned(), reason });
            Err(error)
        }
    }
}

/// How an ending is called, and in words why, unless all went as planned.
pub fn words(ending: GeneratorEnding) -> (&'static str, Option<String>) {
    match ending {
        GeneratorEnding::Finished | GeneratorEnding::Kept { .. } => ("finished", None),
        GeneratorEnding::Collapsed { epoch } => {
            ("collapsed", Some(format!("its samples had become all alike by epoch {}", epoch + 1)))
        }
        GeneratorEnding::NotFinite { epoch, step } => (
            "not_finite",
            Some(format!(
                "a number was not finite in epoch {}, step {}; kept is the generator of the epoch before",
                epoch + 1,
                step + 1
            )),
        ),
    }
}

/// Plans what was ordered and keeps what going on needs.
fn begin(
    session: &Session,
    order: &GenerateOrder,
    cache: &Path,
) -> Result<(PreparedGenerator, GeneratorJob), GenerateError> {
    let Some(recipe) = &order.recipe else {
        let (mut prepared, job) = prepare_generator_resume(session.state(), cache, order.generator)?;
        prepared.plan.keep = order.keep;
        return Ok((prepared, job));
    };
    let prepared = prepare_generator(session.state(), recipe.clone(), session.head())?;
    let job = GeneratorJob {
        recipe: recipe.to_toml(),
        manifest: prepared.manifest.to_string(),
        at: prepared.at.to_string(),
        judge: order.judge.map(|(checkpoint, _)| checkpoint),
        judge_every: order.judge.map_or(1, |(_, every)| every),
        threads: Some(order.threads),
    };
    let path = GeneratorJob::folder(cache, order.generator);
    job.save(cache, order.generator).map_err(|source| GenerateError::File { path, source })?;
    Ok((prepared, job))
}

fn train(
    session: &Session,
    order: &GenerateOrder,
    prepared: &PreparedGenerator,
    job: &GeneratorJob,
    sink: &mut CacheSink<'_>,
) -> Result<GenerateOutcome, GenerateError> {
    if let Some(checkpoint) = job.judge.filter(|_| !order.keep) {
        let judge = Judge::new(session.state(), &sink.blobs, checkpoint, order.threads)?;
        let reference = reference(&judge, prepared, &sink.blobs, sink.stop)?;
        sink.judge = Some((judge, reference));
    }
    let (blobs, cache) = (StoredImages(sink.blobs.clone()), sink.cache.clone());
    let stop = sink.stop;
    Ok(torch::train_generator(&prepared.plan, &blobs, Some(&cache), order.threads, sink, stop.flag())?)
}

/// Real pictures to compare samples with, equally many of every class.
fn reference(
    judge: &Judge,
    prepared: &PreparedGenerator,
    blobs: &Blobs,
    stop: &Stop,
) -> Result<Reference, JudgeError> {
    let plan = &prepared.plan;
    let each = JUDGED.div_ceil(plan.note.classes.len().max(1));
    let moment = Moment { seed: 0, stage: 0, epoch: 0 };
    let source = StoredImages(blobs.clone());
    let mut pictures = Vec::new();
    for class in 0..plan.note.classes.len() {
        let of_class = plan.train.iter().filter(|sample| usize::from(sample.label) == class);
        let mut keyed: Vec<_> = of_class
            .map(|sample| (moment.draw("judged", sample.image.as_bytes()).bits(), sample.image, sample.blob))
            .collect();
        keyed.sort_unstable();
        for (_, image, blob) in keyed.into_iter().take(each) {
            pictures.push(real_picture(&source, image, blob, plan.note.size)?);
        }
    }
    let moments = Judge::moments(judge, &encoded(&pictures, plan.note.size)?, stop.flag())?;
    Ok(Reference::new(moments))
}

/// Writes lines, and keeps grids and the state to go on from.
struct CacheSink<'a> {
    blobs: Blobs,
    cache: PathBuf,
    generator: GeneratorId,
    output: &'a mut dyn Write,
    judge: Option<(Judge, Reference)>,
    every: u32,
    stop: &'a Stop,
}

impl GenerateSink for CacheSink<'_> {
    // Nobody may be reading any more; the work goes on regardless.
    fn progress(&mut self, line: &GenerateLine) {
        if let Ok(text) = serde_json::to_string(line) {
            let _ = writeln!(self.output, "{text}").and_then(|()| self.output.flush());
        }
    }

    fn wants_to_judge(&self, epoch: u32) -> Option<usize> {
        self.judge.as_ref()?;
        // The first epoch too: that is how far noise is away.
        (epoch == 0 || (epoch + 1).is_multiple_of(self.every.max(1))).then_some(JUDGED)
    }

    fn judge(&mut self, samples: &EpochSamples) -> Result<f64, SinkError> {
        let Some((judge, reference)) = &self.judge else { return Err("there is no judge".into()) };
        let each = JUDGED.div_ceil(samples.classes.len().max(1));
        let pictures: Vec<Vec<u8>> =
            samples.classes.iter().flat_map(|pictures| pictures.iter().take(each)).cloned().collect();
        // Quick, and not to be told to stop: the epoch is as good as made.
        let never = AtomicBool::new(false);
        let moments = Judge::moments(judge, &encoded(&pictures, samples.size)?, &never)?;
        reference.distance(&moments).ok_or_else(|| "embeddings of two widths".into())
    }

    fn keep_grid(&mut self, epoch: u32, png: &[u8]) -> Result<(Option<String>, Option<String>), SinkError> {
        let blob = self.blobs.put(png)?;
        let path = GeneratorJob::grid_file(&self.cache, self.generator, epoch);
        fs::write(&path, png)?;
        Ok((Some(blob.to_string()), Some(path.display().to_string())))
    }

    fn resume_point(&mut self, state: &dyn Fn() -> Result<Vec<u8>, SinkError>) -> Result<(), SinkError> {
        // Written aside and renamed, so that a kill leaves the point before.
        let path = GeneratorJob::resume_file(&self.cache, self.generator);
        let fresh = path.with_extension("new");
        fs::write(&fresh, state()?)?;
        fs::rename(&fresh, &path)?;
        Ok(())
    }
}
