//! Residual networks (He et al. 2015), as in torchvision's `resnet.py`: version
//! 1.5, whose bottlenecks stride in their 3×3 convolution.

use tch::TchError;

use super::super::layers::{Chain, Plain, Residual};
use super::super::store::{Spread, Store};
use super::assembled::Body;

const SPREAD: Spread = Spread::FanOut;

/// ResNet-18 and -34: blocks of two 3×3 convolutions.
pub fn basic(store: &mut Store, blocks: [usize; 4]) -> Result<Body, TchError> {
    network(store, blocks, 1, |store, name, inputs, width, stride| {
        Ok(Chain::default()
            .then(store.conv(&format!("{name}.conv1"), (inputs, width), 3, stride, 1, SPREAD)?)
            .then(store.norm(&format!("{name}.bn1"), width)?)
            .then(Plain::Relu)
            .then(store.conv(&format!("{name}.conv2"), (width, width), 3, 1, 1, SPREAD)?)
            .then(store.norm(&format!("{name}.bn2"), width)?))
    })
}

/// ResNet-50: blocks that narrow, convolve and widen.
pub fn bottleneck(store: &mut Store, blocks: [usize; 4]) -> Result<Body, TchError> {
    network(store, blocks, 4, |store, name, inputs, width, stride| {
        Ok(Chain::default()
            .then(store.conv(&format!("{name}.conv1"), (inputs, width), 1, 1, 1, SPREAD)?)
            .then(store.norm(&format!("{name}.bn1"), width)?)
            .then(Plain::Relu)
            .then(store.conv(&format!("{name}.conv2"), (width, width), 3, stride, 1, SPREAD)?)
            .then(store.norm(&format!("{name}.bn2"), width)?)
            .then(Plain::Relu)
            .then(store.conv(&format!("{name}.conv3"), (width, 4 * width), 1, 1, 1, SPREAD)?)
            .then(store.norm(&format!("{name}.bn3"), 4 * width)?))
    })
}

type Block = fn(&mut Store, &str, usize, usize, i64) -> Result<Chain, TchError>;

fn network(store: &mut Store, blocks: [usize; 4], expansion: usize, block: Block) -> Result<Body, TchError> {
    let mut chain = Chain::default()
        .then(store.conv("conv1", (3, 64), 7, 2, 1, SPREAD)?)
        .then(store.norm("bn1", 64)?)
        .then(Plain::Relu)
        .then(Plain::MaxPool { kernel: 3, padding: 1 });
    let mut channels = 64;
    for (layer, count) in blocks.into_iter().enumerate() {
        // fastai's groups: the stem with layers 1 and 2, then layers 3 and 4.
        store.set_group(usize::from(layer >= 2));
        let width = 64 << layer;
        for index in 0..count {
            let stride = if layer > 0 && index == 0 { 2 } else { 1 };
            let name = format!("layer{}.{index}", layer + 1);
            let inner = block(store, &name, channels, width, stride)?;
            let outputs = width * expansion;
            let shortcut = if stride != 1 || channels != outputs {
                let conv =
                    store.conv(&format!("{name}.downsample.0"), (channels, outputs), 1, stride, 1, SPREAD)?;
                Some(Chain::default().then(conv).then(store.norm(&format!("{name}.downsample.1"), outputs)?))
            } else {
                None
            };
            chain = chain.then(Residual { inner, shortcut, relu: true });
            channels = outputs;
        }
    }
    Ok(Body { chain, channels, linear: "fc", dropout: 0.0 })
}
