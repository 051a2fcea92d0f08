//! What computes again. On libtorch in the program; tests bring their own.

use std::collections::BTreeMap;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;

use crate::train::device::Machine;
use crate::train::environment::Environment;
use crate::train::plan::Plan;
use crate::train::progress::Progress;
use crate::train::views::Views;

/// Probabilities to compute again.
#[derive(Debug)]
pub struct PredictWork<'a> {
    /// The checkpoint's weights, safetensors.
    pub weights: &'a [u8],
    /// The architecture that the checkpoint names.
    pub architecture: &'a str,
    /// Edge of the network's input, pixels.
    pub size: u32,
    /// The names of the classes.
    pub classes: &'a [String],
    /// The images, in the order in which they were predicted.
    pub images: &'a [(ImageId, BlobId)],
    /// Which views of each.
    pub views: Views,
    /// What computed it, as recorded: bits depend on it.
    pub machine: Machine,
}

/// A run to train again.
#[derive(Debug)]
pub struct TrainWork<'a> {
    /// What to train, from its beginning.
    pub plan: &'a Plan,
    /// The last stage whose weights are wanted, from zero.
    pub last_stage: u32,
    /// What computed it, as recorded: bits depend on it.
    pub machine: Machine,
}

/// Why nothing was computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// This build has no engine.
    #[error("this build of safelight has no training and predicting in it")]
    Absent,
    /// It was told to stop.
    #[error("stopped")]
    Cancelled,
    /// It failed, in its own words.
    #[error("{0}")]
    Failed(String),
}

/// Computes again what a submission was made from. Keeps nothing.
pub trait Engine {
    /// Whether it can compute at all: otherwise that is said before any work.
    fn can_compute(&self) -> bool {
        true
    }

    /// Where it computes what was computed on this machine: on the processor
    /// when the device is not here.
    fn environment(&self, machine: Machine) -> Environment;

    /// Images by classes, row after row.
    ///
    /// # Errors
    /// When there is no engine, it fails, or it is told to stop.
    fn probabilities(
        &mut self,
        work: &PredictWork<'_>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Vec<f32>, EngineError>;

    /// The digests of the weights that each stage up to the last wanted ends
    /// with, by stage from zero.
    ///
    /// # Errors
    /// When there is no engine, it fails, or it is told to stop.
    fn train(
        &mut self,
        work: &TrainWork<'_>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<BTreeMap<u32, BlobId>, EngineError>;
}

/// The engine of a build without libtorch: it can do nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEngine;

impl Engine for NoEngine {
    fn can_compute(&self) -> bool {
        false
    }

    fn environment(&self, machine: Machine) -> Environment {
        crate::train::environment::describe("none", machine.threads, None)
    }

    fn probabilities(
        &mut self,
        _: &PredictWork<'_>,
        _: &mut dyn FnMut(&Progress),
    ) -> Result<Vec<f32>, EngineError> {
        Err(EngineError::Absent)
    }

    fn train(
        &mut self,
        _: &TrainWork<'_>,
        _: &mut dyn FnMut(&Progress),
    ) -> Result<BTreeMap<u32, BlobId>, EngineError> {
        Err(EngineError::Absent)
    }
}
