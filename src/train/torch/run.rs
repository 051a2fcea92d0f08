//! A training run: stages of epochs of steps.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;
use tch::{Device, Kind, TchError, Tensor};

use super::super::batch::{Batch, Batches};
use super::super::device::Machine;
use super::super::keyed::Moment;
use super::super::metrics::{EpochFigures, History, Judgement, StepFigures};
use super::super::plan::{BlobSource, Plan};
use super::super::progress::{Outcome, Progress, SinkError, StageCheckpoint, TrainSink};
use super::super::renditions::{RenditionError, Renditions, Workshop};
use super::super::schedule::{Setting, group_rates};
use super::super::transform::Transform;
use super::super::weights::{Note, Values, decode_weights, encode_weights};
use super::adam::Adam;
use super::average::MovingAverage;
use super::device::prepare;
use super::error::TrainError;
use super::evaluate::{Judge, JudgeError, Wanted, pictures};
use super::layers::{Dropout, Pass};
use super::network::Network;
use super::resume::{Place, Saved, read, save};
use super::store::LoadError;

/// Trains as the plan says.
///
/// The weights are a function of the plan, the build and the machine `on` which
/// it is (a number alone is that many threads of the processor); neither of `cache` (a folder that keeps renditions, and may be
/// deleted at any time) nor of interruptions. The sink is told of progress and
/// given the checkpoint of every stage. When `cancel` is set, the run stops
/// before its next step and returns the bytes to resume it from. When the loss
/// is no number, the sink is given what the last whole epoch of the stage left
/// as the stage's checkpoint before the error is returned.
pub fn train(
    plan: &Plan,
    blobs: &dyn BlobSource,
    cache: Option<&Path>,
    on: impl Into<Machine>,
    sink: &mut dyn TrainSink,
    cancel: &AtomicBool,
) -> Result<Outcome, TrainError> {
    let machine = on.into();
    let device = prepare(machine, plan.recipe.precision)?;
    let workshop = Workshop { source: blobs, cache, threads: machine.threads, cancel };
    let mut run = Run::new(plan, workshop, sink, device)?;
    let from = match &plan.resume {
        Some(bytes) => run.take_up(read(bytes, &run.digest)?)?,
        None => Start::default(),
    };
    let outcome = run.stages(from);
    if let Err(error) = &outcome {
        run.break_off(error)?;
    }
    outcome
}

/// A run under way.
pub(super) struct Run<'a> {
    plan: &'a Plan,
    digest: [u8; 32],
    workshop: Workshop<'a>,
    sink: &'a mut dyn TrainSink,
    network: Network,
    history: History,
    device: Device,
    /// What the last whole epoch of the stage left, until the stage ends.
    good: Option<StageCheckpoint>,
}

/// What changes the weights of a stage, with its memory.
pub(super) struct Learner {
    /// The optimizer.
    pub adam: Adam,
    /// The average of the weights, if the recipe wants one.
    pub average: Option<MovingAverage>,
}

/// Where stages begin, with the optimizer's state when it is in the middle.
#[derive(Default)]
struct Start {
    place: Place,
    optimizer: Option<Saved>,
}

/// What became of a part of the run.
enum Flow {
    Went,
    /// It was told to stop before this place.
    Stopped(Place),
}

impl<'a> Run<'a> {
    /// A run of `plan` before its first step, with its first weights.
    pub(super) fn new(
        plan: &'a Plan,
        workshop: Workshop<'a>,
        sink: &'a mut dyn TrainSink,
        device: Device,
    ) -> Result<Self, TrainError> {
        let recipe = &plan.recipe;
        let note = Note {
            architecture: recipe.architecture.name().to_owned(),
            head: recipe.head,
            classes: plan.classes.clone(),
            normalisation: recipe.normalisation,
        };
        let mut network = Network::new(recipe.architecture, note, recipe.seed, device)?;
        if let Some(bytes) = &plan.initial {
            let (values, note) = decode_weights(bytes)?;
            network.start_from(&values, note.as_ref())?;
        }
        let history = History { classes: plan.classes.clone(), ..History::default() };
        Ok(Run { plan, digest: plan.digest(), workshop, sink, network, history, device, good: None })
    }

    fn take_up(&mut self, mut saved: Saved) -> Result<Start, TrainError> {
        self.network.load(&saved.network)?;
        self.history = std::mem::take(&mut saved.history);
        Ok(Start { place: saved.place, optimizer: Some(saved) })
    }

    /// Keeps what is good of a run that cannot go on.
    fn break_off(&mut self, error: &TrainError) -> Result<(), TrainError> {
        if let (TrainError::NotFinite { .. }, Some(good)) = (error, self.good.take()) {
            self.sink.checkpoint(good).map_err(TrainError::Sink)?;
        }
        self.sink.broken_off(self.history.to_json());
        Ok(())
    }

    fn stages(&mut self, mut start: Start) -> Result<Outcome, TrainError> {
        for stage in start.place.stage..self.plan.recipe.stage.len() as u32 {
            let average = self.plan.recipe.moving_average;
            let average =
                average.map(|decay| MovingAverage::new(decay, self.network.tensors())).transpose()?;
            let mut learner = Learner { adam: self.optimizer(stage)?, average };
            let mut place = Place { stage, epoch: 0, step: 0 };
            if let Some(saved) = start.optimizer.take() {
                learner.adam.load(&saved.optimizer, saved.optimizer_steps)?;
                if let Some(average) = &mut learner.average {
                    average.load(&saved.average)?;
                }
                place = saved.place;
            }
            if let Flow::Stopped(place) = self.stage(place, &mut learner)? {
                let resume = save(&self.digest, place, &self.network, &learner, &self.history)?;
                return Ok(Outcome::Cancelled { metrics_json: self.history.to_json(), resume });
            }
        }
        Ok(Outcome::Finished { metrics_json: self.history.to_json() })
    }

    /// The optimizer of a stage before its first step.
    pub(super) fn optimizer(&self, stage: u32) -> Result<Adam, TrainError> {
        let recipe = &self.plan.recipe;
        let threads = rayon::ThreadPoolBuilder::new().num_threads(self.workshop.threads.max(1)).build();
        let threads = threads.map_err(RenditionError::Threads)?;
        let frozen = recipe.stage[stage as usize].frozen.groups();
        Ok(Adam::new(self.network.parameters(), frozen, recipe.weight_decay, threads)?)
    }

    fn stage(&mut self, from: Place, learner: &mut Learner) -> Result<Flow, TrainError> {
        let plan = self.plan;
        let settings = &plan.recipe.stage[from.stage as usize];
        let images: Vec<(ImageId, BlobId)> =
            plan.train.iter().chain(&plan.valid).map(|sample| (sample.image, sample.blob)).collect();
        let edge = NonZeroU32::new(settings.size).unwrap_or(NonZeroU32::MIN);
        let sink = &mut *self.sink;
        let mut report = |done, total| sink.progress(&Progress::Decoding { done, total });
        let renditions = match Renditions::prepare(&images, edge, self.workshop, &mut report) {
            Err(RenditionError::Cancelled) => return Ok(Flow::Stopped(from)),
            other => other?,
        };
        let batches =
            Batches::new(&plan.recipe, from.stage as usize, &plan.train, plan.classes.len(), &renditions);
        self.sink.progress(&Progress::StageStarted {
            stage: from.stage,
            stages: plan.recipe.stage.len() as u32,
            image_size: settings.size,
            epochs: settings.epochs(),
            steps: batches.steps() as u32,
        });
        let mut place = from;
        while place.epoch < settings.epochs() {
            if let Flow::Stopped(place) = self.epoch(place, learner, &batches)? {
                return Ok(Flow::Stopped(place));
            }
            place = Place { epoch: place.epoch + 1, step: 0, ..place };
            if place.epoch < settings.epochs() {
                let (digest, network, learner, history) =
                    (&self.digest, &self.network, &*learner, &self.history);
                let state = || save(digest, place, network, learner, history).map_err(SinkError::from);
                self.sink.resume_point(place.stage, place.epoch - 1, &state).map_err(TrainError::Sink)?;
            }
        }
        if let Some(average) = &mut learner.average {
            // The checkpoint is the average, and what comes next begins with it.
            average.exchange()?;
        }
        self.good = None;
        let checkpoint = self.checkpoint(from.stage, settings.epochs())?;
        let metrics = checkpoint.metrics.clone();
        self.sink.checkpoint(checkpoint).map_err(TrainError::Sink)?;
        self.sink.progress(&Progress::StageFinished { stage: from.stage, metrics });
        Ok(Flow::Went)
    }

    /// The network as it is, after so many epochs of a stage.
    fn checkpoint(&self, stage: u32, epochs: u32) -> Result<StageCheckpoint, TrainError> {
        Ok(self.checkpoint_of(&self.network.values()?, stage, epochs))
    }

    /// The same, if all its weights are numbers.
    fn good_checkpoint(&self, stage: u32, epochs: u32) -> Result<Option<StageCheckpoint>, TrainError> {
        let values = self.network.values()?;
        let good = values.values().all(|tensor| tensor.values.iter().all(|value| value.is_finite()));
        Ok(good.then(|| self.checkpoint_of(&values, stage, epochs)))
    }

    fn checkpoint_of(&self, values: &BTreeMap<String, Values>, stage: u32, epochs: u32) -> StageCheckpoint {
        StageCheckpoint {
            stage,
            image_size: self.plan.recipe.stage[stage as usize].size,
            epoch: epochs,
            architecture: self.network.architecture().name().to_owned(),
            weights: encode_weights(values, self.network.note()),
            metrics: self.history.epochs.last().map(EpochFigures::named).unwrap_or_default(),
        }
    }

    fn epoch(
        &mut self,
        from: Place,
        learner: &mut Learner,
        batches: &Batches<'_>,
    ) -> Result<Flow, TrainError> {
        let Place { stage, epoch, .. } = from;
        let settings = &self.plan.recipe.stage[stage as usize];
        let epochs = settings.epochs();
        if from.step == 0 {
            self.sink.progress(&Progress::EpochStarted { stage, epoch, epochs });
        }
        let started = Instant::now();
        let moment = Moment { seed: self.plan.recipe.seed, stage, epoch };
        let steps = batches.steps() as u32;
        let schedule = settings.schedule();
        let learning = learner.adam.learning();
        // One thread keeps up with a processor; more would take its time away.
        let workers = if self.device == Device::Cpu { 1 } else { self.workshop.threads };
        let stopped = std::thread::scope(|scope| {
            let mut ready = batches.start(scope, moment, from.step as usize, workers);
            for step in from.step..steps {
                if self.workshop.cancel.load(Ordering::Relaxed) {
                    return Ok(Some(step));
                }
                let began = Instant::now();
                let Some(batch) = ready.next() else { break };
                let batch = batch?;
                let setting = schedule.at(epoch, step, epochs, steps);
                let place = Place { step, ..from };
                let loss = self.step(&batch, place, setting, &learning, &mut learner.adam)?;
                if let Some(average) = &mut learner.average {
                    average.update(learner.adam.steps())?;
                }
                self.sink.progress(&Progress::Step {
                    stage,
                    epoch,
                    step,
                    steps,
                    loss,
                    learning_rate: setting.share * settings.learning_rate,
                    images_per_second: batch.images.len() as f64 / began.elapsed().as_secs_f64(),
                });
            }
            Ok::<_, TrainError>(None)
        })?;
        if let Some(step) = stopped {
            return Ok(Flow::Stopped(Place { step, ..from }));
        }
        let trained = Instant::now();
        if let Some(average) = &mut learner.average {
            average.exchange()?;
        }
        let judged = self.validate(batches);
        // What is judged is what would be kept if the next epoch failed.
        let good = match epoch + 1 < epochs {
            true => self.good_checkpoint(stage, epoch + 1),
            false => Ok(None),
        };
        if let Some(average) = &mut learner.average {
            average.exchange()?;
        }
        let Some(judgement) = judged? else {
            // All steps of the epoch are made: only its judgement is to come.
            return Ok(Flow::Stopped(Place { step: steps, ..from }));
        };
        let figures = EpochFigures {
            stage,
            epoch,
            train_seconds: (trained - started).as_secs_f64(),
            valid_seconds: trained.elapsed().as_secs_f64(),
            train_loss: self.history.train_loss(stage, epoch),
            recalls: judgement.as_ref().map(Judgement::recalls).unwrap_or_default(),
            judgement,
        };
        let (metrics, seconds) = (figures.named(), started.elapsed().as_secs_f64());
        // Weights may be numbers whose judgement is none.
        let judged = figures.judgement.as_ref().is_none_or(Judgement::is_finite);
        self.history.epochs.push(figures);
        if let Some(good) = good?.filter(|_| judged) {
            self.good = Some(StageCheckpoint { metrics: metrics.clone(), ..good });
        }
        self.sink.progress(&Progress::EpochFinished { stage, epoch, metrics, seconds });
        Ok(Flow::Went)
    }

    /// Makes a step and returns the loss before it.
    pub(super) fn step(
        &mut self,
        batch: &Batch,
        place: Place,
        setting: Setting,
        learning: &[Tensor],
        adam: &mut Adam,
    ) -> Result<f64, TrainError> {
        let Place { stage, epoch, step } = place;
        let recipe = &self.plan.recipe;
        let settings = &recipe.stage[stage as usize];
        let moment = Moment { seed: recipe.seed, stage, epoch };
        let pass =
            Pass { precision: recipe.precision, training: Some(Dropout { moment, images: &batch.images }) };
        let input = pictures(&batch.pixels, settings.size as usize, self.device)?;
        let scores = self.network.scores(&input, &pass)?;
        let loss = cross_entropy(&scores, &batch.targets)?;
        let value = loss.f_double_value(&[])?;
        if !value.is_finite() {
            return Err(TrainError::NotFinite { stage, epoch, step, loss: value });
        }
        let gradients = Tensor::f_run_backward(&[loss], learning, false, false)?;
        let high = setting.share * settings.learning_rate;
        let low = settings.first_learning_rate.map(|low| setting.share * low);
        adam.step(gradients, &group_rates(low, high, 3), setting.momentum)?;
        let figures =
            StepFigures { stage, epoch, step, loss: value, learning_rate: high, momentum: setting.momentum };
        self.history.steps.push(figures);
        Ok(value)
    }

    /// Judges the validation images; the outer `None` when it was told to stop.
    fn validate(&mut self, batches: &Batches<'_>) -> Result<Option<Option<Judgement>>, TrainError> {
        let valid = &self.plan.valid;
        if valid.is_empty() {
            return Ok(Some(None));
        }
        let judge = Judge {
            network: &self.network,
            renditions: batches.renditions,
            size: batches.size,
            normalisation: batches.normalisation,
            precision: self.plan.recipe.precision,
            device: self.device,
            wanted: Wanted::Probabilities,
            cancel: self.workshop.cancel,
        };
        let images: Vec<(ImageId, BlobId)> = valid.iter().map(|sample| (sample.image, sample.blob)).collect();
        let sink = &mut *self.sink;
        let total = images.len() as u64;
        let mut report = |done| sink.progress(&Progress::Validating { done: done as u64, total });
        let probabilities = match judge.run(&images, &|_| Transform::PLAIN, &mut report) {
            Err(JudgeError::Cancelled) => return Ok(None),
            Err(JudgeError::Picture(picture)) => return Err(picture.into()),
            Err(JudgeError::Torch(error)) => return Err(error.into()),
            Ok(probabilities) => probabilities,
        };
        let labels: Vec<u16> = valid.iter().map(|sample| sample.label).collect();
        Ok(Some(Some(Judgement::new(&probabilities, &labels, batches.classes))))
    }
}

/// The mean cross-entropy of softmax scores with target shares, `n × classes`.
fn cross_entropy(scores: &Tensor, targets: &[f32]) -> Result<Tensor, TchError> {
    let classes = scores.size().last().copied().unwrap_or(1);
    let targets = Tensor::f_from_slice(targets)?.f_view([-1, classes])?.f_to_device(scores.device())?;
    let logs = scores.f_log_softmax(1, Kind::Float)?;
    logs.f_mul(&targets)?
        .f_sum_dim_intlist([1i64].as_slice(), false, Kind::Float)?
        .f_mean(Kind::Float)?
        .f_neg()
}

impl From<LoadError> for TrainError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Weights(error) => error.into(),
            LoadError::Torch(error) => error.into(),
        }
    }
}
