//! MobileNetV2 (Sandler et al. 2018), as in torchvision's `mobilenetv2.py`.

use tch::TchError;

use super::super::layers::{Chain, Plain, Residual};
use super::super::store::{Spread, Store};
use super::assembled::Body;

const SPREAD: Spread = Spread::FanOut;

/// Expansion, channels, blocks, stride of the first.
const PLAN: [(usize, usize, usize, i64); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// MobileNetV2 of width one.
pub fn v2(store: &mut Store) -> Result<Body, TchError> {
    let mut chain = block(store, Chain::default(), "features.0", (3, 32), 3, 2, 1)?;
    let (mut channels, mut place) = (32, 1);
    for (row, (expansion, outputs, count, first)) in PLAN.into_iter().enumerate() {
        store.set_group(usize::from(row >= 3));
        for index in 0..count {
            let stride = if index == 0 { first } else { 1 };
            let name = format!("features.{place}.conv");
            let hidden = channels * expansion;
            let mut inner = Chain::default();
            let mut step = 0;
            if expansion != 1 {
                inner = block(store, inner, &format!("{name}.0"), (channels, hidden), 1, 1, 1)?;
                step = 1;
            }
            inner = block(store, inner, &format!("{name}.{step}"), (hidden, hidden), 3, stride, hidden)?
                .then(store.conv(&format!("{name}.{}", step + 1), (hidden, outputs), 1, 1, 1, SPREAD)?)
                .then(store.norm(&format!("{name}.{}", step + 2), outputs)?);
            chain = if stride == 1 && channels == outputs {
                chain.then(Residual { inner, shortcut: None, relu: false })
            } else {
                chain.then(inner)
            };
            channels = outputs;
            place += 1;
        }
    }
    let chain = block(store, chain, &format!("features.{place}"), (channels, 1280), 1, 1, 1)?;
    Ok(Body { chain, channels: 1280, linear: "classifier.1", dropout: 0.2 })
}

/// Convolution, batch norm, ReLU6.
fn block(
    store: &mut Store,
    chain: Chain,
    name: &str,
    channels: (usize, usize),
    kernel: usize,
    stride: i64,
    groups: usize,
) -> Result<Chain, TchError> {
    Ok(chain.then(store.conv_norm(name, channels, kernel, stride, groups, SPREAD)?).then(Plain::Relu6))
}
