//! The training of a generator: epochs of steps of a critic, and after every few
//! of them one of the generator.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;
use tch::Device;

use super::super::super::batch::read;
use super::super::super::keyed::Moment;
use super::super::super::plan::{BlobSource, Sample};
use super::super::super::recipe::Precision;
use super::super::super::rendition::Picture;
use super::super::super::renditions::{BadPicture, RenditionError, Renditions, Workshop};
use super::super::super::weights::encode;
use super::super::device::prepare;
use super::super::error::TrainError;
use super::critic::Critic;
use super::generator::Generator;
use super::optimizer::RmsProp;
use super::state::{Parts, Place, read as read_state, save};
use crate::generate::history::{GeneratorEnding, GeneratorHistory};
use crate::generate::network::NOTE;
use crate::generate::plan::GeneratorPlan;
use crate::generate::progress::{GenerateLine, GenerateOutcome, GenerateSink};

/// Trains a generator as the plan says.
///
/// The weights are a function of the plan, the build, the processor and
/// `threads`; neither of `cache` nor of interruptions. When `cancel` is set, it
/// stops before the next step and returns the bytes to resume it from. When a
/// number is not finite, what was good after the last whole epoch is returned.
pub fn train_generator(
    plan: &GeneratorPlan,
    blobs: &dyn BlobSource,
    cache: Option<&Path>,
    threads: usize,
    sink: &mut dyn GenerateSink,
    cancel: &AtomicBool,
) -> Result<GenerateOutcome, TrainError> {
    let device = prepare(threads.into(), Precision::Fp32)?;
    let images: Vec<(ImageId, BlobId)> =
        plan.train.iter().map(|sample| (sample.image, sample.blob)).collect();
    let edge = NonZeroU32::new(plan.recipe.size).unwrap_or(NonZeroU32::MIN);
    let workshop = Workshop { source: blobs, cache, threads, cancel };
    let mut report = |done, total| sink.progress(&GenerateLine::Decoding { done, total });
    let renditions = match Renditions::prepare(&images, edge, workshop, &mut report) {
        // Nothing was done yet, so there is nothing but the beginning to go on from.
        Err(RenditionError::Cancelled) => {
            let resume = match &plan.resume {
                Some(bytes) => bytes.clone(),
                None => Run::new(plan, None, device)?.save(Place::default())?,
            };
            return Ok(GenerateOutcome::Cancelled { resume });
        }
        other => other?,
    };
    let mut run = Run::new(plan, Some(&renditions), device)?;
    let from = match &plan.resume {
        Some(bytes) => run.take_up(bytes)?,
        None => Place::default(),
    };
    run.epochs(from, sink, cancel)
}

/// The training under way.
pub(super) struct Run<'a> {
    pub(super) plan: &'a GeneratorPlan,
    digest: [u8; 32],
    pub(super) renditions: Option<&'a Renditions<'a>>,
    pub(super) generator: Generator,
    /// The averaged generator.
    pub(super) average: Generator,
    pub(super) critic: Critic,
    pub(super) generator_optimizer: RmsProp,
    pub(super) critic_optimizer: RmsProp,
    pub(super) history: GeneratorHistory,
    /// How much the real pictures of each class differ.
    pub(super) real: Vec<f64>,
    pub(super) device: Device,
}

/// What became of an epoch.
enum Flow {
    Went(Place),
    Stopped(Place),
    NotFinite(Place),
}

impl<'a> Run<'a> {
    fn new(
        plan: &'a GeneratorPlan,
        renditions: Option<&'a Renditions<'a>>,
        device: Device,
    ) -> Result<Self, TrainError> {
        let (recipe, note) = (&plan.recipe, &plan.note);
        let generator = Generator::new(note, recipe.seed, device)?;
        let average = Generator::new(note, recipe.seed, device)?;
        let critic = Critic::new(note, recipe.critic_norm(), recipe.seed, device)?;
        let history = GeneratorHistory {
            classes: note.classes.iter().map(|(_, name)| name.clone()).collect(),
            images: plan.train.len(),
            ..GeneratorHistory::default()
        };
        Ok(Run {
            plan,
            digest: plan.digest(),
            renditions,
            generator_optimizer: RmsProp::new(generator.parameters(), recipe.square_momentum)?,
            critic_optimizer: RmsProp::new(critic.parameters(), recipe.square_momentum)?,
            generator,
            average,
            critic,
            history,
            real: Vec::new(),
            device,
        })
    }

    fn save(&self, place: Place) -> Result<Vec<u8>, TrainError> {
        let parts = Parts::from([
            ("generator".to_owned(), self.generator.values()?),
            ("average".to_owned(), self.average.values()?),
            ("critic".to_owned(), self.critic.values()?),
            ("generator-squares".to_owned(), self.generator_optimizer.values()?),
            ("critic-squares".to_owned(), self.critic_optimizer.values()?),
        ]);
        Ok(save(&self.digest, place, &parts, &self.history))
    }

    fn take_up(&mut self, bytes: &[u8]) -> Result<Place, TrainError> {
        let (place, mut parts, history) = read_state(bytes, &self.digest)?;
        let mut part = |name: &str| parts.remove(name).unwrap_or_default();
        self.generator.load(&part("generator"))?;
        self.average.load(&part("average"))?;
        self.critic.load(&part("critic"))?;
        self.generator_optimizer.load(&part("generator-squares"))?;
        self.critic_optimizer.load(&part("critic-squares"))?;
        self.history = history;
        Ok(place)
    }

    fn epochs(
        mut self,
        from: Place,
        sink: &mut dyn GenerateSink,
        cancel: &AtomicBool,
    ) -> Result<GenerateOutcome, TrainError> {
        if self.plan.keep {
            let weights = self.weights()?;
            return Ok(self.trained(weights, GeneratorEnding::Kept { epochs: from.epoch }));
        }
        self.real = self.real_distances()?;
        let recipe = &self.plan.recipe;
        let mut place = from;
        // The generator after the last epoch that was good, for when one is not.
        let mut good = (place.epoch > 0).then(|| self.weights()).transpose()?;
        while place.epoch < recipe.epochs {
            let before = self.history.clone();
            let next = match self.epoch(place, sink, cancel)? {
                Flow::Went(next) => next,
                Flow::Stopped(place) => return Ok(GenerateOutcome::Cancelled { resume: self.save(place)? }),
                Flow::NotFinite(at) => {
                    let ending = GeneratorEnding::NotFinite { epoch: at.epoch, step: at.step };
                    let Some(weights) = good else {
                        let (epoch, step) = (at.epoch, at.step);
                        return Err(TrainError::NotFinite { stage: 0, epoch, step, loss: f64::NAN });
                    };
                    // Steps of a broken-off epoch belong to no generator.
                    self.history = before;
                    return Ok(self.trained(weights, ending));
                }
            };
            good = Some(self.weights()?);
            place = next;
            let collapsed = self.history.epochs.last().is_some_and(|epoch| epoch.collapsed);
            if collapsed && recipe.stop_on_collapse {
                let ending = GeneratorEnding::Collapsed { epoch: place.epoch - 1 };
                let weights = self.weights()?;
                return Ok(self.trained(weights, ending));
            }
            if place.epoch < recipe.epochs {
                let state = || self.save(place).map_err(crate::train::progress::SinkError::from);
                sink.resume_point(&state).map_err(TrainError::Sink)?;
            }
        }
        let weights = self.weights()?;
        Ok(self.trained(weights, GeneratorEnding::Finished))
    }

    fn trained(mut self, weights: Vec<u8>, ending: GeneratorEnding) -> GenerateOutcome {
        self.history.ending = Some(ending);
        GenerateOutcome::Trained { weights, history: Box::new(self.history), ending }
    }

    /// The averaged generator as bytes.
    fn weights(&self) -> Result<Vec<u8>, TrainError> {
        let note = serde_json::to_string(self.average.note()).expect("texts have a JSON form");
        Ok(encode(&self.average.values()?, NOTE, &note))
    }

    fn epoch(
        &mut self,
        from: Place,
        sink: &mut dyn GenerateSink,
        cancel: &AtomicBool,
    ) -> Result<Flow, TrainError> {
        let started = Instant::now();
        let (recipe, steps, batch) = (&self.plan.recipe, self.plan.steps(), self.plan.batch());
        let moment = Moment { seed: recipe.seed, stage: 0, epoch: from.epoch };
        let order = self.order(moment);
        let mut place = from;
        while place.step < steps {
            if cancel.load(Ordering::Relaxed) {
                return Ok(Flow::Stopped(place));
            }
            let began = Instant::now();
            let members = &order[place.step as usize * batch..(place.step as usize + 1) * batch];
            let step = self.critic_step(moment, place, members)?;
            if !step.distance.is_finite() || step.penalty.is_some_and(|penalty| !penalty.is_finite()) {
                return Ok(Flow::NotFinite(place));
            }
            self.history.critic_distance.push(step.distance);
            self.history.gradient_penalty.extend(step.penalty);
            if (place.steps + 1).is_multiple_of(u64::from(recipe.critic_steps)) {
                let loss = self.generator_step(moment, place.steps)?;
                if !loss.is_finite() {
                    return Ok(Flow::NotFinite(place));
                }
                self.history.generator_loss.push(loss);
            }
            sink.progress(&GenerateLine::CriticStep {
                epoch: place.epoch,
                step: place.step,
                steps,
                critic_distance: step.distance,
                images_per_second: batch as f64 / began.elapsed().as_secs_f64(),
            });
            place = Place { step: place.step + 1, steps: place.steps + 1, ..place };
        }
        if !self.judge(from.epoch, started, sink)? {
            return Ok(Flow::NotFinite(Place { step: steps.saturating_sub(1), ..place }));
        }
        Ok(Flow::Went(Place { epoch: place.epoch + 1, step: 0, ..place }))
    }

    /// The order of the images in an epoch: by hash(seed, epoch, image id).
    fn order(&self, moment: Moment) -> Vec<u32> {
        let draw = |sample: &Sample| moment.draw("generator order", sample.image.as_bytes()).bits();
        let mut keyed: Vec<(u64, u32)> =
            (0u32..).zip(&self.plan.train).map(|(index, sample)| (draw(sample), index)).collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, index)| index).collect()
    }
}

/// Calls `use_it` with the rendition of a sample.
pub(super) fn picture_of<T>(
    renditions: Option<&Renditions<'_>>,
    sample: &Sample,
    use_it: impl FnOnce(Picture<'_>) -> T,
) -> Result<T, BadPicture> {
    match renditions {
        Some(renditions) => read(renditions, sample.image, sample.blob, use_it),
        None => Err(BadPicture { image: sample.image, reason: "it was not decoded".to_owned() }),
    }
}
