//! The training of a generator: steps of a critic, and after every few of them
//! one of the generator.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;
use tch::{Device, Kind, TchError, Tensor};

use super::super::super::batch::read;
use super::super::super::keyed::Moment;
use super::super::super::plan::{BlobSource, Sample};
use super::super::super::recipe::{Normalisation, Precision};
use super::super::super::rendition::Picture;
use super::super::super::renditions::{BadPicture, RenditionError, Renditions, Workshop};
use super::super::super::resample::resample;
use super::super::super::transform::Transform;
use super::super::super::weights::encode;
use super::super::device::prepare;
use super::super::error::TrainError;
use super::super::evaluate::pictures;
use super::critic::Critic;
use super::generator::{Generator, copy};
use super::optimizer::RmsProp;
use super::sample::drawn;
use super::state::{Parts, Place, read as read_state, save};
use crate::generate::collapse::Watch;
use crate::generate::diversity::{diversity, mean_distance};
use crate::generate::grid::grid_png;
use crate::generate::history::{GeneratorEnding, GeneratorEpoch, GeneratorHistory};
use crate::generate::network::{GeneratorNote, NOTE, sample_noise, step_noise};
use crate::generate::pictures::square;
use crate::generate::plan::GeneratorPlan;
use crate::generate::progress::{EpochSamples, GenerateLine, GenerateOutcome, GenerateSink};
use crate::generate::recipe::Penalty;

/// Samples of each class that the diversity of an epoch is measured on.
const DIVERSE: usize = 48;
/// Pictures in a row of the grid, and rows where there is one class only.
const COLUMNS: usize = 12;
const ROWS: usize = 6;

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
struct Run<'a> {
    plan: &'a GeneratorPlan,
    digest: [u8; 32],
    renditions: Option<&'a Renditions<'a>>,
    generator: Generator,
    /// The averaged generator.
    average: Generator,
    critic: Critic,
    generator_optimizer: RmsProp,
    critic_optimizer: RmsProp,
    history: GeneratorHistory,
    /// How much the real pictures of each class differ.
    real: Vec<f64>,
    device: Device,
}

/// What became of an epoch.
enum Flow {
    Went(Place),
    Stopped(Place),
    NotFinite(Place),
}

/// One step of the critic.
struct CriticStep {
    distance: f64,
    penalty: Option<f64>,
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

    /// Real pictures and their classes.
    fn real(&self, moment: Moment, members: &[u32]) -> Result<(Tensor, Tensor), TrainError> {
        let size = self.plan.recipe.size as usize;
        let count = size * size * 3;
        let mut pixels = vec![0.0; members.len() * count];
        // Tensors are not shared between threads, and so neither is the run.
        let (renditions, plan) = (self.renditions, self.plan);
        pixels.par_chunks_exact_mut(count).zip(members).try_for_each(|(out, member)| {
            let sample = &plan.train[*member as usize];
            let mut transform = Transform::PLAIN;
            if moment.draw("generator flip", sample.image.as_bytes()).chance(plan.recipe.flip) {
                transform.map[0][0] = -1.0;
            }
            picture_of(renditions, sample, |picture| {
                resample(picture, &transform, Normalisation::Symmetric, size, out);
            })
        })?;
        let classes: Vec<i64> =
            members.iter().map(|member| i64::from(self.plan.train[*member as usize].label)).collect();
        let classes = Tensor::f_from_slice(&classes)?.f_to_device(self.device)?;
        Ok((pictures(&pixels, size, self.device)?, classes))
    }

    fn critic_step(
        &mut self,
        moment: Moment,
        place: Place,
        members: &[u32],
    ) -> Result<CriticStep, TrainError> {
        let recipe = &self.plan.recipe;
        if recipe.penalty == Penalty::Clip {
            self.critic.clip(recipe.clip)?;
        }
        let (real, classes) = self.real(moment, members)?;
        let mut noise = step_noise(moment, place.steps, "critic noise", members.len(), &self.plan.note);
        // Beside each real picture a generated one of the same class.
        noise.inputs =
            members.iter().map(|member| i64::from(self.plan.train[*member as usize].label)).collect();
        let fake = {
            let _guard = tch::no_grad_guard();
            self.generator.forward(&noise, true)?
        };
        let of_real = self.critic.forward(&real, &classes)?.f_mean(Kind::Float)?;
        let of_fake = self.critic.forward(&fake, &classes)?.f_mean(Kind::Float)?;
        let loss = of_real.f_sub(&of_fake)?;
        let distance = -loss.f_double_value(&[])?;
        let (loss, penalty) = match recipe.penalty {
            Penalty::Clip => (loss, None),
            Penalty::Gradient => {
                let mut rng = moment.draw("between real and generated", &place.steps.to_le_bytes());
                let shares: Vec<f32> = (0..members.len()).map(|_| rng.unit() as f32).collect();
                let penalty = slope_penalty(&self.critic, (&real, &fake), &classes, &shares)?;
                let value = penalty.f_double_value(&[])?;
                (loss.f_add(&penalty.f_mul_scalar(recipe.penalty_weight)?)?, Some(value))
            }
        };
        let gradients = Tensor::f_run_backward(&[loss], &self.critic_optimizer.learning(), false, false)?;
        self.critic_optimizer.step(&gradients, recipe.learning_rate)?;
        Ok(CriticStep { distance, penalty })
    }

    fn generator_step(&mut self, moment: Moment, step: u64) -> Result<f64, TrainError> {
        let recipe = &self.plan.recipe;
        let noise = step_noise(moment, step, "generator noise", self.plan.batch(), &self.plan.note);
        let fake = self.generator.forward(&noise, true)?;
        let classes = Tensor::f_from_slice(&noise.inputs)?.f_to_device(self.device)?;
        let loss = self.critic.forward(&fake, &classes)?.f_mean(Kind::Float)?;
        let value = loss.f_double_value(&[])?;
        let gradients = Tensor::f_run_backward(&[loss], &self.generator_optimizer.learning(), false, false)?;
        self.generator_optimizer.step(&gradients, recipe.learning_rate)?;
        // At first the average moves faster, or it would long be the first weights.
        let made = self.history.generator_loss.len() as f64;
        let share = recipe.average.min((1.0 + made) / (10.0 + made));
        match recipe.average > 0.0 {
            true => self.average.follow(&self.generator, share)?,
            false => copy(&self.generator, &self.average)?,
        }
        Ok(value)
    }

    /// How much the real pictures of each class differ: of those whose
    /// hash(seed, image id) is smallest.
    fn real_distances(&self) -> Result<Vec<f64>, TrainError> {
        let moment = Moment { seed: self.plan.recipe.seed, stage: 0, epoch: 0 };
        let size = self.plan.recipe.size as usize;
        let mut distances = Vec::new();
        for class in 0..self.plan.note.classes.len() {
            let mut keyed: Vec<(u64, &Sample)> = self
                .plan
                .train
                .iter()
                .filter(|sample| usize::from(sample.label) == class)
                .map(|sample| (moment.draw("diversity", sample.image.as_bytes()).bits(), sample))
                .collect();
            keyed.sort_unstable_by_key(|(key, sample)| (*key, sample.image));
            let pictures: Result<Vec<Vec<u8>>, BadPicture> = keyed
                .into_iter()
                .take(DIVERSE)
                .map(|(_, sample)| {
                    picture_of(self.renditions, sample, |picture| {
                        square(picture.pixels, picture.width, picture.height, size)
                    })
                })
                .collect();
            distances.push(mean_distance(&pictures?));
        }
        Ok(distances)
    }

    /// Looks at samples after an epoch; false when they are not numbers.
    fn judge(
        &mut self,
        epoch: u32,
        started: Instant,
        sink: &mut dyn GenerateSink,
    ) -> Result<bool, TrainError> {
        let Some(samples) = self.samples(DIVERSE.max(COLUMNS * ROWS))? else { return Ok(false) };
        let diverse: Vec<(Vec<Vec<u8>>, f64)> = samples
            .classes
            .iter()
            .zip(&self.real)
            .map(|(pictures, real)| (pictures[..DIVERSE].to_vec(), *real))
            .collect();
        let diversity = diversity(&diverse);
        let frechet_distance = match sink.wants_to_judge(epoch) {
            None => None,
            Some(count) => {
                let Some(samples) = self.samples(count)? else { return Ok(false) };
                Some(sink.judge(&samples).map_err(TrainError::Sink)?)
            }
        };
        let png =
            grid_png(&rows(&samples), samples.size).map_err(|error| TrainError::Sink(Box::new(error)))?;
        let (grid, grid_file) = sink.keep_grid(epoch, &png).map_err(TrainError::Sink)?;
        let made = self.plan.steps() as usize * self.history.epochs.len();
        let steps = &self.history.critic_distance[made.min(self.history.critic_distance.len())..];
        let mut diversities = self.history.diversities();
        diversities.extend(diversity);
        let watch =
            Watch { below: self.plan.recipe.collapse_below, patience: self.plan.recipe.collapse_patience };
        let figures = GeneratorEpoch {
            epoch,
            critic_distance: steps.iter().sum::<f64>() / steps.len().max(1) as f64,
            diversity,
            frechet_distance,
            collapsed: watch.collapsed(&diversities),
            grid,
            seconds: started.elapsed().as_secs_f64(),
        };
        self.history.epochs.push(figures.clone());
        sink.progress(&GenerateLine::GeneratorEpochFinished { figures, grid_file });
        Ok(true)
    }

    /// The same samples of every class in every epoch; none when they are not
    /// numbers.
    fn samples(&self, count: usize) -> Result<Option<EpochSamples>, TrainError> {
        let note: &GeneratorNote = &self.plan.note;
        let mut classes = Vec::new();
        for input in 0..note.classes.len() {
            let mut pictures = Vec::new();
            while pictures.len() < count {
                let noise = sample_noise(self.plan.recipe.seed, input, pictures.len() as u64, 64, note);
                let Some(more) = drawn(&self.average, &noise)? else { return Ok(None) };
                pictures.extend(more);
            }
            pictures.truncate(count);
            classes.push(pictures);
        }
        Ok(Some(EpochSamples { size: note.size, classes }))
    }
}

/// The mean of (slope − 1)² of the critic at places between real pictures and
/// generated ones (Gulrajani et al. 2017, equation 3); `shares` say how far each
/// place is from the generated one. It can be differentiated again.
pub(super) fn slope_penalty(
    critic: &Critic,
    (real, fake): (&Tensor, &Tensor),
    classes: &Tensor,
    shares: &[f32],
) -> Result<Tensor, TchError> {
    let shares = Tensor::f_from_slice(shares)?.f_view([-1, 1, 1, 1])?.f_to_device(real.device())?;
    let between = fake.f_add(&real.f_sub(fake)?.f_mul(&shares)?)?.f_detach()?.f_set_requires_grad(true)?;
    let scores = critic.forward(&between, classes)?.f_sum(Kind::Float)?;
    let slopes = Tensor::f_run_backward(&[scores], &[&between], true, true)?;
    let squares = slopes[0].f_square()?.f_sum_dim_intlist([1i64, 2, 3].as_slice(), false, Kind::Float)?;
    squares.f_add_scalar(1e-12)?.f_sqrt()?.f_sub_scalar(1.0)?.f_square()?.f_mean(Kind::Float)
}

/// The rows of a grid: one a class, or several of the only one.
fn rows(samples: &EpochSamples) -> Vec<Vec<&[u8]>> {
    let row = |pictures: &'_ [Vec<u8>]| -> Vec<usize> { (0..pictures.len().min(COLUMNS)).collect() };
    match samples.classes.as_slice() {
        [only] => only
            .chunks(COLUMNS)
            .take(ROWS)
            .map(|pictures| pictures.iter().map(Vec::as_slice).collect())
            .collect(),
        several => several
            .iter()
            .map(|pictures| row(pictures).into_iter().map(|place| pictures[place].as_slice()).collect())
            .collect(),
    }
}

/// Calls `use_it` with the rendition of a sample.
fn picture_of<T>(
    renditions: Option<&Renditions<'_>>,
    sample: &Sample,
    use_it: impl FnOnce(Picture<'_>) -> T,
) -> Result<T, BadPicture> {
    match renditions {
        Some(renditions) => read(renditions, sample.image, sample.blob, use_it),
        None => Err(BadPicture { image: sample.image, reason: "it was not decoded".to_owned() }),
    }
}
