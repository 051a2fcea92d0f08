//! Layers: parameters and what is computed with them.
//!
//! Pictures are `n × channels × height × width`, kept in memory with the
//! channels innermost ("channels last"), which is what the processor's
//! convolutions are fastest on; weights of convolutions lie likewise.

use safelight_lineage::id::ImageId;
use tch::{Kind, TchError, Tensor};

use super::super::keyed::Moment;
use super::super::recipe::Precision;

/// Where dropout takes its choices from: one stream for every image.
#[derive(Debug, Clone, Copy)]
pub struct Dropout<'a> {
    /// The epoch.
    pub moment: Moment,
    /// The images of the batch, in order.
    pub images: &'a [ImageId],
}

/// How a network is run once.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// What convolutions and linear layers compute in.
    pub precision: Precision,
    /// Present when training: batch norms use the batch, and dropout drops.
    pub training: Option<Dropout<'a>>,
}

impl Pass<'_> {
    /// As validation and prediction run it.
    pub const fn judging(precision: Precision) -> Pass<'static> {
        Pass { precision, training: None }
    }

    fn cast(&self, tensor: &Tensor) -> Result<Tensor, TchError> {
        match self.precision {
            Precision::Fp32 => Ok(tensor.shallow_clone()),
            Precision::Bf16 => tensor.f_to_kind(Kind::BFloat16),
        }
    }

    /// Drops each feature of `n × features` with probability `rate` and scales
    /// the others up. The choices are keyed by epoch, image and `operation`.
    pub fn dropout(&self, input: Tensor, operation: &str, rate: f64) -> Result<Tensor, TchError> {
        let Some(Dropout { moment, images }) = self.training else { return Ok(input) };
        let features = input.size().last().copied().unwrap_or(0);
        let kept = (1.0 / (1.0 - rate)) as f32;
        let mut mask = Vec::with_capacity(images.len() * features as usize);
        for image in images {
            let mut rng = moment.draw(operation, image.as_bytes());
            mask.extend((0..features).map(|_| if rng.chance(rate) { 0.0 } else { kept }));
        }
        let mask = Tensor::f_from_slice(&mask)?.f_view([-1, features])?;
        input.f_mul(&mask.f_to_device(input.device())?)
    }
}

/// Something that maps one feature map to another.
pub trait Layer: Send {
    /// Runs it.
    fn forward(&self, input: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError>;
}

/// A convolution with a square kernel.
pub struct Conv {
    pub(super) weight: Tensor,
    pub(super) bias: Option<Tensor>,
    pub(super) stride: i64,
    pub(super) padding: i64,
    pub(super) groups: i64,
}

impl Layer for Conv {
    fn forward(&self, input: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let bias = self.bias.as_ref().map(|bias| pass.cast(bias)).transpose()?;
        pass.cast(input)?.f_conv2d(
            &pass.cast(&self.weight)?,
            bias,
            [self.stride; 2],
            [self.padding; 2],
            [1; 2],
            self.groups,
        )
    }
}

/// Batch normalisation over all but the second dimension.
pub struct Norm {
    pub(super) weight: Tensor,
    pub(super) bias: Tensor,
    pub(super) mean: Tensor,
    pub(super) variance: Tensor,
}

impl Layer for Norm {
    fn forward(&self, input: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        input.f_batch_norm(
            Some(&self.weight),
            Some(&self.bias),
            Some(&self.mean),
            Some(&self.variance),
            pass.training.is_some(),
            0.1,
            1e-5,
            false,
        )
    }
}

/// A linear layer on `n × features`.
pub struct Linear {
    pub(super) weight: Tensor,
    pub(super) bias: Option<Tensor>,
}

impl Layer for Linear {
    fn forward(&self, input: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let bias = self.bias.as_ref().map(|bias| pass.cast(bias)).transpose()?;
        pass.cast(input)?.f_linear(&pass.cast(&self.weight)?, bias)
    }
}

/// A function without parameters.
#[derive(Debug, Clone, Copy)]
pub enum Plain {
    /// max(0, x).
    Relu,
    /// min(max(0, x), 6).
    Relu6,
    /// x times its logistic function.
    Silu,
    /// Maximum over windows of `kernel`, every second one taken.
    MaxPool {
        /// The edge of a window.
        kernel: i64,
        /// Rows of nothing around the map.
        padding: i64,
    },
    /// Mean over windows of two by two.
    HalvingMean,
}

impl Layer for Plain {
    fn forward(&self, input: &Tensor, _: &Pass<'_>) -> Result<Tensor, TchError> {
        match self {
            Plain::Relu => input.f_relu(),
            Plain::Relu6 => input.f_clamp(0.0, 6.0),
            Plain::Silu => input.f_silu(),
            Plain::MaxPool { kernel, padding } => {
                input.f_max_pool2d([*kernel; 2], [2; 2], [*padding; 2], [1; 2], false)
            }
            Plain::HalvingMean => input.f_avg_pool2d([2; 2], [2; 2], [0; 2], false, true, None),
        }
    }
}

/// Layers one after the other.
#[derive(Default)]
pub struct Chain(pub Vec<Box<dyn Layer>>);

impl Chain {
    /// Adds a layer.
    pub fn then(mut self, layer: impl Layer + 'static) -> Self {
        self.0.push(Box::new(layer));
        self
    }
}

impl Layer for Chain {
    fn forward(&self, input: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let mut map = input.shallow_clone();
        for layer in &self.0 {
            map = layer.forward(&map, pass)?;
        }
        Ok(map)
    }
}

/// A chain whose input is added to its output, and perhaps cut at zero.
pub struct Residual {
    /// The long way.
    pub inner: Chain,
    /// What the short way goes through, if anything.
    pub shortcut: Option<Chain>,
    /// Whether the sum goes through a ReLU.
    pub relu: bool,
}

impl Layer for Residual {
    fn forward(&self, input: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let mut long = self.inner.forward(input, pass)?;
        let mut sum = match &self.shortcut {
            Some(shortcut) => long.f_add_(&shortcut.forward(input, pass)?)?,
            None => long.f_add_(input)?,
        };
        if self.relu { sum.f_relu_() } else { Ok(sum) }
    }
}

/// A chain whose output is put behind its input, channel after channel.
pub struct Concatenation(pub Chain);

impl Layer for Concatenation {
    fn forward(&self, input: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let new = self.0.forward(input, pass)?;
        Tensor::f_cat(&[input, &new], 1)
    }
}

/// Scales every channel by what a small network says of all channels' means
/// (Hu et al. 2018).
pub struct SqueezeExcitation {
    /// From the means to fewer features.
    pub reduce: Conv,
    /// From those to a scale for each channel.
    pub expand: Conv,
}

impl Layer for SqueezeExcitation {
    fn forward(&self, input: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let mean = input.f_mean_dim([2i64, 3].as_slice(), true, None)?;
        let hidden = self.reduce.forward(&mean, pass)?.f_silu()?;
        input.f_mul(&self.expand.forward(&hidden, pass)?.f_sigmoid()?)
    }
}

/// While training, makes the whole map of an image zero with a chance, and
/// scales the others up (Huang et al. 2016, torchvision's mode "row").
pub struct StochasticDepth {
    /// What keys the choice, beside epoch and image.
    pub operation: String,
    /// The chance.
    pub rate: f64,
}

impl Layer for StochasticDepth {
    fn forward(&self, input: &Tensor, pass: &Pass<'_>) -> Result<Tensor, TchError> {
        let Some(Dropout { moment, images }) = pass.training else { return Ok(input.shallow_clone()) };
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let choice = |image: &ImageId| match moment.draw(&self.operation, image.as_bytes()).chance(self.rate)
        {
            true => 0.0,
            false => kept,
        };
        let scales: Vec<f32> = images.iter().map(choice).collect();
        let scales = Tensor::f_from_slice(&scales)?.f_view([-1, 1, 1, 1])?.f_to_device(input.device())?;
        input.f_mul(&scales.f_to_kind(input.kind())?)
    }
}
