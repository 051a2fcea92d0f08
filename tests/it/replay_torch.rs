//! Replay with the engine that trained: probabilities and weights to the bit.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use safelight_lineage::event::Event;
use safelight_store::Repository;
use serde_json::{Value, json};

use crate::mutation::{bend, copied, replaced};
use crate::support::Bench;

const RECIPE: &str = "seed = 3\nbatch = 8\nvalidation = { fraction = 0.2 }\n\
                      [[stage]]\nsize = 32\nepochs = 1\nlearning_rate = 1e-3\n\
                      [[stage]]\nsize = 40\nepochs = 1\nlearning_rate = 1e-3\n";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).to_owned()
}

/// A run of two stages, another grown from it, a soft vote of plain and
/// augmented views, and a submission; gives its id.
fn submitted(bench: &Bench) -> String {
    bench.photos(6);
    bench.run(["import", "../photos"]).expect(0);
    bench.write("repo/recipe.toml", RECIPE.as_bytes());
    let train = |more: &[&str]| {
        let mut arguments = vec!["train", "recipe.toml", "--threads", "2", "--json"];
        arguments.extend(more);
        text(&bench.run(arguments).expect(0).json()["checkpoint"])
    };
    let first = train(&[]);
    bench.run(["relabel", "train/sea/0001.jpg", "--to", "glacier"]).expect(0);
    let second = train(&["--from", &first, "--set", "seed=4"]);
    let predict = |checkpoint: &str, views: &str| {
        let arguments = ["predict", checkpoint, "--views", views, "--threads", "2", "--json"];
        text(&bench.run(arguments).expect(0).json()["predictions"])
    };
    let (one, two) = (predict(&first, "plain"), predict(&second, "tta"));
    let voted = bench.run(["ensemble", &one, &two, "--rule", "soft", "--json"]).expect(0).json();
    text(&bench.run(["submit", &text(&voted["ensemble"]), "--json"]).expect(0).json()["submission"])
}

#[test]
fn probabilities_and_weights_come_out_to_the_bit() {
    let bench = Bench::with_repository();
    let submission = submitted(&bench);
    // Neither what happened since nor caches matter.
    bench.run(["remove", "test/sea/1000.jpg"]).expect(0);
    for folder in ["index", "cache"] {
        let _ = fs::remove_dir_all(bench.path("repo/.safelight").join(folder));
    }
    let blobs = |bench: &Bench| bench.run(["verify", "--deep", "--json"]).expect(0).json()["blobs"].as_u64();
    let before = blobs(&bench).expect("a count");

    let shallow = bench.run(["replay", &submission, "--depth", "predictions"]).expect(0);
    let shallow =
        shallow.says("compute 2 sets of predictions again").says("environment: the same as recorded");
    shallow.says("IDENTICAL");
    let deep = bench.run(["replay", &submission, "--depth", "training", "--receipt", "r.json", "--json"]);
    let deep = deep.expect(0).json();
    assert_eq!(deep["outcome"]["kind"], json!("identical"));
    let weights = |receipt: &Value| -> Vec<Value> {
        let steps = receipt["steps"].as_array().expect("steps");
        let of_weights = |step: &&Value| text(&step["what"]).starts_with("weights of");
        steps.iter().filter(of_weights).map(|step| step["actual"].clone()).collect()
    };
    assert_eq!(weights(&deep).len(), 4, "both stages of both runs");
    let again =
        bench.run(["replay", &submission, "--depth", "training", "--no-record", "--json"]).expect(0).json();
    assert_eq!(weights(&deep), weights(&again));
    bench.run(["check-receipt", "r.json"]).expect(0).says("holds this very receipt");
    bench.run(["submissions"]).expect(0).says("training: identical");
    // Of three replays two receipts and one environment were kept, no weights.
    assert_eq!(blobs(&bench), Some(before + 3));

    // Fewer threads are said before the work; whatever comes of it is a verdict.
    let other = bench.run(["replay", &submission, "--depth", "predictions", "--threads", "1", "--no-record"]);
    assert!([0, 7, 8].contains(&other.code), "{}", other.stderr);
    other.says("threads: 2 then, 1 here");

    stopped_half_way(&bench, &submission);
    changed(&bench, &submission);
    what_if(&bench, &submission);
}

/// With the labels of another time: other models, and a replay of theirs.
fn what_if(bench: &Bench, submission: &str) {
    let derived = bench.run(["replay", submission, "--with-labels-as-of", "9999"]);
    derived.expect(4).says("log ends");
    // Before the relabelling that the second run saw.
    let log = bench.run(["log", "--kind", "ImageRelabelled", "--json"]).expect(0).json();
    let before = (log[0]["first_seq"].as_u64().expect("a seq") - 1).to_string();
    let derived = bench.run(["replay", submission, "--with-labels-as-of", &before, "--json"]).expect(0);
    // The children's lines do not reach stdout under --json.
    let derived = derived.json();
    assert_eq!(derived["derived_from"], json!(submission));
    let new = text(&derived["submission"]);
    bench.run(["replay", &new, "--depth", "training"]).expect(0).says("IDENTICAL");
    bench.run(["submissions"]).expect(0).says("derived from");
}

/// Stopped or killed half way, a replay leaves nothing, and runs again.
fn stopped_half_way(bench: &Bench, submission: &str) {
    let seq = |bench: &Bench| bench.run(["status", "--json"]).expect(0).json()["seq"].clone();
    let before = seq(bench);
    for (signal, code) in [("TERM", Some(143)), ("KILL", None)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_safelight"))
            .args(["replay", submission, "--depth", "training"])
            .current_dir(bench.path("repo"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        // The first comparison is made, so the first training is under way.
        let began = lines.any(|line| line.expect("text").contains("the images of run"));
        assert!(began, "it ended before it began");
        let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(kill.expect("kill runs").success());
        assert_eq!(child.wait().expect("it ends").code(), code);
        assert_eq!(seq(bench), before, "nothing was recorded");
    }
    bench.run(["verify", "--deep"]).expect(0);
    bench.run(["replay", submission, "--depth", "training", "--no-record"]).expect(0).says("IDENTICAL");
}

/// A seed, or a weight, changed in a copy whose chain is whole.
fn changed(bench: &Bench, submission: &str) {
    let original = Repository::open(&bench.path("repo")).expect("opens");
    let seed = Bench::new();
    let count = copied(&original, &seed, &|event, blobs| match event {
        Event::RunStarted(run) => bend(blobs, &mut run.recipe, replaced("seed = 3", "seed = 5")),
        _ => false,
    });
    assert_eq!(count, 1);
    let found =
        seed.run(["replay", submission, "--depth", "training"]).expect(8).says("DIVERGED: weights of");
    found.says("the environment is the recorded one");

    let weights = Bench::new();
    let count = copied(&original, &weights, &|event, blobs| match event {
        Event::CheckpointSaved(saved) if saved.stage == 1 => bend(blobs, &mut saved.weights, |mut bytes| {
            // The last number of the last tensor: its sign.
            let last = bytes.len() - 1;
            bytes[last] ^= 0x80;
            bytes
        }),
        _ => false,
    });
    assert_eq!(count, 1);
    weights.run(["replay", submission, "--depth", "training"]).expect(8).says("DIVERGED: weights of");
}
