//! Which blobs a submission's replay needs.

use std::collections::BTreeSet;

use super::dataset::{ManifestFilter, manifest_as_of};
use super::replay_plan::{ReplayPlanError, StepKind, lineage_of_submission};
use crate::digest::{BlobId, FrameDigest};
use crate::event::{PredictionSource, ReplayDepth, Split};
use crate::id::SubmissionId;
use crate::state::State;
use crate::value::Seq;

/// Every blob that a replay of a submission reads or compares with, each depth
/// including those before it:
///
/// - votes: probabilities, votes, the format and the file;
/// - predictions: also the weights of the checkpoints that predicted, and the
///   images they predicted on;
/// - training: also the recipes and environments of all runs that lead there,
///   their checkpoints, and the images that were there for them.
///
/// Exactness: an upper bound at the depth of training. A recipe, which is a
/// blob, may name weights from elsewhere, so all that are registered are
/// counted in when there is a run; and images as [`blast_radius`](super::blast_radius())
/// counts them.
///
/// # Errors
///
/// When the submission, or something it was made from, is not in the log.
pub fn blobs_of_submission(
    state: &State,
    submission: SubmissionId,
    depth: ReplayDepth,
) -> Result<BTreeSet<BlobId>, ReplayPlanError> {
    let plan = lineage_of_submission(state, submission)?;
    let mut needed = BTreeSet::new();
    let mut images: BTreeSet<(Seq, Split)> = BTreeSet::new();
    let seq_of = |at: FrameDigest, own: Seq| state.transactions().seq_after(at).unwrap_or(own);
    for step in &plan.steps {
        match step.kind {
            StepKind::Write { .. } | StepKind::Vote { .. } => {
                needed.extend(step.inputs.iter().chain(&step.outputs));
            }
            StepKind::Predict { predictions } => {
                needed.extend(&step.outputs);
                if depth >= ReplayDepth::Predictions {
                    needed.extend(&step.inputs);
                    let checkpoints = match &predictions.source {
                        PredictionSource::Checkpoint { checkpoint } => std::slice::from_ref(checkpoint),
                        PredictionSource::Folds { checkpoints } => checkpoints.as_slice(),
                        // What was made outside cannot be made again here.
                        PredictionSource::External { .. } => continue,
                    };
                    let records = checkpoints.iter().filter_map(|id| state.checkpoints().get(*id));
                    needed.extend(records.map(|record| record.event.weights));
                    images.insert((seq_of(predictions.at, step.seq), predictions.split));
                }
            }
            StepKind::Train { run } if depth >= ReplayDepth::Training => {
                needed.extend(step.inputs.iter().chain(&step.outputs));
                let seq = seq_of(run.at, step.seq);
                images.extend([(seq, Split::Train), (seq, Split::Valid)]);
                needed.extend(state.weights().iter().map(|record| record.event.tensors));
            }
            StepKind::Reach { .. } if depth >= ReplayDepth::Training => {
                needed.extend(step.inputs.iter().chain(&step.outputs));
            }
            StepKind::Train { .. } | StepKind::Reach { .. } => {}
        }
    }
    for (seq, split) in images {
        let manifest = manifest_as_of(state, seq, &ManifestFilter::split(split));
        needed.extend(manifest.rows().iter().map(|row| row.blob));
    }
    Ok(needed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CheckpointId;
    use crate::testing::{Log, blob};

    #[test]
    fn every_depth_needs_what_the_one_before_needs_and_more() {
        let mut log = Log::with_classes(&["sea"]);
        log.import("a.jpg", "sea");
        log.whole_recipe(1, None);
        log.import("later.jpg", "sea");
        log.whole_recipe(2, Some(CheckpointId([0x81; 16])));
        let of = |depth| blobs_of_submission(&log.state, SubmissionId([1; 16]), depth).expect("in the log");
        let [votes, predictions, training] =
            [ReplayDepth::Votes, ReplayDepth::Predictions, ReplayDepth::Training].map(of);
        let one = "01".repeat(16);
        let expected =
            [format!("probabilities {one}"), format!("votes {one}"), "format".into(), format!("csv {one}")];
        assert_eq!(votes, expected.iter().map(|text| blob(text)).collect());
        assert!(predictions.is_superset(&votes) && training.is_superset(&predictions));
        assert!(predictions.contains(&blob(&format!("weights {}", "81".repeat(16)))));
        assert!(!predictions.contains(&blob(&format!("recipe {one}"))));
        assert!(training.contains(&blob(&format!("recipe {one}"))));
        assert!(training.contains(&blob("a.jpg")), "it trained on it");
        assert!(!training.contains(&blob("later.jpg")), "that was not there yet");
        assert!(!training.contains(&blob(&format!("recipe {}", "02".repeat(16)))));
        let unknown = blobs_of_submission(&log.state, SubmissionId([9; 16]), ReplayDepth::Votes);
        assert_eq!(unknown, Err(ReplayPlanError::UnknownSubmission(SubmissionId([9; 16]))));
    }
}
