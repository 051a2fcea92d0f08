//! A training run in this process: the work of a training child.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::event::{Actor, CheckpointSaved, RunCancelled, RunFailed, RunFinished, RunStarted};
use safelight_lineage::id::{CheckpointId, RunId};
use safelight_lineage::value::Real;
use safelight_store::{BlobError, Blobs};

use super::StoredImages;
use super::death::resume_file;
use super::prepare::{PrepareError, Prepared, Start, prepare_on, prepare_resume};
use super::report::JobEvent;
use crate::session::{Session, SessionError};
use crate::stop::Stop;
use crate::train::device::Machine;
use crate::train::progress::{Outcome, Progress, SinkError, StageCheckpoint, TrainSink};
use crate::train::rate_finder::Method;
use crate::train::recipe::Recipe;
use crate::train::torch::{self, TrainError};

/// What a training child is to do.
#[derive(Debug, Clone)]
pub struct Order {
    /// The recipe; not looked at when a run is resumed.
    pub recipe: Recipe,
    /// Where to start from.
    pub start: Start,
    /// The head that the dataset is taken at, when it is not the present one;
    /// not looked at when a run is resumed.
    pub at: Option<FrameDigest>,
    /// What computes.
    pub machine: Machine,
    /// What the person says about it.
    pub message: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All stages were trained.
    Finished,
    /// It was told to stop.
    Cancelled,
}

/// Why a run could not be started or did not end well. Where the run had been
/// started, its end is in the log.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// It could not be planned.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The log could not be written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A blob could not be written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The training itself failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A learning rate finder's curve says nothing.
    #[error("the loss of the finder's {steps} steps never fell for long enough: {method} suggests no rate")]
    NoRate {
        /// How a rate was to be read from the curve.
        method: Method,
        /// How many steps were made.
        steps: usize,
    },
}

/// Trains and records everything that happens; lines of JSON go to `output`.
///
/// # Errors
/// When the run cannot be started, or fails; a failure of the training is
/// recorded as RunFailed first.
pub fn execute(
    session: &mut Session,
    order: &Order,
    stop: &Stop,
    output: &mut dyn Write,
) -> Result<Ending, ExecuteError> {
    let blobs = session.repository().blobs().clone();
    let (prepared, run) = begin(session, order)?;
    let cache = session.repository().cache_dir();
    let mut sink = LogSink {
        session,
        blobs: blobs.clone(),
        run,
        parent: prepared.parent,
        output,
        cache: cache.clone(),
        broken_off: None,
    };
    sink.write(&started(&prepared, run, order));
    sink.session.set_actor(program());
    if let Start::Resume(of) = order.start {
        sink.parent = sink.last_checkpoint_of(of).or(prepared.parent);
    }
    let images = StoredImages(blobs.clone());
    let outcome = torch::train(&prepared.plan, &images, Some(&cache), order.machine, &mut sink, stop.flag());
    let ending = sink.end(outcome);
    // The file was only for the case of being killed.
    let _ = fs::remove_file(resume_file(&cache, run));
    ending
}

/// Plans what was ordered and records its start.
pub(super) fn begin(session: &mut Session, order: &Order) -> Result<(Prepared, RunId), ExecuteError> {
    let blobs = session.repository().blobs().clone();
    let read = |blob: BlobId| blobs.get(blob);
    let prepared = plan(session, order, &read)?;
    // What cannot compute starts no run.
    torch::prepare(order.machine, prepared.plan.recipe.precision).map_err(TrainError::from)?;
    let environment = blobs.put(&torch::environment(order.machine).to_json())?;
    let recipe = blobs.put(prepared.plan.recipe.to_toml().as_bytes())?;
    // Another process may append between planning and recording: the event then
    // names the frame that the dataset was taken at, which is as true as ever.
    let Prepared { manifest, at, parent, .. } = prepared;
    let start = session.record(order.message.as_deref(), |_, transaction| RunStarted {
        run: RunId(transaction.derive("run", 0)),
        recipe,
        manifest,
        at,
        parent,
        environment,
    })?;
    let run = RunId(start.header.transaction.derive("run", 0));
    Ok((prepared, run))
}

/// What a child says of a run that begins.
pub(super) fn started(prepared: &Prepared, run: RunId, order: &Order) -> JobEvent {
    JobEvent::RunStarted {
        run: run.to_string(),
        train: prepared.plan.train.len(),
        valid: prepared.plan.valid.len(),
        unlabelled: prepared.plan.unlabelled,
        architecture: prepared.plan.recipe.architecture.to_string(),
        threads: order.machine.threads,
    }
}

fn plan(
    session: &Session,
    order: &Order,
    read: &impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
) -> Result<Prepared, PrepareError> {
    let state = session.state();
    let parent = match order.start {
        Start::Fresh => None,
        Start::Checkpoint(parent) => Some(parent),
        Start::Resume(run) => return prepare_resume(state, read, run),
    };
    prepare_on(state, read, order.recipe.clone(), parent, order.at.unwrap_or(state.head()))
}

/// Who records what a training child found out.
pub fn program() -> Actor {
    Actor::Program { name: concat!("safelight ", env!("CARGO_PKG_VERSION")).to_owned() }
}

struct LogSink<'a> {
    session: &'a mut Session,
    blobs: Blobs,
    run: RunId,
    parent: Option<CheckpointId>,
    output: &'a mut dyn Write,
    cache: PathBuf,
    /// The figures of a run that could not go on.
    broken_off: Option<Vec<u8>>,
}

impl LogSink<'_> {
    // Nobody may be reading any more; the work goes on regardless.
    fn write(&mut self, line: &impl serde::Serialize) {
        if let Ok(text) = serde_json::to_string(line) {
            let _ = writeln!(self.output, "{text}").and_then(|()| self.output.flush());
        }
    }

    fn last_checkpoint_of(&self, run: RunId) -> Option<CheckpointId> {
        self.session.state().runs().get(run).and_then(|record| record.checkpoints.last().copied())
    }

    fn end(&mut self, outcome: Result<Outcome, TrainError>) -> Result<Ending, ExecuteError> {
        let run = self.run;
        match outcome {
            Ok(Outcome::Finished { metrics_json }) => {
                let metrics = self.blobs.put(&metrics_json)?;
                self.session.record(None, |_, _| RunFinished { run, metrics })?;
                self.write(&JobEvent::RunEnded { status: "finished".to_owned(), reason: None });
                Ok(Ending::Finished)
            }
            Ok(Outcome::Cancelled { metrics_json, resume }) => {
                let metrics = Some(self.blobs.put(&metrics_json)?);
                let resume = Some(self.blobs.put(&resume)?);
                let reason = "told to stop".to_owned();
                self.session.record(None, |_, _| RunCancelled {
                    run,
                    reason: reason.clone(),
                    metrics,
                    resume,
                })?;
                self.write(&JobEvent::RunEnded { status: "cancelled".to_owned(), reason: Some(reason) });
                Ok(Ending::Cancelled)
            }
            Err(error) => {
                let reason = error.to_string();
                let metrics = self.broken_off.take().map(|json| self.blobs.put(&json)).transpose()?;
                self.session.record(None, |_, _| RunFailed {
                    run,
                    reason: reason.clone(),
                    metrics,
                    resume: None,
                })?;
                self.write(&JobEvent::RunEnded { status: "failed".to_owned(), reason: Some(reason) });
                Err(error.into())
            }
        }
    }
}

impl TrainSink for LogSink<'_> {
    fn progress(&mut self, progress: &Progress) {
        self.write(progress);
    }

    fn checkpoint(&mut self, checkpoint: StageCheckpoint) -> Result<(), SinkError> {
        let weights = self.blobs.put(&checkpoint.weights)?;
        let (run, parent) = (self.run, self.parent);
        let metrics = checkpoint.metrics.iter().map(|(name, value)| (name.clone(), Real(*value)));
        let metrics: std::collections::BTreeMap<String, Real> = metrics.collect();
        let frame = self.session.record(None, |_, transaction| CheckpointSaved {
            checkpoint: CheckpointId(transaction.derive("checkpoint", checkpoint.stage)),
            run,
            parent,
            stage: checkpoint.stage,
            image_size: checkpoint.image_size,
            epoch: checkpoint.epoch,
            architecture: checkpoint.architecture.clone(),
            weights,
            metrics: metrics.clone(),
        })?;
        let id = CheckpointId(frame.header.transaction.derive("checkpoint", checkpoint.stage));
        self.parent = Some(id);
        self.write(&JobEvent::CheckpointSaved {
            checkpoint: id.to_string(),
            stage: checkpoint.stage,
            weights: weights.to_string(),
        });
        Ok(())
    }

    fn resume_point(
        &mut self,
        _: u32,
        _: u32,
        state: &dyn Fn() -> Result<Vec<u8>, SinkError>,
    ) -> Result<(), SinkError> {
        // Written aside and renamed, so that a kill leaves the point before.
        let path = resume_file(&self.cache, self.run);
        let fresh = path.with_extension("new");
        fs::create_dir_all(self.cache.join("jobs"))?;
        fs::write(&fresh, state()?)?;
        fs::rename(&fresh, &path)?;
        Ok(())
    }

    fn broken_off(&mut self, metrics_json: Vec<u8>) {
        self.broken_off = Some(metrics_json);
    }
}
