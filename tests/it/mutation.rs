//! Whatever single recorded thing is changed, replay names the event.
//!
//! A copy of a repository is written frame by frame with one thing changed, and
//! sealed again, so that the chain is whole and only the content differs. (That
//! the chain is another one, anybody who knows an old head sees at once; replay
//! must see it without.)

use std::collections::BTreeMap;

use safelight::predictions::Probabilities;
use safelight::replay::Depth;
use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_lineage::event::{Event, ReplayOutcome, SubmissionSource, ViewPolicy};
use safelight_lineage::query::reachable_blobs;
use safelight_lineage::value::{ClassIndex, Real};
use safelight_store::{Blobs, Draft, Repository};

use crate::story::{Story, Told};
use crate::support::Bench;

/// Changes events as they pass; says whether it changed one.
pub type Change<'a> = &'a dyn Fn(&mut Event, &Blobs) -> bool;

/// Copies a repository with what `change` changes first; gives how many events
/// it changed.
pub fn copied(from: &Repository, to: &Bench, change: Change<'_>) -> usize {
    let mut repository = Repository::init(&to.path("repo")).expect("a repository");
    let blobs = repository.blobs().clone();
    for (blob, _) in reachable_blobs(from.state()) {
        blobs.put(&from.blobs().get(blob).expect("a blob")).expect("copied");
    }
    let mut digests: BTreeMap<FrameDigest, FrameDigest> = BTreeMap::new();
    let mut changed = 0;
    for frame in from.frames() {
        let frame = frame.expect("a frame");
        let mut events = frame.events;
        for event in &mut events {
            // References to frames follow the frames, which have new digests.
            let at = match event {
                Event::RunStarted(event) => Some(&mut event.at),
                Event::PredictionsRecorded(event) => Some(&mut event.at),
                _ => None,
            };
            if let Some(at) = at {
                *at = digests[at];
            }
            if changed == 0 {
                changed += usize::from(change(event, &blobs));
            }
        }
        let header = frame.header;
        let draft = Draft {
            transaction: header.transaction,
            actor: header.actor,
            time: header.time,
            message: header.message,
            events,
        };
        let head = repository.head();
        let appended = repository.append(draft, head).expect("appended");
        digests.insert(header.digest, appended.header.digest);
    }
    changed
}

/// Another blob in place of one.
pub fn bend(blobs: &Blobs, blob: &mut BlobId, edit: impl FnOnce(Vec<u8>) -> Vec<u8>) -> bool {
    let new = edit(blobs.get(*blob).expect("a blob"));
    *blob = blobs.put(&new).expect("kept");
    true
}

/// The same bytes with one text in place of another.
pub fn replaced(from: &'static str, to: &'static str) -> impl FnOnce(Vec<u8>) -> Vec<u8> {
    move |bytes| {
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.contains(from), "'{from}' is not in {text}");
        text.replacen(from, to, 1).into_bytes()
    }
}

/// The same probabilities with those of one image the other way round.
fn turned(bytes: Vec<u8>) -> Vec<u8> {
    let said = Probabilities::from_bytes(&bytes).expect("probabilities");
    let mut values = said.values().to_vec();
    values[3..6].reverse();
    assert_ne!(values, said.values());
    Probabilities::new(said.classes(), said.images().to_vec(), values).expect("probabilities").to_bytes()
}

fn replayed(story: &Story, told: &Told, depth: Depth) -> ReplayOutcome {
    story.replay(told.submission, depth).expect("a verdict").receipt.outcome
}

/// Asserts that a change of one thing is found at an event of this kind, at
/// this depth, and at every deeper one.
#[track_caller]
fn found(original: &Story, told: &Told, what: &str, from: Depth, kind: &str, change: Change<'_>) {
    let bench = Bench::new();
    let changed = copied(original.session.repository(), &bench, change);
    assert_eq!(changed, 1, "{what}: nothing was changed");
    let story = Story::open(&bench.path("repo"));
    for depth in [Depth::Votes, Depth::Predictions, Depth::Training] {
        let outcome = replayed(&story, told, depth);
        if depth < from {
            continue;
        }
        let ReplayOutcome::Diverged { event: Some(at), expected, actual, cause } = outcome else {
            panic!("{what} at depth {depth:?}: {outcome:?}")
        };
        assert_ne!(expected, actual, "{what}");
        let seq = story.session.state().transactions().seq_of(at).expect("an event");
        let frame =
            story.session.repository().frames().map(Result::unwrap).find(|frame| frame.last_seq() >= seq);
        let event = &frame.expect("a frame").events[at.index as usize];
        // A deeper replay meets some things earlier.
        let here = event.kind_name();
        let earlier = depth > from && ["RunStarted", "CheckpointSaved"].contains(&here);
        assert!(here == kind || earlier, "{what} at {depth:?}: {here}");
        assert!(cause.contains(&format!("event {seq}")), "{cause}");
    }
}

#[test]
fn a_copy_with_nothing_changed_is_identical() {
    let bench = Bench::new();
    let mut original = Story::begin(&bench.path("repo"));
    let told = original.tell();
    let copy = Bench::new();
    assert_eq!(copied(original.session.repository(), &copy, &|_, _| false), 0);
    let story = Story::open(&copy.path("repo"));
    for depth in [Depth::Votes, Depth::Predictions, Depth::Training] {
        assert_eq!(replayed(&story, &told, depth), ReplayOutcome::Identical);
    }
}

#[test]
fn a_change_of_any_single_recorded_thing_is_found() {
    let bench = Bench::new();
    let mut original = Story::begin(&bench.path("repo"));
    let told = original.tell();
    let find = |what: &str, from: Depth, kind: &str, change: Change<'_>| {
        found(&original, &told, what, from, kind, change);
    };

    // The dataset: what a run or predictions say they saw is not what the log says.
    find("the label of a training image", Depth::Predictions, "RunStarted", &|event, _| match event {
        Event::ImageImported(image) if image.path.as_bytes().starts_with(b"train/sea") => {
            image.label = Some(ClassIndex(0));
            true
        }
        _ => false,
    });
    find("a relabelling", Depth::Predictions, "RunStarted", &|event, _| match event {
        Event::ImageRelabelled(relabelled) => {
            relabelled.new = Some(ClassIndex(1));
            true
        }
        _ => false,
    });
    find("the bytes of a training image", Depth::Predictions, "RunStarted", &|event, blobs| match event {
        Event::ImageImported(image) if image.path.as_bytes().starts_with(b"train") => {
            bend(blobs, &mut image.blob, |_| b"another picture".to_vec())
        }
        _ => false,
    });
    find("the bytes of a test image", Depth::Votes, "PredictionsRecorded", &|event, blobs| match event {
        Event::ImageImported(image) if image.path.as_bytes().starts_with(b"test") => {
            bend(blobs, &mut image.blob, |_| b"another picture".to_vec())
        }
        _ => false,
    });
    find("the name of a class", Depth::Votes, "PredictionsRecorded", &|event, _| match event {
        Event::DatasetCreated(created) => {
            created.classes[0] = "wood".to_owned();
            true
        }
        _ => false,
    });

    // The runs.
    for (from, to) in [
        ("seed = 1", "seed = 3"),
        ("learning_rate = 0.003", "learning_rate = 0.004"),
        ("batch = 4", "batch = 5"),
    ] {
        find(to, Depth::Training, "CheckpointSaved", &|event, blobs| match event {
            Event::RunStarted(run) => bend(blobs, &mut run.recipe, replaced(from, to)),
            _ => false,
        });
    }
    find("the manifest of a run", Depth::Predictions, "RunStarted", &|event, _| match event {
        Event::RunStarted(run) => {
            run.manifest.0[5] ^= 1;
            true
        }
        _ => false,
    });
    find(
        "the checkpoint that a run grew from",
        Depth::Training,
        "CheckpointSaved",
        &|event, _| match event {
            Event::RunStarted(run) if run.parent.is_some() => {
                run.parent = Some(told.checkpoints[1]);
                true
            }
            _ => false,
        },
    );
    for (place, checkpoint) in told.checkpoints.iter().enumerate() {
        // The first stage of the first run is only trained on from, so only
        // training again can tell; the others also predict.
        let (from, kind) = match place {
            0 => (Depth::Training, "CheckpointSaved"),
            _ => (Depth::Predictions, "PredictionsRecorded"),
        };
        find("weights", from, kind, &|event, blobs| match event {
            Event::CheckpointSaved(saved) if saved.checkpoint == *checkpoint => {
                bend(blobs, &mut saved.weights, |_| b"other weights".to_vec())
            }
            _ => false,
        });
    }
    find("an image size", Depth::Predictions, "PredictionsRecorded", &|event, _| match event {
        Event::CheckpointSaved(saved) if saved.checkpoint == told.checkpoints[1] => {
            saved.image_size = 64;
            true
        }
        _ => false,
    });

    // The predictions. A record that was changed together with the votes that
    // rest on it is what only computing again can find.
    for predictions in told.predictions {
        find("probabilities", Depth::Predictions, "PredictionsRecorded", &|event, blobs| match event {
            Event::PredictionsRecorded(recorded) if recorded.predictions == predictions => {
                bend(blobs, &mut recorded.probabilities, turned)
            }
            _ => false,
        });
    }
    find("the seed of test-time augmentation", Depth::Predictions, "PredictionsRecorded", &|event, _| {
        match event {
            Event::PredictionsRecorded(recorded) => match &mut recorded.views {
                ViewPolicy::TestTimeAugmentation { seed, .. } => {
                    *seed += 1;
                    true
                }
                _ => false,
            },
            _ => false,
        }
    });
    find("the images of predictions", Depth::Votes, "PredictionsRecorded", &|event, _| match event {
        Event::PredictionsRecorded(recorded) => {
            recorded.manifest.0[0] ^= 1;
            true
        }
        _ => false,
    });

    // The vote and the file.
    find("the tie seed", Depth::Votes, "EnsembleVoted", &|event, _| match event {
        Event::EnsembleVoted(voted) => {
            voted.tie_seed += 1;
            true
        }
        _ => false,
    });
    find("the weight of a member", Depth::Votes, "EnsembleVoted", &|event, _| match event {
        Event::EnsembleVoted(voted) => {
            voted.members[0].weight = Real(99.0);
            true
        }
        _ => false,
    });
    find("a member", Depth::Votes, "EnsembleVoted", &|event, _| match event {
        Event::EnsembleVoted(voted) => {
            voted.members.pop();
            true
        }
        _ => false,
    });
    find("the votes", Depth::Votes, "EnsembleVoted", &|event, blobs| match event {
        Event::EnsembleVoted(voted) => bend(blobs, &mut voted.votes, |mut bytes| {
            bytes[8] ^= 1;
            bytes
        }),
        _ => false,
    });
    find("what the file states", Depth::Votes, "SubmissionWritten", &|event, _| match event {
        Event::SubmissionWritten(written) => {
            written.source = SubmissionSource::Predictions { predictions: told.predictions[0] };
            true
        }
        _ => false,
    });
    find("the format", Depth::Votes, "SubmissionWritten", &|event, blobs| match event {
        Event::SubmissionWritten(written) => {
            bend(blobs, &mut written.format, replaced("\"label\"", "\"class\""))
        }
        _ => false,
    });
    find("a row of the file", Depth::Votes, "SubmissionWritten", &|event, blobs| match event {
        Event::SubmissionWritten(written) => bend(blobs, &mut written.csv, |mut bytes| {
            bytes.extend_from_slice(b"x,sea\n");
            bytes
        }),
        _ => false,
    });
}
