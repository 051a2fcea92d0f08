//! The past as files: a dataset as it was, and everything that a submission
//! was made of.

pub mod into;
mod names;
mod npy;
pub mod write;

pub use names::{Named, names};
pub use write::{CheckedOut, CheckoutError, checkout};
