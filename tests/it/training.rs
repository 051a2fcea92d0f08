//! Training and predicting from outside: recipes, plots, temperature, devices,
//! and what goes wrong.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Bench, files, terminate};

const RECIPE: &str = "seed = 3\nbatch = 8\nvalidation = { fraction = 0.3 }\n\
                      [[stage]]\nsize = 32\nepochs = 1\nlearning_rate = 1e-3\n";

fn imported() -> Bench {
    let bench = Bench::with_repository();
    bench.photos(8);
    bench.run(["import", "../photos"]).expect(0);
    bench.write("repo/recipe.toml", RECIPE.as_bytes());
    bench
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).to_owned()
}

fn trained(bench: &Bench, recipe: &str) -> Value {
    bench.run(["train", recipe, "--threads", "2", "--json"]).expect(0).json()
}

#[test]
fn a_temperature_is_fitted_recorded_shown_and_replayed() {
    let bench = imported();
    let checkpoint = text(&trained(&bench, "recipe.toml")["checkpoint"]);
    let predict = |more: &[&str]| {
        let mut arguments = vec!["predict", &checkpoint, "--threads", "2", "--json"];
        arguments.extend(more);
        bench.run(arguments)
    };
    let plain = predict(&[]).expect(0).json();
    let calibrated = predict(&["--calibrate"]).expect(0).json();
    let found = &calibrated["calibration"];
    let temperature = found["temperature"].as_f64().expect("a number");
    assert!((0.05..=20.0).contains(&temperature) && temperature != 1.0, "{found}");
    assert_eq!(found["images"], json!(12), "two of eight of each class validated");
    assert!(found["loss"][1].as_f64() <= found["loss"][0].as_f64(), "{found}");
    assert_eq!(calibrated["accuracy"], plain["accuracy"], "it changes no decision");
    assert_eq!(plain["record"]["event"]["temperature"], Value::Null);
    assert_eq!(predict(&["--calibrate"]).expect(0).json()["calibration"], *found, "to the bit");

    let id = text(&calibrated["predictions"]);
    bench.run(["predictions", "show", &id]).expect(0).says("calibrated temperature").says(" before, ");
    let shown = bench.run(["predictions", "show", &id, "--json"]).expect(0).json();
    let before = bench.run(["predictions", "show", &text(&plain["predictions"]), "--json"]).expect(0).json();
    let number = |value: &Value| value.as_f64().expect("a number");
    let gap = number(&shown["calibration_error_before"]) - number(&before["calibration_error"]);
    assert!(gap.abs() < 1e-5, "what was said before can be told: {shown} {before}");
    bench.run(["log", "-n", "2"]).expect(0).says("fitted on 12 validation images");

    // Replayed from weights and pictures, with the recorded temperature.
    let submission = text(&bench.run(["submit", &id, "--json"]).expect(0).json()["submission"]);
    let replayed = bench.run(["replay", &submission, "--depth", "predictions"]).expect(0);
    replayed.says("IDENTICAL").says("the temperature of predictions");

    // Never on what it is to be used on, and never on nothing.
    predict(&["--calibrate", "--split", "train"]).expect(4).says("would say nothing about them");
    bench.write("repo/none.toml", RECIPE.replace("0.3", "0").as_bytes());
    let other = text(&trained(&bench, "none.toml")["checkpoint"]);
    bench.run(["predict", &other, "--calibrate"]).expect(4).says("nothing to fit a temperature on");
}

#[test]
fn a_run_is_drawn_and_recipe_options_reach_the_log() {
    let bench = imported();
    let more = format!("moving_average = 0.9\naugmentation = {{ preset = \"trivial_augment\" }}\n{RECIPE}");
    bench.write("repo/more.toml", more.as_bytes());
    let run = text(&trained(&bench, "more.toml")["run"]);
    for name in ["run.svg", "run.png"] {
        bench.run(["runs", "show", &run, "--plot", name]).expect(0).says(&format!("drawn into {name}"));
        assert!(fs::metadata(bench.path("repo").join(name)).expect("a file").len() > 1_000);
    }
    let shown = bench.run(["runs", "show", &run, "--json"]).expect(0).json();
    assert_eq!(shown["recipe"]["moving_average"], json!(0.9));
    assert_eq!(shown["recipe"]["augmentation"]["preset"], json!("trivial_augment"));
    let epoch = &shown["history"]["epochs"][0];
    assert_eq!(epoch["recalls"].as_array().map(Vec::len), Some(6));
    assert_eq!(epoch["judgement"]["confusion"].as_array().map(Vec::len), Some(6));
    assert!(epoch["judgement"]["calibration_error"].is_number());
    let environment = &shown["environment"];
    assert!(environment["kernels"].is_string() && environment["device"] == json!("cpu"), "{environment}");
    assert!(environment["determinism"].to_string().contains("deterministic algorithms"));
    bench.run(["runs", "show", &run, "--plot", "run.gif"]).expect(2).says(".png");
    let rate = ["find-rate", "recipe.toml", "--threads", "2", "--plot", "rates.png"];
    bench.run(rate).expect(0).says("drawn into rates.png");
    assert!(fs::read(bench.path("repo/rates.png")).expect("a file").starts_with(b"\x89PNG"));
    let found = bench.run(["runs", "--json"]).expect(0).json();
    bench.run(["runs", "show", &text(&found[0]["run"]), "--plot", "no.svg"]).expect(4).says("no figures");
}

#[test]
fn a_device_that_is_not_there_starts_no_run() {
    let bench = imported();
    for arguments in [["train", "recipe.toml"], ["find-rate", "recipe.toml"]] {
        let refused = bench.run(arguments.into_iter().chain(["--device", "cuda:99"]));
        refused.expect(1).says("there is no device cuda:99: libtorch sees");
    }
    bench.run(["train", "recipe.toml", "--device", "gpu"]).expect(2).says("auto, cpu, or cuda:N");
    assert_eq!(bench.run(["status", "--json"]).expect(0).json()["runs"], json!(0));
    let checkpoint = text(&trained(&bench, "recipe.toml")["checkpoint"]);
    let refused = bench.run(["predict", &checkpoint, "--device", "cuda:99"]);
    refused.expect(1).says("there is no device cuda:99");
}

#[test]
fn a_loss_that_is_no_number_leaves_the_last_good_epoch_and_a_sentence() {
    let bench = imported();
    // Decay by ten times itself: what decays grows ninefold a step, and overflows.
    let recipe = format!(
        "weight_decay = 1.0\n{RECIPE}[[stage]]\nsize = 32\nepochs = 30\nlearning_rate = 10.0\nschedule = \"constant\"\n"
    );
    bench.write("repo/wild.toml", recipe.as_bytes());
    let failed = bench.run(["train", "wild.toml", "--threads", "2"]).expect(1);
    failed.says("in stage 2, epoch ").says("a lower learning rate may help");
    let runs = bench.run(["runs", "--json"]).expect(0).json();
    assert_eq!(runs[0]["status"], json!("failed"));
    let kept = runs[0]["checkpoints"].as_array().expect("a list");
    assert_eq!(kept.len(), 2, "the stage before, and the last good epoch of this one");
    for checkpoint in kept {
        bench.run(["predict", &text(checkpoint)]).expect(0);
    }
    let run = text(&runs[0]["run"]);
    let shown = bench.run(["runs", "show", &run]).expect(0);
    shown.says("the loss was NaN in stage 2, epoch ").says("stage  epoch  train loss");
    bench.run(["verify", "--deep"]).expect(0);
}

#[test]
fn a_run_goes_on_with_the_threads_it_began_with() {
    let bench = imported();
    let long = RECIPE.replace("epochs = 1", "epochs = 400");
    bench.write("repo/long.toml", long.as_bytes());
    let mut child = bench.start_training(&["train", "long.toml", "--threads", "1"]);
    assert_eq!(terminate(&mut child), Some(143));
    let stopped = text(&bench.run(["runs", "--json"]).expect(0).json()[0]["run"]);
    // As many as it had, unless it is told otherwise.
    for (more, threads) in [(None, 1), (Some("3"), 3)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_safelight"));
        child.args(["train", "--resume", &stopped]).args(more.iter().flat_map(|more| ["--threads", more]));
        let mut child = child.current_dir(bench.path("repo")).stdout(Stdio::piped()).spawn().expect("starts");
        let mut first = String::new();
        let mut said = BufReader::new(child.stdout.take().expect("piped"));
        said.read_line(&mut first).expect("a line");
        assert!(first.trim_end().ends_with(&format!(" {threads} threads")), "{first}");
        assert_eq!(terminate(&mut child), Some(143));
    }
}

#[test]
fn classes_without_images_and_weights_of_another_network_are_refused() {
    let bench = imported();
    for image in files(&bench.path("photos/train/street")) {
        let name = image.file_name().expect("a name").to_string_lossy().into_owned();
        bench.run(["remove", &format!("train/street/{name}")]).expect(0);
    }
    let refused = bench.run(["train", "recipe.toml"]).expect(4);
    refused.says("no training image is labelled street").says("safelight status");

    let bench = imported();
    let checkpoint = text(&trained(&bench, "recipe.toml")["checkpoint"]);
    let other = [
        "train",
        "recipe.toml",
        "--set",
        "architecture=mobilenet_v2",
        "--from",
        &checkpoint,
        "--threads",
        "2",
    ];
    bench.run(other).expect(1).says("resnet18").says("mobilenet_v2");
}
