//! What happens to the dataset: images, labels, decisions, and taking back.

use std::fmt;

use serde::Serialize;

use crate::digest::BlobId;
use crate::id::{ImageId, PassId, PredictionsId, SamplesId, TransactionId};
use crate::value::{ClassIndex, PathBytes, Real};

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Models learn from it.
    Train,
    /// Models are compared and chosen by it.
    Valid,
    /// Predictions are made for it.
    Test,
}

impl Split {
    /// Every split, in order.
    pub const ALL: [Split; 3] = [Split::Train, Split::Valid, Split::Test];

    /// The stable number of the split.
    pub const fn code(self) -> u8 {
        match self {
            Split::Train => 0,
            Split::Valid => 1,
            Split::Test => 2,
        }
    }

    /// The split with this stable number.
    pub const fn from_code(code: u8) -> Option<Split> {
        match code {
            0 => Some(Split::Train),
            1 => Some(Split::Valid),
            2 => Some(Split::Test),
            _ => None,
        }
    }

    /// Its name: `train`, `valid` or `test`.
    pub const fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Valid => "valid",
            Split::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A file that was imported.
    File,
    /// A generator drew it.
    Generated {
        /// Which batch of samples it belongs to.
        samples: SamplesId,
    },
}

/// On what a change to an image rests. Empty when a person just said so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Evidence {
    /// The cleaning pass that proposed it.
    pub pass: Option<PassId>,
    /// The predictions that it rests on.
    pub predictions: Option<PredictionsId>,
    /// The rule's name.
    pub rule: Option<String>,
    /// The rule's score for this image.
    pub score: Option<Real>,
}

/// Starts a dataset; the first event of every repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatasetCreated {
    /// Its name.
    pub name: String,
    /// Its classes; their order gives the [`ClassIndex`] of each. May be empty,
    /// then [`ClassesAdded`] brings them.
    pub classes: Vec<String>,
}

/// Appends classes to the dataset's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassesAdded {
    /// Their names, in order.
    pub classes: Vec<String>,
}

/// Brings one image into the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageImported {
    /// The image; see [`ImageId::of_import`].
    pub image: ImageId,
    /// Its bytes.
    pub blob: BlobId,
    /// Where it was, relative to the folder that was imported.
    pub path: PathBytes,
    /// Its label, if it has one.
    pub label: Option<ClassIndex>,
    /// What it is for.
    pub split: Split,
    /// Where it came from.
    pub origin: Origin,
}

/// Gives an image new bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRevised {
    /// The image.
    pub image: ImageId,
    /// Its bytes before.
    pub old: BlobId,
    /// Its bytes after.
    pub new: BlobId,
    /// Why.
    pub reason: String,
}

/// Gives an image another label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRelabelled {
    /// The image.
    pub image: ImageId,
    /// Its label before.
    pub old: Option<ClassIndex>,
    /// Its label after.
    pub new: Option<ClassIndex>,
    /// Why.
    pub reason: String,
    /// On what it rests.
    pub evidence: Evidence,
}

/// Takes an image out of the dataset. It stays auditable for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRemoved {
    /// The image.
    pub image: ImageId,
    /// Why.
    pub reason: String,
    /// On what it rests.
    pub evidence: Evidence,
}

/// Takes a removed image back into the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageRestored {
    /// The image.
    pub image: ImageId,
    /// Why.
    pub reason: String,
    /// On what it rests.
    pub evidence: Evidence,
}

/// What a reviewer made of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Decision {
    /// The image is right as it is.
    Kept,
    /// It got another label.
    Relabelled {
        /// Which.
        label: ClassIndex,
    },
    /// It was taken out.
    Removed,
    /// The reviewer did not say.
    Skipped,
}

/// Records a decision on one finding of a cleaning pass. Its effect on the
/// dataset, if any, is an event of its own in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewDecided {
    /// The image.
    pub image: ImageId,
    /// The pass whose finding was decided.
    pub pass: PassId,
    /// The decision.
    pub decision: Decision,
}

/// Which events of one transaction to revert.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct RevertTarget {
    /// The transaction.
    pub transaction: TransactionId,
    /// The events in it, counted from zero, ascending; empty means all that
    /// can be reverted.
    pub events: Vec<u32>,
}

/// Takes back the effect of earlier events; reverting this event takes that
/// back in turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventsReverted {
    /// What to take back.
    pub targets: Vec<RevertTarget>,
    /// Why.
    pub reason: String,
}
