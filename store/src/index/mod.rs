//! The index over the journal and the packs. Derived: delete it at will.
//!
//! It answers what is asked by key: which events name an image, where a frame
//! begins, where a blob lies. It is filled behind the acknowledgement by a
//! thread of its own, and nothing needs it: where it is behind, busy or broken,
//! the journal answers.

mod content;
mod filler;
mod keys;
mod sled;

pub(crate) use content::{BlobPlaces, Content, Filled, Opened};
pub(crate) use filler::Filler;
pub(crate) use keys::names;
