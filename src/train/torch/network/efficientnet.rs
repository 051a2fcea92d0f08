//! EfficientNet-B0 (Tan and Le 2019), as in torchvision's `efficientnet.py`:
//! inverted residuals with squeeze-and-excitation, SiLU and stochastic depth.

use tch::TchError;

use super::super::layers::{Chain, Plain, Residual, SqueezeExcitation, StochasticDepth};
use super::super::store::{Spread, Store};
use super::assembled::Body;

const SPREAD: Spread = Spread::FanOut;
/// The chance that the last block is skipped while training; it grows linearly
/// from zero at the first.
const STOCHASTIC_DEPTH: f64 = 0.2;

/// Expansion, kernel, stride of the first, channels, blocks.
const PLAN: [(usize, usize, i64, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

/// EfficientNet-B0.
pub fn b0(store: &mut Store) -> Result<Body, TchError> {
    let mut chain = block(store, Chain::default(), "features.0", (3, 32), 3, 2, 1)?;
    let total: usize = PLAN.iter().map(|(.., count)| count).sum();
    let (mut channels, mut place) = (32, 0);
    for (row, (expansion, kernel, first, outputs, count)) in PLAN.into_iter().enumerate() {
        store.set_group(usize::from(row >= 3));
        for index in 0..count {
            let stride = if index == 0 { first } else { 1 };
            let name = format!("features.{}.{index}.block", row + 1);
            let hidden = channels * expansion;
            let mut inner = Chain::default();
            let mut step = 0;
            if expansion != 1 {
                inner = block(store, inner, &format!("{name}.0"), (channels, hidden), 1, 1, 1)?;
                step = 1;
            }
            inner = block(store, inner, &format!("{name}.{step}"), (hidden, hidden), kernel, stride, hidden)?;
            // The squeeze is a quarter of the block's input, not of what it widens to.
            let squeezed = (channels / 4).max(1);
            let excitation = format!("{name}.{}", step + 1);
            inner = inner
                .then(SqueezeExcitation {
                    reduce: store.conv_with_bias(
                        &format!("{excitation}.fc1"),
                        (hidden, squeezed),
                        1,
                        SPREAD,
                    )?,
                    expand: store.conv_with_bias(
                        &format!("{excitation}.fc2"),
                        (squeezed, hidden),
                        1,
                        SPREAD,
                    )?,
                })
                .then(store.conv_norm(
                    &format!("{name}.{}", step + 2),
                    (hidden, outputs),
                    1,
                    1,
                    1,
                    SPREAD,
                )?);
            chain = if stride == 1 && channels == outputs {
                let rate = STOCHASTIC_DEPTH * place as f64 / total as f64;
                let inner = inner.then(StochasticDepth { operation: format!("skip block {place}"), rate });
                chain.then(Residual { inner, shortcut: None, relu: false })
            } else {
                chain.then(inner)
            };
            channels = outputs;
            place += 1;
        }
    }
    let chain = block(store, chain, "features.8", (channels, 1280), 1, 1, 1)?;
    Ok(Body { chain, channels: 1280, linear: "classifier.1", dropout: 0.2 })
}

/// Convolution, batch norm, SiLU.
fn block(
    store: &mut Store,
    chain: Chain,
    name: &str,
    channels: (usize, usize),
    kernel: usize,
    stride: i64,
    groups: usize,
) -> Result<Chain, TchError> {
    Ok(chain.then(store.conv_norm(name, channels, kernel, stride, groups, SPREAD)?).then(Plain::Silu))
}
