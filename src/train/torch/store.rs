//! The parameters and buffers of a network by name: made from the seed, read
//! from weights, written as weights.

use std::collections::BTreeMap;

use tch::{Device, Kind, TchError, Tensor};

use super::super::keyed::{KeyedRng, Moment};
use super::super::weights::{Values, WeightsError};
use super::layers::{Chain, Conv, Linear, Norm};

/// One parameter.
pub struct Parameter {
    /// Its name, as in torchvision.
    pub name: String,
    /// Its values; the layers hold the same storage.
    pub tensor: Tensor,
    /// Which of the three groups of layers it belongs to.
    pub group: usize,
    /// Whether it belongs to a normalisation.
    pub norm: bool,
    /// Whether weight decay applies.
    pub decays: bool,
}

/// How the first weights of a layer are spread.
#[derive(Debug, Clone, Copy)]
pub enum Spread {
    /// Kaiming's normal distribution for ReLU by the inputs of a unit.
    FanIn,
    /// The same by the outputs of a unit.
    FanOut,
    /// PyTorch's default for linear layers: uniform within ±1/√inputs.
    Uniform,
}

/// Builds the layers of a network and remembers their parameters.
pub struct Store {
    /// What learns, in the order of the network.
    pub parameters: Vec<Parameter>,
    /// Running means and variances.
    pub buffers: Vec<(String, Tensor)>,
    group: usize,
    seed: u64,
    device: Device,
}

impl Store {
    /// An empty store whose first weights are functions of `seed` and names.
    pub fn new(seed: u64, device: Device) -> Store {
        Store { parameters: Vec::new(), buffers: Vec::new(), group: 0, seed, device }
    }

    /// What is built from here on belongs to this group of layers.
    pub fn set_group(&mut self, group: usize) {
        self.group = group;
    }

    fn rng(&self, name: &str) -> KeyedRng {
        Moment { seed: self.seed, stage: 0, epoch: 0 }.draw("initial weights", name.as_bytes())
    }

    fn add(&mut self, name: String, values: &Values, norm: bool, decays: bool) -> Result<Tensor, TchError> {
        let tensor = to_tensor(values, self.device)?.set_requires_grad(true);
        let shared = tensor.shallow_clone();
        self.parameters.push(Parameter { name, tensor, group: self.group, norm, decays });
        Ok(shared)
    }

    fn weight(&mut self, name: &str, shape: Vec<usize>, spread: Spread) -> Result<Tensor, TchError> {
        let window: usize = shape[2..].iter().product();
        let (inputs, outputs) = ((shape[1] * window) as f64, (shape[0] * window) as f64);
        let name = format!("{name}.weight");
        let mut rng = self.rng(&name);
        let mut draw: Box<dyn FnMut() -> f64> = match spread {
            Spread::FanIn => Box::new(move || rng.normal() * (2.0 / inputs).sqrt()),
            Spread::FanOut => Box::new(move || rng.normal() * (2.0 / outputs).sqrt()),
            Spread::Uniform => Box::new(move || rng.between(-1.0, 1.0) / inputs.sqrt()),
        };
        let count = shape.iter().product();
        let values = (0..count).map(|_| draw() as f32).collect();
        self.add(name, &Values { shape, values }, false, true)
    }

    /// A parameter whose values are normal about `mean`; all `mean` without a
    /// deviation.
    pub fn normal(
        &mut self,
        name: String,
        shape: Vec<usize>,
        mean: f32,
        deviation: f64,
    ) -> Result<Tensor, TchError> {
        let mut rng = self.rng(&name);
        let mut draw = || match deviation > 0.0 {
            true => mean + (rng.normal() * deviation) as f32,
            false => mean,
        };
        let values = (0..shape.iter().product()).map(|_| draw()).collect();
        self.add(name, &Values { shape, values }, false, false)
    }

    /// Where its tensors are.
    pub fn device(&self) -> Device {
        self.device
    }

    fn vector(&mut self, name: String, length: usize, value: f32, norm: bool) -> Result<Tensor, TchError> {
        self.add(name, &Values { shape: vec![length], values: vec![value; length] }, norm, false)
    }

    /// A convolution of `channels.0` to `channels.1` channels with the padding
    /// that keeps the extent.
    pub fn conv(
        &mut self,
        name: &str,
        channels: (usize, usize),
        kernel: usize,
        stride: i64,
        groups: usize,
        spread: Spread,
    ) -> Result<Conv, TchError> {
        let shape = vec![channels.1, channels.0 / groups, kernel, kernel];
        let weight = self.weight(name, shape, spread)?;
        Ok(Conv { weight, bias: None, stride, padding: kernel as i64 / 2, groups: groups as i64 })
    }

    /// A convolution as [`conv`](Store::conv) makes it, with a bias of zeros.
    pub fn conv_with_bias(
        &mut self,
        name: &str,
        channels: (usize, usize),
        kernel: usize,
        spread: Spread,
    ) -> Result<Conv, TchError> {
        let conv = self.conv(name, channels, kernel, 1, 1, spread)?;
        Ok(Conv { bias: Some(self.vector(format!("{name}.bias"), channels.1, 0.0, false)?), ..conv })
    }

    /// A batch norm with weights of one and biases of `bias`.
    pub fn norm_with(&mut self, name: &str, channels: usize, bias: f32) -> Result<Norm, TchError> {
        let options = (Kind::Float, self.device);
        let mean = Tensor::f_zeros([channels as i64], options)?;
        let variance = Tensor::f_ones([channels as i64], options)?;
        self.buffers.push((format!("{name}.running_mean"), mean.shallow_clone()));
        self.buffers.push((format!("{name}.running_var"), variance.shallow_clone()));
        Ok(Norm {
            weight: self.vector(format!("{name}.weight"), channels, 1.0, true)?,
            bias: self.vector(format!("{name}.bias"), channels, bias, true)?,
            mean,
            variance,
        })
    }

    /// A batch norm that changes nothing but mean and variance at first.
    pub fn norm(&mut self, name: &str, channels: usize) -> Result<Norm, TchError> {
        self.norm_with(name, channels, 0.0)
    }

    /// A convolution `name.0` and its batch norm `name.1`, as torchvision's newer
    /// networks name them.
    pub fn conv_norm(
        &mut self,
        name: &str,
        channels: (usize, usize),
        kernel: usize,
        stride: i64,
        groups: usize,
        spread: Spread,
    ) -> Result<Chain, TchError> {
        let conv = self.conv(&format!("{name}.0"), channels, kernel, stride, groups, spread)?;
        Ok(Chain::default().then(conv).then(self.norm(&format!("{name}.1"), channels.1)?))
    }

    /// A linear layer, with a bias if wanted, of zeros.
    pub fn linear(
        &mut self,
        name: &str,
        features: (usize, usize),
        bias: bool,
        spread: Spread,
    ) -> Result<Linear, TchError> {
        let weight = self.weight(name, vec![features.1, features.0], spread)?;
        let bias = match bias {
            true => Some(self.vector(format!("{name}.bias"), features.1, 0.0, false)?),
            false => None,
        };
        Ok(Linear { weight, bias })
    }

    /// All tensors by name.
    pub fn tensors(&self) -> impl Iterator<Item = (&String, &Tensor)> {
        let parameters = self.parameters.iter().map(|parameter| (&parameter.name, &parameter.tensor));
        parameters.chain(self.buffers.iter().map(|(name, tensor)| (name, tensor)))
    }

    /// The values of all tensors.
    pub fn values(&self) -> Result<BTreeMap<String, Values>, TchError> {
        self.tensors().map(|(name, tensor)| Ok((name.clone(), to_values(tensor)?))).collect()
    }

    /// Takes over the values of all tensors whose name `wanted` accepts. Those
    /// must be there and fit; nothing is changed otherwise.
    pub fn load(
        &mut self,
        from: &BTreeMap<String, Values>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), LoadError> {
        let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
        for (name, tensor) in self.tensors().filter(|(name, _)| wanted(name)) {
            let shape: Vec<usize> = tensor.size().into_iter().map(|extent| extent as usize).collect();
            match from.get(name) {
                None => missing.push(name.clone()),
                Some(values) if values.shape != shape => {
                    misshapen.push(format!("{name}: {:?} instead of {shape:?}", values.shape));
                }
                Some(_) => {}
            }
        }
        if !missing.is_empty() || !misshapen.is_empty() {
            let known: std::collections::BTreeSet<&String> = self.tensors().map(|(name, _)| name).collect();
            let unexpected = from.keys().filter(|name| !known.contains(name)).cloned().collect();
            return Err(WeightsError::Tensors { missing, misshapen, unexpected }.into());
        }
        let _guard = tch::no_grad_guard();
        for (name, tensor) in self.tensors().filter(|(name, _)| wanted(name)) {
            copy_into(tensor, &from[name])?;
        }
        Ok(())
    }
}

/// Why weights could not be taken over.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// They do not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// libtorch refused.
    #[error(transparent)]
    Torch(#[from] TchError),
}

/// A tensor of these values; pictures and kernels with the channels innermost.
pub fn to_tensor(values: &Values, device: Device) -> Result<Tensor, TchError> {
    let shape: Vec<i64> = values.shape.iter().map(|extent| *extent as i64).collect();
    let tensor = Tensor::f_from_slice(&values.values)?.f_view(shape.as_slice())?.f_to_device(device)?;
    if shape.len() != 4 {
        return Ok(tensor);
    }
    tensor.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])
}

/// The values of a tensor, in C order.
pub fn to_values(tensor: &Tensor) -> Result<Values, TchError> {
    let flat = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let mut values = vec![0.0; flat.numel()];
    flat.f_copy_data(&mut values, flat.numel())?;
    Ok(Values { shape: tensor.size().into_iter().map(|extent| extent as usize).collect(), values })
}

/// Overwrites a tensor, which keeps its place and layout in memory.
pub fn copy_into(tensor: &Tensor, values: &Values) -> Result<(), TchError> {
    let source = to_tensor(values, tensor.device())?;
    tensor.shallow_clone().f_copy_(&source)?;
    Ok(())
}
