//! Training the models of several folds and putting together what they say of
//! the images that each was kept from.

use safelight_lineage::id::PredictionsId;

use super::output::Output;
use crate::error::AppError;
use crate::session::Session;
use crate::stop::Stop;
use crate::train::recipe::Recipe;

/// Trains one model a fold with `recipe` and records out-of-fold predictions of
/// the labelled training images.
///
/// # Errors
/// When a run fails or is stopped; the runs that ended stay in the log.
#[cfg(feature = "torch")]
pub fn out_of_fold(
    session: &mut Session,
    recipe: &Recipe,
    folds: u8,
    threads: usize,
    stop: &Stop,
    out: &Output,
) -> Result<PredictionsId, AppError> {
    use safelight_lineage::event::{Honesty, PredictionSource, Split, ViewPolicy};

    use super::train::{TrainRequest, train};
    use crate::clean::evidence::{held_out, put_together};
    use crate::error::Exit;
    use crate::runs::predict::{Facts, compute, record};
    use crate::train::progress::Progress;
    use crate::train::recipe::Validation;

    let blobs = session.repository().blobs().clone();
    let mut judged = Vec::new();
    for fold in 0..folds {
        out.line(format!("fold {} of {folds}", fold + 1));
        let recipe = Recipe {
            validation: Validation { split: None, fraction: None, fold: Some(fold), folds: Some(folds) },
            ..recipe.clone()
        };
        let message = Some(format!("fold {} of {folds} for cleaning", fold + 1));
        let request = TrainRequest { recipe, from: None, resume: None, threads, message };
        let trained = train(session, &request, stop, out)?;
        let checkpoint = match (trained.exit, trained.checkpoint) {
            (Exit::Done, Some(checkpoint)) => checkpoint,
            (exit @ (Exit::Interrupted | Exit::Terminated), _) => {
                return Err(AppError::new(exit, "stopped; no pass was proposed"));
            }
            _ => {
                let reason = trained.reason.unwrap_or_else(|| "it left no checkpoint".to_owned());
                return Err(AppError::failed(format!("the model of fold {} failed: {reason}", fold + 1)));
            }
        };
        let held = held_out(session.state(), |blob| blobs.get(blob), checkpoint)?;
        let bar = out.bar("judging", 0, "images");
        let probabilities =
            compute(session, checkpoint, &held.images, ViewPolicy::Plain, threads, stop, &mut |progress| {
                if let Progress::Predicting { done, total } = progress {
                    bar.set_length(*total);
                    bar.set_position(*done);
                }
            })?;
        bar.finish_and_clear();
        judged.push((held, probabilities));
    }
    let evidence = put_together(session.state(), &judged)?;
    let checkpoints = judged.iter().map(|(held, _)| held.checkpoint).collect();
    let facts = Facts {
        source: PredictionSource::Folds { checkpoints },
        manifest: evidence.manifest,
        at: evidence.at,
        split: Split::Train,
        views: ViewPolicy::Plain,
        honesty: Honesty::OutOfFold,
        threads,
    };
    Ok(record(session, &facts, &evidence.probabilities)?)
}

/// This build cannot train.
#[cfg(not(feature = "torch"))]
pub fn out_of_fold(
    _: &mut Session,
    _: &Recipe,
    _: u8,
    _: usize,
    _: &Stop,
    _: &Output,
) -> Result<PredictionsId, AppError> {
    Err(AppError::refused("this build of safelight has no training in it")
        .hint("build it with its default features: make build")
        .hint("or judge by predictions that are recorded already: safelight clean propose --predictions …"))
}

impl From<crate::clean::evidence::EvidenceError> for AppError {
    fn from(error: crate::clean::evidence::EvidenceError) -> AppError {
        use crate::clean::evidence::EvidenceError;
        match error {
            EvidenceError::Prepare(error) => error.into(),
            other => AppError::refused(other.to_string()),
        }
    }
}
