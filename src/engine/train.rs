//! What the library knows of training, and the networks on libtorch.

pub use safelight::train::*;

#[path = "../train/torch/mod.rs"]
pub mod torch;
