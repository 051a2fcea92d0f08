//! Judging images: their softmax probabilities under one change of each.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;
use tch::{Device, Kind, TchError, Tensor};

use super::super::batch::read;
use super::super::recipe::{Normalisation, Precision};
use super::super::renditions::{BadPicture, Renditions};
use super::super::resample::resample;
use super::super::transform::Transform;
use super::layers::Pass;
use super::network::Network;

/// Images that go through the network at a time. Part of the result's bits:
/// kernels are chosen by shapes.
const BATCH: usize = 128;

/// What is wanted of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The softmax of the scores.
    Probabilities,
    /// The mean of the last feature map.
    Features,
}

/// Why images could not be judged.
pub enum JudgeError {
    /// A picture cannot be used.
    Picture(BadPicture),
    /// libtorch refused.
    Torch(TchError),
    /// It was told to stop.
    Cancelled,
}

impl From<TchError> for JudgeError {
    fn from(error: TchError) -> Self {
        JudgeError::Torch(error)
    }
}

/// A network and what it judges.
pub struct Judge<'a> {
    /// The network.
    pub network: &'a Network,
    /// The renditions of the images.
    pub renditions: &'a Renditions<'a>,
    /// The edge of the network's input, pixels.
    pub size: usize,
    /// How pixels are scaled.
    pub normalisation: Normalisation,
    /// What is computed in.
    pub precision: Precision,
    /// Where.
    pub device: Device,
    /// What is wanted.
    pub wanted: Wanted,
    /// Set to stop.
    pub cancel: &'a AtomicBool,
}

impl Judge<'_> {
    /// Judges images, each under the change that `view` gives: rows of what is
    /// wanted, in order. Reports how many are done.
    pub fn run(
        &self,
        images: &[(ImageId, BlobId)],
        view: &(dyn Fn(ImageId) -> Transform + Sync),
        report: &mut dyn FnMut(usize),
    ) -> Result<Vec<f32>, JudgeError> {
        let _guard = tch::no_grad_guard();
        let mut rows = Vec::new();
        let mut done = 0;
        for chunk in images.chunks(BATCH) {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(JudgeError::Cancelled);
            }
            let pixels = self.pixels(chunk, view).map_err(JudgeError::Picture)?;
            let pictures = pictures(&pixels, self.size, self.device)?;
            let pass = Pass::judging(self.precision);
            let wanted = match self.wanted {
                Wanted::Probabilities => self.network.scores(&pictures, &pass)?.f_softmax(1, Kind::Float)?,
                Wanted::Features => self.network.features(&pictures, &pass)?,
            };
            let flat = wanted.f_to_device(Device::Cpu)?.f_contiguous()?;
            let start = rows.len();
            rows.resize(start + flat.numel(), 0.0);
            flat.f_copy_data(&mut rows[start..], flat.numel())?;
            done += chunk.len();
            report(done);
        }
        Ok(rows)
    }

    fn pixels(
        &self,
        images: &[(ImageId, BlobId)],
        view: &(dyn Fn(ImageId) -> Transform + Sync),
    ) -> Result<Vec<f32>, BadPicture> {
        let count = self.size * self.size * 3;
        let mut pixels = vec![0.0; images.len() * count];
        let places = pixels.par_chunks_exact_mut(count).zip(images);
        let (renditions, normalisation, size) = (self.renditions, self.normalisation, self.size);
        places.try_for_each(|(out, (image, blob))| {
            let transform = view(*image);
            read(renditions, *image, *blob, |picture| resample(picture, &transform, normalisation, size, out))
        })?;
        Ok(pixels)
    }
}

/// A tensor of `n × 3 × size × size` over values with the colours innermost.
pub fn pictures(pixels: &[f32], size: usize, device: Device) -> Result<Tensor, TchError> {
    let size = size as i64;
    let tensor = Tensor::f_from_slice(pixels)?.f_view([-1, size, size, 3])?;
    let tensor = match device {
        Device::Cpu => tensor,
        // From pinned memory the copy need not be waited for.
        _ => tensor.f_pin_memory(device)?.f_to_device_(device, Kind::Float, true, false)?,
    };
    tensor.f_permute([0, 3, 1, 2])
}
