//! Which events stand.
//!
//! A revert takes earlier events back and may itself be taken back. The rule:
//! *an event stands when no revert that stands names it*. A revert only names
//! events before it, so going from the newest revert to the oldest decides
//! every one of them: the newest stands, and each older one stands unless a
//! newer one that stands names it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::codec::{Code, Reader, SnapshotError, struct_code};
use crate::event::{EventRef, EventsReverted, RevertTarget};
use crate::value::{Seq, Timestamp};

struct_code! {
    RevertTarget { transaction, events }
    EventsReverted { targets, reason }
    RevertRecord { event, at, seq, time, live, ranges, reverts }
}

/// A revert as a state remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevertRecord {
    /// What it says.
    pub event: EventsReverted,
    /// Its name in every journal.
    pub at: EventRef,
    /// Its place in this journal.
    pub seq: Seq,
    /// When.
    pub time: Timestamp,
    /// Whether it stands.
    pub live: bool,
    /// The events it takes back that are not reverts: first and last Seq of
    /// each stretch, ascending.
    #[serde(skip)]
    pub(super) ranges: Vec<(Seq, Seq)>,
    /// The older reverts that it takes back, by place.
    #[serde(skip)]
    pub(super) reverts: Vec<u32>,
}

impl RevertRecord {
    /// Whether it names the event at `seq`, which is not a revert.
    pub(super) fn names(&self, seq: Seq) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= seq);
        after.checked_sub(1).is_some_and(|place| self.ranges[place].1 >= seq)
    }

    /// The Seqs it names that are not reverts, ascending.
    pub(super) fn seqs(&self) -> impl Iterator<Item = Seq> + use<'_> {
        self.ranges.iter().flat_map(|(first, last)| (first.0..=last.0).map(Seq))
    }
}

/// Joins ascending Seqs into stretches.
pub(super) fn stretches(seqs: impl IntoIterator<Item = Seq>) -> Vec<(Seq, Seq)> {
    let mut ranges: Vec<(Seq, Seq)> = Vec::new();
    for seq in seqs {
        match ranges.last_mut() {
            Some((_, last)) if *last == seq => {}
            Some((_, last)) if last.plus(1) == seq => *last = seq,
            _ => ranges.push((seq, seq)),
        }
    }
    ranges
}

/// Every revert, oldest first, and how many standing reverts name each event.
#[derive(Debug, Clone, Default)]
pub(super) struct Reverts {
    pub(super) records: Vec<RevertRecord>,
    /// Events that are not reverts, with how many standing reverts name each;
    /// without those that none names.
    dead: BTreeMap<Seq, u32>,
}

impl Reverts {
    /// Whether the event at `seq`, which is not a revert, stands.
    pub(super) fn stands(&self, seq: Seq) -> bool {
        self.dead.is_empty() || !self.dead.contains_key(&seq)
    }

    pub(super) fn place(&self, seq: Seq) -> Option<u32> {
        self.records.binary_search_by_key(&seq, |record| record.seq).ok().map(|place| place as u32)
    }

    /// Adds a revert and gives the places of the reverts that now stand and
    /// did not, or no longer do, itself among them.
    pub(super) fn push(&mut self, record: RevertRecord) -> Vec<u32> {
        let touches_reverts = !record.reverts.is_empty();
        self.records.push(RevertRecord { live: false, ..record });
        let newest = self.records.len() as u32 - 1;
        if !touches_reverts {
            self.flip(newest);
            return vec![newest];
        }
        let standing = standing(&self.records);
        let flipped: Vec<u32> = standing
            .iter()
            .enumerate()
            .filter(|(place, stands)| self.records[*place].live != **stands)
            .map(|(place, _)| place as u32)
            .collect();
        for place in &flipped {
            self.flip(*place);
        }
        flipped
    }

    fn flip(&mut self, place: u32) {
        let record = &mut self.records[place as usize];
        record.live = !record.live;
        for seq in record.seqs() {
            if record.live {
                *self.dead.entry(seq).or_insert(0) += 1;
            } else if let Some(count) = self.dead.get_mut(&seq) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.dead.remove(&seq);
                }
            }
        }
    }

    /// The reverts, standing or not, that name one of these Seqs or a revert
    /// that does, and so on; with the Seqs that each names. Oldest first.
    pub(super) fn touching(&self, seqs: &[Seq]) -> Vec<(&RevertRecord, Vec<Seq>)> {
        let mut touching = Vec::new();
        let mut places = Vec::new();
        for (place, record) in self.records.iter().enumerate() {
            let mut named: Vec<Seq> = seqs.iter().copied().filter(|seq| record.names(*seq)).collect();
            let reverts = record.reverts.iter().filter(|target| places.contains(*target));
            named.extend(reverts.map(|target| self.records[*target as usize].seq));
            if !named.is_empty() {
                places.push(place as u32);
                touching.push((record, named));
            }
        }
        touching
    }

    /// The newest standing revert that names the event at `seq`.
    pub(super) fn reverter(&self, seq: Seq) -> Option<&RevertRecord> {
        let place = self.place(seq);
        if place.is_none() && self.stands(seq) {
            return None;
        }
        self.records.iter().rev().filter(|record| record.live).find(|record| match place {
            Some(place) => record.reverts.contains(&place),
            None => record.names(seq),
        })
    }
}

/// Decides for each of these reverts, which must be all up to some Seq,
/// whether it stands, by the rule above.
pub(super) fn standing(records: &[RevertRecord]) -> Vec<bool> {
    let mut stands = vec![true; records.len()];
    for (place, record) in records.iter().enumerate().rev() {
        if stands[place] {
            for target in &record.reverts {
                if let Some(target) = stands.get_mut(*target as usize) {
                    *target = false;
                }
            }
        }
    }
    stands
}

impl Code for Reverts {
    fn encode(&self, out: &mut Vec<u8>) {
        self.records.encode(out);
        self.dead.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let records = Vec::<RevertRecord>::decode(reader)?;
        for (place, record) in records.iter().enumerate() {
            if record.reverts.iter().any(|target| *target as usize >= place) {
                return Err(reader.malformed("a revert takes back one that is not before it"));
            }
            let mut before = None;
            for (first, last) in &record.ranges {
                if first > last || *last >= record.seq || before.is_some_and(|before| before >= first) {
                    return Err(reader.malformed("a revert takes back events that are not before it"));
                }
                before = Some(last);
            }
        }
        if !records.is_sorted_by(|one, two| one.seq < two.seq) {
            return Err(reader.malformed("reverts do not ascend"));
        }
        let dead: BTreeMap<Seq, u32> = Code::decode(reader)?;
        Ok(Reverts { records, dead })
    }
}
