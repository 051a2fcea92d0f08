//! What a checkpoint makes of the pictures, for telling duplicates and for
//! judging labels by a linear probe.

use safelight_lineage::id::{CheckpointId, ImageId, PredictionsId};

use crate::clean::Embeddings;
use crate::clean::gather::Pictures;
use crate::error::AppError;
use crate::session::Session;
use crate::stop::Stop;
use safelight::cli::engine::Fast;
use safelight::cli::output::Output;

/// The embeddings of every picture that can be decoded.
///
/// # Errors
/// When the checkpoint cannot be used, or it was stopped.
pub fn embed(
    session: &Session,
    checkpoint: CheckpointId,
    pictures: &Pictures,
    threads: usize,
    stop: &Stop,
    out: &Output,
) -> Result<Embeddings, AppError> {
    use crate::train::progress::Progress;
    let images: Vec<ImageId> = pictures.facts.iter().map(|facts| facts.image).collect();
    let bar = out.bar("embedding", 0, "images");
    let embedded =
        crate::runs::predict::embed(session, checkpoint, &images, threads, stop, &mut |progress| {
            if let Progress::Decoding { done, total } | Progress::Predicting { done, total } = progress {
                bar.set_length(*total);
                bar.set_position(*done);
            }
        });
    bar.finish_and_clear();
    embedded.map_err(|error| {
        if stop.is_asked() {
            AppError::new(stop.exit(), "stopped; no pass was proposed")
        } else {
            error.into()
        }
    })
}

/// Out-of-fold probabilities of the labelled training images by a linear probe,
/// recorded.
///
/// # Errors
/// When the checkpoint learned from these images and that is not accepted, when
/// folds cannot be filled, or it was stopped.
pub fn probe(
    session: &mut Session,
    embeddings: &Embeddings,
    request: &Fast<'_>,
    stop: &Stop,
    out: &Output,
) -> Result<PredictionsId, AppError> {
    use safelight_lineage::event::{Honesty, PredictionSource, Split, ViewPolicy};

    use crate::clean::evidence::dataset_now;
    use crate::clean::linear_probe::{PENALTY, out_of_fold};
    use crate::clean::{FoldSample, folds};
    use crate::predictions::Probabilities;
    use crate::runs::predict::{Facts, honesty, record};

    let dataset = dataset_now(session.state());
    let at = session.head();
    let rows: Vec<_> =
        dataset.rows().iter().filter(|row| embeddings.of(row.image).is_some()).copied().collect();
    if rows.is_empty() {
        return Err(AppError::refused("there is no labelled training image to judge")
            .hint("see what there is with: safelight status"));
    }
    let seen = honesty(session, request.checkpoint, &dataset)?;
    if seen == Honesty::InSample && !request.in_sample {
        return Err(AppError::refused(format!(
            "checkpoint {} learned from these images, so its embeddings know their labels",
            request.checkpoint.short()
        ))
        .hint("use a checkpoint that has not seen them, or train models of folds: safelight clean propose --folds 3")
        .hint("or, if that is meant, and it will be recorded: the same command with --in-sample"));
    }
    let samples: Vec<FoldSample> =
        rows.iter().map(|row| FoldSample { image: row.image, label: row.label }).collect();
    let places = folds(&samples, request.folds, request.seed, request.together)
        .map_err(|error| AppError::refused(error.to_string()))?;
    let images: Vec<ImageId> = rows.iter().map(|row| row.image).collect();
    let values = images.iter().filter_map(|image| embeddings.of(*image)).flatten().copied().collect();
    let chosen = Embeddings::new(images.clone(), values)
        .ok_or_else(|| AppError::failed("the embeddings of the training images do not fit together"))?;
    let spinner = out.spinner("fitting the linear probe");
    let by_image: std::collections::BTreeMap<ImageId, (Option<u16>, u8)> = rows
        .iter()
        .zip(&places)
        .map(|(row, fold)| (row.image, (row.label.map(|label| label.0), *fold)))
        .collect();
    // The rows of embeddings ascend by image, and so does this map.
    let labels: Vec<Option<u16>> = by_image.values().map(|(label, _)| *label).collect();
    let folds: Vec<u8> = by_image.values().map(|(_, fold)| *fold).collect();
    let classes = session.state().classes().len();
    let values = out_of_fold(&chosen, &labels, &folds, classes, PENALTY, stop.flag());
    spinner.finish_and_clear();
    let values = values.ok_or_else(|| AppError::new(stop.exit(), "stopped; no pass was proposed"))?;
    let probabilities = Probabilities::new(classes, chosen.images().to_vec(), values)
        .map_err(|error| AppError::failed(error.to_string()))?;
    let facts = Facts {
        source: PredictionSource::Folds { checkpoints: vec![request.checkpoint] },
        manifest: dataset.digest(),
        at,
        split: Split::Train,
        views: ViewPolicy::Plain,
        honesty: if seen == Honesty::HeldOut { Honesty::OutOfFold } else { seen },
        temperature: None,
        machine: (request.threads).into(),
        message: Some(format!(
            "linear probe in {} folds on the embeddings of checkpoint {}",
            request.folds, request.checkpoint
        )),
    };
    let id = record(session, &facts, &probabilities)?;
    out.line(format!("predictions {id}: {} images by a linear probe", probabilities.len()));
    Ok(id)
}
