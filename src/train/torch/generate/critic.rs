//! The network that scores pictures: low for real ones, high for generated ones
//! (the sign is fastai's).
//!
//! Where there are several classes, the score also says how well the picture
//! fits its class, by a product of its features with what was learned of the
//! class (Miyato and Koyama 2018).

use std::collections::BTreeMap;

use tch::{Device, TchError, Tensor};

use super::super::super::weights::Values;
use super::super::store::{LoadError, Parameter, Store};
use crate::generate::network::GeneratorNote;
use crate::generate::recipe::CriticNorm;

/// The slope of the activations below zero.
const LEAK: f64 = 0.2;

/// A critic.
pub struct Critic {
    store: Store,
    blocks: Vec<Block>,
    last: Tensor,
    /// What is known of each class; none when there is one.
    classes: Option<Tensor>,
    norm: CriticNorm,
}

struct Block {
    weight: Tensor,
    bias: Option<Tensor>,
    /// Scale and shift of its norm, if it has one.
    norm: Option<(Tensor, Tensor)>,
    stride: i64,
}

impl Critic {
    /// A critic with its first weights, for the pictures of a generator.
    pub fn new(
        note: &GeneratorNote,
        norm: CriticNorm,
        seed: u64,
        device: Device,
    ) -> Result<Critic, TchError> {
        let mut store = Store::new(seed, device);
        let mut blocks = Vec::new();
        let first = note.channels(1);
        blocks.push(Block::new(&mut store, "critic.0", (3, first), 4, None)?);
        for layer in 0..note.extra_layers {
            blocks.push(Block::new(
                &mut store,
                &format!("critic.extra.{layer}"),
                (first, first),
                3,
                Some(norm),
            )?);
        }
        for level in 2..=note.halvings() {
            let channels = (note.channels(level - 1), note.channels(level));
            blocks.push(Block::new(&mut store, &format!("critic.{}", level - 1), channels, 4, Some(norm))?);
        }
        let widest = note.channels(note.halvings());
        let deviation = (1.0 / (widest as f64 * 16.0)).sqrt();
        let last = store.normal("critic.last.weight".to_owned(), vec![1, widest, 4, 4], 0.0, deviation)?;
        let classes = match note.classes.len() {
            0 | 1 => None,
            count => {
                let deviation = (1.0 / widest as f64).sqrt();
                Some(store.normal("critic.classes".to_owned(), vec![count, widest], 0.0, deviation)?)
            }
        };
        Ok(Critic { store, blocks, last, classes, norm })
    }

    /// What learns.
    pub fn parameters(&self) -> &[Parameter] {
        &self.store.parameters
    }

    /// The values of its parameters.
    pub fn values(&self) -> Result<BTreeMap<String, Values>, TchError> {
        self.store.values()
    }

    /// Takes over values; all must be there and fit.
    pub fn load(&mut self, values: &BTreeMap<String, Values>) -> Result<(), LoadError> {
        self.store.load(values, |_| true)
    }

    /// Cuts every parameter to ±`limit`, those of norms too, as fastai does.
    pub fn clip(&self, limit: f64) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        for parameter in &self.store.parameters {
            let _ = parameter.tensor.shallow_clone().f_clamp_(-limit, limit)?;
        }
        Ok(())
    }

    /// Scores pictures, `n × 3 × size × size`, that are to show these classes.
    pub fn forward(&self, pictures: &Tensor, classes: &Tensor) -> Result<Tensor, TchError> {
        let mut map = pictures.shallow_clone();
        for block in &self.blocks {
            map = block.forward(&map, self.norm)?;
        }
        let score = map.f_conv2d(&self.last, None::<&Tensor>, [1; 2], [0; 2], [1; 2], 1)?.f_view([-1])?;
        let Some(known) = &self.classes else { return Ok(score) };
        let features = map.f_mean_dim([2i64, 3].as_slice(), false, None)?;
        let fit = features.f_mul(&known.f_index_select(0, classes)?)?;
        score.f_add(&fit.f_sum_dim_intlist([1i64].as_slice(), false, None)?)
    }
}

impl Block {
    fn new(
        store: &mut Store,
        name: &str,
        channels: (usize, usize),
        kernel: usize,
        norm: Option<CriticNorm>,
    ) -> Result<Block, TchError> {
        let deviation = (2.0 / ((1.0 + LEAK * LEAK) * (channels.0 * kernel * kernel) as f64)).sqrt();
        let shape = vec![channels.1, channels.0, kernel, kernel];
        let weight = store.normal(format!("{name}.weight"), shape, 0.0, deviation)?;
        let normalised = matches!(norm, Some(CriticNorm::Batch | CriticNorm::Layer));
        let (bias, norm) = match normalised {
            true => {
                let scale = store.normal(format!("{name}.norm.weight"), vec![channels.1], 1.0, 0.0)?;
                let shift = store.normal(format!("{name}.norm.bias"), vec![channels.1], 0.0, 0.0)?;
                (None, Some((scale, shift)))
            }
            false => (Some(store.normal(format!("{name}.bias"), vec![channels.1], 0.0, 0.0)?), None),
        };
        // A kernel of four halves the edge, one of three keeps it.
        Ok(Block { weight, bias, norm, stride: if kernel == 4 { 2 } else { 1 } })
    }

    fn forward(&self, map: &Tensor, norm: CriticNorm) -> Result<Tensor, TchError> {
        let map = map.f_conv2d(&self.weight, self.bias.as_ref(), [self.stride; 2], [1; 2], [1; 2], 1)?;
        let map = match (&self.norm, norm) {
            (Some((scale, shift)), CriticNorm::Batch) => {
                let none = None::<&Tensor>;
                map.f_batch_norm(Some(scale), Some(shift), none, none, true, 0.1, 1e-5, false)?
            }
            (Some((scale, shift)), CriticNorm::Layer) => {
                map.f_group_norm(1, Some(scale), Some(shift), 1e-5, false)?
            }
            _ => map,
        };
        leaky(&map)
    }
}

/// x where it is positive, a fifth of it where it is not. Written so that it can
/// be differentiated twice.
fn leaky(map: &Tensor) -> Result<Tensor, TchError> {
    map.f_relu()?.f_mul_scalar(1.0 - LEAK)?.f_add(&map.f_mul_scalar(LEAK)?)
}
