//! Stored events: which bytes stand for which event, by kind and schema.
//!
//! A stored shape is not the domain's shape: the shapes of `v1` are frozen,
//! and an event that outgrows its shape gets a new schema number beside it.

mod dispatch;
mod import;
mod shape;
mod v1;
mod v2;

pub use dispatch::{PayloadError, decode, encode};
