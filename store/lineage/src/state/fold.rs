//! The state itself and how a frame changes it.

use std::fmt;

use serde::Serialize;

use crate::codec::struct_code;
use crate::digest::FrameDigest;
use crate::event::{ClassesAdded, DatasetCreated, Event, EventRef, Frame, Unknown};
use crate::id::SubmissionId;
use crate::value::{ClassIndex, Seq, Timestamp};

use super::anomaly::{Anomalies, Anomaly, UnknownEvents};
use super::change::ChangeLog;
use super::image_table::ImageTable;
use super::record::{
    CheckpointRecord, EnsembleRecord, GeneratorRecord, PassRecord, PredictionsRecord, Recorded, RunRecord,
    SamplesRecord, SubmissionRecord, WeightsRecord,
};
use super::registry::Registry;
use super::revert::Reverts;
use super::transaction::{TransactionRecord, Transactions};

/// What the dataset is called and which classes it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// Its classes; the place of each is its [`ClassIndex`].
    pub classes: Vec<String>,
    /// How many classes there were from which Seq on, ascending.
    #[serde(skip)]
    pub(super) growth: Vec<(Seq, u64)>,
}

struct_code! { Dataset { name, classes, growth } }

impl Dataset {
    /// The name of a class.
    pub fn class(&self, index: ClassIndex) -> Option<&str> {
        self.classes.get(usize::from(index.0)).map(String::as_str)
    }

    /// The class with exactly this name.
    pub fn class_index(&self, name: &str) -> Option<ClassIndex> {
        let place = self.classes.iter().position(|class| class == name)?;
        u16::try_from(place).ok().map(ClassIndex)
    }

    /// The classes that there were at `seq`.
    pub fn classes_at(&self, seq: Seq) -> &[String] {
        let after = self.growth.partition_point(|(from, _)| *from <= seq);
        let count = after.checked_sub(1).map_or(0, |place| self.growth[place].1);
        &self.classes[..self.classes.len().min(count as usize)]
    }
}

/// What all events up to one Seq amount to.
///
/// A state is a function of the frames that were applied, in their order, and
/// of nothing else. It answers questions about the dataset and the models;
/// [`decide`](crate::decide::decide) turns it and a command into new events.
#[derive(Clone, Default)]
pub struct State {
    pub(super) seq: Seq,
    pub(super) head: FrameDigest,
    pub(super) dataset: Option<Dataset>,
    pub(super) table: ImageTable,
    pub(super) log: ChangeLog,
    pub(super) reverts: Reverts,
    pub(super) transactions: Transactions,
    pub(super) weights: Registry<WeightsRecord>,
    pub(super) runs: Registry<RunRecord>,
    pub(super) checkpoints: Registry<CheckpointRecord>,
    pub(super) predictions: Registry<PredictionsRecord>,
    pub(super) passes: Registry<PassRecord>,
    pub(super) generators: Registry<GeneratorRecord>,
    pub(super) samples: Registry<SamplesRecord>,
    pub(super) ensembles: Registry<EnsembleRecord>,
    pub(super) submissions: Registry<SubmissionRecord>,
    /// Which submission the verdict at each Seq is about.
    pub(super) scores: Vec<(Seq, SubmissionId)>,
    pub(super) anomalies: Anomalies,
    pub(super) unknown: Vec<UnknownEvents>,
}

/// Says which state it is and how large, not everything in it.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("seq", &self.seq)
            .field("head", &self.head)
            .field("images", &self.table.len())
            .finish_non_exhaustive()
    }
}

/// Where an event stands while it is folded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here {
    pub(super) at: EventRef,
    pub(super) seq: Seq,
    pub(super) time: Timestamp,
}

impl Here {
    pub(super) fn record<E>(self, event: E) -> Recorded<E> {
        Recorded { event, at: self.at, seq: self.seq, time: self.time }
    }
}

impl State {
    /// The state before any event.
    pub fn new() -> Self {
        State::default()
    }

    /// Folds one frame.
    ///
    /// Never fails: what makes no sense is counted in [`State::anomalies`]. The
    /// state numbers events itself, so a frame that claims another Seq is such
    /// an anomaly and gets the next Seqs all the same.
    pub fn apply(&mut self, frame: &Frame) {
        let header = &frame.header;
        let first = self.seq.plus(1);
        if header.first_seq != first {
            self.note(Anomaly::SeqGap, first);
        }
        if header.parent != self.head {
            self.note(Anomaly::BrokenChain, first);
        }
        let new = self.transactions.push(TransactionRecord {
            transaction: header.transaction,
            digest: header.digest,
            first_seq: first,
            events: frame.events.len() as u64,
            actor: header.actor.clone(),
            time: header.time,
            message: header.message.clone(),
        });
        if !new {
            self.note(Anomaly::DuplicateTransaction, first);
        }
        for (index, event) in frame.events.iter().enumerate() {
            self.seq = first.plus(index as u64);
            let at = EventRef { transaction: header.transaction, index: index as u32 };
            self.fold(event, Here { at, seq: self.seq, time: header.time });
        }
        self.head = header.digest;
    }

    fn fold(&mut self, event: &Event, here: Here) {
        match event {
            Event::DatasetCreated(event) => self.dataset_created(event, here),
            Event::ClassesAdded(event) => self.classes_added(event, here),
            Event::ImageImported(event) => self.image_imported(event, here),
            Event::ImageRevised(event) => self.image_revised(event, here),
            Event::ImageRelabelled(event) => self.image_relabelled(event, here),
            Event::ImageRemoved(event) => self.image_removed(event, here),
            Event::ImageRestored(event) => self.image_restored(event, here),
            Event::ReviewDecided(event) => self.review_decided(event, here),
            Event::WeightsAdded(event) => self.weights_added(event, here),
            Event::RunStarted(event) => self.run_started(event, here),
            Event::LearningRateFound(event) => self.learning_rate_found(event, here),
            Event::CheckpointSaved(event) => self.checkpoint_saved(event, here),
            Event::RunFinished(event) => self.run_finished(event, here),
            Event::RunFailed(event) => self.run_failed(event, here),
            Event::RunCancelled(event) => self.run_cancelled(event, here),
            Event::PredictionsRecorded(event) => self.predictions_recorded(event, here),
            Event::CleaningPassProposed(event) => self.cleaning_pass_proposed(event, here),
            Event::GeneratorTrained(event) => self.generator_trained(event, here),
            Event::SamplesGenerated(event) => self.samples_generated(event, here),
            Event::SamplesAdmitted(event) => self.samples_admitted(event, here),
            Event::SamplesExpelled(event) => self.samples_expelled(event, here),
            Event::EnsembleVoted(event) => self.ensemble_voted(event, here),
            Event::SubmissionWritten(event) => self.submission_written(event, here),
            Event::SubmissionScored(event) => self.submission_scored(event, here),
            Event::SubmissionReplayed(event) => self.submission_replayed(event, here),
            Event::EventsReverted(event) => self.events_reverted(event, here),
            Event::Unknown(event) => self.unknown_event(event),
        }
    }

    pub(super) fn note(&mut self, anomaly: Anomaly, seq: Seq) {
        self.anomalies.note(anomaly, seq);
    }

    fn dataset_created(&mut self, event: &DatasetCreated, here: Here) {
        if self.dataset.is_some() {
            self.note(Anomaly::SecondDataset, here.seq);
            return;
        }
        self.dataset = Some(Dataset { name: event.name.clone(), classes: Vec::new(), growth: Vec::new() });
        self.add_classes(&event.classes, here);
    }

    fn classes_added(&mut self, event: &ClassesAdded, here: Here) {
        if self.dataset.is_none() {
            self.note(Anomaly::UnknownReference, here.seq);
            return;
        }
        self.add_classes(&event.classes, here);
    }

    /// Appends even a name that is there already: labels are places in this
    /// list, so leaving one out would change what later labels mean.
    fn add_classes(&mut self, names: &[String], here: Here) {
        let Some(dataset) = &mut self.dataset else { return };
        let mut doubles = 0;
        for name in names {
            if dataset.classes.contains(name) {
                doubles += 1;
            }
            dataset.classes.push(name.clone());
        }
        dataset.growth.push((here.seq, dataset.classes.len() as u64));
        for _ in 0..doubles {
            self.note(Anomaly::DuplicateClass, here.seq);
        }
    }

    fn unknown_event(&mut self, event: &Unknown) {
        let same = |known: &&mut UnknownEvents| known.kind == event.kind && known.schema == event.schema;
        match self.unknown.iter_mut().find(same) {
            Some(known) => known.count += 1,
            None => {
                self.unknown.push(UnknownEvents { kind: event.kind, schema: event.schema, count: 1 });
            }
        }
    }
}
