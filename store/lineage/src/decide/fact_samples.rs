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
