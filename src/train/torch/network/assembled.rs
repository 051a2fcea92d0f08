//! A network: body, head, and their parameters by name.

use std::collections::BTreeMap;

use tch::{Device, Kind, TchError, Tensor};

use super::super::layers::{Chain, Layer, Pass};
use super::super::store::{LoadError, Parameter, Store};
use super::head::Headed;
use super::{densenet, mobilenet, resnet, vgg};
use crate::train::recipe::{Architecture, Head};
use crate::train::weights::{Note, Values, WeightsError};

/// The group of layers that the head is; before it come two of the body.
pub const HEAD: usize = 2;

/// The body of a network and what its head has to know of it.
pub struct Body {
    /// From normalised pictures to the last feature map.
    pub chain: Chain,
    /// Channels of that map.
    pub channels: usize,
    /// The name of the linear head, as in torchvision.
    pub linear: &'static str,
    /// What the published network drops before its linear head.
    pub dropout: f64,
}

/// A network with its weights.
pub struct Network {
    note: Note,
    architecture: Architecture,
    store: Store,
    body: Chain,
    head: Headed,
}

impl Network {
    /// A network with fresh weights, functions of `seed` and their names.
    pub fn new(
        architecture: Architecture,
        note: Note,
        seed: u64,
        device: Device,
    ) -> Result<Network, TchError> {
        let mut store = Store::new(seed, device);
        let body = match architecture {
            Architecture::Resnet18 => resnet::basic(&mut store, [2, 2, 2, 2]),
            Architecture::Resnet34 => resnet::basic(&mut store, [3, 4, 6, 3]),
            Architecture::Resnet50 => resnet::bottleneck(&mut store, [3, 4, 6, 3]),
            Architecture::MobilenetV2 => mobilenet::v2(&mut store),
            Architecture::Densenet121 => densenet::densenet121(&mut store),
            Architecture::Vgg11Bn => vgg::vgg11_bn(&mut store),
        }?;
        store.set_group(HEAD);
        let head = match note.head {
            Head::Linear => Headed::linear(&mut store, &body, note.classes.len()),
            Head::Fastai => Headed::fastai(&mut store, &body, note.classes.len()),
        }?;
        Ok(Network { note, architecture, store, body: body.chain, head })
    }

    /// The network that weights describe, with these weights.
    pub fn from_weights(
        architecture: Architecture,
        note: Note,
        values: &BTreeMap<String, Values>,
        device: Device,
    ) -> Result<Network, LoadError> {
        let mut network = Network::new(architecture, note, 0, device)?;
        network.store.load(values, |_| true)?;
        Ok(network)
    }

    /// Takes over weights to start from: all of the body, and the head where it
    /// is there and of the same shape; otherwise the head stays fresh. Says
    /// whether the head was taken over.
    pub fn start_from(
        &mut self,
        values: &BTreeMap<String, Values>,
        note: Option<&Note>,
    ) -> Result<bool, LoadError> {
        if let Some(note) = note.filter(|note| note.architecture != self.note.architecture) {
            return Err(WeightsError::OtherArchitecture {
                found: note.architecture.clone(),
                expected: self.note.architecture.clone(),
            }
            .into());
        }
        // The classes of weights without a note are not known to be ours.
        let same = note.is_some_and(|note| note.classes == self.note.classes && note.head == self.note.head);
        let prefix = self.head.prefix();
        self.store.load(values, |name| same || !name.starts_with(prefix))?;
        Ok(same)
    }

    /// Takes over the values of all tensors.
    pub fn load(&mut self, values: &BTreeMap<String, Values>) -> Result<(), LoadError> {
        self.store.load(values, |_| true)
    }

    /// The values of all tensors.
    pub fn values(&self) -> Result<BTreeMap<String, Values>, TchError> {
        self.store.values()
    }

    /// What the weights' header says.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Which network it is.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// What learns.
    pub fn parameters(&self) -> &[Parameter] {
        &self.store.parameters
    }

    /// The scores of every class, `n × classes`, before the softmax.
    pub fn scores(&self, pictures: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let map = self.body.forward(pictures, pass)?;
        self.head.scores(&map, pass)?.f_to_kind(Kind::Float)
    }

    /// The mean of the last feature map, `n × channels`.
    pub fn features(&self, pictures: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let map = self.body.forward(pictures, pass)?;
        map.f_mean_dim([2i64, 3].as_slice(), false, Kind::Float)
    }
}
