//! What somebody wants to happen.

use crate::digest::BlobId;
use crate::event::{Decision, Event, Evidence, RevertTarget, Split};
use crate::id::{ImageId, PassId};
use crate::value::PathBytes;

/// One image to bring in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImage {
    /// Its bytes, stored already.
    pub blob: BlobId,
    /// Where it was, relative to the folder that is imported.
    pub path: PathBytes,
    /// The name of its class, if it has one.
    pub label: Option<String>,
    /// What it is for.
    pub split: Split,
}

/// Something to decide on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start the dataset.
    CreateDataset {
        /// Its name.
        name: String,
        /// Its classes, in order; may be empty.
        classes: Vec<String>,
    },
    /// Append classes; names that are there already are left out.
    AddClasses {
        /// Their names, in order.
        classes: Vec<String>,
    },
    /// Bring images in, or new bytes of images that came in before; see
    /// [`import`](crate::decide::import()).
    ImportImages {
        /// The images, in the order in which they are to come in.
        images: Vec<NewImage>,
    },
    /// Give images a label. Images that have it already are left out.
    Relabel {
        /// The images.
        images: Vec<ImageId>,
        /// The name of a class; none takes the label away.
        label: Option<String>,
        /// Why.
        reason: String,
        /// On what it rests.
        evidence: Evidence,
    },
    /// Take images out. Images that are out already are left out.
    Remove {
        /// The images.
        images: Vec<ImageId>,
        /// Why.
        reason: String,
        /// On what it rests.
        evidence: Evidence,
        /// Whether a class may lose its last image.
        force: bool,
    },
    /// Take removed images back in. Images that are in already are left out.
    Restore {
        /// The images.
        images: Vec<ImageId>,
        /// Why.
        reason: String,
        /// On what it rests.
        evidence: Evidence,
    },
    /// Give an image new bytes.
    Revise {
        /// The image.
        image: ImageId,
        /// Its bytes, stored already.
        new: BlobId,
        /// Why.
        reason: String,
    },
    /// Take back earlier events.
    Revert {
        /// Which.
        targets: Vec<RevertTarget>,
        /// Why.
        reason: String,
    },
    /// Decide a finding of a cleaning pass, and do what the decision says.
    Review {
        /// The image.
        image: ImageId,
        /// The pass.
        pass: PassId,
        /// The decision.
        decision: Decision,
        /// Why.
        reason: String,
        /// On what it rests; the pass is filled in.
        evidence: Evidence,
    },
    /// Record that something happened outside: a run started, a checkpoint was
    /// saved, samples were admitted. What the event refers to must be there.
    Record(Box<Event>),
}
