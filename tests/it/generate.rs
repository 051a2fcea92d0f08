//! Generated images from outside: trained, drawn, let in, trained on, traced,
//! taken out.

use std::fs;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use safelight::demo::SceneClass;
use serde_json::{Value, json};

use crate::support::{Bench, files, jpeg, terminate};

const GENERATOR: &str =
    "seed = 3\nsize = 16\nbatch = 26\nepochs = 2\nlatent = 8\nfeatures = 4\ncritic_steps = 1\n";
const MODEL: &str = "seed = 3\nbatch = 8\nvalidation = { fraction = 0.2 }\n\
                     [[stage]]\nsize = 32\nepochs = 1\nlearning_rate = 1e-3\n";

/// 52 training images of the sea, 12 of a forest, and a few of either to test.
fn imported() -> Bench {
    let bench = Bench::with_repository();
    for (class, count) in [(SceneClass::Sea, 52), (SceneClass::Forest, 12)] {
        for (split, from, count) in [("train", 0, count), ("test", 1_000, 3)] {
            for index in from..from + count {
                let path = format!("photos/{split}/{}/{index:04}.jpg", class.name());
                bench.write(path, &jpeg(class, index));
            }
        }
    }
    bench.run(["import", "../photos"]).expect(0);
    bench.write("repo/generator.toml", GENERATOR.as_bytes());
    bench.write("repo/model.toml", MODEL.as_bytes());
    bench
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).to_owned()
}

fn generator(bench: &Bench) -> (String, String) {
    let arguments = ["generate", "train", "generator.toml", "--class", "sea", "--threads", "2", "--json"];
    let trained = bench.run(arguments).expect(0).json();
    (text(&trained["generator"]), text(&trained["record"]["weights"]))
}

fn samples(bench: &Bench, generator: &str, seed: &str) -> (String, Value) {
    let arguments = ["generate", "sample", generator, "-n", "20", "--seed", seed, "--threads", "2", "--json"];
    let drawn = bench.run(arguments).expect(0).json();
    (text(&drawn["samples"]), drawn["record"]["blobs"].clone())
}

fn model(bench: &Bench) -> (String, String) {
    let trained = bench.run(["train", "model.toml", "--threads", "2", "--json"]).expect(0).json();
    (text(&trained["run"]), text(&trained["checkpoint"]))
}

fn generated(bench: &Bench) -> Value {
    bench.run(["status", "--json"]).expect(0).json()["images"]["generated"].clone()
}

#[test]
fn samples_are_traced_from_their_images_to_the_models_that_learned_from_them() {
    let bench = imported();
    bench
        .run(["generate", "train", "--class", "forest"])
        .expect(4)
        .says("12 training images")
        .says("at least 50");
    bench.run(["generate", "train", "--class", "desert"]).expect(4).says("the classes are");
    bench.run(["generate", "train", "--print-recipe"]).expect(0).says("critic_norm = \"batch\"");
    bench.run(["generate", "list"]).expect(0).says("no generator was trained yet");
    let (early, checkpoint) = model(&bench);
    let arguments = ["generate", "train", "generator.toml", "--class", "sea", "--set", "epochs=1"];
    bench.run(arguments).expect(0).says("of the 52 images that the generator learns from validate run");
    let (generator, weights) = generator(&bench);
    let (again, same) = self::generator(&bench);
    assert_eq!(weights, same, "the same recipe twice gives the same weights");
    assert_ne!(generator, again);
    bench.run(["generate", "show", &generator, "--grid", "grid.png"]).expect(0).says("from 52 images");
    assert!(fs::read(bench.path("repo/grid.png")).expect("a file").starts_with(b"\x89PNG"));

    let (batch, blobs) = samples(&bench, &generator[..9], "7");
    let (_, same) = samples(&bench, &again, "7");
    assert_eq!(blobs, same, "the same seed draws the same bytes");
    assert_ne!(blobs, samples(&bench, &generator, "8").1);
    bench.run(["generate", "sample", &generator, "--class", "forest"]).expect(4).says("draws sea");

    // What was measured is shown before and stored with the admission.
    bench
        .run(["generate", "quality", &batch, "--by", &checkpoint])
        .expect(0)
        .says("not comparable with published");
    bench.run(["generate", "quality", &batch, "--unjudged"]).expect(0).says("no checkpoint judged them");
    bench.run(["generate", "admit", &batch, "--unjudged", "--min-confidence", "0.5"]).expect(2);
    bench
        .run(["generate", "admit", &batch, "--force", "--min-confidence", "1"])
        .expect(4)
        .says("no sample is good");
    assert_eq!(generated(&bench), json!(0), "a refusal lets nothing in");
    let admitted = bench.run(["generate", "admit", &batch, "--by", &checkpoint, "--force", "--json"]);
    let admitted = admitted.expect(0).json();
    let count = admitted["admitted"].as_u64().expect("a number");
    assert!(
        count > 0 && admitted["quality"]["judged"]["frechet_distance"].as_f64().is_some_and(f64::is_finite)
    );
    assert_eq!(generated(&bench), json!(count));
    let shown = bench.run(["generate", "show", &batch, "--json"]).expect(0).json();
    assert_eq!(shown["evidence"]["quality"]["judged"]["by"], json!(checkpoint));
    bench.run(["generate", "admit", &batch, "--force"]).expect(4).says("nothing to do");

    // As images they are marked, and of the training split only.
    bench.run(["checkout", "../out"]).expect(0);
    let out = files(&bench.path("out"));
    let inside = |split: &str| {
        out.iter().filter(|path| path.starts_with(bench.path("out").join(split))).count() as u64
    };
    assert_eq!((inside("train"), inside("test")), (64 + count, 6));
    let manifest = fs::read_to_string(bench.path("out/manifest.csv")).expect("a manifest");
    let marked: Vec<&str> = manifest.lines().filter(|line| line.contains(",generated/")).collect();
    assert_eq!(marked.len() as u64, count);
    assert!(marked.iter().all(|line| line.contains(",sea,train,")), "{marked:?}");
    let sample = marked[0].split(',').next().expect("a path");
    bench.write("more/valid/sea/new.png", &fs::read(bench.path("out").join(sample)).expect("a picture"));
    bench.run(["import", "../more"]).expect(4).says("were drawn by a generator");

    let (late, _) = model(&bench);
    let traced = bench.run(["audit", "generator", &generator, "--json"]).expect(0).json();
    assert_eq!(traced["influenced"]["runs"], json!([late]), "not the run {early} before");
    assert_eq!(traced["training_images"].as_array().map(Vec::len), Some(52));
    assert_eq!(traced["no_longer_in_the_dataset"], json!([]));
    bench.run(["remove", "train/sea/0003.jpg", "--reason", "private"]).expect(0);
    bench.run(["audit", "generator", &generator]).expect(0).says("1 of which are no longer").says("0003.jpg");
    bench.run(["audit", "image", "train/sea/0003.jpg"]).expect(0).says("3 generators");
    bench.run(["audit", "blast", "train/sea/0003.jpg"]).expect(0).says("batches of samples");
    let of_forest = bench.run(["audit", "blast", "train/forest/0001.jpg", "--json"]).expect(0).json();
    assert_eq!(of_forest["generators"], json!([]), "it never saw a forest");

    // All of it goes out as one, and an undo brings it back.
    let gone = bench.run(["generate", "expel", &generator, "--json"]).expect(0).json();
    assert_eq!((gone["expelled"].clone(), generated(&bench)), (json!(count), json!(0)));
    bench.run(["generate", "expel", &generator]).expect(4).says("nothing to do");
    bench.run(["undo", &text(&gone["transaction"])]).expect(0);
    assert_eq!(generated(&bench), json!(count));
    bench.run(["generate", "expel", &batch]).expect(0);
    bench.run(["generate", "list"]).expect(0).says("0 in the dataset");
    bench.run(["verify", "--deep"]).expect(0);
    bench.run(["gc"]).expect(0);

    for pack in files(&bench.path("repo/.safelight/packs")) {
        let mut bytes = fs::read(&pack).expect("readable");
        (100..bytes.len()).step_by(64).for_each(|at| bytes[at] ^= 1);
        fs::write(&pack, bytes).expect("writable");
    }
    bench.run(["generate", "sample", &generator]).expect(6).says("verify");
}

fn start(bench: &Bench, more: &[&str]) -> Child {
    bench.start(&[&["generate", "train", "--threads", "2"], more].concat())
}

/// Waits until a file is there whose path ends so.
fn wait_for(bench: &Bench, end: &str) {
    let patience = Instant::now();
    let folder = bench.path("repo/.safelight/cache/generators");
    while !folder.is_dir() || !files(&folder).iter().any(|path| path.ends_with(end)) {
        assert!(patience.elapsed() < Duration::from_secs(120), "no {end} in {}", folder.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_generator_that_was_stopped_or_killed_ends_with_the_same_weights() {
    let bench = imported();
    let long = GENERATOR.replace("epochs = 2", "epochs = 150");
    bench.write("repo/generator.toml", long.as_bytes());
    let unfinished = |bench: &Bench| {
        let list = bench.run(["generate", "list", "--json"]).expect(0).json();
        list["unfinished"].as_array().map(|all| all.iter().map(text).collect::<Vec<String>>())
    };
    let mut child = start(&bench, &["generator.toml", "--class", "sea"]);
    wait_for(&bench, "epoch-0003.png");
    assert_eq!(terminate(&mut child), Some(143));
    let stopped = unfinished(&bench).expect("a list");
    let [stopped] = stopped.as_slice() else { panic!("one generator was stopped: {stopped:?}") };
    bench.run(["generate", "train", "--resume", "zz"]).expect(4).says(stopped);

    // Going on, it is killed without a warning.
    let mut child = start(&bench, &["--resume", stopped]);
    wait_for(&bench, "epoch-0012.png");
    let listed = Command::new("ps").args(["-eo", "pid,args"]).output().expect("ps runs");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let job = listed.lines().find(|line| line.contains(stopped.as_str()) && line.contains("job generate"));
    let job = job.and_then(|line| line.split_whitespace().next()).expect("the job is running");
    Command::new("kill").args(["-9", job]).status().expect("kill runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    assert_eq!(unfinished(&bench), Some(vec![stopped.clone()]));

    // On as many threads as it began with.
    let resumed = bench.run(["generate", "train", "--resume", &stopped[..8], "--json"]);
    let resumed = resumed.expect(0).json();
    assert_eq!(resumed["generator"], json!(stopped));
    let (_, whole) = generator(&bench);
    assert_eq!(resumed["record"]["weights"], json!(whole));
    assert_eq!(unfinished(&bench), Some(Vec::new()));
}
