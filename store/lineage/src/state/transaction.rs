//! The transactions that were folded, and the way between Seqs, event
//! references and digests.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::codec::{Code, Reader, SnapshotError, struct_code};
use crate::digest::FrameDigest;
use crate::event::{Actor, EventRef};
use crate::id::TransactionId;
use crate::value::{Seq, Timestamp};

/// One frame as a state remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransactionRecord {
    /// Its id.
    pub transaction: TransactionId,
    /// The digest of its frame.
    pub digest: FrameDigest,
    /// The Seq of its first event.
    pub first_seq: Seq,
    /// How many events it has.
    pub events: u64,
    /// Who or what caused it.
    pub actor: Actor,
    /// When.
    pub time: Timestamp,
    /// Why.
    pub message: Option<String>,
}

struct_code! { TransactionRecord { transaction, digest, first_seq, events, actor, time, message } }

impl TransactionRecord {
    /// The Seq of its last event; that before its first when it has none.
    pub fn last_seq(&self) -> Seq {
        Seq((self.first_seq.0.saturating_add(self.events)).saturating_sub(1))
    }
}

/// Every transaction, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Transactions {
    records: Vec<TransactionRecord>,
    by_id: BTreeMap<TransactionId, u32>,
    by_digest: BTreeMap<FrameDigest, u32>,
}

impl Transactions {
    /// The transaction with this id.
    pub fn get(&self, id: TransactionId) -> Option<&TransactionRecord> {
        self.by_id.get(&id).and_then(|place| self.records.get(*place as usize))
    }

    /// The transaction whose frame has this digest.
    pub fn by_digest(&self, digest: FrameDigest) -> Option<&TransactionRecord> {
        self.by_digest.get(&digest).and_then(|place| self.records.get(*place as usize))
    }

    /// The Seq after the frame with this digest; zero for the root.
    pub fn seq_after(&self, digest: FrameDigest) -> Option<Seq> {
        if digest == FrameDigest::ROOT {
            return Some(Seq::ZERO);
        }
        self.by_digest(digest).map(TransactionRecord::last_seq)
    }

    /// The transaction that the event at `seq` belongs to.
    pub fn of_seq(&self, seq: Seq) -> Option<&TransactionRecord> {
        let after = self.records.partition_point(|record| record.first_seq <= seq);
        // A frame without events has the first Seq of its successor.
        let record = self.records[..after].iter().rev().find(|record| record.events > 0)?;
        (record.last_seq() >= seq).then_some(record)
    }

    /// The event at `seq`, named so that it means the same in every journal.
    pub fn event_at(&self, seq: Seq) -> Option<EventRef> {
        let record = self.of_seq(seq)?;
        let index = u32::try_from(seq.0.checked_sub(record.first_seq.0)?).ok()?;
        Some(EventRef { transaction: record.transaction, index })
    }

    /// Where an event stands in this journal.
    pub fn seq_of(&self, event: EventRef) -> Option<Seq> {
        let record = self.get(event.transaction)?;
        (u64::from(event.index) < record.events)
            .then(|| Seq(record.first_seq.0.saturating_add(u64::from(event.index))))
    }

    /// The transactions, oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, TransactionRecord> {
        self.records.iter()
    }

    /// The transactions that were in the log at `seq`, oldest first.
    pub fn until(&self, seq: Seq) -> &[TransactionRecord] {
        &self.records[..self.records.partition_point(|record| record.first_seq <= seq)]
    }

    /// The ids, ascending.
    pub fn ids(&self) -> impl Iterator<Item = TransactionId> {
        self.by_id.keys().copied()
    }

    /// The newest transaction.
    pub fn last(&self) -> Option<&TransactionRecord> {
        self.records.last()
    }

    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds a transaction; false when its id was there before, which then goes
    /// on to mean the older one.
    pub(super) fn push(&mut self, record: TransactionRecord) -> bool {
        let place = self.records.len() as u32;
        let new = !self.by_id.contains_key(&record.transaction);
        self.by_id.entry(record.transaction).or_insert(place);
        self.by_digest.entry(record.digest).or_insert(place);
        self.records.push(record);
        new
    }
}

impl<'a> IntoIterator for &'a Transactions {
    type Item = &'a TransactionRecord;
    type IntoIter = std::slice::Iter<'a, TransactionRecord>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Code for Transactions {
    fn encode(&self, out: &mut Vec<u8>) {
        self.records.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let records = Vec::<TransactionRecord>::decode(reader)?;
        let mut next = Seq(1);
        for record in &records {
            let end = record.first_seq.0.checked_add(record.events);
            match end {
                Some(end) if record.first_seq == next => next = Seq(end),
                _ => return Err(reader.malformed("the Seqs of transactions do not join")),
            }
        }
        let place = |(place, record): (usize, &TransactionRecord)| (record.transaction, place as u32);
        // Backwards, so that the oldest of two with one key stays.
        let by_id = records.iter().enumerate().rev().map(place).collect();
        let by_digest =
            records.iter().enumerate().rev().map(|(place, record)| (record.digest, place as u32)).collect();
        Ok(Transactions { records, by_id, by_digest })
    }
}
