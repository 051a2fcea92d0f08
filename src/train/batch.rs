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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::error::Error;
    use std::num::NonZeroU32;
    use std::sync::atomic::AtomicBool;

    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, ImageEncoder};

    use super::super::plan::BlobSource;
    use super::super::renditions::Workshop;
    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);
    const MOMENT: Moment = Moment { seed: 9, stage: 0, epoch: 1 };

    struct Pictures(HashMap<BlobId, Vec<u8>>);

    impl BlobSource for Pictures {
        fn read(&self, blob: BlobId) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
            self.0.get(&blob).cloned().ok_or_else(|| "no such blob".into())
        }
    }

    fn pictures(count: u8) -> (Pictures, Vec<Sample>) {
        let mut all = HashMap::new();
        let mut samples = Vec::new();
        for index in 0..count {
            let pixels: Vec<u8> = (0..40 * 36 * 3).map(|i| (i * 7 + usize::from(index) * 31) as u8).collect();
            let mut bytes = Vec::new();
            PngEncoder::new(&mut bytes)
                .write_image(&pixels, 40, 36, ExtendedColorType::Rgb8)
                .expect("encodes");
            let blob = BlobId::of(&bytes);
            all.insert(blob, bytes);
            samples.push(Sample { image: ImageId([index; 16]), blob, label: u16::from(index % 3) });
        }
        (Pictures(all), samples)
    }

    fn prepared<'a>(
        pictures: &'a Pictures,
        samples: &[Sample],
        cache: Option<&'a std::path::Path>,
    ) -> Renditions<'a> {
        let images: Vec<_> = samples.iter().map(|sample| (sample.image, sample.blob)).collect();
        let workshop = Workshop { source: pictures, cache, threads: 2, cancel: &NEVER };
        let edge = NonZeroU32::new(32).expect("not zero");
        Renditions::prepare(&images, edge, workshop, &mut |_, _| {}).expect("all decode")
    }

    fn recipe(mixup: f64) -> Recipe {
        let text = format!("batch = 4\nmixup = {mixup}\nlabel_smoothing = 0.1\n[[stage]]\nsize = 32");
        Recipe::parse(&text).expect("valid")
    }

    fn all(batches: &Batches<'_>, from: usize, workers: usize) -> Vec<Batch> {
        std::thread::scope(|scope| {
            batches.start(scope, MOMENT, from, workers).map(|batch| batch.expect("makes")).collect()
        })
    }

    #[test]
    fn neither_workers_nor_a_cache_nor_an_interruption_change_a_batch() {
        let (pictures, samples) = pictures(19);
        let (recipe, renditions) = (recipe(0.4), prepared(&pictures, &samples, None));
        let batches = Batches::new(&recipe, 0, &samples, 3, &renditions);
        let one = all(&batches, 0, 1);
        assert_eq!(one.len(), 4, "the last three images fill no batch");
        assert!(one == all(&batches, 0, 3));
        assert!(one[2..] == all(&batches, 2, 2));

        let folder = tempfile::tempdir().expect("folder");
        let filled = prepared(&pictures, &samples, Some(folder.path()));
        assert!(one == all(&Batches::new(&recipe, 0, &samples, 3, &filled), 0, 1));
        // Nothing but the cache is left to read from.
        let nothing = Pictures(HashMap::new());
        let cached = prepared(&nothing, &samples, Some(folder.path()));
        assert!(one == all(&Batches::new(&recipe, 0, &samples, 3, &cached), 0, 1));
    }

    #[test]
    fn every_epoch_has_every_image_once_in_an_order_of_its_own() {
        let (pictures, samples) = pictures(16);
        let (recipe, renditions) = (recipe(0.0), prepared(&pictures, &samples, None));
        let batches = Batches::new(&recipe, 0, &samples, 3, &renditions);
        let mut order = batches.order(MOMENT);
        assert_ne!(order, batches.order(Moment { epoch: 2, ..MOMENT }));
        order.sort_unstable();
        assert_eq!(order, (0..16).collect::<Vec<_>>());
    }

    #[test]
    fn targets_are_smoothed_and_mixed_and_still_sum_to_one() {
        let (pictures, samples) = pictures(8);
        let renditions = prepared(&pictures, &samples, None);
        let (plain_recipe, mixed_recipe) = (recipe(0.0), recipe(0.4));
        let make = |recipe| {
            Batches::new(recipe, 0, &samples, 3, &renditions).make(MOMENT, &[0, 1, 2, 3, 4, 5, 6, 7])
        };
        let (plain, mixed) = (make(&plain_recipe).expect("makes"), make(&mixed_recipe).expect("makes"));
        let near = |a: f32, b: f32| (a - b).abs() < 1e-6;
        assert!(near(plain.targets[0], 0.9 + 0.1 / 3.0) && near(plain.targets[1], 0.1 / 3.0));
        assert!(mixed.targets.chunks_exact(3).all(|row| near(row.iter().sum(), 1.0)));
        assert_ne!(plain.targets, mixed.targets);
        // The first of two mixed images keeps at least half of its label.
        for (row, label) in mixed.targets.chunks_exact(3).zip([0, 1, 2, 0, 1, 2, 0, 1]) {
            assert!(row[label] >= 0.9 * 0.5);
        }
    }
}
