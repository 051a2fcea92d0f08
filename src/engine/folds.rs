//! Training the models of several folds and putting together what they say of
//! the images that each was kept from.

use safelight_lineage::id::{ImageId, PredictionsId};

use crate::error::AppError;
use crate::session::Session;
use crate::stop::Stop;
use crate::train::recipe::Recipe;
use safelight::cli::output::Output;

/// Trains one model a fold with `recipe` and records out-of-fold predictions of
/// the labelled training images. Images of one of the groups `together` are
/// kept in one fold.
///
/// # Errors
/// When a run fails or is stopped; the runs that ended stay in the log.
pub fn out_of_fold(
    session: &mut Session,
    recipe: &Recipe,
    folds: u8,
    together: &[Vec<ImageId>],
    threads: usize,
    stop: &Stop,
    out: &Output,
) -> Result<PredictionsId, AppError> {
    use safelight_lineage::event::{Honesty, PredictionSource, Split, ViewPolicy};

    use crate::clean::evidence::{held_out, put_together};
    use crate::error::Exit;
    use crate::runs::predict::{Facts, compute, record};
    use crate::train::progress::Progress;
    use crate::train::recipe::Validation;
    use safelight::cli::train::{TrainRequest, train};

    let blobs = session.repository().blobs().clone();
    let together = words(session, together);
    let mut judged = Vec::new();
    for fold in 0..folds {
        out.line(format!("fold {} of {folds}", fold + 1));
        let recipe = Recipe {
            validation: Validation {
                fold: Some(fold),
                folds: Some(folds),
                together: together.clone(),
                ..Validation::default()
            },
            ..recipe.clone()
        };
        let message = Some(format!("fold {} of {folds} for cleaning", fold + 1));
        let request =
            TrainRequest { recipe, from: None, resume: None, at: None, machine: threads.into(), message };
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
        temperature: None,
        machine: (threads).into(),
        message: None,
    };
    Ok(record(session, &facts, &evidence.probabilities)?)
}

/// The groups of training images as a recipe has them. Images of other splits
/// only link: they are in no fold.
fn words(session: &Session, together: &[Vec<ImageId>]) -> Vec<Vec<String>> {
    use safelight_lineage::event::Split;
    let trains = |image: &&ImageId| {
        let view = session.state().image(**image);
        view.is_some_and(|view| view.present && view.split == Split::Train && view.label.is_some())
    };
    let group = |group: &Vec<ImageId>| group.iter().filter(trains).map(ImageId::to_string).collect();
    together.iter().map(group).filter(|group: &Vec<String>| group.len() > 1).collect()
}
