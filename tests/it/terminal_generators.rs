//! Generators on a pseudo-terminal: what a repository holds of them is shown,
//! samples go in and out, and one in training is seen live.

use std::fs;
use std::path::Path;

use safelight::generate::grid::{grid_png, picture_png};
use safelight::generate::history::{GeneratorEnding, GeneratorEpoch, GeneratorHistory};
use safelight::generate::prepare::GeneratorJob;
use safelight::generate::recipe::GeneratorRecipe;
use safelight::runs::prepare::filter;
use safelight::train::recipe::Recipe;
use safelight_lineage::event::{Actor, Event, GeneratorTrained, RunStarted, SamplesGenerated};
use safelight_lineage::id::{GeneratorId, RunId, SamplesId, TransactionId};
use safelight_lineage::query::{generator_dataset, manifest_as_of};
use safelight_lineage::value::{ClassIndex, Timestamp};
use safelight_store::{Draft, Repository};

use crate::pty::Pty;
use crate::support::Bench;

const GENERATOR: GeneratorId = GeneratorId([0x9a; 16]);
const SAMPLES: SamplesId = SamplesId([0x5b; 16]);
const CLASS: ClassIndex = ClassIndex(4);
const EDGE: u32 = 16;

/// Pixels that differ from picture to picture.
fn noise(seed: u32) -> Vec<u8> {
    let bytes = (0..EDGE * EDGE * 3).map(|place| {
        let mixed = (place ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
        (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35).to_be_bytes()[0]
    });
    bytes.collect()
}

/// A grid of so many pictures of one brightness.
fn grid(brightness: u8) -> Vec<u8> {
    let picture = vec![brightness; (EDGE * EDGE * 3) as usize];
    grid_png(&[vec![picture.as_slice(); 6]], EDGE).expect("encodes")
}

fn append(repository: &mut Repository, events: Vec<Event>, number: u8) {
    let time = Timestamp(1_795_000_000_000);
    let draft = Draft {
        transaction: TransactionId::new(time.0, [number; 10]),
        actor: Actor::Program { name: "test".to_owned() },
        time,
        message: None,
        events,
    };
    let head = repository.head();
    repository.append(draft, head).expect("appended");
}

/// Painted scenes, a generator of one class as its training would have left it,
/// and ten samples.
fn trained() -> Bench {
    let bench = Bench::with_repository();
    let photos = bench.photos(5);
    bench.run(["import", photos.to_str().expect("a plain name")]).expect(0);
    let mut repository = Repository::open(&bench.path("repo")).expect("opened");
    let blobs = repository.blobs().clone();
    let put = |bytes: &[u8]| blobs.put(bytes).expect("stored");
    let grids: Vec<_> = [90, 200].map(|brightness| put(&grid(brightness))).to_vec();
    let epochs = grids.iter().zip(0..).map(|(grid, epoch)| GeneratorEpoch {
        epoch,
        critic_distance: 0.5,
        diversity: Some(0.75),
        frechet_distance: Some(12.5),
        collapsed: false,
        grid: Some(grid.to_string()),
        seconds: 1.0,
    });
    let history = GeneratorHistory {
        classes: vec!["sea".to_owned()],
        images: 5,
        critic_distance: vec![0.4, 0.6],
        epochs: epochs.collect(),
        ending: Some(GeneratorEnding::Finished),
        ..GeneratorHistory::default()
    };
    let state = repository.state();
    let trained = GeneratorTrained {
        generator: GENERATOR,
        class: Some(CLASS),
        recipe: put(GeneratorRecipe::default().to_toml().as_bytes()),
        manifest: generator_dataset(state, state.seq(), Some(CLASS)).digest(),
        at: repository.head(),
        weights: put(b"weights"),
        metrics: put(&history.to_json()),
        environment: put(b"{}"),
        grids,
    };
    let pictures = (0..10).map(|seed| put(&picture_png(&noise(seed), EDGE).expect("encodes")));
    let drawn = SamplesGenerated {
        samples: SAMPLES,
        generator: GENERATOR,
        class: CLASS,
        seed: 7,
        blobs: pictures.collect(),
    };
    append(&mut repository, vec![trained.into()], 1);
    append(&mut repository, vec![drawn.into()], 2);
    bench
}

fn start(bench: &Bench) -> Pty {
    Pty::start(&bench.path("repo"), &["tui", "--images", "halfblocks", "--fresh"], (120, 40))
}

/// Whether the picture of a grid of this brightness is on the screen.
fn shows(pty: &Pty, brightness: u8) {
    pty.wait(&format!("the grid of brightness {brightness}"), |shown| {
        let screen = shown.screen.screen();
        let (rows, columns) = screen.size();
        let wanted = vt100::Color::Rgb(brightness, brightness, brightness);
        let cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
        let of =
            cells.filter(|(row, column)| screen.cell(*row, *column).is_some_and(|it| it.fgcolor() == wanted));
        of.count() > 30
    });
}

fn events(bench: &Bench) -> Vec<Event> {
    let repository = Repository::open(&bench.path("repo")).expect("opened");
    repository.frames().flat_map(|frame| frame.expect("whole").events).collect()
}

#[test]
fn samples_go_in_by_a_job_and_out_by_a_key() {
    let bench = trained();
    let mut pty = start(&bench);
    pty.press("5");
    pty.wait_for("drawn after epoch 2 of 2");
    shows(&pty, 200);
    pty.press(",");
    pty.wait_for("drawn after epoch 1 of 2");
    shows(&pty, 90);
    pty.wait_for("diversity by epoch  0.7500");
    pty.press("a");
    pty.wait_for("Admit which of 10 samples of sea, seed 7?");
    pty.press("u");
    pty.wait_for("into the training split?");
    pty.wait_for("of them are in; beside them 5 real images");
    pty.press("y");
    pty.wait_for("10 samples 10 in");
    let admitted = events(&bench).into_iter().filter_map(|event| match event {
        Event::SamplesAdmitted(admitted) => Some((admitted.samples, admitted.images.len())),
        _ => None,
    });
    assert_eq!(admitted.collect::<Vec<_>>(), [(SAMPLES, 10)]);

    pty.press("x");
    pty.wait_for("Take 10 images of 1 batch out of the dataset? No run");
    pty.press("n");
    pty.wait_for("nothing was changed");
    pty.press("xy");
    pty.wait("none of them in", |shown| !shown.screen.screen().contents().contains(" 10 in"));
    let expelled = |bench: &Bench| {
        let gone = events(bench).into_iter().filter_map(|event| match event {
            Event::SamplesExpelled(gone) => Some((gone.samples, gone.reason)),
            _ => None,
        });
        gone.collect::<Vec<_>>()
    };
    assert_eq!(expelled(&bench), [(SAMPLES, "taken back".to_owned())]);
    let generated =
        |bench: &Bench| bench.run(["status", "--json"]).expect(0).json()["images"]["generated"].clone();
    assert_eq!(generated(&bench), 0);
    pty.press("u");
    pty.wait_for("10 samples 10 in");
    assert_eq!(generated(&bench), 10);
    pty.press("q");
    assert_eq!(pty.end(), 0, "{}", pty.screen());
    pty.assert_restored();
    let repository = Repository::open(&bench.path("repo")).expect("opened");
    let last = repository.frames().map(|frame| frame.expect("whole")).last().expect("a frame");
    assert!(matches!(last.events[..], [Event::EventsReverted(_)]), "{:?}", last.events);
    assert_eq!(last.header.actor, Actor::Person { name: "tester".to_owned() });
    bench.run(["verify"]).expect(0);
}

#[test]
fn a_generator_in_training_is_seen_live_by_whoever_comes() {
    let bench = trained();
    let cache = bench.path("repo/.safelight/cache");
    let unfinished = GeneratorId([0x3c; 16]);
    let recipe =
        GeneratorRecipe { epochs: 40, class: Some("forest".to_owned()), ..GeneratorRecipe::default() };
    let job = GeneratorJob {
        recipe: recipe.to_toml(),
        manifest: String::new(),
        at: String::new(),
        judge: None,
        judge_every: 1,
        threads: None,
    };
    let draw = |cache: &Path, epoch: u32, brightness: u8| {
        fs::write(GeneratorJob::grid_file(cache, unfinished, epoch), grid(brightness)).expect("written");
    };
    let mut pty = start(&bench);
    pty.press("5");
    pty.wait_for("drawn after epoch 2 of 2");
    job.save(&cache, unfinished).expect("written");
    draw(&cache, 0, 60);
    pty.wait_for("3c3c3c3c stopped 1/40 forest");
    shows(&pty, 60);
    draw(&cache, 1, 130);
    pty.wait_for("drawn after epoch 2 of 2");
    pty.wait_for("stopped after epoch 2 of 40; R goes on with it");
    shows(&pty, 130);
    pty.press("q");
    assert_eq!(pty.end(), 0);

    draw(&cache, 2, 230);
    let mut again = start(&bench);
    again.press("5");
    again.wait_for("drawn after epoch 3 of 3");
    shows(&again, 230);
    again.press(",,");
    shows(&again, 60);
    // Its files go when it is in the log, or with the cache.
    fs::remove_dir_all(cache.join("generators")).expect("removed");
    again.wait_for("1 generator");
    again.wait_for("9a9a9a9a sea");
    again.press("q");
    assert_eq!(again.end(), 0);
    again.assert_restored();
}

/// A run of this recipe on the dataset as it is.
fn run(bench: &Bench, number: u8, recipe: &str) {
    let mut repository = Repository::open(&bench.path("repo")).expect("opened");
    let state = repository.state();
    let dataset = manifest_as_of(state, state.seq(), &filter(&Recipe::parse(recipe).expect("valid")));
    let started = RunStarted {
        run: RunId([number; 16]),
        recipe: repository.blobs().put(recipe.as_bytes()).expect("stored"),
        manifest: dataset.digest(),
        at: repository.head(),
        parent: None,
        environment: repository.blobs().put(b"{}").expect("stored"),
    };
    append(&mut repository, vec![started.into()], number);
}

#[test]
fn who_is_validated_by_what_a_generator_learned_is_told() {
    let bench = trained();
    let audit = |bench: &Bench| {
        let told = bench.run(["audit", "generator", "9a9a", "--json"]).expect(0).json();
        told["held_out"].clone()
    };
    let stages = "batch = 4\n[[stage]]\nsize = 32\nepochs = 1\n";
    assert_eq!(audit(&bench)["images"], 0);
    run(&bench, 0x11, &format!("validation = {{ split = \"test\" }}\n{stages}"));
    assert_eq!(audit(&bench)["runs"], serde_json::json!([]), "no generator sees the test split");
    // Of five images a class, a fraction of two fifths holds out two.
    let fraction = format!("seed = 1\nvalidation = {{ fraction = 0.4 }}\n{stages}");
    run(&bench, 0x12, &fraction);
    run(&bench, 0x13, &fraction);
    let told = audit(&bench);
    assert_eq!((&told["images"], &told["learned"]), (&2.into(), &5.into()));
    assert_eq!(told["runs"].as_array().map(Vec::len), Some(2));
    assert_eq!(told["unknown"], serde_json::json!([]));
    let sentence = "2 of the 5 images that the generator learns from validate 2 runs (first 12121212)";
    bench.run(["audit", "generator", "9a9a"]).expect(0).says(sentence);
    bench
        .run(["generate", "admit", "5b5b", "--unjudged"])
        .expect(0)
        .says(sentence)
        .says("admitted 10 samples");
}
