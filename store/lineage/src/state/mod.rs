//! The state: what the events so far amount to.
//!
//! [`State::apply`] folds one frame after another. It is total: an event that
//! makes no sense where it stands changes nothing but the [`Anomalies`].

mod access;
mod anomaly;
mod as_of;
mod base_map;
mod change;
mod column;
mod effective;
mod entity_fold;
mod fold;
mod glimpse;
mod image;
mod image_fold;
mod image_table;
mod path_column;
mod record;
mod registry;
mod revert;
mod row_index;
mod snapshot;
mod touch;
mod transaction;

pub use anomaly::{Anomalies, Anomaly, UnknownEvents};
pub use as_of::AsOf;
pub use change::{Because, ChangeView, Effect, Field};
pub use fold::{Dataset, State};
pub use glimpse::{Fetch, Sought};
pub use image::ImageView;
pub use record::{
    CheckpointRecord, EnsembleRecord, GeneratorRecord, PassRecord, PredictionsRecord, Recorded, RunRecord,
    RunStatus, SamplesRecord, ScoreRecord, SubmissionRecord, WeightsRecord,
};
pub use registry::{Registered, Registry};
pub use revert::RevertRecord;
pub(crate) use touch::LaterTouch;
pub use transaction::{TransactionRecord, Transactions};

pub use crate::codec::SnapshotError;
