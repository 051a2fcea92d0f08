//! What one image may have influenced.

use std::collections::BTreeSet;

use serde::Serialize;

use super::generator::learned_by_generator;
use super::reachable::Need;
use crate::digest::FrameDigest;
use crate::event::{PredictionSource, Split, SubmissionSource};
use crate::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
};
use crate::state::{GeneratorRecord, State};
use crate::value::Seq;

/// Everything that one image may have influenced, each list in order of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BlastRadius {
    /// Runs trained or validated while it was there, and runs from their checkpoints.
    pub runs: Vec<RunId>,
    /// The checkpoints of these runs.
    pub checkpoints: Vec<CheckpointId>,
    /// Predictions by these checkpoints, or for the image itself.
    pub predictions: Vec<PredictionsId>,
    /// Cleaning passes over these predictions or over the image itself.
    pub passes: Vec<PassId>,
    /// Generators trained while it was there.
    pub generators: Vec<GeneratorId>,
    /// Batches drawn by these generators.
    pub samples: Vec<SamplesId>,
    /// Ensembles of these predictions.
    pub ensembles: Vec<EnsembleId>,
    /// Submissions of these ensembles or predictions.
    pub submissions: Vec<SubmissionId>,
}

/// What an image may have influenced, directly or through checkpoints,
/// generators and generated images.
///
/// Exactness: an upper bound. A run names its images by a digest, which does
/// not say who is in it; so a run counts when the image, at the frame at which
/// the run's dataset was taken, was in the dataset and in a split that runs use
/// (train or valid). A run that was given fewer images (one fold, labelled ones
/// only) counts too. Of generators it is known exactly. Nothing is missed, but for the influence of people: who
/// looked at a prediction and changed a recipe is not traced. A frame that is
/// not in this journal is taken to be the event's own.
pub fn blast_radius(state: &State, image: ImageId) -> BlastRadius {
    radius(state, &[(image, None)], &BTreeSet::new())
}

/// What these things may have influenced, themselves among it; as
/// [`blast_radius`], which is this for one image.
///
/// Which runs began from weights that came from elsewhere stands in their
/// recipes, which are blobs: so a [`Need::Weights`] leads nowhere from here.
pub fn blast_radius_of(state: &State, seeds: &BTreeSet<Need>) -> BlastRadius {
    let image = |seed: &Need| match seed {
        Need::Image(image) => Some((*image, None)),
        _ => None,
    };
    let images: Vec<_> = seeds.iter().filter_map(image).collect();
    radius(state, &images, seeds)
}

/// What rests on the images as they were before these changes, each given by
/// its image and its place in the journal: what [`blast_radius`] gives, but
/// only by way of datasets that were taken before the change. What was made
/// later from something that is stale is stale too.
pub fn stale_after(state: &State, changes: &[(ImageId, Seq)]) -> BlastRadius {
    // Before the first change of an image all was as before; what was taken
    // between two changes is stale by the later one.
    let mut last: std::collections::BTreeMap<ImageId, Seq> = std::collections::BTreeMap::new();
    for (image, seq) in changes {
        let entry = last.entry(*image).or_insert(*seq);
        *entry = (*entry).max(*seq);
    }
    let images: Vec<_> = last.into_iter().map(|(image, seq)| (image, Some(seq))).collect();
    radius(state, &images, &BTreeSet::new())
}

/// The radius of images, each by way of datasets taken before a Seq if given,
/// and of other things.
fn radius(state: &State, images: &[(ImageId, Option<Seq>)], seeds: &BTreeSet<Need>) -> BlastRadius {
    let mut radius = BlastRadius::default();
    let mut tainted = Tainted { state, images: Vec::new() };
    for (image, until) in images {
        tainted.add(*image, *until);
    }
    let own = Tainted { state, images: tainted.images.clone() };

    // An event rests on earlier ones only; so one round in order of events for
    // samples and generators is enough, and for runs and checkpoints another.
    let mut generators = BTreeSet::new();
    let mut samples = BTreeSet::new();
    for record in state.generators() {
        // Batches that were drawn before this generator was trained may have
        // brought images in which it learned from.
        for batch in state.samples().iter().filter(|batch| batch.generated.seq < record.seq) {
            let drawn = &batch.generated.event;
            if generators.contains(&drawn.generator) && samples.insert(drawn.samples) {
                tainted.add_batch(drawn.samples);
            }
        }
        let seeded = seeds.contains(&Need::Generator(record.event.generator));
        if seeded || tainted.taught(record) {
            generators.insert(record.event.generator);
            radius.generators.push(record.event.generator);
        }
    }
    for batch in state.samples() {
        let drawn = &batch.generated.event;
        if generators.contains(&drawn.generator) || seeds.contains(&Need::Samples(drawn.samples)) {
            radius.samples.push(drawn.samples);
            if samples.insert(drawn.samples) {
                tainted.add_batch(drawn.samples);
            }
        }
    }

    let mut runs = BTreeSet::new();
    let mut checkpoints = BTreeSet::new();
    for run in state.runs() {
        let started = &run.started.event;
        // A parent is older than the run, and so is the run that made it.
        let inherited = started.parent.is_some_and(|parent| checkpoints.contains(&parent));
        let seeded = seeds.contains(&Need::Run(started.run));
        // Of a run with a damaged checkpoint, that one and the later ones.
        let first = run.checkpoints.iter().position(|id| seeds.contains(&Need::Checkpoint(*id)));
        if let Some(first) = first {
            checkpoints.extend(run.checkpoints[first..].iter().copied());
        }
        if inherited || seeded || tainted.reach(started.at, run.started.seq, &[Split::Train, Split::Valid]) {
            runs.insert(started.run);
            radius.runs.push(started.run);
            checkpoints.extend(run.checkpoints.iter().copied());
        }
    }
    let made = state.checkpoints().iter().map(|record| record.event.checkpoint);
    radius.checkpoints.extend(made.filter(|checkpoint| checkpoints.contains(checkpoint)));

    results(state, seeds, &own, &checkpoints, &mut radius);
    radius
}

fn results(
    state: &State,
    seeds: &BTreeSet<Need>,
    own: &Tainted<'_>,
    checkpoints: &BTreeSet<CheckpointId>,
    radius: &mut BlastRadius,
) {
    let mut predictions = BTreeSet::new();
    for record in state.predictions() {
        let event = &record.event;
        let by_model = match &event.source {
            PredictionSource::Checkpoint { checkpoint } => checkpoints.contains(checkpoint),
            PredictionSource::Folds { checkpoints: folds } => {
                folds.iter().any(|fold| checkpoints.contains(fold))
            }
            PredictionSource::External { .. } => false,
        };
        if by_model
            || seeds.contains(&Need::Predictions(event.predictions))
            || own.reach(event.at, record.seq, &[event.split])
        {
            predictions.insert(event.predictions);
            radius.predictions.push(event.predictions);
        }
    }
    for record in state.passes() {
        let event = &record.proposed.event;
        let judged =
            seeds.contains(&Need::Pass(event.pass)) || own.reach(event.at, record.proposed.seq, &Split::ALL);
        if judged || event.predictions.iter().any(|id| predictions.contains(id)) {
            radius.passes.push(event.pass);
        }
    }
    let mut ensembles = BTreeSet::new();
    for record in state.ensembles() {
        let seeded = seeds.contains(&Need::Ensemble(record.event.ensemble));
        if seeded || record.event.members.iter().any(|member| predictions.contains(&member.predictions)) {
            ensembles.insert(record.event.ensemble);
            radius.ensembles.push(record.event.ensemble);
        }
    }
    for record in state.submissions() {
        let event = &record.written.event;
        let affected = match event.source {
            SubmissionSource::Ensemble { ensemble } => ensembles.contains(&ensemble),
            SubmissionSource::Predictions { predictions: id } => predictions.contains(&id),
        };
        if affected || seeds.contains(&Need::Submission(event.submission)) {
            radius.submissions.push(event.submission);
        }
    }
}

/// Images that carry the influence.
struct Tainted<'a> {
    state: &'a State,
    /// With the Seq before which a dataset must have been taken, if any.
    images: Vec<(ImageId, Split, Option<Seq>)>,
}

impl Tainted<'_> {
    fn add(&mut self, image: ImageId, until: Option<Seq>) {
        if let Some(view) = self.state.image(image) {
            self.images.push((image, view.split, until));
        }
    }

    fn add_batch(&mut self, samples: SamplesId) {
        let admissions = self.state.samples().get(samples).map_or(&[][..], |record| &record.admissions);
        for admitted in admissions.iter().flat_map(|admission| &admission.event.images) {
            self.add(admitted.image, None);
        }
    }

    /// Whether a generator learned from one of them. That is known exactly,
    /// since its images are told by its class, unless the log gives others than
    /// were recorded.
    fn taught(&self, trained: &GeneratorRecord) -> bool {
        if self.images.is_empty() {
            return false;
        }
        let Some(dataset) = learned_by_generator(self.state, &trained.event) else {
            return self.reach(trained.event.at, trained.seq, &[Split::Train, Split::Valid]);
        };
        let seq = self.state.transactions().seq_after(trained.event.at).unwrap_or(trained.seq);
        self.images
            .iter()
            .any(|(image, _, until)| until.is_none_or(|until| seq < until) && dataset.row(*image).is_some())
    }

    /// Whether one of them was in one of these splits at a frame.
    fn reach(&self, at: FrameDigest, own: Seq, splits: &[Split]) -> bool {
        let seq = self.state.transactions().seq_after(at).unwrap_or(own);
        let then = self.state.as_of(seq);
        self.images.iter().any(|(image, split, until)| {
            splits.contains(split) && until.is_none_or(|until| seq < until) && then.present(*image)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Log;

    #[test]
    fn an_image_reaches_what_was_made_while_it_was_there() {
        let mut log = Log::with_classes(&["sea"]);
        let early = log.import("a.jpg", "sea");
        log.whole_recipe(1, None);
        let late = log.import("b.jpg", "sea");
        log.remove(early);
        log.whole_recipe(2, None);
        log.whole_recipe(3, Some(CheckpointId([0x81; 16])));

        let radius = blast_radius(&log.state, early);
        let runs = [1, 3].map(|number| RunId([number; 16]));
        assert_eq!(radius.runs, runs, "its own run, not the one after its removal, and the heir");
        assert_eq!(radius.checkpoints.len(), 4);
        assert_eq!(radius.predictions, [1, 3].map(|number| PredictionsId([number; 16])));
        // Ensembles 2 and 3 have the predictions of run 1 as a member.
        assert_eq!(radius.ensembles, [1, 2, 3].map(|number| EnsembleId([number; 16])));
        assert_eq!(radius.submissions, [1, 2, 3].map(|number| SubmissionId([number; 16])));

        let radius = blast_radius(&log.state, late);
        assert_eq!(radius.runs, [2, 3].map(|number| RunId([number; 16])));
        assert_eq!(radius.submissions, [2, 3].map(|number| SubmissionId([number; 16])));
        assert_eq!(blast_radius(&log.state, ImageId([9; 16])), BlastRadius::default());
    }

    #[test]
    fn a_generator_is_tainted_by_images_of_its_class_only() {
        let mut log = Log::with_classes(&["sea", "forest"]);
        let (sea, forest) = (log.import("a.jpg", "sea"), log.import("b.jpg", "forest"));
        let generator = GeneratorId([5; 16]);
        log.record(crate::event::GeneratorTrained {
            generator,
            class: Some(crate::value::ClassIndex(0)),
            recipe: crate::testing::blob("recipe"),
            manifest: super::super::generator_dataset(
                &log.state,
                log.state.seq(),
                Some(crate::value::ClassIndex(0)),
            )
            .digest(),
            at: log.state.head(),
            weights: crate::testing::blob("weights"),
            metrics: crate::testing::blob("metrics"),
            environment: crate::testing::blob("environment"),
            grids: Vec::new(),
        });
        let late = log.import("c.jpg", "sea");
        log.remove(sea);
        assert_eq!(blast_radius(&log.state, sea).generators, [generator], "also when it is removed");
        assert!(blast_radius(&log.state, forest).generators.is_empty(), "of another class");
        assert!(blast_radius(&log.state, late).generators.is_empty(), "came later");
    }

    #[test]
    fn a_change_makes_stale_what_was_made_before_it() {
        let mut log = Log::with_classes(&["sea", "forest"]);
        let image = log.import("a.jpg", "sea");
        log.import("b.jpg", "forest");
        log.whole_recipe(1, None);
        log.relabel(image, "forest");
        let change = (image, log.state.seq());
        log.whole_recipe(2, None);
        log.whole_recipe(3, Some(CheckpointId([0x81; 16])));
        let stale = stale_after(&log.state, &[change]);
        assert_eq!(
            stale.runs,
            [1, 3].map(|number| RunId([number; 16])),
            "not the run after it, but the heir"
        );
        let of_image = blast_radius(&log.state, image);
        assert_eq!(of_image.runs, [1, 2, 3].map(|number| RunId([number; 16])));
        assert_eq!(stale_after(&log.state, &[]), BlastRadius::default());
    }

    #[test]
    fn a_model_or_a_result_reaches_what_was_made_of_it() {
        let mut log = Log::with_classes(&["sea"]);
        log.whole_recipe(1, None);
        log.whole_recipe(2, Some(CheckpointId([0x81; 16])));
        let of = |need| blast_radius_of(&log.state, &BTreeSet::from([need]));
        // The second checkpoint of run 1, which run 2 began from.
        let radius = of(Need::Checkpoint(CheckpointId([0x81; 16])));
        assert_eq!(radius.runs, [RunId([2; 16])], "its own run does not rest on it");
        assert_eq!(radius.checkpoints.len(), 3);
        assert_eq!(radius.submissions, [1, 2].map(|number| SubmissionId([number; 16])));
        let radius = of(Need::Predictions(PredictionsId([2; 16])));
        assert!(radius.runs.is_empty() && radius.checkpoints.is_empty());
        assert_eq!(radius.ensembles, [EnsembleId([2; 16])]);
        assert_eq!(radius.submissions, [SubmissionId([2; 16])]);
        let radius = of(Need::Submission(SubmissionId([1; 16])));
        assert_eq!(radius.submissions, [SubmissionId([1; 16])]);
        assert_eq!(radius, BlastRadius { submissions: radius.submissions.clone(), ..Default::default() });
    }

    #[test]
    fn a_test_image_reaches_predictions_but_no_runs() {
        let mut log = Log::with_classes(&["sea"]);
        let image = crate::decide::NewImage {
            blob: crate::testing::blob("t"),
            path: crate::value::PathBytes::new(*b"t.jpg"),
            label: None,
            split: Split::Test,
        };
        let import = log.run(crate::decide::Command::ImportImages { images: vec![image.clone()] });
        let id = ImageId::of_import(image.blob, b"t.jpg", Split::Test);
        log.whole_recipe(1, None);
        log.undo(import).expect("nothing touched it");
        log.whole_recipe(2, None);
        let radius = blast_radius(&log.state, id);
        assert!(radius.runs.is_empty());
        assert_eq!(radius.predictions, [PredictionsId([1; 16])]);
    }
}
