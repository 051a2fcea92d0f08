//! The replay itself: repeat every step, compare, stop at the first that
//! differs.

mod verdict;

use std::collections::BTreeMap;

use safelight_lineage::digest::{BlobId, ManifestDigest};
use safelight_lineage::event::{
    CheckpointSaved, PredictionSource, PredictionsRecorded, SubmissionSource, SubmissionWritten,
};
use safelight_lineage::id::{CheckpointId, ImageId, SubmissionId};
use safelight_lineage::manifest::Manifest;
use safelight_lineage::query::{
    ManifestFilter, ReplayPlan, ReplayPlanError, ReplayStep, StepKind, lineage_of_submission,
};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;
use safelight_store::BlobError;

use super::compare::{TOLERANCE, difference};
use super::engine::{Engine, EngineError, PredictWork};
use super::error::ReplayError;
use super::receipt::{Receipt, StepReceipt, VERSION};
use super::retrain::Trainings;
use super::surroundings::{Work, machine_of, not_repeatable, recorded, survey};
use crate::clean::evidence::held_out;
use crate::ensemble::cast::count;
use crate::predictions::Probabilities;
use crate::runs::prepare::{dataset_at, filter, stored_recipe};
use crate::session::Session;
use crate::submit::SubmissionFormat;
use crate::submit::commit::{Decisions, decisions_of_predictions, decisions_of_votes, file};
use crate::train::progress::Progress;
use crate::train::views::Views;

pub use safelight_lineage::event::ReplayDepth as Depth;

/// A replay that was done.
#[derive(Debug)]
pub struct Replayed {
    /// What was compared.
    pub receipt: Receipt,
    /// The file as it was made again; empty when a step before it differs.
    pub csv: Vec<u8>,
}

/// What a replay tells while it goes on.
#[derive(Debug)]
pub enum Report<'a> {
    /// A step begins, in words.
    Begins(&'a str),
    /// A long step goes on.
    Goes(&'a Progress),
    /// A comparison was made.
    Compared(&'a StepReceipt),
}

/// The log as it was when a submission was recorded.
#[derive(Debug)]
pub struct Then {
    /// Folded up to the frame of the submission.
    pub state: State,
    /// Where that frame ends in this journal.
    pub seq: Seq,
}

/// Folds the log up to the frame that recorded a submission: what happened
/// since must not be able to matter.
///
/// # Errors
/// When there is no such submission or the log cannot be read.
pub fn then(session: &Session, submission: SubmissionId) -> Result<Then, ReplayError> {
    let now = session.state();
    let unknown = ReplayPlanError::UnknownSubmission(submission);
    let written = &now.submissions().get(submission).ok_or(unknown)?.written;
    let seq = now.transactions().get(written.at.transaction).map_or(written.seq, |record| record.last_seq());
    Ok(Then { state: session.repository().state_as_of(seq)?, seq })
}

/// What a replay is going to do, and where what it repeats was computed.
///
/// # Errors
/// When the log does not say how the submission was made, or the blob of an
/// environment cannot be had.
pub fn work(
    session: &Session,
    then: &Then,
    submission: SubmissionId,
    depth: Depth,
    engine: &dyn Engine,
    threads: Option<usize>,
) -> Result<Work, ReplayError> {
    let plan = lineage_of_submission(&then.state, submission)?;
    let read = |blob| session.repository().blobs().get(blob);
    survey(&plan, depth, engine, threads, read)
        .map_err(|error| ReplayError::Blob { what: "a recorded environment".to_owned(), error })
}

/// Makes a submission again and compares every step with what is recorded.
///
/// `threads` overrides the recorded number of threads, which bits depend on.
///
/// # Errors
/// When something that the submission needs is missing or damaged, or the
/// engine cannot do its part: then no verdict is given.
pub fn replay(
    session: &Session,
    then: &Then,
    submission: SubmissionId,
    depth: Depth,
    engine: &mut dyn Engine,
    threads: Option<usize>,
    report: &mut dyn FnMut(Report<'_>),
) -> Result<Replayed, ReplayError> {
    let plan = lineage_of_submission(&then.state, submission)?;
    let unknown = ReplayPlanError::UnknownSubmission(submission);
    let written = &then.state.submissions().get(submission).ok_or(unknown)?.written.event;
    let work = work(session, then, submission, depth, engine, threads)?;
    if work.runs + work.predictions > 0 && !engine.can_compute() {
        return Err(ReplayError::NoEngine);
    }
    let mut replay = Replay {
        session,
        then: &then.state,
        written,
        depth,
        threads,
        work: &work,
        report,
        trainings: Trainings::default(),
        recomputed: BTreeMap::new(),
        largest: 0.0,
        steps: Vec::new(),
        differs: None,
        decided: Vec::new(),
        csv: Vec::new(),
    };
    replay.run(&plan, engine)?;
    let outcome = replay.outcome()?;
    let Replay { steps, csv, .. } = replay;
    let receipt = Receipt {
        version: VERSION,
        submission,
        depth,
        frame: then.state.head(),
        seq: then.seq,
        manifest: judged(&then.state, written),
        environments: work.environments.clone(),
        taken_as_recorded: if depth == Depth::Votes { Vec::new() } else { work.taken_as_recorded.clone() },
        steps,
        outcome,
        program: concat!("safelight ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    Ok(Replayed { receipt, csv })
}

fn judged(state: &State, written: &SubmissionWritten) -> Option<ManifestDigest> {
    match written.source {
        SubmissionSource::Ensemble { ensemble } => Some(state.ensembles().get(ensemble)?.event.manifest),
        SubmissionSource::Predictions { predictions } => {
            Some(state.predictions().get(predictions)?.event.manifest)
        }
    }
}

struct Replay<'a> {
    session: &'a Session,
    then: &'a State,
    written: &'a SubmissionWritten,
    depth: Depth,
    threads: Option<usize>,
    work: &'a Work,
    report: &'a mut dyn FnMut(Report<'_>),
    trainings: Trainings,
    /// Probabilities that came out a little different, by the recorded blob:
    /// what follows rests on them.
    recomputed: BTreeMap<BlobId, Vec<u8>>,
    largest: f64,
    steps: Vec<StepReceipt>,
    differs: Option<String>,
    decided: Decisions,
    csv: Vec<u8>,
}

impl Replay<'_> {
    fn run(&mut self, plan: &ReplayPlan<'_>, engine: &mut dyn Engine) -> Result<(), ReplayError> {
        for step in &plan.steps {
            match step.kind {
                StepKind::Train { run } if self.depth >= Depth::Predictions => {
                    self.begins(&format!("looking at the images of run {}", run.run.short()));
                    let recipe = stored_recipe(self.then, |blob| self.blob(blob), run.run)?;
                    let dataset = dataset_at(self.then, run.at, &filter(&recipe))?;
                    let what = format!("the images of run {}", run.run);
                    self.same_images(what, &dataset, run.at, run.manifest, step);
                    if self.differs.is_none() && self.depth == Depth::Training {
                        self.begins(&format!("training run {} again", run.run.short()));
                        let blobs = self.session.repository().blobs().clone();
                        let report = &mut *self.report;
                        let mut progress = |progress: &Progress| report(Report::Goes(progress));
                        let engine: (&mut dyn Engine, _) = (&mut *engine, self.threads);
                        let read = |blob| blobs.get(blob);
                        self.trainings.train(self.then, &read, plan, run, engine, &mut progress)?;
                    }
                }
                StepKind::Reach { checkpoint } if self.depth == Depth::Training => {
                    let actual = self.trainings.weights(checkpoint.run, checkpoint.stage)?;
                    let what = format!("weights of {}", checkpoint.checkpoint);
                    self.compare_digests(what, step, checkpoint.weights, actual, None);
                }
                // What lies before the probabilities is the business of deeper replays.
                StepKind::Train { .. } | StepKind::Reach { .. } => {}
                StepKind::Predict { predictions } => self.predict(predictions, step, engine)?,
                StepKind::Vote { ensemble } => {
                    self.begins(&format!("counting the votes of {} members", ensemble.members.len()));
                    let votes = count(
                        self.then,
                        |blob| self.blob(blob),
                        &ensemble.members,
                        ensemble.rule,
                        ensemble.tie_seed,
                    )?;
                    let what = format!("votes of ensemble {}", ensemble.ensemble);
                    self.compare(what, step, ensemble.votes, &votes.to_bytes());
                    self.decided = decisions_of_votes(&votes);
                }
                StepKind::Write { submission } => {
                    self.begins("writing the file");
                    let what = "the format of the submission".to_owned();
                    let format = SubmissionFormat::from_bytes(&self.read(&what, submission.format)?)?;
                    let csv = file(self.then, &self.decided, &format)?;
                    self.compare("the file".to_owned(), step, submission.csv, &csv);
                    self.csv = csv;
                }
            }
            if self.differs.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn begins(&mut self, what: &str) {
        (self.report)(Report::Begins(what));
    }

    fn predict(
        &mut self,
        event: &PredictionsRecorded,
        step: &ReplayStep<'_>,
        engine: &mut dyn Engine,
    ) -> Result<(), ReplayError> {
        let id = event.predictions;
        // Fold models judge the labelled training images, others a whole split.
        let wanted = match event.source {
            PredictionSource::Folds { .. } => ManifestFilter::labelled([event.split]),
            _ => ManifestFilter::split(event.split),
        };
        let dataset = dataset_at(self.then, event.at, &wanted)?;
        let what = format!("the {} split as it was", event.split);
        self.same_images(what, &dataset, event.at, event.manifest, step);
        if self.differs.is_some() {
            return Ok(());
        }
        let what = format!("probabilities of {id}");
        if self.depth == Depth::Votes || not_repeatable(event).is_some() {
            self.begins(&format!("reading predictions {}", id.short()));
            let bytes = self.read(&format!("the probabilities of predictions {id}"), event.probabilities)?;
            self.compare(what, step, event.probabilities, &bytes);
        } else {
            self.begins(&format!("computing predictions {} again", id.short()));
            let here = self.recompute(event, &dataset, engine)?;
            self.weigh(what, step, event, &here)?;
        }
        if matches!(self.written.source, SubmissionSource::Predictions { .. }) {
            self.decided = decisions_of_predictions(self.then, |blob| self.blob(blob), id)?;
        }
        Ok(())
    }

    /// Computes recorded predictions again, from weights and pictures.
    fn recompute(
        &mut self,
        event: &PredictionsRecorded,
        dataset: &Manifest,
        engine: &mut dyn Engine,
    ) -> Result<Probabilities, ReplayError> {
        let id = event.predictions;
        let environment = recorded(|blob| self.blob(blob), event.environment).map_err(|error| {
            ReplayError::Blob { what: format!("the environment of predictions {id}"), error }
        })?;
        let machine = machine_of(environment.as_ref(), self.threads);
        let views = Views::try_from(event.views).map_err(|error| ReplayError::Predict {
            predictions: id,
            error: EngineError::Failed(error.to_string()),
        })?;
        let parts: Vec<(CheckpointId, Manifest)> = match &event.source {
            PredictionSource::Checkpoint { checkpoint } => vec![(*checkpoint, dataset.clone())],
            PredictionSource::Folds { checkpoints } => {
                let fold = |checkpoint: &CheckpointId| {
                    let held = held_out(self.then, |blob| self.blob(blob), *checkpoint)?;
                    Ok::<_, ReplayError>((*checkpoint, held.images))
                };
                checkpoints.iter().map(fold).collect::<Result<_, _>>()?
            }
            PredictionSource::External { .. } => Vec::new(),
        };
        let (mut images, mut values): (Vec<ImageId>, Vec<f32>) = (Vec::new(), Vec::new());
        for (checkpoint, part) in parts {
            let record = self.then.checkpoints().get(checkpoint);
            let saved: &CheckpointSaved = &record.ok_or(ReplayError::MissingCheckpoint(checkpoint))?.event;
            let weights = self.read(&format!("the weights of checkpoint {checkpoint}"), saved.weights)?;
            let rows: Vec<(ImageId, BlobId)> = part.rows().iter().map(|row| (row.image, row.blob)).collect();
            let work = PredictWork {
                weights: &weights,
                architecture: &saved.architecture,
                size: saved.image_size,
                classes: part.classes(),
                images: &rows,
                views,
                machine,
            };
            let report = &mut *self.report;
            let said = engine
                .probabilities(&work, &mut |progress| report(Report::Goes(progress)))
                .map_err(|error| ReplayError::Predict { predictions: id, error })?;
            images.extend(rows.into_iter().map(|(image, _)| image));
            values.extend(said);
        }
        let said = Probabilities::new(dataset.classes().len(), images, values);
        // The temperature is taken as recorded: it was fitted on other images.
        match event.temperature {
            Some(temperature) => said.and_then(|said| said.at_temperature(temperature.0)),
            None => said,
        }
        .map_err(|error| ReplayError::Probabilities { predictions: id, error })
    }

    /// Compares recomputed probabilities with the recorded ones.
    fn weigh(
        &mut self,
        what: String,
        step: &ReplayStep<'_>,
        event: &PredictionsRecorded,
        here: &Probabilities,
    ) -> Result<(), ReplayError> {
        let bytes = here.to_bytes();
        let actual = BlobId::of(&bytes);
        if actual == event.probabilities {
            self.compare_digests(what, step, event.probabilities, actual, None);
            return Ok(());
        }
        let id = event.predictions;
        let stored = self.read(&format!("the probabilities of predictions {id}"), event.probabilities)?;
        let stored = Probabilities::from_bytes(&stored)
            .map_err(|error| ReplayError::Probabilities { predictions: id, error })?;
        let found = difference(&stored, here);
        if let Some(found) = found.filter(|found| found.largest <= TOLERANCE) {
            self.largest = self.largest.max(found.largest);
            self.recomputed.insert(event.probabilities, bytes);
        }
        self.compare_digests(what, step, event.probabilities, actual, found);
        Ok(())
    }

    /// A blob, or what stands for it in this replay.
    fn blob(&self, blob: BlobId) -> Result<Vec<u8>, BlobError> {
        match self.recomputed.get(&blob) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.session.repository().blobs().get(blob),
        }
    }

    fn read(&self, what: &str, blob: BlobId) -> Result<Vec<u8>, ReplayError> {
        self.session
            .repository()
            .blobs()
            .get(blob)
            .map_err(|error| ReplayError::Blob { what: what.to_owned(), error })
    }
}
