//! The engine on libtorch: the only place that knows tch.

mod adam;
mod average;
mod device;
mod error;
mod evaluate;
mod find;
mod generate;
mod layers;
mod network;
mod predict;
mod resume;
mod run;
mod shim;
mod store;
#[cfg(test)]
mod tests;

pub use device::{environment, find, prepare};
pub use error::{PredictError, TrainError};
pub use find::find_rate;
pub use generate::{DrawError, draw, train_generator};
pub use predict::{Prediction, embeddings, predict};
pub use run::train;
