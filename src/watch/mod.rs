//! Watching a folder: what is new, changed or gone there since it was imported.
//!
//! What the system tells of changes are [hints]: queues overflow, editors
//! rename, network file systems say nothing. The truth is a scan of every file's
//! [`Stamp`](crate::import::Stamp). So a hint only says when to [look](survey)
//! next; without hints the folder is looked at every so often.

pub mod hints;
pub mod run;
pub mod survey;
