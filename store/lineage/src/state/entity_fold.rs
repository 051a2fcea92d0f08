//! How events change everything but images.

use crate::event::{
    CheckpointSaved, CleaningPassProposed, EnsembleVoted, GeneratorTrained, LearningRateFound,
    PredictionSource, PredictionsRecorded, RunCancelled, RunFailed, RunFinished, RunStarted,
    SamplesGenerated, SubmissionReplayed, SubmissionScored, SubmissionSource, SubmissionWritten,
    WeightsAdded,
};
use crate::id::RunId;

use super::anomaly::Anomaly;
use super::fold::{Here, State};
use super::record::{PassRecord, RunRecord, RunStatus, SamplesRecord, ScoreRecord, SubmissionRecord};

impl State {
    pub(super) fn weights_added(&mut self, event: &WeightsAdded, here: Here) {
        let new = self.weights.insert(here.record(event.clone()));
        self.note_unless(new, Anomaly::DuplicateId, here);
    }

    pub(super) fn run_started(&mut self, event: &RunStarted, here: Here) {
        let parent = event.parent.is_none_or(|parent| self.checkpoints.contains(parent));
        self.note_unless(parent, Anomaly::UnknownReference, here);
        let new = self.runs.insert(RunRecord {
            started: here.record(event.clone()),
            status: RunStatus::Running,
            learning_rates: Vec::new(),
            checkpoints: Vec::new(),
        });
        self.note_unless(new, Anomaly::DuplicateId, here);
    }

    pub(super) fn learning_rate_found(&mut self, event: &LearningRateFound, here: Here) {
        if let Some(run) = self.run_under_way(event.run, here) {
            run.learning_rates.push(here.record(event.clone()));
        }
    }

    pub(super) fn checkpoint_saved(&mut self, event: &CheckpointSaved, here: Here) {
        let parent = event.parent.is_none_or(|parent| self.checkpoints.contains(parent));
        self.note_unless(parent, Anomaly::UnknownReference, here);
        if !self.checkpoints.insert(here.record(event.clone())) {
            self.note(Anomaly::DuplicateId, here.seq);
            return;
        }
        if let Some(run) = self.run_under_way(event.run, here) {
            run.checkpoints.push(event.checkpoint);
        }
    }

    pub(super) fn run_finished(&mut self, event: &RunFinished, here: Here) {
        self.end_run(event.run, RunStatus::Finished { end: here.record(event.clone()) }, here);
    }

    pub(super) fn run_failed(&mut self, event: &RunFailed, here: Here) {
        self.end_run(event.run, RunStatus::Failed { end: here.record(event.clone()) }, here);
    }

    pub(super) fn run_cancelled(&mut self, event: &RunCancelled, here: Here) {
        self.end_run(event.run, RunStatus::Cancelled { end: here.record(event.clone()) }, here);
    }

    /// The first end counts; a later one is an anomaly and changes nothing.
    fn end_run(&mut self, run: RunId, status: RunStatus, here: Here) {
        if let Some(run) = self.run_under_way(run, here)
            && run.status.is_running()
        {
            run.status = status;
        }
    }

    /// The run, noted when it is unknown or has ended.
    fn run_under_way(&mut self, run: RunId, here: Here) -> Option<&mut RunRecord> {
        match self.runs.get(run).map(|run| run.status.is_running()) {
            None => self.note(Anomaly::UnknownReference, here.seq),
            Some(false) => self.note(Anomaly::RunEnded, here.seq),
            Some(true) => {}
        }
        self.runs.get_mut(run)
    }

    pub(super) fn predictions_recorded(&mut self, event: &PredictionsRecorded, here: Here) {
        let known = match &event.source {
            PredictionSource::Checkpoint { checkpoint } => self.checkpoints.contains(*checkpoint),
            PredictionSource::Folds { checkpoints } => {
                checkpoints.iter().all(|checkpoint| self.checkpoints.contains(*checkpoint))
            }
            PredictionSource::External { .. } => true,
        };
        self.note_unless(known, Anomaly::UnknownReference, here);
        let new = self.predictions.insert(here.record(event.clone()));
        self.note_unless(new, Anomaly::DuplicateId, here);
    }

    pub(super) fn cleaning_pass_proposed(&mut self, event: &CleaningPassProposed, here: Here) {
        let known = event.predictions.iter().all(|predictions| self.predictions.contains(*predictions));
        self.note_unless(known, Anomaly::UnknownReference, here);
        let proposed = here.record(event.clone());
        let new = self.passes.insert(PassRecord { proposed, reviews: Vec::new() });
        self.note_unless(new, Anomaly::DuplicateId, here);
    }

    pub(super) fn generator_trained(&mut self, event: &GeneratorTrained, here: Here) {
        let new = self.generators.insert(here.record(event.clone()));
        self.note_unless(new, Anomaly::DuplicateId, here);
    }

    pub(super) fn samples_generated(&mut self, event: &SamplesGenerated, here: Here) {
        let known = self.generators.contains(event.generator);
        self.note_unless(known, Anomaly::UnknownReference, here);
        let generated = here.record(event.clone());
        let new =
            self.samples.insert(SamplesRecord { generated, admissions: Vec::new(), expulsions: Vec::new() });
        self.note_unless(new, Anomaly::DuplicateId, here);
    }

    pub(super) fn ensemble_voted(&mut self, event: &EnsembleVoted, here: Here) {
        let known = event.members.iter().all(|member| self.predictions.contains(member.predictions));
        self.note_unless(known, Anomaly::UnknownReference, here);
        let new = self.ensembles.insert(here.record(event.clone()));
        self.note_unless(new, Anomaly::DuplicateId, here);
    }

    pub(super) fn submission_written(&mut self, event: &SubmissionWritten, here: Here) {
        let source = match event.source {
            SubmissionSource::Ensemble { ensemble } => self.ensembles.contains(ensemble),
            SubmissionSource::Predictions { predictions } => self.predictions.contains(predictions),
        };
        let model = event.derived_from.is_none_or(|other| self.submissions.contains(other));
        self.note_unless(source && model, Anomaly::UnknownReference, here);
        let written = here.record(event.clone());
        let new =
            self.submissions.insert(SubmissionRecord { written, scores: Vec::new(), replays: Vec::new() });
        self.note_unless(new, Anomaly::DuplicateId, here);
    }

    pub(super) fn submission_scored(&mut self, event: &SubmissionScored, here: Here) {
        let Some(submission) = self.submissions.get_mut(event.submission) else {
            self.note(Anomaly::UnknownReference, here.seq);
            return;
        };
        submission.scores.push(ScoreRecord { scored: here.record(event.clone()), reverted: false });
        self.scores.push((here.seq, event.submission));
    }

    pub(super) fn submission_replayed(&mut self, event: &SubmissionReplayed, here: Here) {
        let Some(submission) = self.submissions.get_mut(event.submission) else {
            self.note(Anomaly::UnknownReference, here.seq);
            return;
        };
        submission.replays.push(here.record(event.clone()));
    }

    fn note_unless(&mut self, fine: bool, anomaly: Anomaly, here: Here) {
        if !fine {
            self.note(anomaly, here.seq);
        }
    }
}
