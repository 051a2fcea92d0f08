//! What an epoch's samples look like: their grid, how much they differ, and how
//! far they are from real pictures.

use std::time::Instant;

use super::super::super::keyed::Moment;
use super::super::super::plan::Sample;
use super::super::super::renditions::BadPicture;
use super::super::error::TrainError;
use super::run::{Run, picture_of};
use super::sample::drawn;
use crate::generate::collapse::Watch;
use crate::generate::diversity::{diversity, mean_distance};
use crate::generate::grid::grid_png;
use crate::generate::history::GeneratorEpoch;
use crate::generate::network::{GeneratorNote, sample_noise};
use crate::generate::pictures::square;
use crate::generate::progress::{EpochSamples, GenerateLine, GenerateSink};

/// Samples of each class that the diversity of an epoch is measured on.
const DIVERSE: usize = 48;
/// Pictures in a row of the grid, and rows where there is one class only.
const COLUMNS: usize = 12;
const ROWS: usize = 6;

impl Run<'_> {
    /// How much the real pictures of each class differ: of those whose
    /// hash(seed, image id) is smallest.
    pub(super) fn real_distances(&self) -> Result<Vec<f64>, TrainError> {
        let moment = Moment { seed: self.plan.recipe.seed, stage: 0, epoch: 0 };
        let size = self.plan.recipe.size as usize;
        let mut distances = Vec::new();
        for class in 0..self.plan.note.classes.len() {
            let mut keyed: Vec<(u64, &Sample)> = self
                .plan
                .train
                .iter()
                .filter(|sample| usize::from(sample.label) == class)
                .map(|sample| (moment.draw("diversity", sample.image.as_bytes()).bits(), sample))
                .collect();
            keyed.sort_unstable_by_key(|(key, sample)| (*key, sample.image));
            let pictures: Result<Vec<Vec<u8>>, BadPicture> = keyed
                .into_iter()
                .take(DIVERSE)
                .map(|(_, sample)| {
                    picture_of(self.renditions, sample, |picture| {
                        square(picture.pixels, picture.width, picture.height, size)
                    })
                })
                .collect();
            distances.push(mean_distance(&pictures?));
        }
        Ok(distances)
    }

    /// Looks at samples after an epoch; false when they are not numbers.
    pub(super) fn judge(
        &mut self,
        epoch: u32,
        started: Instant,
        sink: &mut dyn GenerateSink,
    ) -> Result<bool, TrainError> {
        let Some(samples) = self.samples(DIVERSE.max(COLUMNS * ROWS))? else { return Ok(false) };
        let diverse: Vec<(Vec<Vec<u8>>, f64)> = samples
            .classes
            .iter()
            .zip(&self.real)
            .map(|(pictures, real)| (pictures[..DIVERSE].to_vec(), *real))
            .collect();
        let diversity = diversity(&diverse);
        let frechet_distance = match sink.wants_to_judge(epoch) {
            None => None,
            Some(count) => {
                let Some(samples) = self.samples(count)? else { return Ok(false) };
                Some(sink.judge(&samples).map_err(TrainError::Sink)?)
            }
        };
        let png =
            grid_png(&rows(&samples), samples.size).map_err(|error| TrainError::Sink(Box::new(error)))?;
        let (grid, grid_file) = sink.keep_grid(epoch, &png).map_err(TrainError::Sink)?;
        let made = self.plan.steps() as usize * self.history.epochs.len();
        let steps = &self.history.critic_distance[made.min(self.history.critic_distance.len())..];
        let mut diversities = self.history.diversities();
        diversities.extend(diversity);
        let watch =
            Watch { below: self.plan.recipe.collapse_below, patience: self.plan.recipe.collapse_patience };
        let figures = GeneratorEpoch {
            epoch,
            critic_distance: steps.iter().sum::<f64>() / steps.len().max(1) as f64,
            diversity,
            frechet_distance,
            collapsed: watch.collapsed(&diversities),
            grid,
            seconds: started.elapsed().as_secs_f64(),
        };
        self.history.epochs.push(figures.clone());
        sink.progress(&GenerateLine::GeneratorEpochFinished { figures, grid_file });
        Ok(true)
    }

    /// The same samples of every class in every epoch; none when they are not
    /// numbers.
    fn samples(&self, count: usize) -> Result<Option<EpochSamples>, TrainError> {
        let note: &GeneratorNote = &self.plan.note;
        let mut classes = Vec::new();
        for input in 0..note.classes.len() {
            let mut pictures = Vec::new();
            while pictures.len() < count {
                let noise = sample_noise(self.plan.recipe.seed, input, pictures.len() as u64, 64, note);
                let Some(more) = drawn(&self.average, &noise)? else { return Ok(None) };
                pictures.extend(more);
            }
            pictures.truncate(count);
            classes.push(pictures);
        }
        Ok(Some(EpochSamples { size: note.size, classes }))
    }
}

/// The rows of a grid: one a class, or several of the only one.
fn rows(samples: &EpochSamples) -> Vec<Vec<&[u8]>> {
    let row = |pictures: &'_ [Vec<u8>]| -> Vec<usize> { (0..pictures.len().min(COLUMNS)).collect() };
    match samples.classes.as_slice() {
        [only] => only
            .chunks(COLUMNS)
            .take(ROWS)
            .map(|pictures| pictures.iter().map(Vec::as_slice).collect())
            .collect(),
        several => several
            .iter()
            .map(|pictures| row(pictures).into_iter().map(|place| pictures[place].as_slice()).collect())
            .collect(),
    }
}
