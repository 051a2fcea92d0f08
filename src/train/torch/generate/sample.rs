//! Drawing samples from a generator's weights.

use std::sync::atomic::{AtomicBool, Ordering};

use safelight_lineage::value::ClassIndex;
use tch::{Device, Kind, TchError};

use super::super::super::recipe::Precision;
use super::super::super::weights::{WeightsError, decode};
use super::super::device::prepare;
use super::super::error::DeviceError;
use super::super::store::LoadError;
use super::generator::Generator;
use crate::generate::network::{GeneratorNote, NOTE, Noise, sample_noise};

/// Pictures that go through the network at a time, always as many: kernels are
/// chosen by shapes, and so bits depend on them.
const BATCH: usize = 64;

/// Why samples could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The weights are no generator's.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The generator never learned that class.
    #[error("the generator draws {}, not class {class}", known.join(", "))]
    OtherClass {
        /// What it draws.
        known: Vec<String>,
        /// The place of what was wanted.
        class: u16,
    },
    /// There is nothing to compute on.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The weights give no numbers.
    #[error("the generator's weights give pictures with values that are not finite")]
    NotFinite,
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(String),
    /// It was told to stop.
    #[error("cancelled")]
    Cancelled,
}

impl From<TchError> for DrawError {
    fn from(error: TchError) -> Self {
        DrawError::Torch(error.to_string().lines().next().unwrap_or_default().to_owned())
    }
}

impl From<LoadError> for DrawError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Weights(error) => error.into(),
            LoadError::Torch(error) => error.into(),
        }
    }
}

/// Draws `count` pictures of a class: RGB bytes, `size × size × 3` each, and
/// what the generator says of itself.
///
/// They are a function of the weights, class and seed, of the build, the
/// processor and `threads`; more of them begin with the same ones.
pub fn draw(
    weights: &[u8],
    class: ClassIndex,
    count: usize,
    seed: u64,
    threads: usize,
    report: &mut dyn FnMut(usize),
    cancel: &AtomicBool,
) -> Result<(GeneratorNote, Vec<Vec<u8>>), DrawError> {
    let device = prepare(threads.into(), Precision::Fp32)?;
    let (values, note) = decode(weights, NOTE)?;
    let note: GeneratorNote =
        note.and_then(|text| serde_json::from_str(&text).ok()).ok_or(WeightsError::NoNote)?;
    let input = note.input(class).ok_or_else(|| DrawError::OtherClass {
        known: note.classes.iter().map(|(_, name)| name.clone()).collect(),
        class: class.0,
    })?;
    let mut generator = Generator::new(&note, 0, device)?;
    generator.load(&values)?;
    let mut pictures = Vec::with_capacity(count);
    while pictures.len() < count {
        if cancel.load(Ordering::Relaxed) {
            return Err(DrawError::Cancelled);
        }
        let noise = sample_noise(seed, input, pictures.len() as u64, BATCH, &note);
        let drawn = drawn(&generator, &noise)?.ok_or(DrawError::NotFinite)?;
        pictures.extend(drawn.into_iter().take(count - pictures.len()));
        report(pictures.len());
    }
    Ok((note, pictures))
}

/// The pictures that a generator draws from noise, as bytes; none when one has a
/// value that is not finite.
pub(super) fn drawn(generator: &Generator, noise: &Noise) -> Result<Option<Vec<Vec<u8>>>, TchError> {
    let _guard = tch::no_grad_guard();
    let pictures = generator.forward(noise, false)?;
    let finite = pictures.f_isfinite()?.f_all()?.f_int64_value(&[])? == 1;
    if !finite {
        return Ok(None);
    }
    let bytes = pictures
        .f_permute([0, 2, 3, 1])?
        .f_add_scalar(1.0)?
        .f_mul_scalar(127.5)?
        .f_round()?
        .f_clamp(0.0, 255.0)?
        .f_to_kind(Kind::Uint8)?
        .f_contiguous()?
        .f_to_device(Device::Cpu)?;
    let mut flat = vec![0u8; bytes.numel()];
    bytes.f_copy_data(&mut flat, bytes.numel())?;
    let each = flat.len() / noise.inputs.len().max(1);
    Ok(Some(flat.chunks_exact(each.max(1)).map(<[u8]>::to_vec).collect()))
}
