//! What a fold could make no sense of. Nothing of it is an error: the log is
//! the truth, and a state says how well it understood it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::codec::{enum_code, struct_code};
use crate::value::Seq;

/// A way in which an event or frame does not fit what came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anomaly {
    /// The frame's first Seq is not the one after the last.
    SeqGap,
    /// The frame's parent is not the head.
    BrokenChain,
    /// The transaction is in the log already.
    DuplicateTransaction,
    /// A second dataset was created.
    SecondDataset,
    /// A class has the name of another.
    DuplicateClass,
    /// A label is not the index of a class.
    UnknownClass,
    /// An image that is in the dataset was imported or admitted again.
    DuplicateImage,
    /// An image that never was imported was changed.
    UnknownImage,
    /// The old bytes or label in a change were not those of the image.
    StaleChange,
    /// A removed image was removed, or one that was not was restored.
    PointlessChange,
    /// The table of images is full.
    TooManyImages,
    /// A run, checkpoint or other thing has the id of another of its kind.
    DuplicateId,
    /// A run, checkpoint or other thing that an event names is not there.
    UnknownReference,
    /// Something happened to a run after its end.
    RunEnded,
    /// A revert names an event that is not there, not before it, or not revertible.
    BadRevertTarget,
}

enum_code! {
    Anomaly {
        0 => SeqGap,
        1 => BrokenChain,
        2 => DuplicateTransaction,
        3 => SecondDataset,
        4 => DuplicateClass,
        5 => UnknownClass,
        6 => DuplicateImage,
        7 => UnknownImage,
        8 => StaleChange,
        9 => PointlessChange,
        10 => TooManyImages,
        11 => DuplicateId,
        12 => UnknownReference,
        13 => RunEnded,
        14 => BadRevertTarget,
    }
}

/// The anomalies of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Tally {
    count: u64,
    first: Seq,
}

struct_code! { Tally { count, first } }

/// How many anomalies of which kind a fold met, and where it met the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anomalies(pub(super) BTreeMap<Anomaly, Tally>);

impl Anomalies {
    pub(super) fn note(&mut self, anomaly: Anomaly, seq: Seq) {
        self.0.entry(anomaly).or_insert(Tally { count: 0, first: seq }).count += 1;
    }

    /// Whether everything made sense.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there were of one kind.
    pub fn count(&self, anomaly: Anomaly) -> u64 {
        self.0.get(&anomaly).map_or(0, |tally| tally.count)
    }

    /// How many there were of any kind.
    pub fn total(&self) -> u64 {
        self.0.values().map(|tally| tally.count).sum()
    }

    /// The kinds that were met: how often, and at which Seq first.
    pub fn iter(&self) -> impl Iterator<Item = (Anomaly, u64, Seq)> {
        self.0.iter().map(|(anomaly, tally)| (*anomaly, tally.count, tally.first))
    }
}

/// How many events of one kind and schema this version did not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UnknownEvents {
    /// The number of their kind.
    pub kind: u16,
    /// The number of their schema.
    pub schema: u16,
    /// How many there are.
    pub count: u64,
}
