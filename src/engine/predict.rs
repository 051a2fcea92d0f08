//! `safelight predict`.

use safelight::cli::context::Context;
use safelight::cli::predict::{PredictArgs, SplitName, ViewsName};
use safelight::cli::train::machine;
use safelight::cli::{resolve, words};

use crate::error::{AppError, Exit};

/// Predicts in this process.
pub fn run(args: &PredictArgs, context: &Context) -> Result<Exit, AppError> {
    use safelight_lineage::event::{Split, ViewPolicy};
    use safelight_lineage::id::CheckpointId;
    use safelight_lineage::value::Real;

    use crate::predictions::argmax;
    use crate::runs::predict::{Predicted, Request, predict};
    use crate::stop::Stop;
    use crate::train::progress::Progress;

    let mut session = context.session()?;
    let checkpoint: CheckpointId = resolve::id(session.state(), &args.checkpoint)?;
    let size = session.state().checkpoints().get(checkpoint).map_or(64, |record| record.event.image_size);
    let request = Request {
        checkpoint,
        split: match args.split {
            SplitName::Train => Split::Train,
            SplitName::Valid => Split::Valid,
            SplitName::Test => Split::Test,
        },
        views: match args.views {
            ViewsName::Plain => ViewPolicy::Plain,
            ViewsName::Tta => {
                ViewPolicy::TestTimeAugmentation { views: 4, plain_weight: Real(0.25), seed: 0 }
            }
            // The usual 256 for crops of 224.
            ViewsName::TenCrop => ViewPolicy::TenCrop { resize: size * 8 / 7 },
        },
        calibrate: args.calibrate,
        machine: machine(args.device, args.threads),
    };
    let stop = Stop::install();
    context.out.become_job(&session.repository().cache_dir());
    let bar = context.out.bar("predicting", 0, "views");
    let Predicted { id, probabilities, calibration } =
        predict(&mut session, request, &stop, &mut |progress| match progress {
            Progress::Decoding { done, total } | Progress::Predicting { done, total } => {
                bar.set_length(*total);
                bar.set_position(*done);
            }
            _ => {}
        })
        .map_err(|error| {
            if stop.is_asked() {
                AppError::new(stop.exit(), "stopped; nothing was recorded")
            } else {
                error.into()
            }
        })?;
    bar.finish_and_clear();

    let state = session.state();
    let labelled: Vec<bool> = probabilities
        .rows()
        .filter_map(|(image, row)| Some(state.image(image)?.label? == argmax(row)))
        .collect();
    let accuracy = (!labelled.is_empty())
        .then(|| labelled.iter().filter(|right| **right).count() as f64 / labelled.len() as f64);
    let out = &context.out;
    out.line(format!("predictions {id}: {} images of the {} split", probabilities.len(), request.split));
    if let Some(accuracy) = accuracy {
        out.line(format!("accuracy {accuracy:.4} on the {} that are labelled", labelled.len()));
    }
    if let Some(calibration) = calibration {
        out.line(calibration.to_string());
    }
    if state
        .predictions()
        .get(id)
        .is_some_and(|record| record.event.honesty == safelight_lineage::event::Honesty::InSample)
    {
        out.notice("note: the model learned from some of these images, so its certainty about them is no evidence; that is recorded");
    }
    out.line(format!("next: safelight ensemble {} …   or   safelight submit {}", id.short(), id.short()));
    out.document(&serde_json::json!({
        "predictions": id,
        "images": probabilities.len(),
        "labelled": labelled.len(),
        "accuracy": accuracy,
        "calibration": calibration,
        "record": state.predictions().get(id),
    }));
    Ok(Exit::Done)
}

impl From<crate::runs::predict::RunPredictError> for AppError {
    fn from(error: crate::runs::predict::RunPredictError) -> AppError {
        use crate::runs::predict::RunPredictError;
        match error {
            RunPredictError::Session(error) => error.into(),
            RunPredictError::Blob(error) => error.into(),
            RunPredictError::Prepare(error) => error.into(),
            RunPredictError::NoValidation(_) | RunPredictError::ValidationPredicted { .. } => {
                AppError::refused(error.to_string()).hint(
                    "keep validation images apart with `validation = { fraction = 0.2 }` in the recipe, or predict without --calibrate",
                )
            }
            RunPredictError::UnknownCheckpoint(_) | RunPredictError::EmptySplit(_) => {
                AppError::refused(error.to_string()).hint("see what there is with: safelight status")
            }
            other => AppError::failed(words::text(&other.to_string())),
        }
    }
}
