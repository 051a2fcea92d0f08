//! The vocabulary and the laws of Safelight, without input or output.
//!
//! Time, randomness and bytes come in as arguments: everything here is a
//! function, and the same log gives the same answer on every machine.

pub(crate) mod codec;
pub mod decide;
pub mod digest;
pub mod event;
mod event_codec;
pub mod id;
pub mod manifest;
pub mod query;
pub mod state;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod value;

#[cfg(test)]
mod laws;
