//! The interface of the program itself, on a pseudo-terminal, and what the log
//! holds afterwards.

use std::thread;
use std::time::Duration;

use safelight::clean::{Finding, Findings, Rule};
use safelight::train::recipe::Recipe;
use safelight_lineage::event::{
    Actor, CleaningPassProposed, Decision, Event, ReplayDepth, ReplayOutcome, Split,
};
use safelight_lineage::id::{ImageId, PassId, TransactionId};
use safelight_lineage::query::{ManifestFilter, manifest};
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, Timestamp};
use safelight_store::{Draft, Repository};

use crate::pty::Pty;
use crate::story::Story;
use crate::support::Bench;

const PASS: PassId = PassId([0xca; 16]);
const SIZE: (u16, u16) = (120, 40);

/// A repository of painted scenes, and a pass that found all of the training
/// images wrong.
fn scenes() -> Bench {
    let bench = Bench::with_repository();
    let photos = bench.photos(5);
    bench.run(["import", photos.to_str().expect("a plain name")]).expect(0);
    let mut repository = Repository::open(&bench.path("repo")).expect("opened");
    let at = repository.head();
    let now = manifest(repository.state(), &ManifestFilter::split(Split::Train));
    let finding = |(rank, image): (usize, ImageId)| Finding {
        image,
        rule: Rule::DEFAULTS[0].name().to_owned(),
        score: 0.9 - rank as f64 / 1000.0,
        rank: rank as u32 + 1,
        reason: "made up for a test".to_owned(),
        label: now.rows().iter().find(|row| row.image == image).and_then(|row| row.label),
        suggested: Some(ClassIndex(3)),
        related: vec![],
    };
    let found: Vec<Finding> = now.rows().iter().map(|row| row.image).enumerate().map(finding).collect();
    let count = found.len() as u64;
    let blob = repository.blobs().put(&Findings(found).to_bytes()).expect("stored");
    let proposed = CleaningPassProposed {
        pass: PASS,
        predictions: vec![],
        rules: vec![Rule::DEFAULTS[0].recorded().expect("a rule")],
        manifest: now.digest(),
        at,
        findings: blob,
        found: count,
    };
    let time = Timestamp(1_795_000_000_000);
    let draft = Draft {
        transaction: TransactionId::new(time.0, [5; 10]),
        actor: Actor::Program { name: "test".to_owned() },
        time,
        message: None,
        events: vec![proposed.into()],
    };
    repository.append(draft, at).expect("appended");
    bench
}

fn start(bench: &Bench, arguments: &[&str]) -> Pty {
    let mut all = vec!["tui", "--images", "halfblocks"];
    all.extend(arguments);
    Pty::start(&bench.path("repo"), &all, SIZE)
}

fn state(bench: &Bench) -> State {
    Repository::open(&bench.path("repo")).expect("opened").state().clone()
}

#[test]
fn every_screen_is_reached_and_the_session_is_restored() {
    let bench = scenes();
    let mut pty = start(&bench, &[]);
    pty.wait_for("4 frames");
    for (key, words) in [
        ("2", "42 images"),
        ("4", "no training run yet"),
        ("5", "no generator yet"),
        ("6", "no ensemble yet"),
        ("7", "no submission yet"),
        ("3", "0/30 of pass"),
    ] {
        pty.press(key);
        pty.wait_for(words);
        // In a review digits are labels.
        assert!(key == "3" || state(&bench).reviews(PASS).count() == 0);
    }
    pty.press("\t\t\t\t\t");
    pty.wait("jobs", |shown| shown.screen.screen().contents().contains("Jobs"));
    pty.press("2/label:sea split:train\rt");
    pty.wait("a wall of pictures", |shown| {
        let screen = shown.screen.screen();
        screen.contents().contains("5 images · label:sea") && screen.contents().matches('▀').count() > 400
    });
    pty.press("q");
    assert_eq!(pty.end(), 0, "{}", pty.screen());
    pty.assert_restored();

    let mut again = start(&bench, &[]);
    again.wait_for("5 images · label:sea split:train");
    again.wait("the wall", |shown| shown.screen.screen().contents().matches('▀').count() > 400);
    again.press("q");
    assert_eq!(again.end(), 0);

    let kept = bench.path("repo/.safelight/cache/interface.json");
    assert!(kept.is_file(), "kept where it may be deleted");
    std::fs::write(&kept, "{ damaged").expect("written");
    let mut fresh = start(&bench, &[]);
    fresh.wait_for("4 frames");
    fresh.press("q");
    assert_eq!(fresh.end(), 0);
}

#[test]
fn twenty_images_are_reviewed_and_three_taken_back() {
    let bench = scenes();
    let mut pty = start(&bench, &[]);
    pty.press("3");
    pty.wait_for("0/30 of pass");
    for nth in 1..=20 {
        // A decision counts only once the picture was painted.
        pty.wait("the picture", |shown| shown.screen.screen().contents().matches('▀').count() > 100);
        thread::sleep(Duration::from_millis(150));
        pty.press(if nth % 2 == 0 { "s" } else { "a" });
        pty.wait_for(&format!("{nth}/30 of pass"));
    }
    for left in [19, 18, 17] {
        pty.press("u");
        pty.wait_for(&format!("{left}/30 of pass"));
    }
    pty.press("q");
    assert_eq!(pty.end(), 0);
    pty.assert_restored();

    let state = state(&bench);
    let decided: Vec<(ImageId, Decision)> = state.reviews(PASS).collect();
    assert_eq!(decided.len(), 17);
    for (nth, (image, decision)) in (1..).zip(&decided) {
        let relabelled = Decision::Relabelled { label: ClassIndex(3) };
        assert_eq!(*decision, if nth % 2 == 0 { relabelled } else { Decision::Kept }, "decision {nth}");
        if nth % 2 == 0 {
            assert_eq!(state.image(*image).expect("an image").label, Some(ClassIndex(3)));
        }
    }
    let repository = Repository::open(&bench.path("repo")).expect("opened");
    let frames: Vec<_> = repository.frames().map(|frame| frame.expect("whole")).collect();
    let by_tester = frames.iter().filter(|frame| frame.header.actor.to_string().contains("tester"));
    let by_tester: Vec<_> = by_tester.collect();
    let reverts = by_tester.iter().filter(|frame| matches!(frame.events[..], [Event::EventsReverted(_)]));
    assert_eq!(reverts.count(), 3);
    bench.run(["verify"]).expect(0);
}

#[test]
fn another_processs_change_appears_and_the_past_refuses_decisions() {
    let bench = scenes();
    let mut pty = start(&bench, &[]);
    pty.press("2");
    pty.wait_for("42 images");
    let path = {
        let state = state(&bench);
        let image = state.images().find(|image| image.split == Split::Train).expect("one");
        String::from_utf8_lossy(image.path).into_owned()
    };
    bench.run(["remove", &path, "--reason", "elsewhere"]).expect(0);
    pty.wait_for("1 out");
    pty.press("[");
    pty.wait_for("AS OF Seq");
    let frames = state(&bench).transactions().len();
    for keys in ["x", "r", "b", "u"] {
        pty.press(keys);
        pty.wait_for("this is the past");
    }
    pty.press("nq");
    assert_eq!(pty.end(), 0);
    assert_eq!(state(&bench).transactions().len(), frames);
}

#[test]
fn signals_end_it_with_their_codes_and_the_log_is_whole() {
    let bench = scenes();
    for (before, (name, code)) in [("-TERM", 143), ("-HUP", 143)].into_iter().enumerate() {
        let mut pty = start(&bench, &["--mouse"]);
        pty.press("2");
        pty.wait_for("images");
        // The next image: what was decided on the one before is in the log.
        pty.press(&"j".repeat(before));
        pty.press("xd");
        pty.wait("a decision", |shown| {
            let contents = shown.screen.screen().contents();
            contents.contains(" out") || contents.matches('✗').count() > before
        });
        pty.signal(name);
        assert_eq!(pty.end(), code, "{name}: {}", pty.screen());
        pty.assert_restored();
        bench.run(["verify"]).expect(0);
    }
    // The second removed the next image: the session of the first was kept.
    assert!(state(&bench).images().filter(|image| image.removed).count() >= 1);
}

#[test]
fn a_storm_of_sizes_and_no_colours_do_no_harm() {
    let bench = scenes();
    let mut pty = start(&bench, &["--theme", "dark"]);
    pty.press("2t");
    for step in 0..80u16 {
        pty.resize(1 + step * 37 % 150, 1 + step * 13 % 50);
        pty.press(["j", "l", "z", "2", "3", "L", "\x1b", "+"][usize::from(step) % 8]);
        thread::sleep(Duration::from_millis(5));
    }
    pty.resize(20, 5);
    pty.press("\x1b");
    thread::sleep(Duration::from_millis(100));
    pty.press("\x1b");
    pty.resize(120, 40);
    pty.wait("that it goes on", |shown| shown.screen.screen().contents().contains("Timeline"));
    pty.press("\x03");
    assert_eq!(pty.end(), 0);
    pty.assert_restored();
}

#[test]
fn keys_come_from_a_file_and_mistakes_are_told_before_the_screen() {
    let bench = scenes();
    let file = bench.write("keys.toml", b"quit = \"Q\"\nwall = [\"w\", \"C-w\"]\n");
    let file = file.to_str().expect("a plain name");
    let mut pty = start(&bench, &["--keys", file]);
    pty.wait_for("4 frames");
    pty.press("q");
    thread::sleep(Duration::from_millis(200));
    pty.press("2w");
    pty.wait("the wall", |shown| shown.screen.screen().contents().matches('▀').count() > 400);
    pty.press("Q");
    assert_eq!(pty.end(), 0);

    for (text, words) in [
        ("relabel = \"x\"", "'x' means both 'relabel' and 'remove' on Images"),
        ("fly = \"f\"", "there is no action 'fly'"),
        ("relabel = 3", "the key map"),
    ] {
        bench.write("keys.toml", text.as_bytes());
        let mut pty = start(&bench, &["--keys", file]);
        assert_eq!(pty.end(), 2);
        assert!(pty.written().contains(words), "{}", pty.written());
        assert!(!pty.written().contains("\x1b[?1049h"), "the screen was not taken");
    }
    bench.run(["tui", "--print-keys"]).expect(0).says("# relabel = [\"r\"]");
}

/// Jobs start from the interface, outlive it, and are found again.
#[test]
fn a_pass_is_proposed_by_a_job_that_outlives_the_interface() {
    let bench = scenes();
    let passes = state(&bench).passes().iter().count();
    let mut pty = start(&bench, &[]);
    pty.wait_for("4 frames");
    pty.press("3");
    pty.wait_for("0/30 of pass");
    pty.press("P");
    pty.wait_for("judged by what");
    pty.press("p");
    pty.wait_for("see Jobs");
    pty.press("q");
    assert_eq!(pty.end(), 0, "{}", pty.screen());
    let mut again = start(&bench, &["--fresh"]);
    again.press("8");
    again.wait_for("done");
    again.wait_for("images found");
    assert_eq!(state(&bench).passes().iter().count(), passes + 1);
    again.press("q");
    assert_eq!(again.end(), 0);
    bench.run(["jobs"]).expect(0).says("clean propose --rule near-duplicate");
}

/// A submission is replayed where it is shown; its receipt is there when the
/// interface is opened again, and in the log.
#[test]
fn a_submission_is_replayed_on_its_screen() {
    let bench = Bench::new();
    let told = {
        let mut story = Story::begin(&bench.path("repo"));
        story.tell()
    };
    let replays = |state: &State| state.submissions().get(told.submission).expect("there").replays.clone();
    assert!(replays(&state(&bench)).is_empty());
    let mut pty = start(&bench, &[]);
    pty.wait_for("frames");
    pty.press("7");
    pty.wait_for(&told.submission.short());
    pty.press("y");
    pty.wait_for("to which depth?");
    pty.press("v");
    pty.wait_for("IDENTICAL, replayed to votes");
    pty.wait_for("8 of 8 equal");
    pty.wait_for(" the file");
    // What it took is known once the job has said its end.
    pty.wait_for(" · took ");
    pty.press("q");
    assert_eq!(pty.end(), 0, "{}", pty.screen());
    pty.assert_restored();

    let made = replays(&state(&bench));
    let [replay] = &made[..] else { panic!("one replay, not {made:?}") };
    assert_eq!(replay.event.depth, ReplayDepth::Votes);
    assert_eq!(replay.event.outcome, ReplayOutcome::Identical);
    let repository = Repository::open(&bench.path("repo")).expect("opened");
    let receipt = repository.blobs().get(replay.event.receipt).expect("kept");
    let receipt = bench.write("receipt.json", &receipt);
    bench.run(["check-receipt", receipt.to_str().expect("a plain name")]).expect(0).says("this very receipt");

    let mut again = start(&bench, &["--fresh"]);
    again.press("7");
    again.wait_for("IDENTICAL, replayed to votes");
    again.wait_for("8 of 8 equal");
    again.press("q");
    assert_eq!(again.end(), 0);
    bench.run(["jobs"]).expect(0).says("--depth votes");
    bench.run(["verify"]).expect(0);
}

/// A recipe is filled in, what is wrong with it said at the field, and a training
/// started by it.
#[test]
fn a_recipe_is_filled_in_and_trained() {
    let bench = scenes();
    let mut pty = start(&bench, &["--fresh"]);
    pty.wait_for("4 frames");
    pty.press("4T");
    pty.wait_for("Train, from the defaults");
    // The seed is the fourth field.
    pty.press("\x1b[B\x1b[B\x1b[Bmany");
    pty.wait_for("must be a whole number, 0 or more");
    pty.press("\r");
    pty.wait_for("not started: seed must be a whole number");
    pty.press("77");
    pty.wait("that nothing is wrong", |shown| !shown.screen.screen().contents().contains("must be"));
    let saved = bench.path("mine.toml");
    pty.press("\x13");
    pty.wait_for("save as");
    pty.press(&format!("{}\r", saved.display()));
    pty.wait_for("saved as");
    pty.press("\x14");
    pty.wait_for("safelight jobs start -- train recipe.toml --device auto");
    pty.press("\x1b");
    pty.wait_for("Train, from the defaults");
    // To the epochs of the stage: one, for the sake of builds that can train.
    pty.press("\x1b[F\x1b[A\x1b[A\x1b[A\x1b[A1\r");
    pty.wait_for("see Jobs");
    pty.press("8");
    pty.wait_for("train ");
    pty.wait("an end", |shown| {
        let screen = shown.screen.screen().contents();
        ["failed", "done"].iter().any(|word| screen.contains(word))
    });
    pty.press("q");
    assert_eq!(pty.end(), 0, "{}", pty.screen());

    let read = |path: &std::path::Path| {
        Recipe::parse(&std::fs::read_to_string(path).expect("readable")).expect("a recipe")
    };
    assert_eq!(read(&saved), Recipe { seed: 77, ..Recipe::default() });
    let jobs = std::fs::read_dir(bench.path("repo/.safelight/cache/jobs")).expect("jobs");
    let folders: Vec<_> = jobs.map(|entry| entry.expect("one").path()).collect();
    let [job] = &folders[..] else { panic!("one job, not {folders:?}") };
    let kept = read(&job.join("recipe.toml"));
    assert_eq!((kept.seed, kept.stage[0].epochs), (77, Some(1)));
    bench.run(["jobs"]).expect(0).says("recipe.toml --device auto");
}

/// The words of an event are found though its frame was never looked at.
#[test]
fn the_timeline_is_searched_to_its_beginning() {
    let bench = scenes();
    let path = {
        let state = state(&bench);
        let image = state.images().find(|image| image.split == Split::Train).expect("one");
        String::from_utf8_lossy(image.path).into_owned()
    };
    for round in 0..30 {
        bench.run(["relabel", &path, "--to", if round % 2 == 0 { "sea" } else { "forest" }]).expect(0);
    }
    // The import is below the screen's end.
    let mut pty = Pty::start(&bench.path("repo"), &["tui", "--images", "off", "--fresh"], (100, 12));
    pty.wait_for("34 frames");
    pty.press("/test/street/1000\r");
    pty.wait_for("1 frame with 'test/street/1000'");
    pty.press("/\x15no such words\r");
    pty.wait_for("no frame mentions that");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

/// The terminal is given back when the program itself panics, before that is told.
#[cfg(debug_assertions)]
#[test]
fn a_panic_of_the_program_gives_the_terminal_back() {
    let bench = scenes();
    let arguments = ["tui", "--mouse", "--images", "halfblocks"];
    let variables = [("SAFELIGHT_TEST_PANIC", "1")];
    let mut pty = Pty::start_with(&bench.path("repo"), &arguments, SIZE, &variables);
    pty.wait_for("4 frames");
    let written = pty.written();
    for mode in ["1049", "2004", "1000"] {
        assert!(written.contains(&format!("\x1b[?{mode}h")), "{mode} is on");
    }
    pty.press("2");
    assert_eq!(pty.end(), 101, "{}", pty.screen());
    pty.assert_restored();
    let written = pty.written();
    let told = written.find("asked to panic").expect("the panic is told");
    assert!(written.rfind("\x1b[?1049l").is_some_and(|left| left < told), "on the user's own screen");
    for mode in ["1000", "1006", "2004"] {
        assert!(written.rfind(&format!("\x1b[?{mode}l")) < Some(told), "{mode} is off before it is told");
    }
    bench.run(["verify"]).expect(0);
}

/// A training is started by its recipe, watched, and stopped.
#[cfg(feature = "torch")]
#[test]
fn a_training_is_started_and_stopped_from_the_interface() {
    let bench = scenes();
    let recipe = "batch = 4\nvalidation = { fraction = 0.2 }\n[[stage]]\nsize = 32\nepochs = 500\n";
    let path = bench.write("recipe.toml", recipe.as_bytes());
    let mut pty = start(&bench, &[]);
    pty.wait_for("4 frames");
    pty.press("4");
    pty.wait_for("no training run yet");
    pty.press("t");
    pty.press(&format!("{}\r", path.display()));
    pty.wait_for("see Jobs");
    pty.press("8");
    pty.wait_for("train_loss");
    pty.wait_for("stage 1");
    pty.press("X");
    pty.wait_for("Stop");
    pty.press("y");
    pty.wait_for("cancelled");
    let now = state(&bench);
    let runs: Vec<&str> = now.runs().iter().map(|record| record.status.name()).collect();
    assert_eq!(runs, ["cancelled"]);
    pty.press("q");
    assert_eq!(pty.end(), 0);
}
