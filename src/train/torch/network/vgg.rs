//! VGG-11 with batch norm (Simonyan and Zisserman 2014): the features of
//! torchvision's `vgg.py`. Its three linear layers on a fixed 7×7 map, nine
//! tenths of its weights, give way to a head that takes any extent.

use tch::TchError;

use super::super::layers::{Chain, Plain};
use super::super::store::{Spread, Store};
use super::assembled::Body;

/// VGG-11 with batch norm.
pub fn vgg11_bn(store: &mut Store) -> Result<Body, TchError> {
    let mut chain = Chain::default();
    let (mut channels, mut place) = (3, 0);
    for (block, widths) in [&[64][..], &[128], &[256, 256], &[512, 512], &[512, 512]].into_iter().enumerate()
    {
        store.set_group(usize::from(block >= 3));
        for width in widths {
            let conv = format!("features.{place}");
            let norm = format!("features.{}", place + 1);
            chain = chain
                .then(store.conv_with_bias(&conv, (channels, *width), 3, Spread::FanOut)?)
                .then(store.norm(&norm, *width)?)
                .then(Plain::Relu);
            channels = *width;
            place += 3;
        }
        chain = chain.then(Plain::MaxPool { kernel: 2, padding: 0 });
        place += 1;
    }
    Ok(Body { chain, channels, linear: "classifier", dropout: 0.5 })
}
