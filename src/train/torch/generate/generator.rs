//! The network that draws: transposed convolutions from noise to a picture, as
//! in DCGAN (Radford et al. 2016) and fastai's `basic_generator`.
//!
//! Where it learns several classes, the class is put behind the noise, and every
//! batch norm has a scale and a shift for each class (Dumoulin et al. 2017).

use std::collections::BTreeMap;

use tch::{Device, Kind, TchError, Tensor};

use super::super::super::weights::Values;
use super::super::store::{LoadError, Parameter, Store, copy_into, to_values};
use crate::generate::network::{GeneratorNote, Noise};

/// A generator.
pub struct Generator {
    store: Store,
    blocks: Vec<Block>,
    last: (Tensor, Tensor),
    note: GeneratorNote,
    device: Device,
}

/// A convolution, its norm, and a ReLU.
struct Block {
    weight: Tensor,
    kind: Convolution,
    norm: ClassNorm,
}

#[derive(Clone, Copy)]
enum Convolution {
    /// From 1×1 to 4×4.
    Opening,
    /// Twice the edge.
    Doubling,
    /// The same edge.
    Extra,
}

/// Batch norm with a scale and a shift for each class.
struct ClassNorm {
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    variance: Tensor,
}

impl Generator {
    /// A generator with its first weights.
    pub fn new(note: &GeneratorNote, seed: u64, device: Device) -> Result<Generator, TchError> {
        let mut store = Store::new(seed, device);
        let halvings = note.halvings();
        let classes = note.classes.len().max(1);
        let inputs = note.latent as usize + if classes > 1 { classes } else { 0 };
        let mut blocks = Vec::new();
        let widest = note.channels(halvings);
        // Every value of the first map is a sum over all inputs.
        blocks.push(Block::new(&mut store, "generator.0", Convolution::Opening, (inputs, widest), classes)?);
        for level in (1..halvings).rev() {
            let channels = (note.channels(level + 1), note.channels(level));
            let name = format!("generator.{}", halvings - level);
            blocks.push(Block::new(&mut store, &name, Convolution::Doubling, channels, classes)?);
        }
        let narrow = note.channels(1);
        for layer in 0..note.extra_layers {
            let name = format!("generator.extra.{layer}");
            blocks.push(Block::new(&mut store, &name, Convolution::Extra, (narrow, narrow), classes)?);
        }
        let deviation = (1.0 / (narrow as f64 * 4.0)).sqrt();
        let weight =
            store.normal("generator.last.weight".to_owned(), vec![narrow, 3, 4, 4], 0.0, deviation)?;
        let bias = store.normal("generator.last.bias".to_owned(), vec![3], 0.0, 0.0)?;
        Ok(Generator { store, blocks, last: (weight, bias), note: note.clone(), device })
    }

    /// What it is.
    pub fn note(&self) -> &GeneratorNote {
        &self.note
    }

    /// What learns.
    pub fn parameters(&self) -> &[Parameter] {
        &self.store.parameters
    }

    /// The values of its parameters and of the means and variances of its norms.
    pub fn values(&self) -> Result<BTreeMap<String, Values>, TchError> {
        self.store.values()
    }

    /// Takes over values; all must be there and fit.
    pub fn load(&mut self, values: &BTreeMap<String, Values>) -> Result<(), LoadError> {
        self.store.load(values, |_| true)
    }

    /// Moves every value towards those of another generator: `share` of the own
    /// one stays.
    pub fn follow(&self, other: &Generator, share: f64) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        for (own, new) in self.tensors().zip(other.tensors()) {
            let _ = own.shallow_clone().f_lerp_(new, 1.0 - share)?;
        }
        Ok(())
    }

    fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        let parameters = self.store.parameters.iter().map(|parameter| &parameter.tensor);
        parameters.chain(self.store.buffers.iter().map(|(_, tensor)| tensor))
    }

    /// The noise as tensors: `n × inputs × 1 × 1` and the classes.
    pub fn inputs(&self, noise: &Noise) -> Result<(Tensor, Tensor), TchError> {
        let classes = Tensor::f_from_slice(&noise.inputs)?.f_to_device(self.device)?;
        let values = Tensor::f_from_slice(&noise.values)?.f_view([-1, i64::from(self.note.latent)])?;
        let mut values = values.f_to_device(self.device)?;
        let count = self.note.classes.len() as i64;
        if count > 1 {
            let which = classes.f_one_hot(count)?.f_to_kind(Kind::Float)?;
            values = Tensor::f_cat(&[values, which], 1)?;
        }
        let inputs = values.size()[1];
        Ok((values.f_view([-1, inputs, 1, 1])?, classes))
    }

    /// Draws `n × 3 × size × size` values from −1 to 1. In training its norms
    /// use the batch, and remember it.
    pub fn forward(&self, noise: &Noise, training: bool) -> Result<Tensor, TchError> {
        let (mut map, classes) = self.inputs(noise)?;
        for block in &self.blocks {
            map = block.forward(&map, &classes, training)?;
        }
        double(&map, &self.last.0, Some(&self.last.1))?.f_tanh()
    }
}

fn double(map: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor, TchError> {
    map.f_conv_transpose2d(weight, bias, [2; 2], [1; 2], [0; 2], 1, [1; 2])
}

impl Block {
    fn new(
        store: &mut Store,
        name: &str,
        kind: Convolution,
        channels: (usize, usize),
        classes: usize,
    ) -> Result<Block, TchError> {
        // Kaiming's: the square root of two over how many values are summed.
        let (shape, summed) = match kind {
            Convolution::Opening => (vec![channels.0, channels.1, 4, 4], channels.0),
            // Of the 16 places of the kernel, 4 meet in each pixel.
            Convolution::Doubling => (vec![channels.0, channels.1, 4, 4], channels.0 * 4),
            Convolution::Extra => (vec![channels.1, channels.0, 3, 3], channels.0 * 9),
        };
        let weight = store.normal(format!("{name}.weight"), shape, 0.0, (2.0 / summed as f64).sqrt())?;
        Ok(Block { weight, kind, norm: ClassNorm::new(store, &format!("{name}.norm"), channels.1, classes)? })
    }

    fn forward(&self, map: &Tensor, classes: &Tensor, training: bool) -> Result<Tensor, TchError> {
        let none = None::<&Tensor>;
        let map = match self.kind {
            Convolution::Opening => {
                map.f_conv_transpose2d(&self.weight, none, [1; 2], [0; 2], [0; 2], 1, [1; 2])?
            }
            Convolution::Doubling => double(map, &self.weight, none)?,
            Convolution::Extra => map.f_conv2d(&self.weight, none, [1; 2], [1; 2], [1; 2], 1)?,
        };
        self.norm.forward(&map, classes, training)?.f_relu()
    }
}

impl ClassNorm {
    fn new(store: &mut Store, name: &str, channels: usize, classes: usize) -> Result<ClassNorm, TchError> {
        let options = (Kind::Float, store.device());
        let mean = Tensor::f_zeros([channels as i64], options)?;
        let variance = Tensor::f_ones([channels as i64], options)?;
        store.buffers.push((format!("{name}.running_mean"), mean.shallow_clone()));
        store.buffers.push((format!("{name}.running_var"), variance.shallow_clone()));
        Ok(ClassNorm {
            scale: store.normal(format!("{name}.scale"), vec![classes, channels], 1.0, 0.0)?,
            shift: store.normal(format!("{name}.shift"), vec![classes, channels], 0.0, 0.0)?,
            mean,
            variance,
        })
    }

    fn forward(&self, map: &Tensor, classes: &Tensor, training: bool) -> Result<Tensor, TchError> {
        let channels = self.scale.size()[1];
        let norm = |weight: Option<&Tensor>, bias: Option<&Tensor>| {
            map.f_batch_norm(weight, bias, Some(&self.mean), Some(&self.variance), training, 0.1, 1e-5, false)
        };
        if self.scale.size()[0] == 1 {
            return norm(Some(&self.scale.f_view([channels])?), Some(&self.shift.f_view([channels])?));
        }
        let chosen = |of: &Tensor| of.f_index_select(0, classes)?.f_view([-1, channels, 1, 1]);
        norm(None, None)?.f_mul(&chosen(&self.scale)?)?.f_add(&chosen(&self.shift)?)
    }
}

/// A copy of a generator's values in another one of the same kind.
pub fn copy(from: &Generator, to: &Generator) -> Result<(), TchError> {
    let _guard = tch::no_grad_guard();
    for (source, target) in from.tensors().zip(to.tensors()) {
        copy_into(target, &to_values(source)?)?;
    }
    Ok(())
}
