//! How events change images, and how reverts change that.

use std::collections::BTreeSet;

use crate::event::{
    EventsReverted, Evidence, ImageImported, ImageRelabelled, ImageRemoved, ImageRestored, ImageRevised,
    Origin, ReviewDecided, SamplesAdmitted, SamplesExpelled, Split,
};
use crate::id::ImageId;
use crate::value::{ClassIndex, Seq};

use super::anomaly::Anomaly;
use super::change::{Base, Change, Effect};
use super::fold::{Here, State};
use super::image_table::{Current, NewRow};
use super::revert::{RevertRecord, stretches};

impl State {
    pub(super) fn image_imported(&mut self, event: &ImageImported, here: Here) {
        let label = self.known_label(event.label, here);
        let new = NewRow {
            id: event.image,
            blob: event.blob,
            path: event.path.as_bytes(),
            label,
            split: event.split,
            origin: event.origin,
            seq: here.seq,
        };
        self.bring_in(new, Effect::Imported { blob: event.blob, label }, here);
    }

    pub(super) fn samples_admitted(&mut self, event: &SamplesAdmitted, here: Here) {
        if !self.samples.contains(event.samples) {
            self.note(Anomaly::UnknownReference, here.seq);
        }
        let label = self.known_label(Some(event.label), here);
        for admitted in &event.images {
            let path = admitted_path(event, admitted.image);
            let new = NewRow {
                id: admitted.image,
                blob: admitted.blob,
                path: path.as_bytes(),
                label,
                split: Split::Train,
                origin: Origin::Generated { samples: event.samples },
                seq: here.seq,
            };
            let again = Effect::Admitted { samples: event.samples, blob: admitted.blob, label };
            self.bring_in(new, again, here);
        }
        if let Some(record) = self.samples.get_mut(event.samples) {
            record.admissions.push(here.record(event.clone()));
        }
    }

    /// Adds a row, or brings an image back that is known but not there.
    fn bring_in(&mut self, new: NewRow<'_>, again: Effect, here: Here) {
        match self.table.find(new.id) {
            None => {
                if self.table.push(new).is_none() {
                    self.note(Anomaly::TooManyImages, here.seq);
                }
            }
            Some(row) => {
                if self.table.current(row).exists {
                    self.note(Anomaly::DuplicateImage, here.seq);
                } else {
                    self.change(row, again, "", &Evidence::default(), here);
                }
            }
        }
    }

    pub(super) fn samples_expelled(&mut self, event: &SamplesExpelled, here: Here) {
        let Some(record) = self.samples.get_mut(event.samples) else {
            self.note(Anomaly::UnknownReference, here.seq);
            return;
        };
        record.expulsions.push(here.record(event.clone()));
        let images = record.admissions.iter().flat_map(|admission| &admission.event.images);
        // Each once, in the order of their first admission.
        let mut seen = BTreeSet::new();
        let images: Vec<ImageId> =
            images.map(|admitted| admitted.image).filter(|image| seen.insert(*image)).collect();
        let effect = Effect::Expelled { samples: event.samples };
        for image in images {
            let row = self.table.find(image).filter(|row| self.table.current(*row).exists);
            if let Some(row) = row {
                self.change(row, effect, &event.reason, &Evidence::default(), here);
            }
        }
    }

    pub(super) fn image_revised(&mut self, event: &ImageRevised, here: Here) {
        let Some(row) = self.known_image(event.image, here) else { return };
        let old = self.table.current(row).blob;
        if old != event.old {
            self.note(Anomaly::StaleChange, here.seq);
        }
        self.change(row, Effect::Revised { old, new: event.new }, &event.reason, &Evidence::default(), here);
    }

    pub(super) fn image_relabelled(&mut self, event: &ImageRelabelled, here: Here) {
        let Some(row) = self.known_image(event.image, here) else { return };
        let old = self.table.current(row).label;
        if old != event.old {
            self.note(Anomaly::StaleChange, here.seq);
        }
        let new = self.known_label(event.new, here);
        self.change(row, Effect::Relabelled { old, new }, &event.reason, &event.evidence, here);
    }

    pub(super) fn image_removed(&mut self, event: &ImageRemoved, here: Here) {
        let Some(row) = self.known_image(event.image, here) else { return };
        if self.table.current(row).removed {
            self.note(Anomaly::PointlessChange, here.seq);
        }
        self.change(row, Effect::Removed, &event.reason, &event.evidence, here);
    }

    pub(super) fn image_restored(&mut self, event: &ImageRestored, here: Here) {
        let Some(row) = self.known_image(event.image, here) else { return };
        if !self.table.current(row).removed {
            self.note(Anomaly::PointlessChange, here.seq);
        }
        self.change(row, Effect::Restored, &event.reason, &event.evidence, here);
    }

    pub(super) fn review_decided(&mut self, event: &ReviewDecided, here: Here) {
        let Some(row) = self.known_image(event.image, here) else { return };
        let effect = Effect::Reviewed { pass: event.pass, decision: event.decision };
        self.change(row, effect, "", &Evidence::default(), here);
        let place = self.log.changes.len() as u32 - 1;
        match self.passes.get_mut(event.pass) {
            Some(pass) => pass.reviews.push(place),
            None => self.note(Anomaly::UnknownReference, here.seq),
        }
    }

    /// Adds a change, which stands and is the newest of its row: so what it
    /// says is so.
    fn change(&mut self, row: u32, effect: Effect, reason: &str, evidence: &Evidence, here: Here) {
        let before = self.table.current(row);
        let because = self.log.because(reason, evidence);
        let latest = &mut self.table.latest[row as usize];
        let previous = std::mem::replace(latest, self.log.changes.len() as u32);
        let base = Base { blob: before.blob, label: before.label };
        // The first change of a row finds it as it came in.
        self.log.bases.keep(row, base);
        self.log.changes.push(Change { seq: here.seq.0, row, previous, because, effect });
        let mut now = before;
        match effect {
            Effect::Imported { blob, label } | Effect::Admitted { blob, label, .. } => {
                now = Current { blob, label, exists: true, removed: before.removed };
            }
            Effect::Expelled { .. } => now.exists = false,
            Effect::Revised { new, .. } => now.blob = new,
            Effect::Relabelled { new, .. } => now.label = new,
            Effect::Removed => now.removed = true,
            Effect::Restored => now.removed = false,
            Effect::Reviewed { .. } => return,
        }
        self.table.set_current(row, now);
    }

    pub(super) fn events_reverted(&mut self, event: &EventsReverted, here: Here) {
        let mut seqs = BTreeSet::new();
        let mut reverts = BTreeSet::new();
        let mut bad = 0u64;
        for target in &event.targets {
            let Some(record) = self.transactions.get(target.transaction) else {
                bad += 1;
                continue;
            };
            let (first, events) = (record.first_seq, record.events);
            let all = target.events.is_empty();
            let end = Seq(first.0 + events).min(here.seq);
            let mut resolve = |seq: Seq| {
                if let Some(place) = self.reverts.place(seq) {
                    reverts.insert(place);
                } else if self.has_effect(seq) {
                    seqs.insert(seq);
                } else if !all {
                    bad += 1;
                }
            };
            if all {
                (first.0..end.0).map(Seq).for_each(resolve);
                continue;
            }
            for index in &target.events {
                let seq = first.plus(u64::from(*index));
                if seq < end { resolve(seq) } else { resolve(Seq(u64::MAX)) }
            }
        }
        for _ in 0..bad {
            self.note(Anomaly::BadRevertTarget, here.seq);
        }
        let flipped = self.reverts.push(RevertRecord {
            event: event.clone(),
            at: here.at,
            seq: here.seq,
            time: here.time,
            live: false,
            ranges: stretches(seqs),
            reverts: reverts.into_iter().collect(),
        });
        self.refresh(&flipped);
    }

    /// Whether the event at `seq`, which is not a revert, did something that
    /// can be taken back.
    pub(super) fn has_effect(&self, seq: Seq) -> bool {
        !self.table.rows_of(seq).is_empty()
            || self.log.of_seq(seq).next().is_some()
            || self.scores.binary_search_by_key(&seq, |(seq, _)| *seq).is_ok()
    }

    /// Brings everything that these reverts name up to date.
    fn refresh(&mut self, flipped: &[u32]) {
        let mut rows = Vec::new();
        let mut verdicts = Vec::new();
        for place in flipped {
            for seq in self.reverts.records[*place as usize].seqs() {
                rows.extend(self.table.rows_of(seq));
                rows.extend(self.log.of_seq(seq).map(|change| change.row));
                if let Ok(place) = self.scores.binary_search_by_key(&seq, |(seq, _)| *seq) {
                    verdicts.push(self.scores[place]);
                }
            }
        }
        rows.sort_unstable();
        rows.dedup();
        for row in rows {
            let now = self.resolve(row, |seq| self.reverts.stands(seq), Seq(u64::MAX));
            self.table.set_current(row, now);
        }
        for (seq, submission) in verdicts {
            let stands = self.reverts.stands(seq);
            let scores = self.submissions.get_mut(submission).map(|record| &mut record.scores);
            let score = scores.and_then(|scores| scores.iter_mut().find(|score| score.scored.seq == seq));
            if let Some(score) = score {
                score.reverted = !stands;
            }
        }
    }

    /// What the image in `row` is, going by the changes up to `until` that
    /// stand: of every part, what the newest of them says.
    pub(super) fn resolve(&self, row: u32, stands: impl Fn(Seq) -> bool, until: Seq) -> Current {
        let (mut blob, mut label, mut exists, mut removed) = (None, None, None, None);
        for change in self.log.chain(self.table.latest[row as usize]) {
            if change.seq > until.0 || !stands(Seq(change.seq)) {
                continue;
            }
            match change.effect {
                Effect::Imported { blob: new, label: named }
                | Effect::Admitted { blob: new, label: named, .. } => {
                    blob.get_or_insert(new);
                    label.get_or_insert(named);
                    exists.get_or_insert(true);
                }
                Effect::Expelled { .. } => drop(exists.get_or_insert(false)),
                Effect::Revised { new, .. } => drop(blob.get_or_insert(new)),
                Effect::Relabelled { new, .. } => drop(label.get_or_insert(new)),
                Effect::Removed => drop(removed.get_or_insert(true)),
                Effect::Restored => drop(removed.get_or_insert(false)),
                Effect::Reviewed { .. } => {}
            }
        }
        let base = self.base(row);
        let import = Seq(self.table.seqs[row as usize]);
        Current {
            blob: blob.unwrap_or(base.blob),
            label: label.unwrap_or(base.label),
            exists: exists.unwrap_or_else(|| import <= until && stands(import)),
            removed: removed.unwrap_or(false),
        }
    }

    /// What the image in `row` came in with.
    pub(super) fn base(&self, row: u32) -> Base {
        self.log.bases.get(row).unwrap_or_else(|| {
            let current = self.table.current(row);
            Base { blob: current.blob, label: current.label }
        })
    }

    fn known_image(&mut self, image: ImageId, here: Here) -> Option<u32> {
        let row = self.table.find(image);
        if row.is_none() {
            self.note(Anomaly::UnknownImage, here.seq);
        }
        row
    }

    /// The label; noted when no class has it. The largest index stands for no
    /// label in the table and is taken for none.
    fn known_label(&mut self, label: Option<ClassIndex>, here: Here) -> Option<ClassIndex> {
        let label = label?;
        let classes = self.dataset.as_ref().map_or(0, |dataset| dataset.classes.len());
        if usize::from(label.0) >= classes || label.0 == u16::MAX {
            self.note(Anomaly::UnknownClass, here.seq);
        }
        (label.0 != u16::MAX).then_some(label)
    }
}

/// A generated image has no file; this names it where paths are shown.
fn admitted_path(event: &SamplesAdmitted, image: ImageId) -> String {
    format!("generated/{}/{}", event.samples.short(), image.short())
}
