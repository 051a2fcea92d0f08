//! How long a replay from stored votes takes, in a process of its own each
//! time: 7 members and 7,301 test images, after 14,034 training images and 2,000
//! changes of labels. Beside it `status`, which opens the same repository and
//! computes nothing.
//!
//! `make bench-replay` runs it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use safelight::ensemble::cast::cast;
use safelight::predictions::Probabilities;
use safelight::session::Session;
use safelight::submit::SubmissionFormat;
use safelight::submit::commit::commit;
use safelight_lineage::decide::{self, NewImage};
use safelight_lineage::event::{
    Actor, Honesty, PredictionSource, PredictionsRecorded, Split, SubmissionSource, ViewPolicy, VoteRule,
};
use safelight_lineage::id::{ImageId, PredictionsId, SubmissionId};
use safelight_lineage::query::{ManifestFilter, manifest};
use safelight_lineage::value::PathBytes;
use safelight_store::Repository;

const CLASSES: [&str; 6] = ["buildings", "forest", "glacier", "mountain", "sea", "street"];
const TRAIN: usize = 14_034;
const TEST: usize = 7_301;
const MEMBERS: usize = 7;
const ROUNDS: usize = 31;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let submission = history(folder.path());
    let id = submission.to_string();
    let time = |arguments: &[&str]| median(folder.path(), arguments);
    // With a snapshot in the cache, as after any import; and without.
    let status = time(&["status"]);
    let replay = time(&["replay", &id, "--no-record", "--quiet"]);
    println!("{MEMBERS} members x {TEST} images, median of {ROUNDS} processes each");
    println!("  status                        {:>7.1} ms", status.as_secs_f64() * 1e3);
    println!(
        "  replay --depth votes          {:>7.1} ms  ({:.1} times status)",
        replay.as_secs_f64() * 1e3,
        replay.as_secs_f64() / status.as_secs_f64()
    );
    let cache = folder.path().join(".safelight/cache");
    let bare = |arguments: &[&str]| {
        let mut times: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let _ = std::fs::remove_dir_all(&cache);
                once(folder.path(), arguments)
            })
            .collect();
        times.sort();
        times[ROUNDS / 2]
    };
    println!(
        "  replay, cache/ deleted before {:>7.1} ms",
        bare(&["replay", &id, "--no-record", "--quiet"]).as_secs_f64() * 1e3
    );
}

fn once(dir: &Path, arguments: &[&str]) -> Duration {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_safelight"))
        .args(arguments)
        .current_dir(dir)
        .stdout(Stdio::null())
        .status()
        .expect("the program starts");
    assert!(status.success(), "{arguments:?} ended with {status}");
    start.elapsed()
}

fn median(dir: &Path, arguments: &[&str]) -> Duration {
    once(dir, arguments);
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| once(dir, arguments)).collect();
    times.sort();
    times[ROUNDS / 2]
}

/// A number that looks random, from two others.
fn dice(one: u64, other: u64) -> u64 {
    let mixed = (one << 32 ^ other).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

fn history(dir: &Path) -> SubmissionId {
    let repository = Repository::init(dir).expect("a repository");
    let mut session = Session::new(repository, Actor::Person { name: "bench".to_owned() });
    let blobs = session.repository().blobs().clone();
    let classes = CLASSES.map(str::to_owned).to_vec();
    session
        .execute(None, |_, _| decide::Command::CreateDataset {
            name: "bench".to_owned(),
            classes: classes.clone(),
        })
        .expect("a dataset");
    for (split, count) in [(Split::Train, TRAIN), (Split::Test, TEST)] {
        let images: Vec<NewImage> = (0..count)
            .map(|number| NewImage {
                blob: blobs.put(format!("{split} {number}").as_bytes()).expect("a blob"),
                path: PathBytes::new(format!("{split}/{number:05}.jpg").into_bytes()),
                label: (split == Split::Train).then(|| CLASSES[number % 6].to_owned()),
                split,
            })
            .collect();
        session
            .execute(None, |_, _| decide::Command::ImportImages { images: images.clone() })
            .expect("an import");
    }
    let train: Vec<ImageId> = session.state().images().take(2_000).map(|image| image.id).collect();
    for (place, image) in train.iter().enumerate() {
        let command = decide::Command::Relabel {
            images: vec![*image],
            label: Some(CLASSES[(place + 1) % 6].to_owned()),
            reason: "bench".to_owned(),
            evidence: Default::default(),
        };
        session.execute(None, |_, _| command.clone()).expect("another label");
    }
    let dataset = manifest(session.state(), &ManifestFilter::split(Split::Test));
    let images: Vec<ImageId> = dataset.rows().iter().map(|row| row.image).collect();
    let members: Vec<(PredictionsId, f64)> = (0..MEMBERS as u64)
        .map(|member| {
            let values = (0..TEST as u64).flat_map(|image| {
                // Members agree on four images of five.
                let sure =
                    if dice(member, image).is_multiple_of(5) { dice(member, image) } else { dice(99, image) }
                        % 6;
                (0..6).map(move |class| if class == sure { 0.75 } else { 0.05 })
            });
            let said = Probabilities::new(6, images.clone(), values.collect()).expect("probabilities");
            let probabilities = blobs.put(&said.to_bytes()).expect("a blob");
            let at = session.head();
            let frame = session.record(None, |_, transaction| PredictionsRecorded {
                predictions: PredictionsId(transaction.derive("predictions", 0)),
                source: PredictionSource::External { name: format!("model {member}") },
                manifest: dataset.digest(),
                split: Split::Test,
                at,
                views: ViewPolicy::Unknown,
                honesty: Honesty::Unknown,
                temperature: None,
                probabilities,
                environment: None,
            });
            let id = frame.expect("predictions").header.transaction.derive("predictions", 0);
            (PredictionsId(id), 1.0)
        })
        .collect();
    let voted = cast(&mut session, &members, VoteRule::Majority, 1).expect("a vote");
    let source = SubmissionSource::Ensemble { ensemble: voted.ensemble };
    let done = commit(&mut session, source, &SubmissionFormat::default(), None).expect("a submission");
    session.repository_mut().checkpoint().expect("a snapshot");
    done.submission
}
