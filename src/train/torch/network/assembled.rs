//! A network: body, head, and their parameters by name.

use std::collections::BTreeMap;

use tch::{Device, Kind, TchError, Tensor};

use super::super::layers::{Chain, Layer, Pass};
use super::super::store::{LoadError, Parameter, Store};
use super::head::Headed;
use super::{densenet, efficientnet, mobilenet, resnet, vgg};
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
            Architecture::EfficientnetB0 => efficientnet::b0(&mut store),
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

    /// All tensors by name: what learns, and running means and variances.
    pub fn tensors(&self) -> impl Iterator<Item = (&String, &Tensor)> {
        self.store.tensors()
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

#[cfg(test)]
mod tests {
    use tch::nn::{ModuleT, VarStore};
    use tch::vision;

    use super::*;
    use crate::train::keyed::Moment;
    use crate::train::recipe::{Normalisation, Precision};
    use crate::train::torch::layers::Dropout;
    use safelight_lineage::id::ImageId;

    fn network(architecture: Architecture, head: Head, classes: usize) -> Network {
        let note = Note {
            architecture: architecture.name().to_owned(),
            head,
            classes: (0..classes).map(|class| class.to_string()).collect(),
            normalisation: Normalisation::Imagenet,
        };
        Network::new(architecture, note, 1, Device::Cpu).expect("builds")
    }

    /// Pictures that are not all alike, of these extents.
    fn pictures(count: i64, height: i64, width: i64) -> Tensor {
        let numbers = Tensor::arange(count * 3 * height * width, (Kind::Float, Device::Cpu));
        (numbers * 0.7).sin().view([count, 3, height, width])
    }

    fn parameters(architecture: Architecture) -> usize {
        network(architecture, Head::Linear, 1000).parameters().iter().map(|p| p.tensor.numel()).sum()
    }

    /// The counts that torchvision publishes for 1,000 classes.
    #[test]
    fn networks_have_as_many_parameters_as_published() {
        assert_eq!(parameters(Architecture::Resnet18), 11_689_512);
        assert_eq!(parameters(Architecture::Resnet34), 21_797_672);
        assert_eq!(parameters(Architecture::Resnet50), 25_557_032);
        assert_eq!(parameters(Architecture::MobilenetV2), 3_504_872);
        assert_eq!(parameters(Architecture::EfficientnetB0), 5_288_548);
        assert_eq!(parameters(Architecture::Densenet121), 7_978_856);
        // torchvision's 132,868,840 with three linear layers instead of one.
        let linear = 25_088 * 4_096 + 4_096 + 4_096 * 4_096 + 4_096 + 4_096 * 1_000 + 1_000;
        assert_eq!(parameters(Architecture::Vgg11Bn), 132_868_840 - linear + 512 * 1_000 + 1_000);
    }

    /// Another implementation with the same names, tch's own, gives `factor`
    /// times our scores with our weights.
    fn agrees_with_tch(
        architecture: Architecture,
        size: i64,
        factor: f64,
        other: &dyn Fn(&VarStore) -> Box<dyn ModuleT>,
    ) {
        let ours = network(architecture, Head::Linear, 5);
        // Running statistics that are not all zero and one.
        for (index, (name, buffer)) in ours.store.buffers.iter().enumerate() {
            if factor != 1.0 && name.ends_with("mean") {
                continue;
            }
            let _ = tch::no_grad(|| buffer.shallow_clone().f_add_scalar_(0.01 * (index % 7) as f64))
                .expect("adds");
        }
        let store = VarStore::new(Device::Cpu);
        let theirs = other(&store);
        let variables = store.variables();
        let values = ours.values().expect("reads");
        assert_eq!(variables.len(), values.len());
        tch::no_grad(|| {
            for (name, values) in &values {
                let variable = variables.get(name).unwrap_or_else(|| panic!("tch has no {name}"));
                let source = Tensor::from_slice(&values.values).view(variable.size().as_slice());
                variable.shallow_clone().copy_(&source);
            }
            let input = pictures(2, size, size);
            let ours = ours.scores(&input, &Pass::judging(Precision::Fp32)).expect("runs");
            let theirs = theirs.forward_t(&input, false) / factor;
            let scale = theirs.abs().max().double_value(&[]);
            let gap = (ours - theirs).abs().max().double_value(&[]);
            assert!(gap <= 1e-4 * scale.max(1.0), "{architecture}: {gap} of {scale}");
        });
    }

    #[test]
    fn scores_are_those_of_another_implementation() {
        agrees_with_tch(Architecture::Resnet18, 64, 1.0, &|s| {
            Box::new(vision::resnet::resnet18(&s.root(), 5))
        });
        agrees_with_tch(Architecture::Resnet50, 64, 1.0, &|s| {
            Box::new(vision::resnet::resnet50(&s.root(), 5))
        });
        agrees_with_tch(Architecture::MobilenetV2, 64, 1.0, &|s| {
            Box::new(vision::mobilenet::v2(&s.root(), 5))
        });
        // tch's pooling adds where it should average: 4 in each of three
        // transitions, 49 in the end. Without running means and biases, a
        // factor on a map is a factor on the scores.
        agrees_with_tch(Architecture::Densenet121, 224, 64.0 * 49.0, &|s| {
            Box::new(vision::densenet::densenet121(&s.root(), 5))
        });
    }

    #[test]
    fn every_network_takes_every_size_with_either_head() {
        for architecture in Architecture::ALL {
            for head in [Head::Linear, Head::Fastai] {
                let network = network(architecture, head, 3);
                for (height, width) in [(32, 32), (40, 72)] {
                    let pass = Pass::judging(Precision::Fp32);
                    let input = pictures(1, height, width);
                    let scores = tch::no_grad(|| network.scores(&input, &pass)).expect("runs");
                    assert_eq!(scores.size(), [1, 3], "{architecture} {head:?}");
                }
            }
        }
    }

    #[test]
    fn dropout_is_a_function_of_the_image_not_of_its_place() {
        let moment = Moment { seed: 1, stage: 0, epoch: 0 };
        let dropped = |images: &[ImageId]| {
            let pass = Pass { precision: Precision::Fp32, training: Some(Dropout { moment, images }) };
            let ones = Tensor::ones([images.len() as i64, 64], (Kind::Float, Device::Cpu));
            Vec::<Vec<f32>>::try_from(pass.dropout(ones, "dropout", 0.25).expect("drops")).expect("rows")
        };
        let (a, b) = (ImageId([1; 16]), ImageId([2; 16]));
        let (one, other) = (dropped(&[a, b]), dropped(&[b, a]));
        assert_eq!((&one[0], &one[1]), (&other[1], &other[0]));
        assert!(one[0].iter().all(|value| [0.0, 4.0 / 3.0].contains(value)));
        assert_ne!(one[0], one[1]);
    }
}
