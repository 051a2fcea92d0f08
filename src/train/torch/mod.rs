//! The engine on libtorch: the only place that knows tch.

mod adam;
mod device;
mod error;
mod evaluate;
mod layers;
mod network;
mod predict;
mod resume;
mod run;
mod store;

pub use device::{environment, use_threads};
pub use error::{PredictError, TrainError};
pub use predict::{Prediction, embeddings, predict};
pub use run::train;
