//! What models say of images, as the screens need it, and the ports that know.

use std::sync::Arc;

use safelight_lineage::id::{EnsembleId, ImageId, PredictionsId};
use safelight_lineage::state::State;
use safelight_lineage::value::ClassIndex;

use crate::ports::PortError;

/// Images that show what a class is, kept of each class.
const EXEMPLARS: usize = 12;
/// No opinion.
const NONE: u16 = u16::MAX;

/// What is said of every image: its most probable class and how sure that is.
/// Kept by row, in six bytes an image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Opinions {
    classes: Vec<u16>,
    confidences: Vec<f32>,
}

impl Opinions {
    /// No opinion on any of so many images.
    pub fn new(count: usize) -> Opinions {
        Opinions { classes: vec![NONE; count], confidences: vec![0.0; count] }
    }

    /// Says something of the image in this row, unless something was said
    /// already: so predictions are put in the order in which they count.
    pub fn put(&mut self, row: u32, class: ClassIndex, confidence: f32) {
        if let Some(place) = self.classes.get_mut(row as usize).filter(|class| **class == NONE) {
            *place = class.0;
            self.confidences[row as usize] = confidence;
        }
    }

    /// The most probable class of the image in this row and its probability,
    /// 0 to 1.
    pub fn of(&self, row: u32) -> Option<(ClassIndex, f32)> {
        let class = *self.classes.get(row as usize)?;
        (class != NONE).then(|| (ClassIndex(class), self.confidences[row as usize]))
    }

    /// For each class the rows of images that show best what it is: labelled
    /// so, and of those that models agree on the ones they are surest of; then
    /// by row.
    pub fn exemplars(&self, state: &State) -> Vec<Vec<u32>> {
        let mut best: Vec<Vec<(f32, u32)>> = vec![Vec::new(); state.classes().len()];
        for image in state.images().filter(|image| image.present) {
            let Some(label) = image.label else { continue };
            let Some(best) = best.get_mut(usize::from(label.0)) else { continue };
            let sure = match self.of(image.row) {
                Some((class, confidence)) if class == label => confidence,
                Some(_) => -1.0,
                None => 0.0,
            };
            let better = |other: &(f32, u32)| other.0 >= sure;
            let place = best.partition_point(better);
            if place < EXEMPLARS {
                best.insert(place, (sure, image.row));
                best.truncate(EXEMPLARS);
            }
        }
        best.into_iter().map(|rows| rows.into_iter().map(|(_, row)| row).collect()).collect()
    }
}

/// What is known of all images at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// By row.
    pub opinions: Opinions,
    /// By class, the rows of images that show it best.
    pub exemplars: Vec<Vec<u32>>,
}

/// What one set of predictions says of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The predictions.
    pub predictions: PredictionsId,
    /// The probability of every class, 0 to 1.
    pub probabilities: Vec<f32>,
}

/// How alike two members of an ensemble are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberPair {
    /// The place of the one among the members.
    pub one: usize,
    /// The place of the other.
    pub other: usize,
    /// The share of images that they decide differently, 0 to 1.
    pub disagreement: f64,
    /// Cohen's kappa of their decisions, −1 to 1; none where chance alone
    /// would make them agree.
    pub kappa: Option<f64>,
    /// Pearson's correlation of their probabilities, −1 to 1.
    pub correlation: Option<f64>,
}

/// How the members of an ensemble voted on one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputedImage {
    /// The image.
    pub image: ImageId,
    /// Each member's vote.
    pub ballots: Vec<ClassIndex>,
    /// What was decided.
    pub decision: ClassIndex,
    /// Whether a tie was broken.
    pub tie: bool,
}

/// The votes of an ensemble.
#[derive(Debug, Clone, PartialEq)]
pub struct VoteTable {
    /// The members, in the order of ballots.
    pub members: Vec<PredictionsId>,
    /// How many images were voted on.
    pub images: usize,
    /// How many of them all members decide the same.
    pub unanimous: usize,
    /// How many decisions broke a tie.
    pub ties: usize,
    /// Every pair of members.
    pub pairs: Vec<MemberPair>,
    /// The images on which members differ, the most divided first.
    pub disputed: Vec<DisputedImage>,
}

/// Images that look like another.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Neighbours {
    /// By what they were compared, in words.
    pub by: String,
    /// Among how many images.
    pub among: u64,
    /// The nearest first, each with how near in words.
    pub images: Vec<(ImageId, String)>,
}

/// Reads what models said.
pub trait Judgements: Send {
    /// What the predictions of `state` say of every image: of several the
    /// newest that have not learned the image, and only then those that have.
    ///
    /// # Errors
    /// When they cannot be read.
    fn opinions(&mut self, state: &State) -> Result<Opinions, PortError>;

    /// What each model says of one image, by its newest predictions; the newest
    /// first.
    ///
    /// # Errors
    /// When they cannot be read.
    fn of_image(&mut self, state: &State, image: ImageId) -> Result<Vec<Judgement>, PortError>;

    /// The votes of an ensemble.
    ///
    /// # Errors
    /// When they cannot be read.
    fn votes(&mut self, state: &State, ensemble: EnsembleId) -> Result<VoteTable, PortError>;
}

/// Finds images that look alike. May take long the first time.
pub trait Likeness: Send {
    /// The present images that look most like this one.
    ///
    /// # Errors
    /// When the image cannot be compared.
    fn neighbours(&mut self, state: &Arc<State>, image: ImageId) -> Result<Neighbours, PortError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::history;

    #[test]
    fn what_is_said_first_counts() {
        let mut opinions = Opinions::new(2);
        opinions.put(1, ClassIndex(3), 0.5);
        opinions.put(1, ClassIndex(4), 0.9);
        opinions.put(7, ClassIndex(4), 0.9);
        assert_eq!(
            (opinions.of(0), opinions.of(1), opinions.of(7)),
            (None, Some((ClassIndex(3), 0.5)), None)
        );
    }

    #[test]
    fn exemplars_are_those_that_label_and_models_agree_on() {
        let state = history::Log::with_images(40).state;
        let mut opinions = Opinions::new(40);
        // Rows 3, 8, 13 … are labelled sea.
        for (row, class, confidence) in [(3, 3, 0.6), (13, 3, 0.9), (23, 0, 0.99)] {
            opinions.put(row, ClassIndex(class), confidence);
        }
        let sea = &opinions.exemplars(&state)[3];
        assert_eq!(sea[..3], [13, 3, 8], "{sea:?}");
        assert_eq!(sea.last(), Some(&23), "what models contradict comes last");
        assert!(sea.iter().all(|row| state.image_at(*row as usize).unwrap().label == Some(ClassIndex(3))));
    }
}
