//! Receipts: what a replay compared and what came of it, for others to read.

use safelight_lineage::digest::{BlobId, FrameDigest, ManifestDigest};
use safelight_lineage::event::{EventRef, ReplayDepth, ReplayOutcome};
use safelight_lineage::id::SubmissionId;
use safelight_lineage::value::Seq;
use serde::{Deserialize, Serialize};

use super::surroundings::Surroundings;

/// The version of the JSON. The first had no number, and neither differences
/// nor environments.
pub const VERSION: u32 = 2;

/// How recomputed probabilities differ from the recorded ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The largest difference of a probability, 0 to 1.
    pub largest: f64,
    /// The share of images whose most probable class is the same, 0 to 1.
    pub equal_decisions: f64,
}

impl Difference {
    /// The difference in a few words.
    pub fn in_words(&self) -> String {
        let Difference { largest, equal_decisions } = self;
        format!("largest difference {largest:.2e}, {:.2} % equal decisions", equal_decisions * 100.0)
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReceipt {
    /// What was done, in words.
    pub what: String,
    /// The event that had recorded it.
    pub event: EventRef,
    /// Where that is in this journal.
    pub seq: Seq,
    /// The digest that the log recorded.
    pub expected: BlobId,
    /// The digest of what was made.
    pub actual: BlobId,
    /// Of probabilities that differ: by how much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

impl StepReceipt {
    /// Whether both are equal.
    pub fn is_equal(&self) -> bool {
        self.expected == self.actual
    }
}

/// What a replay found. Its JSON is kept in the store and named by the event
/// that records the replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Receipt {
    /// The version of this JSON: [`VERSION`].
    pub version: u32,
    /// The submission.
    pub submission: SubmissionId,
    /// How deep it was replayed.
    pub depth: ReplayDepth,
    /// The frame that had recorded it: the log up to here is all it rests on.
    pub frame: FrameDigest,
    /// Where that frame ends in this journal.
    pub seq: Seq,
    /// The dataset that was judged.
    pub manifest: Option<ManifestDigest>,
    /// Where this replay computed differently from where the originals were
    /// computed, in the order of their events.
    pub environments: Vec<Surroundings>,
    /// What could not be repeated and was taken as it is recorded, in words.
    pub taken_as_recorded: Vec<String>,
    /// The comparisons, in order, up to the first that differs.
    pub steps: Vec<StepReceipt>,
    /// The verdict.
    pub outcome: ReplayOutcome,
    /// What made this receipt.
    pub program: String,
}

impl Receipt {
    /// The receipt as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}
