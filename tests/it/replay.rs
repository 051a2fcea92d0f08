//! Replay: whatever happened since, a submission comes out as it was; and
//! whatever is changed of what it rests on is found.

use std::fs;
use std::path::Path;

use safelight::replay::{Depth, Replayed};
use safelight_lineage::decide::Command;
use safelight_lineage::event::{PredictionSource, ReplayOutcome, Split, ViewPolicy, VoteRule};
use safelight_lineage::id::ImageId;
use safelight_store::{Repository, VerifyDepth, verify};
use serde_json::json;

use crate::story::{HashEngine, Story, recipe};
use crate::support::Bench;

const DEPTHS: [Depth; 3] = [Depth::Votes, Depth::Predictions, Depth::Training];

fn story() -> (Bench, Story) {
    let bench = Bench::new();
    let story = Story::begin(&bench.path("repo"));
    (bench, story)
}

#[track_caller]
fn identical(replayed: &Replayed) {
    assert_eq!(replayed.receipt.outcome, ReplayOutcome::Identical, "{:#?}", replayed.receipt.steps);
    assert!(!replayed.csv.is_empty());
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("readable") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}

#[test]
fn every_depth_repeats_what_it_says_and_keeps_nothing() {
    let (bench, mut story) = story();
    let told = story.tell();
    let csv = story.session.state().submissions().get(told.submission).expect("there").written.event.csv;
    story.session.repository_mut().checkpoint().expect("sealed");
    let before = verify(&bench.path("repo"), VerifyDepth::Deep, &mut |_| {}).expect("verified");
    for (depth, comparisons) in [(Depth::Votes, 8), (Depth::Predictions, 10), (Depth::Training, 14)] {
        let replayed = story.replay(told.submission, depth).expect("a verdict");
        identical(&replayed);
        assert_eq!(replayed.receipt.steps.len(), comparisons, "{:#?}", replayed.receipt.steps);
        assert_eq!(safelight_lineage::digest::BlobId::of(&replayed.csv), csv);
        assert!(replayed.receipt.environments.iter().all(|at| at.differences.is_empty()));
    }
    let after = verify(&bench.path("repo"), VerifyDepth::Deep, &mut |_| {}).expect("verified");
    assert_eq!((before.frames, before.blobs, before.bytes), (after.frames, after.blobs, after.bytes));
}

#[test]
fn nothing_that_happens_to_the_repository_or_in_it_matters() {
    let (bench, mut story) = story();
    let told = story.tell();
    let receipts: Vec<Vec<u8>> = DEPTHS
        .iter()
        .map(|depth| story.replay(told.submission, *depth).expect("a verdict").receipt.to_json())
        .collect();
    let check = |story: &Story| {
        for (depth, receipt) in DEPTHS.iter().zip(&receipts) {
            let replayed = story.replay(told.submission, *depth).expect("a verdict");
            identical(&replayed);
            assert_eq!(&replayed.receipt.to_json(), receipt, "{depth:?}");
        }
    };
    // A thousand further changes, among them undone and redone cleaning.
    let images: Vec<ImageId> = story.session.state().images().map(|image| image.id).collect();
    let mut dice = 1u64;
    let mut events = 0;
    while events < 1_000 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let image = images[(dice >> 33) as usize % images.len()];
        let (reason, evidence) = ("dice".to_owned(), Default::default());
        let command = match (dice >> 20) % 4 {
            0 => Command::Remove { images: vec![image], reason, evidence, force: true },
            1 => Command::Restore { images: vec![image], reason, evidence },
            2 => {
                let label = Some(crate::story::CLASSES[(dice >> 50) as usize % 3].to_owned());
                Command::Relabel { images: vec![image], label, reason, evidence }
            }
            _ => {
                let last = story.session.state().transactions().last().expect("one").transaction;
                let target = safelight_lineage::event::RevertTarget { transaction: last, events: Vec::new() };
                Command::Revert { targets: vec![target], reason }
            }
        };
        // What the rules refuse does not happen, and that is fine.
        events +=
            u32::from(story.session.execute(None, |_, _| command.clone()).is_ok_and(|frame| frame.is_some()));
    }
    story.import(Split::Test, 300..320);
    check(&story);
    story.session.repository_mut().checkpoint().expect("sealed");
    drop(story);
    for folder in ["index", "cache"] {
        let _ = fs::remove_dir_all(bench.path("repo/.safelight").join(folder));
    }
    check(&Story::open(&bench.path("repo")));
    // Another path, another name, and the first one gone.
    copy(&bench.path("repo"), &bench.path("elsewhere/copy"));
    fs::remove_dir_all(bench.path("repo")).expect("removed");
    check(&Story::open(&bench.path("elsewhere/copy")));
}

#[test]
fn the_order_of_members_and_the_number_of_threads_decide_nothing() {
    let (_bench, mut story) = story();
    let told = story.tell();
    let csv =
        |story: &Story, id| story.session.state().submissions().get(id).expect("there").written.event.csv;
    let first = csv(&story, told.submission);
    let [a, b, c] = told.predictions;
    for members in [[(c, 1.0), (b, 1.5), (a, 1.0)], [(b, 1.5), (a, 1.0), (c, 1.0)]] {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(members.len()).build().expect("threads");
        let (_, submission) = threads.install(|| story.submit(&members, VoteRule::Weighted));
        assert_eq!(csv(&story, submission), first);
        identical(&story.replay(submission, Depth::Training).expect("a verdict"));
    }
}

#[test]
fn other_kernels_give_the_largest_difference_and_the_share_of_equal_decisions() {
    let (_bench, mut story) = story();
    let told = story.tell();
    let mut engine = HashEngine { noise: 1e-5, processor: "slide rule".to_owned(), ..HashEngine::default() };
    let replayed =
        story.replay_on(told.submission, Depth::Predictions, &mut engine, &mut |_| {}).expect("a verdict");
    let ReplayOutcome::WithinTolerance { largest_difference, equal_decisions } = replayed.receipt.outcome
    else {
        panic!("{:?}", replayed.receipt.outcome)
    };
    assert!((5e-6..2e-5).contains(&largest_difference.0) && equal_decisions.0 > 0.8);
    let environment = &replayed.receipt.environments[0];
    assert_eq!(environment.in_words().expect("a difference"), "processor: abacus then, slide rule here");

    let mut engine = HashEngine { noise: 0.05, ..engine };
    let replayed =
        story.replay_on(told.submission, Depth::Predictions, &mut engine, &mut |_| {}).expect("a verdict");
    let ReplayOutcome::Diverged { event, cause, .. } = &replayed.receipt.outcome else { panic!() };
    let first = story.session.state().predictions().get(told.predictions[0]).expect("there");
    assert_eq!(*event, Some(first.at));
    assert!(cause.contains("slide rule"), "the environment is the likely cause: {cause}");
    assert!(replayed.csv.is_empty());
}

#[test]
fn what_came_from_outside_is_taken_as_recorded_and_said() {
    let (_bench, mut story) = story();
    let told = story.tell();
    let external = story.external();
    let (_, submission) = story.submit(&[(told.predictions[0], 1.0), (external, 1.0)], VoteRule::Majority);
    for depth in DEPTHS {
        let replayed = story.replay(submission, depth).expect("a verdict");
        identical(&replayed);
        let said = &replayed.receipt.taken_as_recorded;
        assert_eq!(said.len(), usize::from(depth != Depth::Votes));
        assert!(said.iter().all(|words| words.contains("a friend's model")));
    }
}

#[test]
fn a_run_that_was_stopped_and_resumed_is_one_training() {
    let (_bench, mut story) = story();
    let settings = recipe("seed = 5");
    let (stopped, plan) = story.start(&settings, None);
    let first = story.save(stopped, &plan, 0);
    story
        .session
        .record(None, |_, _| safelight_lineage::event::RunCancelled {
            run: stopped,
            reason: "told to stop".to_owned(),
            metrics: None,
            resume: None,
        })
        .expect("an end");
    // As a resumed run records itself: same recipe, images and beginning.
    let (resumed, plan) = story.start(&settings, None);
    let second = story.save(resumed, &plan, 1);
    let predictions = story.predict(second, Split::Test, ViewPolicy::Plain);
    let other = story.predict(first, Split::Test, ViewPolicy::Plain);
    let (_, submission) = story.submit(&[(predictions, 1.0), (other, 1.0)], VoteRule::Soft);
    let mut engine = HashEngine::default();
    identical(&story.replay_on(submission, Depth::Training, &mut engine, &mut |_| {}).expect("a verdict"));
    assert_eq!(engine.trainings, 1);
}

#[test]
fn fold_models_are_asked_about_the_images_they_were_kept_from() {
    use safelight::clean::evidence::{held_out, put_together};
    use safelight::predictions::Probabilities;
    use safelight::replay::engine::{Engine as _, PredictWork};

    let (_bench, mut story) = story();
    let mut judged = Vec::new();
    for fold in 0..2 {
        let text = format!(
            "batch = 4\nvalidation = {{ fold = {fold}, folds = 2 }}\n[[stage]]\nsize = 32\nepochs = 1\n"
        );
        let recipe = safelight::train::recipe::Recipe::parse(&text).expect("a recipe");
        let (run, plan) = story.start(&recipe, None);
        let checkpoint = story.save(run, &plan, 0);
        let blobs = story.session.repository().blobs().clone();
        let held = held_out(story.session.state(), |blob| blobs.get(blob), checkpoint).expect("held out");
        let rows: Vec<_> = held.images.rows().iter().map(|row| (row.image, row.blob)).collect();
        let saved = story.session.state().checkpoints().get(checkpoint).expect("there").event.clone();
        let work = PredictWork {
            weights: &blobs.get(saved.weights).expect("weights"),
            architecture: &saved.architecture,
            size: saved.image_size,
            classes: held.images.classes(),
            images: &rows,
            views: safelight::train::views::Views::Plain,
            machine: 3.into(),
        };
        let values = HashEngine::default().probabilities(&work, &mut |_| {}).expect("values");
        let images = rows.iter().map(|(image, _)| *image).collect();
        judged.push((held, Probabilities::new(3, images, values).expect("probabilities")));
    }
    let evidence = put_together(story.session.state(), &judged).expect("evidence");
    let blobs = story.session.repository().blobs().clone();
    let probabilities = blobs.put(&evidence.probabilities.to_bytes()).expect("a blob");
    let environment =
        Some(blobs.put(&HashEngine::default().environment(3.into()).to_json()).expect("a blob"));
    let source =
        PredictionSource::Folds { checkpoints: judged.iter().map(|(held, _)| held.checkpoint).collect() };
    let frame = story.session.record(None, |_, transaction| safelight_lineage::event::PredictionsRecorded {
        predictions: safelight_lineage::id::PredictionsId(transaction.derive("predictions", 0)),
        source: source.clone(),
        manifest: evidence.manifest,
        split: Split::Train,
        at: evidence.at,
        views: ViewPolicy::Plain,
        honesty: safelight_lineage::event::Honesty::OutOfFold,
        temperature: None,
        probabilities,
        environment,
    });
    let id = frame.expect("recorded").header.transaction.derive("predictions", 0);
    let members = [(safelight_lineage::id::PredictionsId(id), 1.0)];
    let (_, submission) = story.submit(&members, VoteRule::Majority);
    for depth in DEPTHS {
        identical(&story.replay(submission, depth).expect("a verdict"));
    }
}

#[test]
fn from_the_command_line_a_receipt_is_written_recorded_and_checked() {
    let (bench, mut story) = story();
    let told = story.tell();
    drop(story);
    let id = told.submission.to_string();
    let replayed = bench.run(["replay", &id[..10], "--receipt", "r.json", "--output", "again.csv"]).expect(0);
    replayed.says("IDENTICAL").says("plan: fold the log up to seq").says("equal bytes on any machine");
    bench.run(["log", "-n", "1"]).expect(0).says("IDENTICAL");
    bench.run(["check-receipt", "r.json"]).expect(0).says("holds this very receipt");

    // Somebody bends the receipt.
    let receipt = fs::read_to_string(bench.path("repo/r.json")).expect("a receipt");
    let csv = Repository::open(&bench.path("repo")).expect("opens");
    let csv = csv.state().submissions().get(told.submission).expect("there").written.event.csv.to_string();
    let bent = receipt.replace(&csv, &"0".repeat(64));
    assert_ne!(bent, receipt);
    bench.write("repo/bent.json", bent.as_bytes());
    bench.run(["check-receipt", "bent.json"]).expect(8).says("the log does not record");
    let wrong = receipt.replacen("\"frame\": \"", "\"frame\": \"00", 1);
    bench.write("repo/wrong.json", wrong.as_bytes());
    bench.run(["check-receipt", "wrong.json"]).expect(8).says("frame");
    bench.write("repo/no.json", b"{}");
    bench.run(["check-receipt", "no.json"]).expect(4).says("not a receipt");

    let before = bench.run(["status", "--json"]).expect(0).json()["seq"].clone();
    bench.run(["replay", &id, "--no-record"]).expect(0);
    assert_eq!(bench.run(["status", "--json"]).expect(0).json()["seq"], before);
    bench.run(["replay", "ffff"]).expect(4).says("no submission");
}

#[cfg(not(feature = "torch"))]
#[test]
fn a_build_without_libtorch_says_so_before_any_work() {
    let (bench, mut story) = story();
    let told = story.tell();
    drop(story);
    let id = told.submission.to_string();
    for depth in ["predictions", "training"] {
        bench.run(["replay", &id, "--depth", depth]).expect(4).says("no training and predicting in it");
    }
}

#[test]
fn everything_is_written_out_as_it_was() {
    let (bench, mut story) = story();
    let told = story.tell();
    drop(story);
    let id = told.submission.to_string();
    bench.run(["remove", "test/sea/200.jpg", "--force"]).expect(0);
    bench
        .run(["replay", &id, "--into", "was"])
        .expect(0)
        .says("42 images, 4 files of weights, 3 sets of predictions");
    let was = bench.path("repo/was");
    for (file, blake3) in sums(&was).into_iter().chain(sums(&was.join("dataset"))) {
        assert_eq!(
            safelight_lineage::digest::BlobId::of(&fs::read(&file).expect("readable")).to_string(),
            blake3
        );
    }
    assert_eq!(sums(&was).len(), 5);
    assert!(was.join("dataset/test/200.jpg").exists(), "removed later, so it was there");
    let csv =
        fs::read_to_string(was.join(format!("predictions/{}.csv", told.predictions[0]))).expect("a table");
    assert!(csv.starts_with("image_id,path,forest,glacier,sea\n") && csv.lines().count() == 13, "{csv}");
    let npy = fs::read(was.join(format!("predictions/{}.npy", told.predictions[0]))).expect("an array");
    assert_eq!(npy.len(), 128 + 12 * 3 * 4);
    bench.run(["check-receipt", "was/receipt.json"]).expect(0);
    bench.run(["replay", &id, "--into", "was"]).expect(4).says("not empty");
}

/// The files that a list of checksums names, with their sums.
fn sums(folder: &Path) -> Vec<(std::path::PathBuf, String)> {
    let text = fs::read_to_string(folder.join("checksums.b3")).expect("checksums");
    text.lines()
        .map(|line| {
            let (sum, place) = line.split_once("  ").expect("two columns");
            (folder.join(place), sum.to_owned())
        })
        .collect()
}

#[test]
fn a_dataset_is_checked_out_as_of_any_event() {
    let (bench, mut story) = story();
    let told = story.tell();
    story.session.repository_mut().checkpoint().expect("sealed");
    drop(story);
    let seq = bench.run(["status", "--json"]).expect(0).json()["seq"].to_string();
    bench.run(["remove", "train/sea/002.jpg"]).expect(0);
    bench.run(["checkout", "now"]).expect(0).says("41 images");
    let then = bench.run(["checkout", "--as-of", &seq, "then", "--json"]).expect(0).json();
    assert_eq!(then["images"], json!(42));
    let submission = told.submission.to_string();
    let submitted = bench.run(["checkout", "--as-of", &submission[..9], "sub", "--json"]).expect(0).json();
    assert_eq!(submitted["manifest"], then["manifest"]);
    let manifest = fs::read_to_string(bench.path("repo/then/manifest.csv")).expect("a manifest");
    assert!(manifest.starts_with("path,image,blake3,label,split,imported_as\ntest/"), "{manifest}");
    assert!(manifest.contains("\ntrain/sea/002.jpg,"));
    // The first training image was relabelled from forest to sea before.
    assert!(
        manifest.contains("\ntrain/sea/000.jpg,") && manifest.contains(",sea,train,train/forest/000.jpg\n")
    );
    assert_eq!(sums(&bench.path("repo/then")).len(), 42);
    bench.run(["checkout", "then"]).expect(4).says("not empty");
    bench.run(["checkout", "--as-of", "99999", "late"]).expect(4).says("log ends");
    bench.run(["checkout", "--as-of", "1", "first", "--split", "train"]).expect(0).says("0 images");
    match std::process::Command::new("b3sum")
        .arg("--check")
        .arg("checksums.b3")
        .current_dir(bench.path("repo/then"))
        .output()
    {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(_) => eprintln!("skipped: b3sum is not installed, so the list was checked by BLAKE3 alone"),
    }
}

#[test]
fn scores_and_submissions_are_listed() {
    let (bench, mut story) = story();
    let told = story.tell();
    drop(story);
    let id = told.submission.to_string();
    bench.run(["submissions"]).expect(0).says("weighted of 3 (resnet18)");
    bench
        .run(["score", &id[..10], "--public", "0.962", "--private", "0.9499"])
        .expect(0)
        .says("private 0.9499");
    bench.run(["score", &id]).expect(2);
    bench.run(["score", &id, "--public", "NaN"]).expect(4).says("not a number");
    bench.run(["score", "ffff", "--public", "1"]).expect(4);
    bench.run(["remove", "train/sea/002.jpg"]).expect(0);
    bench.run(["replay", &id]).expect(0);
    let listed = bench.run(["submissions", "--json"]).expect(0).json();
    let row = &listed[0];
    assert_eq!((&row["public"], &row["private"], &row["rows"]), (&json!(0.962), &json!(0.9499), &json!(12)));
    assert_eq!((&row["train_images"], &row["removed_images"]), (&json!(24), &json!(0)), "as of then");
    assert_eq!(row["members"].as_array().map(Vec::len), Some(3));
    assert_eq!(row["replayed"], json!("votes: identical"));
}

#[test]
fn what_if_a_member_had_not_voted() {
    let (bench, mut story) = story();
    let told = story.tell();
    let stranger = story.external();
    drop(story);
    let (id, member) = (told.submission.to_string(), told.predictions[1].to_string());
    let derived = bench
        .run(["replay", &id, "--without", &member[..12], "--output", "w.csv", "--json"])
        .expect(0)
        .json();
    assert_eq!((&derived["derived_from"], &derived["members"]), (&json!(id), &json!(2)));
    let new = derived["submission"].as_str().expect("an id").to_owned();
    bench.run(["replay", &new, "--output", "again.csv"]).expect(0).says("IDENTICAL");
    let [one, other] =
        ["w.csv", "again.csv"].map(|file| fs::read(bench.path("repo").join(file)).expect("a file"));
    assert_eq!(one, other);
    bench.run(["log", "-n", "3"]).expect(0).says("derived from submission").says("what if");
    bench.run(["submissions"]).expect(0).says("derived from");
    bench.run(["replay", &id, "--without", "ffff"]).expect(4);
    bench.run(["replay", &id, "--without", &stranger.to_string()]).expect(4).says("no member");
    let all: Vec<String> = told.predictions.iter().map(ToString::to_string).collect();
    let nobody = ["replay", &id, "--without", &all[0], "--without", &all[1], "--without", &all[2]];
    bench.run(nobody).expect(4).says("no member left");
}

#[test]
fn when_blobs_are_gone_or_damaged_no_verdict_is_given() {
    let (bench, mut story) = story();
    let told = story.tell();
    story.session.repository_mut().checkpoint().expect("sealed");
    drop(story);
    let id = told.submission.to_string();
    let packs = bench.path("repo/.safelight/packs");
    copy(&packs, &bench.path("packs"));
    for pack in crate::support::files(&packs) {
        let mut bytes = fs::read(&pack).expect("readable");
        (100..bytes.len()).step_by(40).for_each(|at| bytes[at] ^= 1);
        fs::write(&pack, bytes).expect("writable");
    }
    bench.run(["replay", &id]).expect(6).says("no verdict is given");
    bench.run(["checkout", "out"]).expect(6).says("not complete");
    fs::remove_dir_all(&packs).expect("collected");
    fs::create_dir(&packs).expect("an empty folder");
    bench.run(["replay", &id]).expect(6).says("not in this repository");
    bench.run(["prove", &id, "--output", "p"]).expect(6);
    fs::remove_dir_all(&packs).expect("removed");
    copy(&bench.path("packs"), &packs);
    bench.run(["replay", &id]).expect(0);
}

/// A repository, with receipts and proofs, as the first version that could make
/// them left it. It is never made again.
#[test]
fn what_an_earlier_version_left_is_replayed_and_proven() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/replay-v1");
    let bench = Bench::new();
    copy(&golden, &bench.path("repo"));
    let story = Story::open(&bench.path("repo"));
    let submissions: Vec<_> =
        story.session.state().submissions().iter().map(|record| record.written.event.submission).collect();
    assert_eq!(submissions.len(), 2);
    for submission in &submissions {
        for depth in DEPTHS {
            identical(&story.replay(*submission, depth).expect("a verdict"));
        }
    }
    drop(story);
    let head = fs::read_to_string(golden.join("head")).expect("a head");
    for submission in submissions.iter().map(ToString::to_string) {
        bench.run(["replay", &submission, "--output", "again.csv"]).expect(0).says("IDENTICAL");
        let [again, then] = ["again".to_owned(), submission.clone()]
            .map(|name| fs::read(bench.path(format!("repo/{name}.csv"))).expect("a file"));
        assert_eq!(again, then);
        let receipt = format!("{submission}.receipt.json");
        bench.run(["check-receipt", &receipt]).expect(0).says("holds this very receipt");
        let proof = format!("{submission}.proof");
        bench.run(["check-proof", &proof, head.trim()]).expect(0).says("ACCEPTED");
    }
}
