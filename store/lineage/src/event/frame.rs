//! Frames: what was committed together, by whom, and where in the chain.

use std::fmt;

use serde::Serialize;

use super::kind::Event;
use crate::digest::FrameDigest;
use crate::id::{CheckpointId, PassId, TransactionId};
use crate::value::{Seq, Timestamp};

/// Who or what caused a frame.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A person.
    Person {
        /// As configured, or the login name.
        name: String,
    },
    /// A rule of a cleaning pass, applied without a person looking.
    Rule {
        /// The pass.
        pass: PassId,
        /// The rule's name.
        rule: String,
    },
    /// A model.
    Model {
        /// The checkpoint that decided.
        checkpoint: CheckpointId,
    },
    /// The program itself: a training child, an importer.
    Program {
        /// Its name and version.
        name: String,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Person { name } => write!(f, "{}", crate::value::escape(name.as_bytes())),
            Actor::Rule { pass, rule } => write!(f, "rule {rule} of pass {}", pass.short()),
            Actor::Model { checkpoint } => write!(f, "model {}", checkpoint.short()),
            Actor::Program { name } => write!(f, "program {name}"),
        }
    }
}

/// Names one event wherever its transaction is kept: which transaction, and
/// which of its events, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EventRef {
    /// The transaction.
    pub transaction: TransactionId,
    /// The place of the event in it.
    pub index: u32,
}

/// What a frame says about its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrameHeader {
    /// The digest of this frame's bytes: after this frame, the head.
    pub digest: FrameDigest,
    /// The digest of the frame before it.
    pub parent: FrameDigest,
    /// The transaction that this frame commits.
    pub transaction: TransactionId,
    /// Who or what caused it.
    pub actor: Actor,
    /// When, by the clock of the machine that wrote it.
    pub time: Timestamp,
    /// Why, in the words of the person who caused it.
    pub message: Option<String>,
    /// The Seq of its first event in this journal.
    pub first_seq: Seq,
}

/// One atomic commit as it is read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Who, when, and where in the chain.
    #[serde(flatten)]
    pub header: FrameHeader,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Frame {
    /// The Seq of the last event (the Seq before the first when there is none).
    pub fn last_seq(&self) -> Seq {
        Seq((self.header.first_seq.0 + self.events.len() as u64).saturating_sub(1))
    }
}
