//! The learning rate finder: steps of a throw-away copy of a run.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;

use super::super::batch::Batches;
use super::super::device::Machine;
use super::super::keyed::Moment;
use super::super::plan::{BlobSource, Plan};
use super::super::progress::{Progress, SinkError, StageCheckpoint, TrainSink};
use super::super::rate_finder::{Curve, STEPS};
use super::super::renditions::{RenditionError, Renditions, Workshop};
use super::super::schedule::{MOMENTUM, Setting};
use super::device::prepare;
use super::error::TrainError;
use super::resume::Place;
use super::run::Run;

/// Nobody listens to the copy.
struct Deaf;

impl TrainSink for Deaf {
    fn progress(&mut self, _: &Progress) {}

    fn checkpoint(&mut self, _: StageCheckpoint) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Draws the curve for one stage of a plan, from the plan's first weights: at
/// most 100 steps, on the batches that the stage's first epochs begin with, or
/// `None` when `cancel` was set. A loss that is no number ends the curve.
pub fn find_rate(
    plan: &Plan,
    stage: usize,
    blobs: &dyn BlobSource,
    cache: Option<&Path>,
    on: impl Into<Machine>,
    progress: &mut dyn FnMut(&Progress),
    cancel: &AtomicBool,
) -> Result<Option<Curve>, TrainError> {
    let machine = on.into();
    let device = prepare(machine, plan.recipe.precision)?;
    let workshop = Workshop { source: blobs, cache, threads: machine.threads, cancel };
    let settings = &plan.recipe.stage[stage];
    let images: Vec<(ImageId, BlobId)> =
        plan.train.iter().map(|sample| (sample.image, sample.blob)).collect();
    let edge = NonZeroU32::new(settings.size).unwrap_or(NonZeroU32::MIN);
    let mut report = |done, total| progress(&Progress::Decoding { done, total });
    let renditions = match Renditions::prepare(&images, edge, workshop, &mut report) {
        Err(RenditionError::Cancelled) => return Ok(None),
        other => other?,
    };
    let batches = Batches::new(&plan.recipe, stage, &plan.train, plan.classes.len(), &renditions);
    let mut sink = Deaf;
    let mut run = Run::new(plan, workshop, &mut sink, device)?;
    let mut adam = run.optimizer(stage as u32)?;
    let learning = adam.learning();
    let mut curve = Curve::default();
    let steps = batches.steps();
    for index in 0..STEPS {
        if cancel.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let (epoch, step) = (index / steps as u32, index as usize % steps);
        let moment = Moment { seed: plan.recipe.seed, stage: stage as u32, epoch };
        let order = batches.order(moment);
        let batch = batches.make(moment, &order[step * batches.batch..(step + 1) * batches.batch])?;
        let rate = Curve::rate(index);
        let setting = Setting { share: rate / settings.learning_rate, momentum: MOMENTUM };
        let place = Place { stage: stage as u32, epoch, step: step as u32 };
        let loss = match run.step(&batch, place, setting, &learning, &mut adam) {
            Err(TrainError::NotFinite { .. }) => break,
            other => other?,
        };
        let (stage, step) = (stage as u32, index);
        progress(&Progress::Step {
            stage,
            epoch: 0,
            step,
            steps: STEPS,
            loss,
            learning_rate: rate,
            images_per_second: 0.0,
        });
        if !curve.push(loss) {
            break;
        }
    }
    Ok(Some(curve))
}
