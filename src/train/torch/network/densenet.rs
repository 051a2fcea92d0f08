//! DenseNet-121 (Huang et al. 2016), as in torchvision's `densenet.py`. The
//! ReLU after the last norm, which fastai's body leaves out, is part of it.

use tch::TchError;

use super::super::layers::{Chain, Concatenation, Plain};
use super::super::store::{Spread, Store};
use super::assembled::Body;

const SPREAD: Spread = Spread::FanIn;
/// Channels that each layer adds.
const GROWTH: usize = 32;

/// DenseNet-121.
pub fn densenet121(store: &mut Store) -> Result<Body, TchError> {
    let mut chain = Chain::default()
        .then(store.conv("features.conv0", (3, 64), 7, 2, 1, SPREAD)?)
        .then(store.norm("features.norm0", 64)?)
        .then(Plain::Relu)
        .then(Plain::MaxPool { kernel: 3, padding: 1 });
    let mut channels = 64;
    for (block, layers) in [6, 12, 24, 16].into_iter().enumerate() {
        store.set_group(usize::from(block >= 2));
        for layer in 1..=layers {
            let name = format!("features.denseblock{}.denselayer{layer}", block + 1);
            let inner = Chain::default()
                .then(store.norm(&format!("{name}.norm1"), channels)?)
                .then(Plain::Relu)
                .then(store.conv(&format!("{name}.conv1"), (channels, 4 * GROWTH), 1, 1, 1, SPREAD)?)
                .then(store.norm(&format!("{name}.norm2"), 4 * GROWTH)?)
                .then(Plain::Relu)
                .then(store.conv(&format!("{name}.conv2"), (4 * GROWTH, GROWTH), 3, 1, 1, SPREAD)?);
            chain = chain.then(Concatenation(inner));
            channels += GROWTH;
        }
        if block < 3 {
            let name = format!("features.transition{}", block + 1);
            chain = chain
                .then(store.norm(&format!("{name}.norm"), channels)?)
                .then(Plain::Relu)
                .then(store.conv(&format!("{name}.conv"), (channels, channels / 2), 1, 1, 1, SPREAD)?)
                .then(Plain::HalvingMean);
            channels /= 2;
        }
    }
    let chain = chain.then(store.norm("features.norm5", channels)?).then(Plain::Relu);
    Ok(Body { chain, channels, linear: "classifier", dropout: 0.0 })
}
