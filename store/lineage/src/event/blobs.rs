//! Which blobs an event names.

use super::kind::Event;
use crate::digest::BlobId;

impl Event {
    /// Gives `each` every blob that this event names and that must be kept for
    /// what it says to be whole. A blob may come more than once.
    ///
    /// The digests that a diverging replay compared are not among them: bytes
    /// that were found to be others are described, not kept. Of an event of an
    /// unknown kind nothing is known: whoever throws blobs away must look for
    /// those first ([`State::unknown_events`](crate::state::State::unknown_events)).
    pub fn blobs(&self, each: &mut dyn FnMut(BlobId)) {
        // Every kind is spelled out, so that a new one cannot be forgotten.
        match self {
            Event::DatasetCreated(_)
            | Event::ClassesAdded(_)
            | Event::ImageRelabelled(_)
            | Event::ImageRemoved(_)
            | Event::ImageRestored(_)
            | Event::ReviewDecided(_)
            | Event::SamplesExpelled(_)
            | Event::SubmissionScored(_)
            | Event::EventsReverted(_)
            | Event::Unknown(_) => {}
            Event::ImageImported(event) => each(event.blob),
            Event::ImageRevised(event) => [event.old, event.new].into_iter().for_each(each),
            Event::WeightsAdded(event) => [event.original, event.tensors].into_iter().for_each(each),
            Event::RunStarted(event) => [event.recipe, event.environment].into_iter().for_each(each),
            Event::LearningRateFound(event) => each(event.curve),
            Event::CheckpointSaved(event) => each(event.weights),
            Event::RunFinished(event) => each(event.metrics),
            Event::RunFailed(event) => [event.metrics, event.resume].into_iter().flatten().for_each(each),
            Event::RunCancelled(event) => [event.metrics, event.resume].into_iter().flatten().for_each(each),
            Event::PredictionsRecorded(event) => {
                [Some(event.probabilities), event.environment].into_iter().flatten().for_each(each);
            }
            Event::CleaningPassProposed(event) => each(event.findings),
            Event::GeneratorTrained(event) => {
                let own = [event.recipe, event.weights, event.metrics, event.environment];
                own.into_iter().chain(event.grids.iter().copied()).for_each(each);
            }
            Event::SamplesGenerated(event) => event.blobs.iter().copied().for_each(each),
            Event::SamplesAdmitted(event) => {
                event.images.iter().map(|admitted| admitted.blob).chain(event.quality).for_each(each);
            }
            Event::EnsembleVoted(event) => each(event.votes),
            Event::SubmissionWritten(event) => [event.format, event.csv].into_iter().for_each(each),
            Event::SubmissionReplayed(event) => [event.environment, event.receipt].into_iter().for_each(each),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::query::reachable_blobs;
    use crate::testing::Log;

    #[test]
    fn events_name_what_the_state_needs() {
        let mut log = Log::with_classes(&["sea"]);
        log.import("a.jpg", "sea");
        log.whole_recipe(1, None);
        let mut named = BTreeSet::new();
        for event in log.frames.iter().flat_map(|frame| &frame.events) {
            event.blobs(&mut |blob| {
                named.insert(blob);
            });
        }
        let reachable: BTreeSet<_> = reachable_blobs(&log.state).map(|(blob, _)| blob).collect();
        assert_eq!(named, reachable);
        assert!(named.len() > 9, "{}", named.len());
    }
}
