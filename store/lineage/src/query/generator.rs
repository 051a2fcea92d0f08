//! The images that generators learn from.

use std::collections::BTreeSet;

use crate::event::{GeneratorTrained, Origin, Split};
use crate::id::ImageId;
use crate::manifest::Manifest;
use crate::state::State;
use crate::value::{ClassIndex, Seq};

/// What a generator of this class (of all classes when none) learns from, as the
/// dataset was after the event at `at`: the labelled images of the training
/// split that came from files. Neither images of other splits nor what other
/// generators drew is among them.
pub fn generator_dataset(state: &State, at: Seq, class: Option<ClassIndex>) -> Manifest {
    let then = state.as_of(at);
    let rows = then.images().filter(|row| {
        row.split == Split::Train
            && row.label.is_some_and(|label| class.is_none_or(|class| class == label))
            && state.image(row.image).is_some_and(|image| image.origin == Origin::File)
    });
    Manifest::new(then.classes().to_vec(), rows.collect())
}

/// The images that a recorded generator learned from, exactly; none when the log
/// gives others than it recorded, or its frame is not in this journal.
pub fn learned_by_generator(state: &State, trained: &GeneratorTrained) -> Option<Manifest> {
    let at = state.transactions().seq_after(trained.at)?;
    let dataset = generator_dataset(state, at, trained.class);
    (dataset.digest() == trained.manifest).then_some(dataset)
}

/// Which images of a dataset generators drew.
pub fn generated_images(state: &State, dataset: &Manifest) -> BTreeSet<ImageId> {
    // Most repositories have none, and asking for each image takes long.
    if state.samples().iter().all(|batch| batch.admissions.is_empty()) {
        return BTreeSet::new();
    }
    let drawn = |image: &ImageId| {
        state.image(*image).is_some_and(|view| matches!(view.origin, Origin::Generated { .. }))
    };
    dataset.rows().iter().map(|row| row.image).filter(drawn).collect()
}
