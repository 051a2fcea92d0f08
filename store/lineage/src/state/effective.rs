//! The digest of what a state says, whatever way led there.

use std::collections::BTreeMap;

use crate::codec::Code;
use crate::digest::{Hasher, StateDigest};
use crate::event::{Decision, Origin};
use crate::id::PassId;

use super::change::Effect;
use super::fold::State;
use super::image_table::label_code;
use super::record::RunStatus;
use crate::value::Seq;

impl State {
    /// Names what this state says of the dataset and the models.
    ///
    /// It covers the dataset's name and classes, every image that exists with
    /// its bytes, label, split, origin and whether it is removed, the reviews
    /// and scores that stand, and every run, checkpoint and other entity. It
    /// does not cover Seqs, times, actors, reasons, reverts or other history:
    /// undoing an undo gives the same digest again, and so does doing in two
    /// transactions what was done in one.
    pub fn digest(&self) -> StateDigest {
        let mut hasher = Hasher::derive_key("safelight 2026-11-24 state v1");
        let mut bytes = Vec::new();
        if let Some(dataset) = &self.dataset {
            dataset.name.encode(&mut bytes);
            dataset.classes.encode(&mut bytes);
        }
        section(&mut hasher, &mut bytes);
        self.encode_images(&mut bytes);
        section(&mut hasher, &mut bytes);
        self.encode_models(&mut bytes);
        section(&mut hasher, &mut bytes);
        self.encode_results(&mut bytes);
        section(&mut hasher, &mut bytes);
        StateDigest(hasher.finish())
    }

    fn encode_images(&self, out: &mut Vec<u8>) {
        let mut rows: Vec<u32> = (0..self.table.len() as u32).collect();
        rows.retain(|row| self.table.current(*row).exists);
        rows.sort_unstable_by_key(|row| self.table.ids[*row as usize]);
        out.reserve(rows.len() * 52);
        for row in rows {
            let current = self.table.current(row);
            self.table.ids[row as usize].encode(out);
            current.blob.encode(out);
            label_code(current.label).encode(out);
            self.table.split(row).encode(out);
            current.removed.encode(out);
            match self.table.origin(row) {
                Origin::File => out.push(0),
                Origin::Generated { samples } => {
                    out.push(1);
                    samples.encode(out);
                }
            }
            self.decisions(row).encode(out);
        }
    }

    /// Per pass, the newest decision on the image that stands.
    fn decisions(&self, row: u32) -> BTreeMap<PassId, Decision> {
        let mut decisions = BTreeMap::new();
        for change in self.log.chain(self.table.latest[row as usize]) {
            if let Effect::Reviewed { pass, decision } = change.effect
                && self.reverts.stands(Seq(change.seq))
            {
                decisions.entry(pass).or_insert(decision);
            }
        }
        decisions
    }

    fn encode_models(&self, out: &mut Vec<u8>) {
        for count in [self.weights.len(), self.runs.len(), self.checkpoints.len()] {
            (count as u64).encode(out);
        }
        for record in self.weights.by_id() {
            record.event.encode(out);
        }
        for run in self.runs.by_id() {
            run.started.event.encode(out);
            (run.learning_rates.len() as u64).encode(out);
            for found in &run.learning_rates {
                found.event.encode(out);
            }
            run.checkpoints.encode(out);
            out.extend_from_slice(run.status.name().as_bytes());
            match &run.status {
                RunStatus::Running => {}
                RunStatus::Finished { end } => end.event.encode(out),
                RunStatus::Failed { end } => end.event.encode(out),
                RunStatus::Cancelled { end } => end.event.encode(out),
            }
        }
        for record in self.checkpoints.by_id() {
            record.event.encode(out);
        }
    }

    fn encode_results(&self, out: &mut Vec<u8>) {
        let counts = [
            self.predictions.len(),
            self.passes.len(),
            self.generators.len(),
            self.samples.len(),
            self.ensembles.len(),
            self.submissions.len(),
        ];
        for count in counts {
            (count as u64).encode(out);
        }
        for record in self.predictions.by_id() {
            record.event.encode(out);
        }
        for record in self.passes.by_id() {
            record.proposed.event.encode(out);
        }
        for record in self.generators.by_id() {
            record.event.encode(out);
        }
        for record in self.samples.by_id() {
            record.generated.event.encode(out);
        }
        for record in self.ensembles.by_id() {
            record.event.encode(out);
        }
        for record in self.submissions.by_id() {
            record.written.event.encode(out);
            let scores: Vec<_> = record.live_scores().collect();
            (scores.len() as u64).encode(out);
            for score in scores {
                score.encode(out);
            }
            (record.replays.len() as u64).encode(out);
            for replay in &record.replays {
                replay.event.encode(out);
            }
        }
    }
}

fn section(hasher: &mut Hasher, bytes: &mut Vec<u8>) {
    hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    bytes.clear();
}
