//! Everything that a submission was made of, as files.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use safelight_lineage::event::PredictionsRecorded;
use safelight_lineage::id::SubmissionId;
use safelight_lineage::query::{ManifestFilter, StepKind, lineage_of_submission};
use safelight_lineage::state::State;
use safelight_lineage::value::escape;

use super::npy::npy;
use super::write::{CheckoutError, checkout, empty_folder, io, write_blob, write_new};
use crate::predictions::Probabilities;
use crate::replay::run::Then;
use crate::replay::{ReplayError, Replayed};
use crate::session::Session;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Materialised {
    /// Images of the dataset as it was.
    pub images: u64,
    /// Checkpoints.
    pub weights: u64,
    /// Sets of predictions.
    pub predictions: u64,
}

/// Writes below `dir`, which must be missing or empty: `dataset/` as it was
/// when the submission was recorded, `weights/CHECKPOINT.safetensors` of every
/// checkpoint it rests on, `predictions/ID.csv` and `ID.npy` (rows in one
/// order), `submission.csv` as it was made again, `receipt.json`, and
/// `checksums.b3` of weights and submission for `b3sum --check`.
///
/// # Errors
/// When the folder is not empty, a file cannot be written, or a blob is
/// missing or damaged.
pub fn materialise(
    session: &Session,
    then: &Then,
    submission: SubmissionId,
    done: &Replayed,
    dir: &Path,
    cancel: &AtomicBool,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Materialised, CheckoutError> {
    empty_folder(dir)?;
    let blobs = session.repository().blobs();
    let progress = Mutex::new(progress);
    let tell = |done, total| {
        if let Ok(mut progress) = progress.lock() {
            progress(done, total);
        }
    };
    let images =
        checkout(&then.state, blobs, &ManifestFilter::default(), &dir.join("dataset"), cancel, &tell)?;
    let mut written = Materialised { images: images.images, weights: 0, predictions: 0 };
    let mut sums = String::new();
    for folder in ["weights", "predictions"] {
        let folder = dir.join(folder);
        fs::create_dir(&folder).map_err(io("could not make the folder", &folder))?;
    }
    let plan = lineage_of_submission(&then.state, submission).map_err(ReplayError::from)?;
    for step in &plan.steps {
        match step.kind {
            StepKind::Reach { checkpoint } => {
                let place = format!("weights/{}.safetensors", checkpoint.checkpoint);
                write_blob(blobs, checkpoint.weights, &dir.join(&place))?;
                sums.push_str(&format!("{}  {place}\n", checkpoint.weights));
                written.weights += 1;
            }
            StepKind::Predict { predictions } => {
                let id = predictions.predictions;
                let said = Probabilities::from_bytes(&blobs.get(predictions.probabilities)?)
                    .map_err(|error| ReplayError::Probabilities { predictions: id, error })?;
                let csv = table(&then.state, predictions, &said)?;
                write_new(&dir.join(format!("predictions/{id}.csv")), &csv)?;
                let array = npy(said.len(), said.classes(), said.values());
                write_new(&dir.join(format!("predictions/{id}.npy")), &array)?;
                written.predictions += 1;
            }
            StepKind::Train { .. } | StepKind::Vote { .. } => {}
            StepKind::Write { submission } => {
                sums.push_str(&format!("{}  submission.csv\n", submission.csv));
            }
        }
    }
    write_new(&dir.join("submission.csv"), &done.csv)?;
    write_new(&dir.join("receipt.json"), &done.receipt.to_json())?;
    write_new(&dir.join("checksums.b3"), sums.as_bytes())?;
    Ok(written)
}

/// Image id, path and the probability of every class, with as many digits as
/// tell every `f32` from its neighbours.
fn table(state: &State, event: &PredictionsRecorded, said: &Probabilities) -> Result<Vec<u8>, CheckoutError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let seq = state.transactions().seq_after(event.at).unwrap_or(state.seq());
    let then = state.as_of(seq);
    let mut header = vec!["image_id".to_owned(), "path".to_owned()];
    header.extend(then.classes().iter().cloned());
    header.resize(2 + said.classes(), String::new());
    writer.write_record(&header)?;
    for (image, row) in said.rows() {
        let path = state.image(image).map_or_else(String::new, |view| escape(view.path));
        let mut record = vec![image.to_string(), path];
        record.extend(row.iter().map(f32::to_string));
        writer.write_record(&record)?;
    }
    writer.into_inner().map_err(|error| {
        let source = std::io::Error::other(error.to_string());
        CheckoutError::Io { doing: "could not write", path: "predictions".into(), source }
    })
}
