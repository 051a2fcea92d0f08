//! Which tensors the body of each network has.
//!
//! The tables are written from torchvision's networks by
//! `tests/goldens/torchvision_goldens.py`, and a test of the engine holds ours
//! against them; so weights can be checked in a build without libtorch.

use std::collections::BTreeMap;

use crate::train::recipe::Architecture;

/// The tensors of a network's body: names as in torchvision, and extents.
pub type Layout = BTreeMap<&'static str, Vec<usize>>;

/// The table of a network as text: a line is a name and the extents, such as
/// `conv1.weight 64x3x7x7`.
pub(crate) const fn table(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Resnet18 => include_str!("layouts/resnet18.txt"),
        Architecture::Resnet34 => include_str!("layouts/resnet34.txt"),
        Architecture::Resnet50 => include_str!("layouts/resnet50.txt"),
        Architecture::MobilenetV2 => include_str!("layouts/mobilenet_v2.txt"),
        Architecture::EfficientnetB0 => include_str!("layouts/efficientnet_b0.txt"),
        Architecture::Densenet121 => include_str!("layouts/densenet121.txt"),
        Architecture::Vgg11Bn => include_str!("layouts/vgg11_bn.txt"),
    }
}

/// The tensors of a network without its head.
pub fn layout(architecture: Architecture) -> Layout {
    let line = |line: &'static str| {
        let (name, extents) = line.split_once(' ')?;
        let extents = extents.split('x').map(|extent| extent.parse().ok()).collect::<Option<_>>()?;
        Some((name, extents))
    };
    table(architecture).lines().map(|text| line(text).expect("a table of our own")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_can_be_read_and_hold_no_head() {
        for architecture in Architecture::ALL {
            let layout = layout(architecture);
            assert!(layout.len() > 40, "{architecture}");
            assert!(layout.keys().all(|name| !name.starts_with("fc.") && !name.starts_with("classifier")));
        }
        assert_eq!(layout(Architecture::Resnet50)["conv1.weight"], [64, 3, 7, 7]);
    }
}
