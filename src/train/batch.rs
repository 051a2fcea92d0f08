//! Batches: from renditions to the numbers of one step, made by threads ahead
//! of the step that needs them.
//!
//! What a batch holds is a function of the recipe, the epoch and the step, so
//! the number of threads changes nothing but the time it takes.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;

use super::augmentation::Limits;
use super::keyed::Moment;
use super::plan::Sample;
use super::recipe::{Normalisation, Recipe};
use super::rendition::Picture;
use super::renditions::{BadPicture, Renditions};
use super::resample::resample;
use super::transform::Transform;

/// The numbers of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `n × size × size × 3` normalised values, colours innermost.
    pub pixels: Vec<f32>,
    /// `n × classes` shares that sum to one for every image.
    pub targets: Vec<f32>,
    /// The images, in order.
    pub images: Vec<ImageId>,
}

/// How training batches are made from renditions.
pub struct Batches<'a> {
    /// The renditions of `samples`.
    pub renditions: &'a Renditions<'a>,
    /// What is trained on.
    pub samples: &'a [Sample],
    /// How many classes there are.
    pub classes: usize,
    /// Images in a batch.
    pub batch: usize,
    /// Edge of the images, pixels.
    pub size: usize,
    /// The random changes.
    pub limits: Limits,
    /// How pixels are scaled.
    pub normalisation: Normalisation,
    /// The share of each label that is spread over all classes.
    pub label_smoothing: f32,
    /// MixUp's alpha; 0 for none.
    pub mixup: f64,
}

impl<'a> Batches<'a> {
    /// The batches of a recipe's stage.
    pub fn new(
        recipe: &Recipe,
        stage: usize,
        samples: &'a [Sample],
        classes: usize,
        renditions: &'a Renditions<'a>,
    ) -> Self {
        let stage = &recipe.stage[stage];
        Batches {
            renditions,
            samples,
            classes,
            batch: stage.batch.unwrap_or(recipe.batch) as usize,
            size: stage.size as usize,
            limits: recipe.augmentation.limits(),
            normalisation: recipe.normalisation,
            label_smoothing: recipe.label_smoothing as f32,
            mixup: recipe.mixup,
        }
    }

    /// Batches in an epoch; images that do not fill a last one are left out.
    pub fn steps(&self) -> usize {
        self.samples.len() / self.batch
    }

    /// The order of the samples in an epoch: by hash(seed, epoch, image id).
    pub fn order(&self, moment: Moment) -> Vec<u32> {
        let mut keyed: Vec<(u64, u32)> = (0u32..)
            .zip(self.samples)
            .map(|(index, sample)| (moment.draw("order", sample.image.as_bytes()).bits(), index))
            .collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, index)| index).collect()
    }

    /// Makes the batch of `members`, indices into the samples.
    pub fn make(&self, moment: Moment, members: &[u32]) -> Result<Batch, BadPicture> {
        let pixel_count = self.size * self.size * 3;
        let mut pixels = vec![0.0; members.len() * pixel_count];
        let mut targets = vec![self.label_smoothing / self.classes as f32; members.len() * self.classes];
        let mut images = Vec::with_capacity(members.len());
        let rows = pixels.chunks_exact_mut(pixel_count).zip(targets.chunks_exact_mut(self.classes));
        for (member, (out, target)) in members.iter().zip(rows) {
            let sample = &self.samples[*member as usize];
            let transform = Transform::draw(&self.limits, moment, sample.image);
            read(self.renditions, sample.image, sample.blob, |picture| {
                resample(picture, &transform, self.normalisation, self.size, out);
            })?;
            target[usize::from(sample.label)] += 1.0 - self.label_smoothing;
            images.push(sample.image);
        }
        let mut batch = Batch { pixels, targets, images };
        if self.mixup > 0.0 {
            self.mix(&mut batch, moment);
        }
        Ok(batch)
    }

    /// MixUp (Zhang et al. 2017) as fastai does it: each image with its own
    /// share λ ~ Beta(α, α), at least a half, and one permutation for partners.
    fn mix(&self, batch: &mut Batch, moment: Moment) {
        let count = batch.images.len();
        let mut partners: Vec<usize> = (0..count).collect();
        let subject = batch.images.first().map_or([0; 16], |image| *image.as_bytes());
        moment.draw("mixup partners", &subject).shuffle(&mut partners);
        let original = batch.clone();
        for (index, partner) in partners.into_iter().enumerate() {
            let share = moment.draw("mixup share", batch.images[index].as_bytes()).beta(self.mixup);
            let share = share.max(1.0 - share) as f32;
            let blend = |mixed: &mut [f32], from: &[f32]| {
                let width = from.len() / count;
                let other = &from[partner * width..(partner + 1) * width];
                for (value, other) in mixed[index * width..(index + 1) * width].iter_mut().zip(other) {
                    *value = *value * share + other * (1.0 - share);
                }
            };
            blend(&mut batch.pixels, &original.pixels);
            blend(&mut batch.targets, &original.targets);
        }
    }

    /// Starts threads that make the batches of an epoch from step `from` on;
    /// they come in order.
    pub fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        moment: Moment,
        from: usize,
        workers: usize,
    ) -> impl Iterator<Item = Result<Batch, BadPicture>> + use<'scope> {
        let order = self.order(moment);
        let workers = workers.clamp(1, 16);
        let receivers: Vec<Receiver<_>> = (0..workers)
            .map(|worker| {
                let (sender, receiver) = sync_channel(2);
                let mine = (from + worker..self.steps()).step_by(workers);
                let members: Vec<Vec<u32>> =
                    mine.map(|step| order[step * self.batch..(step + 1) * self.batch].to_vec()).collect();
                scope.spawn(move || {
                    for members in members {
                        // Nobody listens any more when the epoch was broken off.
                        if sender.send(self.make(moment, &members)).is_err() {
                            return;
                        }
                    }
                });
                receiver
            })
            .collect();
        (0..self.steps().saturating_sub(from)).map_while(move |step| receivers[step % workers].recv().ok())
    }
}

/// Calls `use_it` with the rendition of an image, or says what is wrong with it.
pub fn read<T>(
    renditions: &Renditions<'_>,
    image: ImageId,
    blob: BlobId,
    use_it: impl FnOnce(Picture<'_>) -> T,
) -> Result<T, BadPicture> {
    renditions.with(blob, |rgb| use_it(Picture::from(rgb))).map_err(|reason| BadPicture { image, reason })
}
