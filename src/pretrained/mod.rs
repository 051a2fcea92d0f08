//! Weights that came from elsewhere: files of PyTorch and safetensors, read
//! without running anything in them, fitted to one of our networks, and kept
//! with the digest that their publisher states.
//!
//! [`read()`] turns a file of any of the formats into named tensors of 32-bit
//! numbers. [`fit()`] finds the network they belong to: it takes off whatever
//! prefix wraps them, leaves the head out (it tells other classes apart) and
//! names every tensor that is missing, has another shape, or belongs to nothing.
//! [`add()`] keeps original and converted weights and records both.

mod add;
mod fit;
mod layout;
mod read;

pub use add::{AddError, Added, add};
pub use fit::{Fit, FitError, Misfit, fit};
pub use layout::{Layout, layout};
pub use read::{ForeignFormat, ForeignTensors, Limits, ReadError, read};
