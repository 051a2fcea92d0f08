//! Recording generators and what becomes of their samples.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::BlobId;
use crate::event::{GeneratorTrained, SamplesAdmitted, SamplesExpelled, SamplesGenerated, Split};
use crate::id::SamplesId;
use crate::query::learned_by_generator;
use crate::state::State;
use crate::value::ClassIndex;

use super::fact::{frame, known, unused};
use super::rejection::{Rejection, Thing};

pub(super) fn generator_trained(state: &State, trained: &GeneratorTrained) -> Result<(), Rejection> {
    unused(state.generators().contains(trained.generator), Thing::Generator(trained.generator))?;
    frame(state, trained.at)?;
    trained.class.map_or(Ok(()), |index| class(state, index))?;
    // Whoever trained it may have shown it anything; what the log takes is the
    // word that it was exactly these.
    match learned_by_generator(state, trained) {
        Some(_) => Ok(()),
        None => {
            let why = "its images are not the labelled training images of its class";
            Err(Rejection::Invalid { kind: "GeneratorTrained", why })
        }
    }
}

pub(super) fn samples_generated(state: &State, generated: &SamplesGenerated) -> Result<(), Rejection> {
    unused(state.samples().contains(generated.samples), Thing::Samples(generated.samples))?;
    known(state.generators().contains(generated.generator), Thing::Generator(generated.generator))?;
    class(state, generated.class)
}

pub(super) fn samples_admitted(state: &State, admitted: &SamplesAdmitted) -> Result<(), Rejection> {
    let batch = Thing::Samples(admitted.samples);
    let record = state.samples().get(admitted.samples).ok_or(Rejection::Unknown(batch))?;
    class(state, admitted.label)?;
    let invalid = |why| Err(Rejection::Invalid { kind: "SamplesAdmitted", why });
    if admitted.images.is_empty() {
        return invalid("it has no images");
    }
    let drawn: BTreeSet<_> = record.generated.event.blobs.iter().collect();
    let mut seen = BTreeSet::new();
    for image in &admitted.images {
        if !drawn.contains(&image.blob) {
            return invalid("an image is not of the batch");
        }
        if !seen.insert(image.image) {
            return invalid("an image is given twice");
        }
        let there = state.image(image.image).is_some_and(|known| known.exists);
        unused(there, Thing::Image(image.image))?;
    }
    Ok(())
}

pub(super) fn samples_expelled(state: &State, expelled: &SamplesExpelled) -> Result<(), Rejection> {
    let batch = Thing::Samples(expelled.samples);
    let record = state.samples().get(expelled.samples).ok_or(Rejection::Unknown(batch))?;
    let mut images = record.admissions.iter().flat_map(|admission| &admission.event.images);
    let there = images.any(|image| state.image(image.image).is_some_and(|known| known.exists));
    if there { Ok(()) } else { Err(Rejection::NothingToDo) }
}

/// The bytes that generators drew, and in which batch.
pub(super) struct Drawn(BTreeMap<BlobId, SamplesId>);

impl Drawn {
    pub(super) fn of(state: &State) -> Drawn {
        let batches = state.samples().iter().map(|record| &record.generated.event);
        Drawn(batches.flat_map(|batch| batch.blobs.iter().map(|blob| (*blob, batch.samples))).collect())
    }

    /// Refuses bytes that a generator drew in a split that models are judged by.
    pub(super) fn check(&self, blob: BlobId, split: Split) -> Result<(), Rejection> {
        match self.0.get(&blob) {
            Some(samples) if split != Split::Train => {
                Err(Rejection::GeneratedOutsideTraining { blob, samples: *samples, split })
            }
            _ => Ok(()),
        }
    }
}

fn class(state: &State, index: ClassIndex) -> Result<(), Rejection> {
    let there = state.dataset().is_some_and(|dataset| dataset.class(index).is_some());
    known(there, Thing::Class(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Command, NewImage, decide};
    use crate::event::{AdmittedImage, Event, Origin};
    use crate::id::{GeneratorId, ImageId};
    use crate::query::{ManifestFilter, generator_dataset, manifest};
    use crate::testing::{Log, blob, history};
    use crate::value::PathBytes;
    use proptest::prelude::*;

    const SAMPLES: SamplesId = SamplesId([7; 16]);

    fn drawn() -> Log {
        let mut log = Log::with_classes(&["sea"]);
        let generator = GeneratorId([7; 16]);
        log.record(GeneratorTrained {
            generator,
            class: Some(ClassIndex(0)),
            recipe: blob("recipe"),
            manifest: generator_dataset(&log.state, log.state.seq(), Some(ClassIndex(0))).digest(),
            at: log.state.head(),
            weights: blob("weights"),
            metrics: blob("metrics"),
            environment: blob("environment"),
            grids: Vec::new(),
        });
        let blobs = vec![blob("one"), blob("two")];
        log.record(SamplesGenerated { samples: SAMPLES, generator, class: ClassIndex(0), seed: 1, blobs });
        log
    }

    fn admission(names: &[&str]) -> SamplesAdmitted {
        let image = |name: &&str| AdmittedImage {
            image: ImageId::of_import(blob(name), b"", Split::Train),
            blob: blob(name),
        };
        let images = names.iter().map(image).collect();
        SamplesAdmitted { samples: SAMPLES, label: ClassIndex(0), images, quality: None }
    }

    fn expulsion() -> SamplesExpelled {
        SamplesExpelled { samples: SAMPLES, reason: "ugly".to_owned() }
    }

    fn fact(log: &Log, fact: impl Into<Event>) -> Result<Vec<Event>, Rejection> {
        decide(&log.state, Command::Record(Box::new(fact.into())))
    }

    #[test]
    fn samples_go_in_and_out_as_one() {
        let mut log = drawn();
        assert_eq!(fact(&log, expulsion()), Err(Rejection::NothingToDo));
        let admitted = log.record(admission(&["one", "two"]));
        assert_eq!(log.state.present_count(), 2);
        assert!(log.state.images().all(|image| image.origin == Origin::Generated { samples: SAMPLES }));
        let full = log.state.digest();
        let expelled = log.record(expulsion());
        assert_eq!(log.state.present_count(), 0);
        assert!(matches!(log.undo(admitted), Err(Rejection::Conflict { .. })));
        log.undo(expelled).expect("nothing happened since");
        assert_eq!(log.state.digest(), full);
        log.record(expulsion());
        log.record(admission(&["two"]));
        assert_eq!((log.state.present_count(), log.state.image_count()), (1, 2));
    }

    #[test]
    fn what_a_generator_did_not_learn_from_training_images_is_refused() {
        let mut log = Log::with_classes(&["sea", "forest"]);
        log.import("a.jpg", "sea");
        log.import("b.jpg", "forest");
        let trained = |log: &Log, manifest| GeneratorTrained {
            generator: GeneratorId([9; 16]),
            class: Some(ClassIndex(0)),
            recipe: blob("recipe"),
            manifest,
            at: log.state.head(),
            weights: blob("weights"),
            metrics: blob("metrics"),
            environment: blob("environment"),
            grids: Vec::new(),
        };
        let own = generator_dataset(&log.state, log.state.seq(), Some(ClassIndex(0)));
        assert_eq!(own.rows().len(), 1);
        assert!(fact(&log, trained(&log, own.digest())).is_ok());
        let all = manifest(&log.state, &ManifestFilter::default());
        assert!(matches!(fact(&log, trained(&log, all.digest())), Err(Rejection::Invalid { .. })));
        // The dataset that it names must be that of the frame that it names.
        let early = trained(&log, own.digest());
        log.import("c.jpg", "sea");
        assert!(fact(&log, early.clone()).is_ok(), "taken before, recorded now");
        assert!(fact(&log, GeneratorTrained { at: log.state.head(), ..early }).is_err());
    }

    #[test]
    fn samples_never_get_into_validation_or_test() {
        let mut log = drawn();
        let image = |split| NewImage {
            blob: blob("one"),
            path: PathBytes::new(*b"copied.png"),
            label: Some("sea".to_owned()),
            split,
        };
        let import = |split| Command::ImportImages { images: vec![image(split)] };
        for split in [Split::Valid, Split::Test] {
            let refused = decide(&log.state, import(split));
            assert!(matches!(refused, Err(Rejection::GeneratedOutsideTraining { .. })), "{split}");
        }
        assert!(decide(&log.state, import(Split::Train)).is_ok());
        log.run(Command::ImportImages {
            images: vec![NewImage { blob: blob("real"), ..image(Split::Test) }],
        });
        let real = ImageId::of_import(blob("real"), b"copied.png", Split::Test);
        let revise = Command::Revise { image: real, new: blob("two"), reason: "better".to_owned() };
        let refused = decide(&log.state, revise);
        assert!(matches!(refused, Err(Rejection::GeneratedOutsideTraining { .. })));
    }

    proptest! {
        // Whatever happened: what a generator drew is of the training split, and
        // its bytes cannot come in as anything else.
        #[test]
        fn no_history_gets_samples_out_of_training(log in history(1..60)) {
            for image in log.state.images().filter(|image| image.origin != Origin::File) {
                prop_assert_eq!(image.split, Split::Train);
            }
            let drawn = log.state.samples().iter().flat_map(|batch| &batch.generated.event.blobs);
            for blob in drawn {
                for split in [Split::Valid, Split::Test] {
                    let image = NewImage { blob: *blob, path: PathBytes::new(*b"x"), label: None, split };
                    let decided = decide(&log.state, Command::ImportImages { images: vec![image] });
                    let refused = matches!(decided, Err(Rejection::GeneratedOutsideTraining { .. }));
                    prop_assert!(refused);
                }
            }
        }
    }

    #[test]
    fn only_what_was_drawn_is_admitted_and_once() {
        let mut log = drawn();
        let invalid = |result| matches!(result, Err(Rejection::Invalid { .. }));
        assert!(invalid(fact(&log, admission(&[]))));
        assert!(invalid(fact(&log, admission(&["three"]))));
        assert!(invalid(fact(&log, admission(&["one", "one"]))));
        log.record(admission(&["one"]));
        let again = fact(&log, admission(&["one"]));
        assert!(matches!(again, Err(Rejection::DuplicateId(Thing::Image(_)))));
        let mut glacier = admission(&["two"]);
        glacier.label = ClassIndex(5);
        assert_eq!(fact(&log, glacier), Err(Rejection::Unknown(Thing::Class(ClassIndex(5)))));
    }
}
