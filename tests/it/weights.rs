//! Weights from elsewhere, as a person brings them in.

use std::collections::BTreeMap;

use safelight::pretrained::layout;
use safelight::train::recipe::Architecture;
use safelight::train::weights::{Values, encode};
use serde_json::{Value, json};

use crate::support::Bench;

/// A published MobileNetV2 for 365 classes, wrapped as data-parallel training
/// leaves it; every value is small and differs from its neighbour's.
fn published() -> BTreeMap<String, Values> {
    let values = |shape: &[usize]| {
        let count = shape.iter().product::<usize>();
        let value = |place: usize| 0.02 + (place % 7) as f32 / 500.0;
        Values { shape: shape.to_vec(), values: (0..count).map(value).collect() }
    };
    let mut tensors: BTreeMap<String, Values> = layout(Architecture::MobilenetV2)
        .iter()
        .map(|(name, shape)| (format!("module.{name}"), values(shape)))
        .collect();
    tensors.insert("module.classifier.1.weight".into(), values(&[365, 1280]));
    tensors
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text"))
}

#[test]
fn weights_are_kept_once_with_the_digest_that_publishers_state() {
    let bench = Bench::with_repository();
    let bytes = encode(&published(), "format", "pt");
    let file = bench.write("places.safetensors", &bytes);
    let sum = std::process::Command::new("sha256sum").arg(&file).output().expect("sha256sum runs");
    let sum = String::from_utf8_lossy(&sum.stdout)[..64].to_owned();

    bench.run(["weights", "add", "../places.safetensors", "--sha256", &"0".repeat(64)]).expect(4).says(&sum);
    let added =
        bench.run(["weights", "add", "../places.safetensors", "--sha256", &sum, "--json"]).expect(0).json();
    assert_eq!(
        (text(&added["architecture"]), text(&added["original_sha256"])),
        ("mobilenet_v2", sum.as_str())
    );
    assert_eq!((&added["prefix"], &added["head"]), (&json!("module."), &json!(["classifier.1.weight"])));
    assert_eq!(text(&added["record"]["original"]), blake3::hash(&bytes).to_hex().as_str());

    let again = bench.run(["weights", "add", "../places.safetensors", "--json"]).expect(0).json();
    assert_eq!((&again["known"], &again["weights"]), (&json!(true), &added["weights"]));
    let listed = bench.run(["weights", "list", "--json"]).expect(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    bench.run(["weights", "list"]).expect(0).says("places.safetensors");
    bench.run(["show", &text(&added["weights"])[..8]]).expect(0).says("mobilenet_v2");
    bench.run(["verify", "--deep"]).expect(0);
}

#[test]
fn files_that_are_no_weights_of_ours_are_refused_with_every_reason() {
    let bench = Bench::with_repository();
    let mut tensors = published();
    tensors.remove("module.features.0.0.weight");
    tensors.insert("module.more".into(), Values { shape: vec![1], values: vec![0.0] });
    bench.write("off.safetensors", &encode(&tensors, "format", "pt"));
    bench
        .run(["weights", "add", "../off.safetensors"])
        .expect(4)
        .says("missing: 1 (features.0.0.weight)")
        .says("unexpected: 1 (more)");
    bench.write("noise.pt", b"\x80\x02cos\nsystem\n(X\x04\0\0\0truetR.");
    bench.run(["weights", "add", "../noise.pt"]).expect(4).says("torch.save");
    bench.run(["weights", "add", "../absent.pt"]).expect(1).says("absent.pt");
    bench
        .run(["weights", "add", "../off.safetensors", "--architecture", "resnet19"])
        .expect(2)
        .says("resnet18");
    assert_eq!(bench.run(["weights", "list", "--json"]).expect(0).json(), json!([]));
}

#[cfg(feature = "torch")]
#[test]
fn training_starts_from_them_and_says_when_it_cannot() {
    let bench = Bench::with_repository();
    bench.photos(4);
    bench.run(["import", "../photos"]).expect(0);
    bench.write("places.safetensors", &encode(&published(), "format", "pt"));
    let added = bench.run(["weights", "add", "../places.safetensors", "--json"]).expect(0).json();
    let id = text(&added["weights"]);
    let recipe = "batch = 8\narchitecture = \"mobilenet_v2\"\n[[stage]]\nsize = 32\nepochs = 1\n";
    bench.write("repo/recipe.toml", recipe.as_bytes());
    let weights = |more: &[&str]| {
        let arguments = ["train", "recipe.toml", "--threads", "2", "--json"].iter().chain(more);
        let trained = bench.run(arguments).expect(0).json();
        text(&trained["checkpoint_record"]["weights"]).to_owned()
    };
    let from = weights(&["--weights", &id[..8]]);
    assert_eq!(from, weights(&["--weights", id]), "the same start gives the same weights");
    assert_ne!(from, weights(&[]), "another start gives others");
    bench
        .run(["train", "recipe.toml", "--weights", id, "--set", "architecture=resnet18"])
        .expect(4)
        .says("mobilenet_v2");
    bench.run(["train", "recipe.toml", "--weights", "ffff"]).expect(4);
}
