//! Replay, and computing again.

pub use safelight::replay::*;

#[path = "../replay/torch.rs"]
pub mod torch;
