//! Recording generators and what becomes of their samples.

use std::collections::BTreeSet;

use crate::event::{GeneratorTrained, SamplesAdmitted, SamplesExpelled, SamplesGenerated};
use crate::state::State;
use crate::value::ClassIndex;

use super::fact::{frame, known, unused};
use super::rejection::{Rejection, Thing};

pub(super) fn generator_trained(state: &State, trained: &GeneratorTrained) -> Result<(), Rejection> {
    unused(state.generators().contains(trained.generator), Thing::Generator(trained.generator))?;
    frame(state, trained.at)?;
    trained.class.map_or(Ok(()), |index| class(state, index))
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

fn class(state: &State, index: ClassIndex) -> Result<(), Rejection> {
    let there = state.dataset().is_some_and(|dataset| dataset.class(index).is_some());
    known(there, Thing::Class(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Command, decide};
    use crate::event::{AdmittedImage, Event, Origin, Split};
    use crate::id::{GeneratorId, ImageId, SamplesId};
    use crate::testing::{Log, blob};

    const SAMPLES: SamplesId = SamplesId([7; 16]);

    fn drawn() -> Log {
        let mut log = Log::with_classes(&["sea"]);
        let generator = GeneratorId([7; 16]);
        log.record(GeneratorTrained {
            generator,
            class: Some(ClassIndex(0)),
            recipe: blob("recipe"),
            manifest: crate::digest::ManifestDigest([0; 32]),
            at: log.state.head(),
            weights: blob("weights"),
            metrics: blob("metrics"),
            environment: blob("environment"),
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
