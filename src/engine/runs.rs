//! Runs and predictions as events, and doing them.

pub use safelight::runs::*;

#[path = "../runs/calibrate.rs"]
pub mod calibrate;
#[path = "../runs/execute.rs"]
pub mod execute;
#[path = "../runs/find.rs"]
pub mod find;
#[path = "../runs/predict.rs"]
pub mod predict;
