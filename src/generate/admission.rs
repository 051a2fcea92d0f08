//! Letting samples into the dataset, and out again.

use std::collections::BTreeSet;

use safelight_lineage::decide::{Command, Rejection, decide};
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{AdmittedImage, Event, SamplesAdmitted, SamplesExpelled, Split};
use safelight_lineage::id::{GeneratorId, ImageId, SamplesId};
use safelight_lineage::state::State;

use serde::{Deserialize, Serialize};

use super::quality::Quality;

/// Which samples of a batch are let in.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The places of those let in, ascending.
    pub chosen: Vec<usize>,
    /// How many are copies of training images.
    pub copies: usize,
    /// How many the judge is not sure enough of.
    pub unsure: usize,
    /// How many have the bytes of one before.
    pub repeated: usize,
}

/// What an admission rests on; its evidence blob, JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was measured.
    pub quality: Quality,
    /// The least probability of its class that a sample had to have.
    pub min_confidence: Option<f64>,
    /// Whether copies of training images were let in too.
    pub allow_copies: bool,
    /// Whether they were let in although they are all alike.
    pub force: bool,
    /// The places in the batch of those chosen.
    pub chosen: Vec<usize>,
}

/// Chooses from a batch of these blobs those that are no copies of training
/// images (unless that is meant), that the judge is sure of, and that differ.
pub fn choose(
    blobs: &[BlobId],
    quality: &Quality,
    min_confidence: Option<f64>,
    allow_copies: bool,
) -> Choice {
    let copies: BTreeSet<usize> = quality.copies.iter().map(|copy| copy.sample).collect();
    let confidences = quality.judged.as_ref().map(|judged| judged.confidences.as_slice());
    let mut choice = Choice { chosen: Vec::new(), copies: 0, unsure: 0, repeated: 0 };
    let mut seen = BTreeSet::new();
    for (place, blob) in blobs.iter().enumerate() {
        let confidence = confidences.and_then(|all| all.get(place)).copied().map(f64::from);
        if copies.contains(&place) && !allow_copies {
            choice.copies += 1;
        } else if min_confidence.is_some_and(|least| confidence.is_none_or(|sure| sure < least)) {
            choice.unsure += 1;
        } else if !seen.insert(*blob) {
            choice.repeated += 1;
        } else {
            choice.chosen.push(place);
        }
    }
    choice
}

/// The id that a sample gets as an image: the same whenever it is let in.
pub fn image_of(samples: SamplesId, blob: BlobId) -> ImageId {
    ImageId::of_import(blob, samples.as_bytes(), Split::Train)
}

/// The event that lets these samples in, with what was measured of them. Those
/// that are in already are left out.
///
/// # Errors
/// When there is no such batch or nothing is left to let in.
pub fn admission(
    state: &State,
    samples: SamplesId,
    chosen: &[usize],
    quality: BlobId,
) -> Result<Vec<Event>, Rejection> {
    let record = state
        .samples()
        .get(samples)
        .ok_or(Rejection::Unknown(safelight_lineage::decide::Thing::Samples(samples)))?;
    let drawn = &record.generated.event;
    let images: Vec<AdmittedImage> = chosen
        .iter()
        .filter_map(|place| drawn.blobs.get(*place).copied())
        .map(|blob| AdmittedImage { image: image_of(samples, blob), blob })
        .filter(|admitted| !state.image(admitted.image).is_some_and(|known| known.exists))
        .collect();
    if images.is_empty() {
        return Err(Rejection::NothingToDo);
    }
    let admitted = SamplesAdmitted { samples, label: drawn.class, images, quality: Some(quality) };
    decide(state, Command::Record(Box::new(admitted.into())))
}

/// What is to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expelled {
    /// Everything that a generator drew.
    Generator(GeneratorId),
    /// One batch.
    Samples(SamplesId),
}

/// The events that take samples out of the dataset, one for each batch of which
/// there are any.
///
/// # Errors
/// When none is there.
pub fn expulsion(state: &State, what: Expelled, reason: &str) -> Result<Vec<Event>, Rejection> {
    let batches: Vec<SamplesId> = match what {
        Expelled::Samples(samples) => vec![samples],
        Expelled::Generator(generator) => state
            .samples()
            .iter()
            .filter(|record| record.generated.event.generator == generator)
            .map(|record| record.generated.event.samples)
            .collect(),
    };
    let mut events = Vec::new();
    for samples in batches {
        let expelled = SamplesExpelled { samples, reason: reason.to_owned() };
        match decide(state, Command::Record(Box::new(expelled.into()))) {
            // Of a generator's batches some may be out already.
            Err(Rejection::NothingToDo) => {}
            decided => events.extend(decided?),
        }
    }
    if events.is_empty() { Err(Rejection::NothingToDo) } else { Ok(events) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::neighbours::Neighbour;
    use crate::generate::quality::Judged;
    use safelight_lineage::id::CheckpointId;

    #[test]
    fn copies_the_unsure_and_the_repeated_are_left_out() {
        let blob = |number: u8| BlobId([number; 32]);
        let quality = Quality {
            samples: SamplesId([1; 16]),
            generator: GeneratorId([1; 16]),
            class: "sea".to_owned(),
            count: 5,
            image_size: 32,
            real: 60,
            diversity: Some(0.8),
            nearest: 40.0,
            usual_nearest: 50.0,
            copies: vec![Neighbour { sample: 1, image: ImageId([9; 16]), distance: 1.0 }],
            closest: Vec::new(),
            judged: Some(Judged {
                by: CheckpointId([1; 16]),
                frechet_distance: 9.0,
                frechet_distance_of_real: 1.0,
                pictures: (5, 30),
                confidences: vec![0.9, 0.95, 0.4, 0.8, 0.99],
                recognised: 0.8,
            }),
        };
        let blobs = [blob(1), blob(2), blob(3), blob(4), blob(1)];
        let choice = choose(&blobs, &quality, Some(0.8), false);
        // 0.8 as 32 bits is a little more than 0.8.
        assert_eq!(choice, Choice { chosen: vec![0, 3], copies: 1, unsure: 1, repeated: 1 });
        let all = choose(&blobs[..4], &quality, None, true);
        assert_eq!(all.chosen, [0, 1, 2, 3]);
        let unjudged = Quality { judged: None, ..quality };
        let choice = choose(&blobs, &unjudged, Some(0.5), false);
        assert_eq!((choice.chosen.len(), choice.unsure), (0, 4), "nobody is sure without a judge");
    }
}
