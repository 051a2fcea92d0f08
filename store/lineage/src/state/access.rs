//! What can be asked of a state directly.

use crate::digest::{BlobId, FrameDigest};
use crate::event::EventRef;
use crate::id::ImageId;
use crate::value::{ClassIndex, Seq};

use super::anomaly::{Anomalies, UnknownEvents};
use super::fold::{Dataset, State};
use super::record::{
    CheckpointRecord, EnsembleRecord, GeneratorRecord, PassRecord, PredictionsRecord, RunRecord,
    SamplesRecord, SubmissionRecord, WeightsRecord,
};
use super::registry::Registry;
use super::revert::RevertRecord;
use super::transaction::Transactions;

impl State {
    /// The Seq of the last event folded.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The digest of the last frame folded; [`FrameDigest::ROOT`] before any.
    pub fn head(&self) -> FrameDigest {
        self.head
    }

    /// The dataset; none before it was created.
    pub fn dataset(&self) -> Option<&Dataset> {
        self.dataset.as_ref()
    }

    /// The names of the classes; none before the dataset was created.
    pub fn classes(&self) -> &[String] {
        self.dataset.as_ref().map_or(&[], |dataset| &dataset.classes)
    }

    /// The transactions.
    pub fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// Weights that came from elsewhere.
    pub fn weights(&self) -> &Registry<WeightsRecord> {
        &self.weights
    }

    /// The training runs.
    pub fn runs(&self) -> &Registry<RunRecord> {
        &self.runs
    }

    /// The checkpoints.
    pub fn checkpoints(&self) -> &Registry<CheckpointRecord> {
        &self.checkpoints
    }

    /// The predictions.
    pub fn predictions(&self) -> &Registry<PredictionsRecord> {
        &self.predictions
    }

    /// The cleaning passes.
    pub fn passes(&self) -> &Registry<PassRecord> {
        &self.passes
    }

    /// The generators.
    pub fn generators(&self) -> &Registry<GeneratorRecord> {
        &self.generators
    }

    /// The batches of generated images.
    pub fn samples(&self) -> &Registry<SamplesRecord> {
        &self.samples
    }

    /// The ensembles.
    pub fn ensembles(&self) -> &Registry<EnsembleRecord> {
        &self.ensembles
    }

    /// The submissions.
    pub fn submissions(&self) -> &Registry<SubmissionRecord> {
        &self.submissions
    }

    /// The reverts, oldest first, those taken back too.
    pub fn reverts(&self) -> &[RevertRecord] {
        &self.reverts.records
    }

    /// The newest standing revert that names this event, if the event is taken back.
    pub fn reverter(&self, event: EventRef) -> Option<&RevertRecord> {
        self.reverts.reverter(self.transactions.seq_of(event)?)
    }

    /// The newest standing revert that names the event at `seq`.
    pub fn reverter_of(&self, seq: Seq) -> Option<&RevertRecord> {
        self.reverts.reverter(seq)
    }

    /// Whether the event at `seq` stands: no standing revert names it.
    pub fn stands(&self, seq: Seq) -> bool {
        match self.reverts.place(seq) {
            Some(place) => self.reverts.records[place as usize].live,
            None => self.reverts.stands(seq),
        }
    }

    /// The reverts, standing or not, that name one of these events or a revert
    /// that does, and so on; with the events that each names. Oldest first.
    pub fn reverts_touching(&self, seqs: &[Seq]) -> Vec<(&RevertRecord, Vec<EventRef>)> {
        let named =
            |seqs: Vec<Seq>| seqs.into_iter().filter_map(|seq| self.transactions.event_at(seq)).collect();
        self.reverts.touching(seqs).into_iter().map(|(record, seqs)| (record, named(seqs))).collect()
    }

    /// What the fold could make no sense of.
    pub fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// Events of kinds or schemas that this version does not know.
    pub fn unknown_events(&self) -> &[UnknownEvents] {
        &self.unknown
    }

    /// The bytes and the label that an image came in with.
    pub fn imported_as(&self, image: ImageId) -> Option<(BlobId, Option<ClassIndex>)> {
        let base = self.base(self.table.find(image)?);
        Some((base.blob, base.label))
    }
}
