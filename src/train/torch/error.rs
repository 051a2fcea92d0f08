//! What goes wrong in training and predicting.

use tch::TchError;

use super::super::device::DeviceName;
use super::super::progress::SinkError;
use super::super::renditions::{BadPicture, RenditionError};
use super::super::weights::WeightsError;

/// Why a process cannot compute where it was told to.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// There is no such device.
    #[error("there is no device {name}: libtorch sees {}; --device cpu needs none", devices(*count))]
    Absent {
        /// What was asked for.
        name: DeviceName,
        /// How many CUDA devices there are.
        count: usize,
    },
    /// The processor has no instructions for bfloat16.
    #[error(
        "precision is bf16, but this processor has no instructions for it (AVX-512 BF16); train in fp32 or on a GPU"
    )]
    NoBf16,
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] TchError),
}

fn devices(count: usize) -> String {
    match count {
        0 => "no CUDA device".to_owned(),
        1 => "one, cuda:0".to_owned(),
        more => format!("cuda:0 to cuda:{}", more - 1),
    }
}

/// Why a training run failed. Checkpoints that were handed over stay good.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Pictures cannot be used, or no threads to decode them with.
    #[error(transparent)]
    Renditions(#[from] RenditionError),
    /// The device is not there or cannot do it.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The first weights, or those to resume from, do not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The run to resume had another recipe, other images or other first weights.
    #[error("the run to resume had another plan ({found}, this one is {expected})")]
    OtherPlan {
        /// The digest of its plan.
        found: String,
        /// The digest of this plan.
        expected: String,
    },
    /// The loss became infinite or no number.
    #[error(
        "the loss was {loss} in stage {}, epoch {}, step {}; a lower learning rate may help",
        stage + 1, epoch + 1, step + 1
    )]
    NotFinite {
        /// The stage, from zero.
        stage: u32,
        /// The epoch in the stage, from zero.
        epoch: u32,
        /// The step in the epoch, from zero.
        step: u32,
        /// What it was.
        loss: f64,
    },
    /// There was not enough memory.
    #[error("out of memory: {reason}; a smaller batch or image size needs less")]
    OutOfMemory {
        /// libtorch's words.
        reason: String,
    },
    /// libtorch refused.
    #[error("libtorch: {reason}")]
    Torch {
        /// Its words.
        reason: String,
    },
    /// Whoever keeps checkpoints could not.
    #[error("a checkpoint could not be kept: {0}")]
    Sink(#[source] SinkError),
}

/// Why a prediction failed.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// Pictures cannot be used, or no threads to decode them with.
    #[error(transparent)]
    Renditions(#[from] RenditionError),
    /// The device is not there.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The weights do not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// There was not enough memory.
    #[error("out of memory: {reason}")]
    OutOfMemory {
        /// libtorch's words.
        reason: String,
    },
    /// libtorch refused.
    #[error("libtorch: {reason}")]
    Torch {
        /// Its words.
        reason: String,
    },
    /// It was told to stop.
    #[error("cancelled")]
    Cancelled,
}

/// The first line of libtorch's message (the rest is a C++ backtrace), and
/// whether it speaks of memory.
fn words(error: &TchError) -> (String, bool) {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().to_owned();
    let memory = text.contains("can't allocate memory") || text.contains("out of memory");
    (first, memory)
}

impl From<TchError> for TrainError {
    fn from(error: TchError) -> Self {
        match words(&error) {
            (reason, true) => TrainError::OutOfMemory { reason },
            (reason, false) => TrainError::Torch { reason },
        }
    }
}

impl From<TchError> for PredictError {
    fn from(error: TchError) -> Self {
        match words(&error) {
            (reason, true) => PredictError::OutOfMemory { reason },
            (reason, false) => PredictError::Torch { reason },
        }
    }
}

impl From<BadPicture> for TrainError {
    fn from(picture: BadPicture) -> Self {
        TrainError::Renditions(RenditionError::Undecodable { pictures: vec![picture] })
    }
}

impl From<BadPicture> for PredictError {
    fn from(picture: BadPicture) -> Self {
        PredictError::Renditions(RenditionError::Undecodable { pictures: vec![picture] })
    }
}
