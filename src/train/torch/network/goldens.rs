//! The networks against torchvision's, of the same weights; see
//! `tests/goldens/torchvision_goldens.py`.

use std::collections::BTreeMap;

use serde::Deserialize;
use tch::{Device, Kind, Tensor};

use super::Network;
use crate::train::recipe::{Architecture, Head, Normalisation, Precision};
use crate::train::torch::layers::Pass;
use crate::train::weights::{Note, Values};
use safelight::pretrained::layout;

const GOLDENS: &str = include_str!("../../../../tests/goldens/torchvision-0.26.json");
const SIZE: i64 = 64;

#[derive(Deserialize)]
struct Golden {
    /// The first 16 features of two pictures.
    features: Vec<Vec<f32>>,
    /// The scores of five classes.
    scores: Option<Vec<Vec<f32>>>,
}

fn network(architecture: Architecture) -> Network {
    let note = Note {
        architecture: architecture.name().to_owned(),
        head: Head::Linear,
        classes: (0..5).map(|class| class.to_string()).collect(),
        normalisation: Normalisation::Imagenet,
    };
    Network::new(architecture, note, 1, Device::Cpu).expect("builds")
}

/// The formula that both sides compute weights by.
fn formula(index: usize, name: &str, shape: &[usize]) -> Values {
    let count: usize = shape.iter().product();
    let scale = |wave: f64| {
        if name.ends_with("running_var") {
            1.0 + 0.5 * wave.abs()
        } else if shape.len() == 1 {
            0.1 * wave + if name.ends_with("weight") { 1.0 } else { 0.0 }
        } else {
            wave * (2.0 / (count / shape[0]) as f64).sqrt()
        }
    };
    let wave = |place: usize| scale((0.7 * (place as f64).powf(1.1) + index as f64).sin()) as f32;
    Values { shape: shape.to_vec(), values: (0..count).map(wave).collect() }
}

fn is_head(name: &str) -> bool {
    name.starts_with("fc.") || name.starts_with("classifier.")
}

fn rows(tensor: &Tensor) -> Vec<Vec<f32>> {
    Vec::try_from(tensor.to_kind(Kind::Float)).expect("rows")
}

fn gap(ours: &[Vec<f32>], theirs: &[Vec<f32>]) -> f32 {
    let pairs = ours.iter().flatten().zip(theirs.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn bodies_have_the_tensors_of_torchvision_and_no_others() {
    for architecture in Architecture::ALL {
        let values = network(architecture).values().expect("reads");
        let ours: BTreeMap<&str, &Vec<usize>> = values
            .iter()
            .filter(|(name, _)| !is_head(name))
            .map(|(name, values)| (name.as_str(), &values.shape))
            .collect();
        let theirs = layout(architecture);
        let theirs: BTreeMap<&str, &Vec<usize>> = theirs.iter().map(|(name, shape)| (*name, shape)).collect();
        assert_eq!(ours, theirs, "{architecture}");
    }
}

#[test]
fn scores_and_features_are_those_of_torchvision() {
    let goldens: BTreeMap<String, Golden> = serde_json::from_str(GOLDENS).expect("goldens");
    let count = 2 * 3 * SIZE * SIZE;
    let pixels: Vec<f32> = (0..count).map(|place| (0.7 * place as f64).sin() as f32).collect();
    let pictures = Tensor::from_slice(&pixels).view([2, 3, SIZE, SIZE]);
    let pass = Pass::judging(Precision::Fp32);
    for architecture in Architecture::ALL {
        let golden = &goldens[architecture.name()];
        let mut network = network(architecture);
        let mut values = network.values().expect("reads");
        let filled = values.iter_mut().filter(|(name, _)| golden.scores.is_some() || !is_head(name));
        for (index, (name, values)) in filled.enumerate() {
            *values = formula(index, name, &values.shape);
        }
        network.load(&values).expect("fits");
        let features = tch::no_grad(|| network.features(&pictures, &pass)).expect("runs").narrow(1, 0, 16);
        let off = gap(&rows(&features), &golden.features);
        assert!(off <= 1e-4, "{architecture}: features are off by {off}");
        if let Some(theirs) = &golden.scores {
            let scores = tch::no_grad(|| network.scores(&pictures, &pass)).expect("runs");
            let off = gap(&rows(&scores), theirs);
            assert!(off <= 1e-4, "{architecture}: scores are off by {off}");
        }
    }
}
