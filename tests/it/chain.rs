//! The main job from outside: train, predict, vote, submit, replay.

use std::fs;
use std::time::Duration;

use safelight::demo::{SceneClass, paint};
use serde_json::{Value, json};

use crate::support::{Bench, files, terminate};

const RECIPE: &str = "seed = 3\nbatch = 8\nvalidation = { fraction = 0.2 }\n\
                      [[stage]]\nsize = 32\nepochs = 1\nlearning_rate = 1e-3\n";

fn imported() -> Bench {
    let bench = Bench::with_repository();
    bench.photos(6);
    bench.run(["import", "../photos"]).expect(0);
    bench.write("repo/recipe.toml", RECIPE.as_bytes());
    bench
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).to_owned()
}

fn train(bench: &Bench, more: &[&str]) -> (String, String) {
    let mut arguments = vec!["train", "recipe.toml", "--threads", "2", "--json"];
    arguments.extend(more);
    let trained = bench.run(arguments).expect(0).json();
    (text(&trained["checkpoint"]), text(&trained["checkpoint_record"]["weights"]))
}

#[test]
fn a_submission_is_rebuilt_byte_for_byte_without_index_and_cache() {
    let bench = imported();
    let (first, weights) = train(&bench, &[]);
    let (second, _) = train(&bench, &["--set", "architecture=mobilenet_v2"]);
    let (_, again) = train(&bench, &[]);
    assert_eq!(weights, again, "the same recipe twice gives the same weights");
    let (_, other) = train(&bench, &["--set", "seed=4"]);
    assert_ne!(weights, other, "another seed gives other weights");
    let runs = bench.run(["runs", "--json"]).expect(0).json();
    let run = |place: usize| text(&runs[place]["run"]);
    assert_eq!(runs.as_array().map(Vec::len), Some(4));
    let compared = bench.run(["runs", "compare", &run(0), &run(1), "--json"]).expect(0).json();
    assert_eq!(compared["differences"], json!([{ "what": "seed", "values": ["4", "3"] }]));
    bench.run(["runs", "show", &run(0)[..8]]).expect(0).says("label \\ said").says("glacier");
    bench.run(["runs", "show", "ffff"]).expect(4);

    let predict = |checkpoint: &str| {
        text(&bench.run(["predict", checkpoint, "--split", "test", "--json"]).expect(0).json()["predictions"])
    };
    let (one, two) = (predict(&first), predict(&second[..8]));
    let vote = |members: [&str; 2]| {
        let id =
            text(&bench.run(["ensemble", members[0], members[1], "--json"]).expect(0).json()["ensemble"]);
        let submitted = bench.run(["submit", &id, "--json"]).expect(0).json();
        (text(&submitted["submission"]), text(&submitted["csv"]))
    };
    let (submission, csv) = vote([&one, &two]);
    let (_, swapped) = vote([&two, &one]);
    assert_eq!(csv, swapped, "the order of members decides nothing");

    bench.run(["submit", &one, "--output", "s.csv"]).expect(0);
    bench.run(["submit", &one, "--output", "s.csv"]).expect(4).says("--force");
    let written = fs::read_to_string(bench.path("repo/s.csv")).expect("a file");
    assert_eq!(written.lines().count(), 1 + 12, "{written}");
    assert!(written.starts_with("image,label\ntest/buildings/"), "{written}");

    // Later changes must not matter.
    bench.run(["relabel", "test/sea/1000.jpg", "--to", "glacier"]).expect(0);
    bench.run(["remove", "test/sea/1001.jpg"]).expect(0);
    for folder in ["index", "cache"] {
        let _ = fs::remove_dir_all(bench.path("repo/.safelight").join(folder));
    }
    let replayed =
        bench.run(["replay", &submission[..10], "--depth", "votes", "--output", "again.csv", "--json"]);
    let replayed = replayed.expect(0).json();
    assert_eq!(replayed["outcome"]["kind"], json!("identical"));
    let again = fs::read(bench.path("repo/again.csv")).expect("a file");
    assert_eq!(safelight_lineage::digest::BlobId::of(&again).to_string(), csv);
    bench.run(["log", "-n", "1"]).expect(0).says("IDENTICAL");
    bench.run(["show", &submission]).expect(0).says("made_by");

    // A damaged pack: no verdict, but where the damage is.
    for pack in files(&bench.path("repo/.safelight/packs")) {
        let mut bytes = fs::read(&pack).expect("readable");
        for at in (100..bytes.len()).step_by(64) {
            bytes[at] ^= 1;
        }
        fs::write(&pack, bytes).expect("writable");
    }
    bench.run(["replay", &submission]).expect(6).says("verify");
}

#[test]
fn a_run_that_is_told_to_stop_leaves_a_log_to_go_on_from() {
    let bench = imported();
    let long = RECIPE.replace("epochs = 1", "epochs = 400");
    bench.write("repo/long.toml", long.as_bytes());
    let mut child = bench.start_training(&["train", "long.toml", "--threads", "2"]);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(terminate(&mut child), Some(143));
    bench.run(["log", "-n", "1"]).expect(0).says("cancelled");
    bench.run(["verify", "--deep"]).expect(0);
    assert_eq!(bench.run(["status", "--json"]).expect(0).json()["running"], json!(0));
    bench.run(["train", "--resume", "ffff"]).expect(4);
}

#[test]
fn a_learning_rate_is_found_recorded_and_drawn() {
    let bench = imported();
    let arguments = ["find-rate", "recipe.toml", "--threads", "2", "--plot", "rates.svg"];
    bench.run(arguments).expect(0).says("valley   suggests").says("drawn into rates.svg");
    let drawn = fs::read_to_string(bench.path("repo/rates.svg")).expect("a file");
    assert!(drawn.starts_with("<svg") && drawn.contains("learning rate"), "{drawn}");

    let found = bench.run(["find-rate", "recipe.toml", "--threads", "2", "--method", "minimum", "--json"]);
    let found = found.expect(0).json();
    assert_eq!(found["suggestion"], found["suggestions"]["minimum"]);
    assert!(found["curve"]["rates"].as_array().is_some_and(|rates| rates.len() > 20));
    let run = bench.run(["show", &text(&found["run"]), "--json"]).expect(0).json();
    assert_eq!(run["value"]["learning_rates"][0]["method"], json!("minimum"));
    let again = bench.run(["find-rate", "recipe.toml", "--threads", "2", "--json"]).expect(0).json();
    assert_eq!(again["curve"], found["curve"], "the same steps give the same curve");

    bench.run(["find-rate", "recipe.toml", "--stage", "2"]).expect(4).says("numbered from 1 to 1");
    bench.run(["find-rate", "recipe.toml", "--method", "best"]).expect(2).says("valley");
    bench.run(["find-rate", "recipe.toml", "--plot", "rates.gif"]).expect(2).says(".png");
}

#[test]
fn what_cannot_be_trained_is_said_before_anything_starts() {
    let bench = imported();
    let refused = |recipe: &str, words: &str| {
        bench.write("repo/bad.toml", recipe.as_bytes());
        bench.run(["train", "bad.toml"]).expect(4).says(words);
    };
    refused("learning = 3", "learning");
    refused("[[stage]]\nsize = 7", "size");
    refused("[[stage]]\nsize = 64\nepochs = 0", "epochs");
    refused("batch = 4096", "only");
    refused("validation = { split = \"valid\" }", "no labelled image");
    bench.run(["train", "nowhere.toml"]).expect(1).says("nowhere.toml");
    assert_eq!(bench.run(["status", "--json"]).expect(0).json()["runs"], json!(0));
    bench.run(["predict", "12ab"]).expect(4).says("no checkpoint");
    bench.run(["ensemble", "12ab"]).expect(4).says("predictions");
    bench.run(["submit", "12ab"]).expect(4);
    bench.run(["replay", "12ab"]).expect(4).says("no submission");
}

#[test]
fn cleaning_judges_every_image_once_and_can_be_taken_back() {
    let bench = imported();
    let proposed = bench.run([
        "clean",
        "propose",
        "--folds",
        "2",
        "--recipe",
        "recipe.toml",
        "--rule",
        "confident-learning",
        "--json",
    ]);
    let proposed = proposed.expect(0).json();
    let pass = text(&proposed["pass"]);
    let record = bench.run(["show", &text(&proposed["predictions"]), "--json"]).expect(0).json();
    assert_eq!(record["value"]["honesty"], json!("out_of_fold"));
    bench.run(["clean", "show", &pass[..8]]).expect(0);
    bench
        .run(["clean", "apply", &pass, "--rule", "blank", "--action", "remove"])
        .expect(4)
        .says("rules of that pass");
    let rule = "confident-learning/prune-by-noise-rate";
    let before = bench.run(["status", "--json"]).expect(0).json()["state"].clone();
    let applied = bench
        .run([
            "clean",
            "apply",
            &pass,
            "--rule",
            rule,
            "--action",
            "relabel",
            "--limit-per-class",
            "1",
            "--json",
        ])
        .expect(0)
        .json();
    if applied["decided"] != json!(0) {
        let audit = bench.run(["audit", "relabelled", "--by", "rule", "--json"]).expect(0).json();
        assert_eq!(audit.as_array().map(Vec::len), applied["decided"].as_u64().map(|count| count as usize));
        bench.run(["undo", &text(&applied["transaction"])]).expect(0);
        assert_eq!(bench.run(["status", "--json"]).expect(0).json()["state"], before);
    }
}

#[test]
fn embeddings_feed_a_linear_probe_and_tell_duplicates() {
    let bench = imported();
    let (checkpoint, _) = train(&bench, &[]);
    bench.run(["clean", "propose", "--fast"]).expect(2).says("--checkpoint");
    let fast = ["clean", "propose", "--fast", "--checkpoint", &checkpoint, "--folds", "2"];
    bench.run(fast).expect(4).says("learned from these images").says("--in-sample");
    let propose = || {
        let arguments = [&fast[..], &["--in-sample", "--again", "--json"]].concat();
        let document = bench.run(arguments).expect(0).json();
        (text(&document["pass"]), text(&document["predictions"]))
    };
    let (pass, predictions) = propose();
    let shown = bench.run(["predictions", "show", &predictions, "--json"]).expect(0).json();
    assert_eq!(shown["images"], json!(36));
    assert_eq!(shown["record"]["honesty"], json!("in_sample"), "the network knows the labels");
    bench.run(["log", "-n", "3"]).expect(0).says("linear probe in 2 folds on the embeddings of checkpoint");
    let recorded = bench.run(["show", &pass, "--json"]).expect(0).stdout;
    assert!(
        recorded.contains("\"min_cosine\": 0.88") && recorded.contains("\"in_sample\": 1.0"),
        "{recorded}"
    );
    let (_, again) = propose();
    let again = bench.run(["predictions", "show", &again, "--json"]).expect(0).json();
    assert_eq!(again["record"]["probabilities"], shown["record"]["probabilities"], "the same to the bit");

    // The same picture saved again: other bytes, the same to the network.
    let mut twin = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut twin, 60)
        .encode_image(&paint(7, SceneClass::Sea, 0))
        .expect("a picture encodes");
    bench.write("photos/train/sea/twin.jpg", &twin);
    bench.run(["import", "../photos"]).expect(0);
    let close = ["clean", "propose", "--rule", "near-duplicate:max_distance=0,min_cosine=0.9"];
    bench.run(close).expect(2).says("no checkpoint");
    let arguments = [&close[..], &["--checkpoint", &checkpoint, "--json"]].concat();
    let found = bench.run(arguments).expect(0).json();
    let told = bench.run(["clean", "show", &text(&found["pass"]), "-n", "99"]).expect(0);
    let told = told.says("train/sea/twin.jpg");
    told.says("to the network (cosine 0.9");
    assert_eq!(found["predictions"], Value::Null, "nothing was judged by predictions");
}
