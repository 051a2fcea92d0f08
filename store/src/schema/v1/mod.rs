//! Schema 1 of every event kind. Frozen: these are the bytes in the files.
//!
//! Fields are written in the order given here; so are the variants of enums,
//! as `u32` from zero.

mod dataset;
mod models;
mod outcome;

pub(super) use dataset::*;
pub(super) use models::*;
pub(super) use outcome::*;
