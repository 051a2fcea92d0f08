//! The vocabulary and the laws of Safelight, without input or output.
//!
//! Time, randomness and bytes come in as arguments: everything here is a
//! function, and the same log gives the same answer on every machine.

pub mod digest;
pub mod event;
pub mod id;
pub mod manifest;
pub mod value;
