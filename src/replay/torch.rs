//! Computing again on libtorch, in this process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use safelight_lineage::digest::BlobId;
use safelight_store::Blobs;

use super::engine::{Engine, EngineError, PredictWork, TrainWork};
use crate::runs::StoredImages;
use crate::session::Session;
use crate::stop::Stop;
use crate::train::device::Machine;
use crate::train::environment::Environment;
use crate::train::progress::{Outcome, Progress, SinkError, StageCheckpoint, TrainSink};
use crate::train::torch::{self, PredictError, Prediction, TrainError};

/// The engine that also trained and predicted what is replayed.
#[derive(Debug)]
pub struct TorchEngine {
    images: StoredImages,
    cache: PathBuf,
    stop: Stop,
}

/// What predicts and trains again for a command.
pub fn engine(session: &Session, stop: &Stop) -> Box<dyn Engine> {
    let repository = session.repository();
    Box::new(TorchEngine::new(repository.blobs().clone(), repository.cache_dir(), stop.clone()))
}

impl TorchEngine {
    /// Computes from the pictures in `blobs`, keeping renditions in `cache`,
    /// until `stop` is raised.
    pub fn new(blobs: Blobs, cache: PathBuf, stop: Stop) -> Self {
        TorchEngine { images: StoredImages(blobs), cache, stop }
    }
}

impl Engine for TorchEngine {
    fn environment(&self, machine: Machine) -> Environment {
        torch::environment(here(machine))
    }

    fn probabilities(
        &mut self,
        work: &PredictWork<'_>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Vec<f32>, EngineError> {
        let prediction = Prediction {
            weights: work.weights,
            architecture: work.architecture,
            classes: work.classes,
            size: work.size,
            images: work.images,
            views: work.views,
        };
        let cache = Some(self.cache.as_path());
        torch::predict(&prediction, &self.images, cache, here(work.machine), progress, self.stop.flag())
            .map_err(|error| match error {
                PredictError::Cancelled => EngineError::Cancelled,
                other => EngineError::Failed(other.to_string()),
            })
    }

    fn train(
        &mut self,
        work: &TrainWork<'_>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<BTreeMap<u32, BlobId>, EngineError> {
        let enough = AtomicBool::new(false);
        let mut sink = DigestSink {
            weights: BTreeMap::new(),
            last_stage: work.last_stage,
            progress,
            stop: &self.stop,
            enough: &enough,
        };
        let cache = Some(self.cache.as_path());
        let outcome = torch::train(work.plan, &self.images, cache, here(work.machine), &mut sink, &enough);
        let reached = sink.weights.contains_key(&work.last_stage);
        match outcome {
            _ if self.stop.is_asked() && !reached => Err(EngineError::Cancelled),
            Ok(Outcome::Finished { .. } | Outcome::Cancelled { .. }) => Ok(sink.weights),
            // What came after the last stage wanted is of no interest.
            Err(_) if reached => Ok(sink.weights),
            Err(error) => Err(failed(&error)),
        }
    }
}

/// The processor in place of a device that is not here.
fn here(machine: Machine) -> Machine {
    match torch::find(machine.device) {
        Ok(_) => machine,
        Err(_) => machine.threads.into(),
    }
}

fn failed(error: &TrainError) -> EngineError {
    EngineError::Failed(error.to_string())
}

/// Takes the digests of weights and lets the weights go.
struct DigestSink<'a, 'p> {
    weights: BTreeMap<u32, BlobId>,
    last_stage: u32,
    progress: &'p mut dyn FnMut(&Progress),
    stop: &'a Stop,
    /// Raised when nothing more is wanted, or somebody asked to stop.
    enough: &'a AtomicBool,
}

impl TrainSink for DigestSink<'_, '_> {
    fn progress(&mut self, progress: &Progress) {
        (self.progress)(progress);
        if self.stop.is_asked() {
            self.enough.store(true, Ordering::Relaxed);
        }
    }

    fn checkpoint(&mut self, checkpoint: StageCheckpoint) -> Result<(), SinkError> {
        self.weights.insert(checkpoint.stage, BlobId::of(&checkpoint.weights));
        if checkpoint.stage >= self.last_stage {
            self.enough.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
