//! Which network a set of tensors belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::layout::{Layout, layout};
use crate::train::recipe::Architecture;
use crate::train::weights::Values;

/// What the names of head tensors begin with, in torchvision's networks. They
/// tell the publisher's classes apart, so no head is taken over.
const HEADS: [&str; 3] = ["fc.", "classifier.", "AuxLogits."];

/// Tensors that are all of a network's body.
#[derive(Debug, Clone)]
pub struct Fit {
    /// The network.
    pub architecture: Architecture,
    /// What was taken off the front of every name, such as `state_dict.module.`.
    pub prefix: String,
    /// The body, under the network's own names.
    pub tensors: BTreeMap<String, Values>,
    /// Names of the head that was left out, without the prefix.
    pub head: Vec<String>,
    /// Names of tensors that do not stand below the prefix: an optimizer's, say.
    pub outside: Vec<String>,
}

/// How tensors miss a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The network that they come nearest to, or that was asked for.
    pub architecture: Architecture,
    /// How many tensors of its body are there with the right shape.
    pub fitting: usize,
    /// Names that the body has and the file has not.
    pub missing: Vec<String>,
    /// Names that the file has below the prefix and the network has not.
    pub unexpected: Vec<String>,
    /// Name, shape in the file, and shape in the network.
    pub misshapen: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tensors fit {}; {} are missing, {} unexpected, {} have another shape",
            self.fitting,
            self.architecture,
            self.missing.len(),
            self.unexpected.len(),
            self.misshapen.len()
        )
    }
}

/// Why tensors are no weights of a network of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// They are not those of the network.
    #[error("the tensors are not those of the network: {0}")]
    Misfit(Misfit),
    /// Nothing in the file is named as in any network of ours.
    #[error("none of its {tensors} tensors is named as in a network that Safelight knows")]
    Unknown {
        /// How many tensors there are.
        tensors: usize,
    },
    /// A weight is no number.
    #[error("tensor {tensor} holds a value that is no number, at place {place}")]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// Which of its values, from zero.
        place: usize,
    },
}

/// Finds the network that tensors belong to: `wanted`, or the one that most of
/// them fit. `ignore_unexpected` leaves out what the network has no place for.
///
/// # Errors
/// When a tensor of the body is missing, has another shape or holds a value
/// that is no number, or when there is one too many.
pub fn fit(
    tensors: BTreeMap<String, Values>,
    wanted: Option<Architecture>,
    ignore_unexpected: bool,
) -> Result<Fit, FitError> {
    let candidates = wanted.map_or_else(|| Architecture::ALL.to_vec(), |wanted| vec![wanted]);
    let mut best: Option<(usize, Architecture, Layout, String)> = None;
    for architecture in candidates {
        let layout = layout(architecture);
        for prefix in prefixes(&tensors, &layout) {
            let fitting = fitting(&tensors, &layout, &prefix);
            // ResNet-18's tensors are all in ResNet-34's: the smaller network, of
            // which a larger part fits, comes first and wins unless more fit.
            if best.as_ref().is_none_or(|(most, _, least, _)| {
                (fitting * least.len(), fitting) > (*most * layout.len(), *most)
            }) {
                best = Some((fitting, architecture, layout.clone(), prefix));
            }
        }
    }
    let Some((fitting, architecture, layout, prefix)) = best.filter(|(fitting, ..)| *fitting > 0) else {
        return Err(FitError::Unknown { tensors: tensors.len() });
    };
    take(tensors, architecture, &layout, prefix, fitting, ignore_unexpected)
}

/// What may stand before the names: whatever stands before a few of them, so
/// that one that is missing hides nothing.
fn prefixes(tensors: &BTreeMap<String, Values>, layout: &Layout) -> BTreeSet<String> {
    let names: Vec<&str> = layout.keys().copied().step_by(layout.len().div_ceil(8)).collect();
    let before = |name: String| names.iter().find_map(|known| Some(name.strip_suffix(known)?.to_owned()));
    tensors.keys().filter_map(|name| before(modern(name))).collect()
}

fn fitting(tensors: &BTreeMap<String, Values>, layout: &Layout, prefix: &str) -> usize {
    let fits = |(name, values): &(&String, &Values)| {
        let name = modern(name);
        let place = name.strip_prefix(prefix).and_then(|name| layout.get(name));
        place.is_some_and(|shape| *shape == values.shape)
    };
    tensors.iter().filter(fits).count()
}

/// The name as today's torchvision has it: DenseNets were published with
/// `norm.1` and `conv.2` where they now have `norm1` and `conv2`.
fn modern(name: &str) -> String {
    if !name.contains("denselayer") {
        return name.to_owned();
    }
    let mut name = name.to_owned();
    for part in ["norm", "conv"] {
        for number in ["1", "2"] {
            name = name.replace(&format!(".{part}.{number}."), &format!(".{part}{number}."));
        }
    }
    name
}

fn take(
    tensors: BTreeMap<String, Values>,
    architecture: Architecture,
    layout: &Layout,
    prefix: String,
    fitting: usize,
    ignore_unexpected: bool,
) -> Result<Fit, FitError> {
    let mut found =
        Fit { architecture, prefix, tensors: BTreeMap::new(), head: Vec::new(), outside: Vec::new() };
    let (mut unexpected, mut misshapen) = (Vec::new(), Vec::new());
    for (name, values) in tensors {
        let modern = modern(&name);
        let Some(inner) = modern.strip_prefix(&found.prefix) else {
            found.outside.push(name);
            continue;
        };
        match layout.get(inner) {
            Some(shape) if *shape == values.shape => {
                if let Some(place) = values.values.iter().position(|value| !value.is_finite()) {
                    return Err(FitError::NotFinite { tensor: name, place });
                }
                found.tensors.insert(inner.to_owned(), values);
            }
            Some(shape) => misshapen.push((inner.to_owned(), values.shape, shape.clone())),
            None if HEADS.iter().any(|head| inner.starts_with(head)) => found.head.push(inner.to_owned()),
            None => unexpected.push(inner.to_owned()),
        }
    }
    let there = |name: &str| {
        found.tensors.contains_key(name) || misshapen.iter().any(|(misshapen, ..)| misshapen == name)
    };
    let missing: Vec<String> =
        layout.keys().filter(|name| !there(name)).map(|name| (*name).to_owned()).collect();
    if ignore_unexpected {
        found.outside.append(&mut unexpected);
    }
    if missing.is_empty() && unexpected.is_empty() && misshapen.is_empty() {
        return Ok(found);
    }
    Err(FitError::Misfit(Misfit { architecture, fitting, missing, unexpected, misshapen }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body of a network with a head of `classes`, wrapped in `prefix`.
    fn published(architecture: Architecture, prefix: &str, classes: usize) -> BTreeMap<String, Values> {
        let zeros =
            |shape: &[usize]| Values { shape: shape.to_vec(), values: vec![0.5; shape.iter().product()] };
        let mut tensors: BTreeMap<String, Values> = layout(architecture)
            .iter()
            .map(|(name, shape)| (format!("{prefix}{name}"), zeros(shape)))
            .collect();
        tensors.insert(format!("{prefix}fc.weight"), zeros(&[classes, 4]));
        tensors
    }

    #[test]
    fn the_network_is_found_whatever_wraps_its_names() {
        for architecture in [Architecture::Resnet18, Architecture::Resnet34, Architecture::MobilenetV2] {
            for prefix in ["", "module.", "state_dict.module."] {
                let fitted = fit(published(architecture, prefix, 365), None, false).expect("fits");
                assert_eq!((fitted.architecture, fitted.prefix.as_str()), (architecture, prefix));
                assert_eq!(fitted.tensors.len(), layout(architecture).len());
                assert_eq!(fitted.head, ["fc.weight"], "another publisher's classes are left out");
            }
        }
    }

    #[test]
    fn every_tensor_that_does_not_fit_is_named() {
        let mut tensors = published(Architecture::Resnet18, "", 3);
        tensors.remove("bn1.bias");
        tensors.insert("bn1.weight".into(), Values { shape: vec![63], values: vec![0.0; 63] });
        tensors.insert("extra.weight".into(), Values { shape: vec![1], values: vec![0.0] });
        let Err(FitError::Misfit(misfit)) = fit(tensors.clone(), None, false) else { panic!("taken") };
        assert_eq!(misfit.architecture, Architecture::Resnet18);
        assert_eq!(
            (misfit.missing, misfit.unexpected),
            (vec!["bn1.bias".into()], vec!["extra.weight".into()])
        );
        assert_eq!(misfit.misshapen, [("bn1.weight".into(), vec![63], vec![64])]);

        tensors = published(Architecture::Resnet18, "model.", 3);
        tensors.insert("model.extra.weight".into(), Values { shape: vec![1], values: vec![0.0] });
        tensors.insert("optimizer.step".into(), Values { shape: vec![], values: vec![7.0] });
        assert!(fit(tensors.clone(), None, false).is_err());
        let fitted = fit(tensors, None, true).expect("the rest fits");
        assert_eq!(fitted.outside, ["optimizer.step", "extra.weight"]);
    }

    #[test]
    fn another_network_is_refused_by_name() {
        let tensors = published(Architecture::Resnet18, "", 3);
        let Err(FitError::Misfit(misfit)) = fit(tensors, Some(Architecture::Resnet34), false) else {
            panic!("taken")
        };
        assert!(misfit.missing.contains(&"layer1.2.conv1.weight".to_owned()));
        let one = BTreeMap::from([("w".to_owned(), Values { shape: vec![1], values: vec![1.0] })]);
        assert_eq!(fit(one, None, false).expect_err("no network"), FitError::Unknown { tensors: 1 });
    }

    #[test]
    fn a_weight_that_is_no_number_is_named() {
        let mut tensors = published(Architecture::Resnet18, "", 3);
        tensors.get_mut("bn1.bias").expect("there").values[5] = f32::NAN;
        let refused = fit(tensors, None, false).expect_err("not a number");
        assert_eq!(refused, FitError::NotFinite { tensor: "bn1.bias".into(), place: 5 });
    }

    #[test]
    fn densenets_were_once_named_otherwise() {
        let old: BTreeMap<String, Values> = published(Architecture::Densenet121, "", 3)
            .into_iter()
            .map(|(name, values)| {
                let name = ["norm1", "norm2", "conv1", "conv2"].iter().fold(name, |name, part| {
                    let (kind, number) = part.split_at(4);
                    name.replace(&format!(".{part}."), &format!(".{kind}.{number}."))
                });
                (name, values)
            })
            .collect();
        assert!(old.contains_key("features.denseblock1.denselayer1.norm.1.weight"));
        assert_eq!(fit(old, None, false).expect("fits").architecture, Architecture::Densenet121);
    }
}
