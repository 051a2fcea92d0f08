//! The change log: everything that happened to images after they came in.
//!
//! The changes of one image form a chain from the newest to the oldest, which
//! starts in the image's row. Most images of a dataset never change and cost
//! nothing here.

use serde::Serialize;

use crate::codec::{enum_code, struct_code};
use crate::digest::BlobId;
use crate::event::{Decision, EventRef, Evidence};
use crate::id::{ImageId, PassId, SamplesId};
use crate::value::{ClassIndex, Seq};

use super::base_map::BaseMap;
use super::column::Column;

/// What one event did to one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// It came in again, after its import had been reverted or its batch expelled.
    Imported {
        /// Its bytes.
        blob: BlobId,
        /// Its label.
        label: Option<ClassIndex>,
    },
    /// It was admitted again with its batch of samples.
    Admitted {
        /// The batch.
        samples: SamplesId,
        /// Its bytes.
        blob: BlobId,
        /// Its label.
        label: Option<ClassIndex>,
    },
    /// It went out with its batch of samples.
    Expelled {
        /// The batch.
        samples: SamplesId,
    },
    /// It got new bytes.
    Revised {
        /// Its bytes before.
        old: BlobId,
        /// Its bytes after.
        new: BlobId,
    },
    /// It got another label.
    Relabelled {
        /// Its label before.
        old: Option<ClassIndex>,
        /// Its label after.
        new: Option<ClassIndex>,
    },
    /// It was taken out.
    Removed,
    /// It was taken back in.
    Restored,
    /// A reviewer decided a finding on it.
    Reviewed {
        /// The pass whose finding it was.
        pass: PassId,
        /// The decision.
        decision: Decision,
    },
}

/// A part of an image that changes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "field", rename_all = "snake_case")]
pub enum Field {
    /// Whether it is in the dataset.
    Presence,
    /// Its bytes.
    Blob,
    /// Its label.
    Label,
    /// The decision on it in one cleaning pass.
    Review {
        /// The pass.
        pass: PassId,
    },
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Field::Presence => f.write_str("presence"),
            Field::Blob => f.write_str("bytes"),
            Field::Label => f.write_str("label"),
            Field::Review { pass } => write!(f, "review in pass {}", pass.short()),
        }
    }
}

/// What an import touches.
pub(crate) const IMPORT_FIELDS: &[Field] = &[Field::Presence, Field::Blob, Field::Label];

impl Effect {
    /// The parts of the image that this touches.
    pub fn fields(&self) -> Vec<Field> {
        match self {
            Effect::Imported { .. } | Effect::Admitted { .. } => IMPORT_FIELDS.to_vec(),
            Effect::Expelled { .. } | Effect::Removed | Effect::Restored => vec![Field::Presence],
            Effect::Revised { .. } => vec![Field::Blob],
            Effect::Relabelled { .. } => vec![Field::Label],
            Effect::Reviewed { pass, .. } => vec![Field::Review { pass: *pass }],
        }
    }
}

enum_code! {
    Effect {
        0 => Imported { blob, label },
        1 => Admitted { samples, blob, label },
        2 => Expelled { samples },
        3 => Revised { old, new },
        4 => Relabelled { old, new },
        5 => Removed,
        6 => Restored,
        7 => Reviewed { pass, decision },
    }
}

/// Why something was changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Because {
    /// In words; empty when nobody said.
    pub reason: String,
    /// On what it rests.
    pub evidence: Evidence,
}

struct_code! { Because { reason, evidence } }

/// One change of one image as a query sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChangeView<'a> {
    /// The image.
    pub image: ImageId,
    /// What happened to it.
    pub effect: Effect,
    /// Why.
    pub because: &'a Because,
    /// Where in this journal.
    pub seq: Seq,
    /// Its name in every journal.
    pub at: EventRef,
    /// Whether it stands, that is: no revert of it does.
    pub live: bool,
}

/// One change of one image as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) seq: u64,
    pub(super) row: u32,
    /// The change of the same row before this one, or `NO_CHANGE`.
    pub(super) previous: u32,
    /// A place in `becauses`.
    pub(super) because: u32,
    pub(super) effect: Effect,
}

struct_code! { Change { seq, row, previous, because, effect } }

/// What an image came in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) blob: BlobId,
    pub(super) label: Option<ClassIndex>,
}

struct_code! { Base { blob, label } }

/// The changes in order of their events. Copies share what they have in common.
#[derive(Debug, Clone, Default)]
pub(super) struct ChangeLog {
    pub(super) changes: Column<Change>,
    /// Reasons; a bulk change has one for all its images.
    pub(super) becauses: Column<Because>,
    /// Per changed row what it came in with.
    pub(super) bases: BaseMap,
}

struct_code! { ChangeLog { changes, becauses, bases } }

impl ChangeLog {
    /// The place of this reason: that of the last one if it is the same.
    pub(super) fn because(&mut self, reason: &str, evidence: &Evidence) -> u32 {
        let same = |last: &Because| last.reason == reason && last.evidence == *evidence;
        if !self.becauses.last().is_some_and(same) {
            self.becauses.push(Because { reason: reason.to_owned(), evidence: evidence.clone() });
        }
        self.becauses.len() as u32 - 1
    }

    /// The changes of the event at `seq`.
    pub(super) fn of_seq(&self, seq: Seq) -> impl Iterator<Item = &Change> {
        let start = self.changes.partition_point(|change| change.seq < seq.0);
        self.changes.iter_from(start).take_while(move |change| change.seq == seq.0)
    }

    /// The chain that starts at `latest`, newest first.
    pub(super) fn chain(&self, latest: u32) -> impl Iterator<Item = &Change> {
        std::iter::successors(self.changes.get(latest as usize), |change| {
            self.changes.get(change.previous as usize)
        })
    }
}
