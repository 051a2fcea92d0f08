//! Replay: make a past submission again from the log, and prove that it is the
//! same.
//!
//! A replay folds the log up to the frame that recorded the submission and
//! repeats its steps from there, as deep as is asked: count stored
//! probabilities again, compute them again from the stored weights, or train
//! again too. Each step's result is compared with the digest that the log
//! recorded; the first that differs is named. What is computed on the way never
//! enters the store; only the receipt does.

pub mod check;
mod compare;
pub mod engine;
mod error;
pub mod receipt;
pub mod record;
mod retrain;
pub mod run;
pub mod surroundings;

pub use error::ReplayError;
pub use receipt::{Difference, Receipt, StepReceipt};
pub use run::{Depth, Replayed, Report, replay};
