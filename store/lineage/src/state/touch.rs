//! Which fields of which images an event touches, and what touched them later.

use std::collections::BTreeSet;

use crate::id::ImageId;
use crate::value::Seq;

use super::change::{Field, IMPORT_FIELDS};
use super::fold::State;
use super::revert::RevertRecord;

/// A later event that stands and touched the same field of the same image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LaterTouch {
    pub(crate) seq: Seq,
    pub(crate) image: ImageId,
    pub(crate) field: Field,
}

impl State {
    /// Whether the event at `seq` did something that a revert can take back: it
    /// changed an image or a score, or is itself a revert.
    pub fn is_reversible(&self, seq: Seq) -> bool {
        self.reverts.place(seq).is_some() || self.has_effect(seq)
    }

    /// The first thing in the way of taking the event at `seq` back together
    /// with `along`. Scores stand side by side and are in nobody's way.
    pub(crate) fn later_touch(&self, seq: Seq, along: &BTreeSet<Seq>) -> Option<LaterTouch> {
        let later_reverts: Vec<&RevertRecord> = self
            .reverts
            .records
            .iter()
            .filter(|record| record.live && record.seq > seq && !along.contains(&record.seq))
            .collect();
        self.touched(seq).into_iter().find_map(|(row, field)| {
            let image = self.table.ids[row as usize];
            let touch = |seq| LaterTouch { seq, image, field };
            self.later_change(row, field, seq, along)
                .or_else(|| self.later_revert(row, field, seq, &later_reverts))
                .map(touch)
        })
    }

    /// A later change of this field that stands.
    fn later_change(&self, row: u32, field: Field, seq: Seq, along: &BTreeSet<Seq>) -> Option<Seq> {
        self.log
            .chain(self.table.latest[row as usize])
            .take_while(|change| change.seq > seq.0)
            .filter(|change| change.effect.fields().contains(&field))
            .map(|change| Seq(change.seq))
            .find(|later| self.reverts.stands(*later) && !along.contains(later))
    }

    /// One of these reverts, when it names something at or before `seq` that
    /// touches this field. What it names later than that came and went.
    fn later_revert(&self, row: u32, field: Field, seq: Seq, reverts: &[&RevertRecord]) -> Option<Seq> {
        if reverts.is_empty() {
            return None;
        }
        let import = IMPORT_FIELDS.contains(&field).then(|| Seq(self.table.seqs[row as usize]));
        let changes = self.log.chain(self.table.latest[row as usize]);
        let changes = changes.filter(|change| change.effect.fields().contains(&field));
        let touching: Vec<Seq> = changes.map(|change| Seq(change.seq)).chain(import).collect();
        let names_earlier = |revert: &&&RevertRecord| {
            touching.iter().any(|touch| *touch < seq && revert.names(*touch))
                || revert.reverts.iter().any(|place| {
                    let older = &self.reverts.records[*place as usize];
                    older.seq < seq && touching.iter().any(|touch| self.reaches(older, *touch))
                })
        };
        reverts.iter().find(names_earlier).map(|revert| revert.seq)
    }

    /// Whether a revert names the event at `seq`, or a revert that does, and so on.
    fn reaches(&self, revert: &RevertRecord, seq: Seq) -> bool {
        // A work list and not a recursion: undoing undoes can go on for long.
        let mut places = BTreeSet::from_iter(revert.reverts.iter().copied());
        let mut found = revert.names(seq);
        while let Some(place) = places.pop_last() {
            let older = &self.reverts.records[place as usize];
            found |= older.names(seq);
            places.extend(&older.reverts);
        }
        found
    }

    /// The fields that the event at `seq` touches; for a revert those that its
    /// targets touch. Each once.
    fn touched(&self, seq: Seq) -> Vec<(u32, Field)> {
        let Some(place) = self.reverts.place(seq) else { return self.touched_directly(seq) };
        let mut touched = BTreeSet::new();
        let mut places = BTreeSet::from([place]);
        while let Some(place) = places.pop_last() {
            let record = &self.reverts.records[place as usize];
            touched.extend(record.seqs().flat_map(|seq| self.touched_directly(seq)));
            places.extend(&record.reverts);
        }
        touched.into_iter().collect()
    }

    fn touched_directly(&self, seq: Seq) -> Vec<(u32, Field)> {
        let rows = self.table.rows_of(seq);
        let mut touched: Vec<_> =
            rows.flat_map(|row| IMPORT_FIELDS.iter().map(move |field| (row, *field))).collect();
        for change in self.log.of_seq(seq) {
            touched.extend(change.effect.fields().into_iter().map(|field| (change.row, field)));
        }
        touched
    }
}
