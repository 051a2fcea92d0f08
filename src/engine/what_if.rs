//! `safelight replay SUBMISSION --with-labels-as-of …`: everything that a
//! submission rests on, trained again on the dataset of another time.

use std::collections::BTreeMap;
use std::path::Path;

use safelight::cli::context::Context;
use safelight::cli::train::{TrainRequest, train};
use safelight::cli::{checkout, words};
use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::event::{
    CheckpointSaved, Member, PredictionSource, PredictionsRecorded, RunStarted, SubmissionSource,
    SubmissionWritten,
};
use safelight_lineage::id::{CheckpointId, PredictionsId, SubmissionId};
use safelight_lineage::query::{ManifestFilter, StepKind, lineage_of_submission};

use crate::ensemble::cast::cast;
use crate::error::{AppError, Exit};
use crate::runs::calibrate::calibrate;
use crate::runs::predict::{Facts, RunPredictError, compute, record};
use crate::runs::prepare::{dataset_at, stored_recipe};
use crate::session::Session;
use crate::stop::Stop;
use crate::submit::SubmissionFormat;
use crate::submit::commit::{commit_derived, decisions};
use crate::submit::what_if::WhatIfError;
use crate::train::environment::Environment;
use crate::train::progress::Progress;

/// Trains everything that a submission rests on again, on the dataset as it was
/// at another time, and lets the new models decide in place of the old ones.
/// The runs, predictions and the submission are recorded like any others.
pub fn with_labels_as_of(
    session: &mut Session,
    submission: SubmissionId,
    moment: &str,
    output: Option<&Path>,
    stop: &Stop,
    context: &Context,
) -> Result<Exit, AppError> {
    let seq = checkout::moment(session.state(), moment)?;
    let frames = session.state().transactions().iter();
    let at = frames
        .take_while(|record| record.last_seq() <= seq)
        .last()
        .map(|record| (record.digest, record.last_seq()));
    let (at, seq) = at.ok_or_else(|| AppError::refused(format!("nothing had been recorded at seq {seq}")))?;
    let message = format!("what if: submission {} with the dataset as of seq {seq}", submission.short());
    let then = crate::replay::run::then(session, submission)?;
    let plan = lineage_of_submission(&then.state, submission).map_err(crate::replay::ReplayError::from)?;
    let mut again =
        Again { session, at, message, stop, context, runs: BTreeMap::new(), models: BTreeMap::new() };
    let mut said: BTreeMap<PredictionsId, PredictionsId> = BTreeMap::new();
    let mut done = None;
    for step in &plan.steps {
        match step.kind {
            StepKind::Train { run } => again.train(run)?,
            StepKind::Reach { checkpoint } => again.reach(checkpoint)?,
            StepKind::Predict { predictions } => {
                said.insert(predictions.predictions, again.predict(predictions)?);
            }
            StepKind::Vote { ensemble } => {
                let member = |member: &Member| {
                    (said.get(&member.predictions).copied().unwrap_or(member.predictions), member.weight.0)
                };
                let members: Vec<(PredictionsId, f64)> = ensemble.members.iter().map(member).collect();
                let voted = cast(again.session, &members, ensemble.rule, ensemble.tie_seed)?;
                done = Some(SubmissionSource::Ensemble { ensemble: voted.ensemble });
            }
            StepKind::Write { submission: written } => {
                let source = done.take().or_else(|| match written.source {
                    SubmissionSource::Predictions { predictions } => {
                        Some(SubmissionSource::Predictions { predictions: *said.get(&predictions)? })
                    }
                    SubmissionSource::Ensemble { .. } => None,
                });
                let source = source.ok_or_else(|| AppError::failed("the submission states nothing"))?;
                return again.write(written, source, output);
            }
        }
    }
    Err(AppError::failed("the log does not say how the submission was written"))
}

/// Everything again, on another dataset.
struct Again<'a> {
    session: &'a mut Session,
    at: FrameDigest,
    message: String,
    stop: &'a Stop,
    context: &'a Context,
    /// What runs of the log were trained again as.
    runs: BTreeMap<(BlobId, Option<CheckpointId>), Vec<CheckpointId>>,
    /// The checkpoint that stands for one of the log.
    models: BTreeMap<CheckpointId, CheckpointId>,
}

impl Again<'_> {
    fn threads(&self, environment: Option<BlobId>) -> usize {
        let blobs = self.session.repository().blobs();
        let bytes = environment.and_then(|blob| blobs.get(blob).ok()).unwrap_or_default();
        serde_json::from_slice::<Environment>(&bytes)
            .map_or(1, |environment| environment.threads as usize)
            .max(1)
    }

    /// Trains a run again, once for all runs that were one training.
    fn train(&mut self, run: &RunStarted) -> Result<(), AppError> {
        if self.runs.contains_key(&(run.recipe, run.parent)) {
            return Ok(());
        }
        let blobs = self.session.repository().blobs().clone();
        let recipe = stored_recipe(self.session.state(), |blob| blobs.get(blob), run.run)?;
        let request = TrainRequest {
            recipe,
            from: run.parent.and_then(|parent| self.models.get(&parent).copied()),
            resume: None,
            at: Some(self.at),
            machine: self.threads(Some(run.environment)).into(),
            message: Some(self.message.clone()),
        };
        let trained = train(self.session, &request, self.stop, &self.context.out)?;
        if trained.exit != Exit::Done {
            let reason = trained.reason.unwrap_or_else(|| "it did not say why".to_owned());
            return Err(AppError::new(
                trained.exit,
                format!(
                    "run {} did not finish: {}; no submission was made",
                    trained.run,
                    words::text(&reason)
                ),
            ));
        }
        let record = self.session.state().runs().get(trained.run);
        let checkpoints = record.map(|record| record.checkpoints.clone()).unwrap_or_default();
        self.runs.insert((run.recipe, run.parent), checkpoints);
        Ok(())
    }

    fn reach(&mut self, saved: &CheckpointSaved) -> Result<(), AppError> {
        let started = self.session.state().runs().get(saved.run).map(|record| &record.started.event);
        let stages = started.and_then(|run| self.runs.get(&(run.recipe, run.parent)));
        match stages.and_then(|stages| stages.get(saved.stage as usize)) {
            Some(new) => {
                self.models.insert(saved.checkpoint, *new);
                Ok(())
            }
            None => Err(AppError::failed(format!("no checkpoint stands for {}", saved.checkpoint))),
        }
    }

    /// Predicts the very images of recorded predictions with the new model.
    fn predict(&mut self, event: &PredictionsRecorded) -> Result<PredictionsId, AppError> {
        let old = match &event.source {
            PredictionSource::Checkpoint { checkpoint } => *checkpoint,
            // What came from outside knows nothing of the labels here.
            PredictionSource::External { .. } => return Ok(event.predictions),
            PredictionSource::Folds { .. } => {
                return Err(AppError::refused(format!(
                    "predictions {} are of fold models, which cannot be asked what if",
                    event.predictions
                )));
            }
        };
        let checkpoint = self.models.get(&old).copied();
        let checkpoint =
            checkpoint.ok_or_else(|| AppError::failed(format!("no checkpoint stands for {old}")))?;
        let dataset = dataset_at(self.session.state(), event.at, &ManifestFilter::split(event.split))?;
        let threads = self.threads(event.environment);
        let bar = self.context.out.bar("predicting", 0, "views");
        let said =
            compute(self.session, checkpoint, &dataset, event.views, threads, self.stop, &mut |progress| {
                if let Progress::Predicting { done, total } = progress {
                    bar.set_length(*total);
                    bar.set_position(*done);
                }
            });
        bar.finish_and_clear();
        let mut said = said?;
        let mut temperature = None;
        if event.temperature.is_some() {
            // Another model has another temperature.
            let machine = threads.into();
            let found =
                calibrate(self.session, checkpoint, &dataset, event.views, machine, self.stop, &mut |_| {})?;
            said = said.at_temperature(found.temperature).map_err(RunPredictError::from)?;
            temperature = Some(found.temperature);
        }
        let facts = Facts {
            source: PredictionSource::Checkpoint { checkpoint },
            manifest: event.manifest,
            at: event.at,
            split: event.split,
            views: event.views,
            honesty: event.honesty,
            temperature,
            machine: threads.into(),
            message: Some(self.message.clone()),
        };
        Ok(record(self.session, &facts, &said)?)
    }

    fn write(
        &mut self,
        written: &SubmissionWritten,
        source: SubmissionSource,
        output: Option<&Path>,
    ) -> Result<Exit, AppError> {
        let origin = written.submission;
        let blobs = self.session.repository().blobs().clone();
        let before = decisions(self.session.state(), |blob| blobs.get(blob), written.source)?;
        let after = decisions(self.session.state(), |blob| blobs.get(blob), source)?;
        let changed = before.iter().zip(&after).filter(|(one, other)| one != other).count();
        let format = SubmissionFormat::from_bytes(&blobs.get(written.format)?).map_err(WhatIfError::from)?;
        let done = commit_derived(self.session, source, &format, Some(&self.message), Some(origin))?;
        if let Some(path) = output {
            std::fs::write(path, &done.csv).map_err(|error| AppError::io("write", path, &error))?;
        }
        let out = &self.context.out;
        out.line(format!(
            "submission {}: {changed} of {} images decided otherwise; derived from {}",
            done.submission,
            after.len(),
            origin.short()
        ));
        out.line(format!("next: safelight replay {} --depth training", done.submission.short()));
        out.document(&serde_json::json!({
            "submission": done.submission, "derived_from": origin, "changed": changed, "rows": after.len(),
        }));
        Ok(Exit::Done)
    }
}
