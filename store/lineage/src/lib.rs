//! The vocabulary and the laws of Safelight, without input or output.
//!
//! Safelight keeps the life of an image dataset, and of the models trained from
//! it, as a log of [events](event::Event). This crate says what the events mean.
//! It reads no file, no clock and no random number: time, ids and digests come
//! in as arguments, so the same log gives the same answer on every machine.
//!
//! ```text
//! Command ──decide──► events ──the store commits──► Frame ──apply──► State ──► queries
//!              ▲                                                        │
//!              └────────────────────────────────────────────────────────┘
//! ```
//!
//! - [`state::State`] is what the frames so far amount to. Folding one more
//!   frame cannot fail.
//! - [`decide::decide`] turns a state and a [command](decide::Command) into the
//!   events that do what is wanted, or into a [reason](decide::Rejection) why
//!   that cannot be.
//! - [`query`] answers: which images were removed, by whom, on what evidence;
//!   what happened to this one; what it influenced; what a submission was made
//!   from; which blobs are needed.
//!
//! # Laws
//!
//! Tried on generated histories in `laws`:
//!
//! 1. Folding is deterministic and total, and folding in parts, or from a
//!    [snapshot](state::State::to_snapshot), is folding at once.
//! 2. An event *stands* when no standing revert names it. The state is what the
//!    standing events alone would give; see [`state::State::digest`].
//! 3. Undoing an undo restores the digest; undoing the newest event goes back to
//!    the digest before it.
//! 4. Whatever was removed, reverted or revised stays on record for ever.
//! 5. The dataset as of an event is a function of the log up to it; see
//!    [`query::manifest_as_of`].
//! 6. What [`decide::decide`] lets through never makes an
//!    [anomaly](state::Anomalies).
//!
//! # An example
//!
//! ```
//! use safelight_lineage::decide::{Command, Rejection, decide};
//! use safelight_lineage::state::State;
//!
//! let state = State::new();
//! let create = Command::CreateDataset { name: "flowers".to_owned(), classes: vec!["daisy".to_owned()] };
//! let events = decide(&state, create)?;
//! assert_eq!(events[0].kind_name(), "DatasetCreated");
//!
//! // Nothing has been committed, so there still is no dataset.
//! let import = Command::ImportImages { images: Vec::new() };
//! assert_eq!(decide(&state, import), Err(Rejection::NoDataset));
//! # Ok::<(), Rejection>(())
//! ```

mod codec;
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
