//! Replays of submissions, as the Submissions screen shows them: while they go
//! on, and by the receipts that they left. And the port that reads receipts.

use std::collections::BTreeMap;
use std::sync::Arc;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::SubmissionId;
use safelight_lineage::value::Seq;

use crate::ports::PortError;

/// One comparison of what was made again with what is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayStep {
    /// What was made again, in words.
    pub what: String,
    /// Where the event that had recorded it is.
    pub seq: Seq,
    /// The digest recorded, in hexadecimal digits.
    pub expected: String,
    /// The digest found.
    pub actual: String,
    /// By how much it differs, in words; empty when that cannot be told.
    pub note: String,
}

impl ReplayStep {
    /// Whether the same was made again.
    pub fn is_equal(&self) -> bool {
        self.expected == self.actual
    }
}

/// A replay that a job makes, or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayView {
    /// Of which submission.
    pub submission: SubmissionId,
    /// `votes`, `predictions` or `training`.
    pub depth: String,
    /// The step that it is at, in words.
    pub doing: Option<String>,
    /// The comparisons made, in order.
    pub steps: Vec<ReplayStep>,
    /// Its verdict, once there is one.
    pub verdict: Option<String>,
}

/// What a receipt says beside its verdict, which is in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceiptView {
    /// The frame that all of it rests on, in hexadecimal digits.
    pub frame: String,
    /// The comparisons, in order, up to the first that differs.
    pub steps: Vec<ReplayStep>,
    /// Where it was computed differently than the originals, in words.
    pub environments: Vec<String>,
    /// What could not be repeated and was taken as it is recorded, in words.
    pub taken_as_recorded: Vec<String>,
    /// What made it.
    pub program: String,
}

/// Reads receipts.
pub trait Receipts: Send {
    /// The receipt that a blob holds.
    ///
    /// # Errors
    /// When there is no such blob or it is no receipt.
    fn receipt(&mut self, blob: BlobId) -> Result<ReceiptView, PortError>;
}

/// What was read of receipts; none for one that is being read.
pub type ReceiptViews = BTreeMap<BlobId, Option<Result<Arc<ReceiptView>, String>>>;
