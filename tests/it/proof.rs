//! Proofs that hold without the repository, and signed heads.

use std::fs;

use safelight::proof::{prove, verify};
use safelight::replay::Depth;
use safelight::replay::record::record;
use safelight_lineage::digest::{FrameDigest, Hasher};
use safelight_lineage::event::Split;
use serde_json::json;

use crate::story::{HashEngine, Story, Told};
use crate::support::Bench;

fn story() -> (Bench, Story, Told) {
    let bench = Bench::new();
    let mut story = Story::begin(&bench.path("repo"));
    let told = story.tell();
    let receipt = story.replay(told.submission, Depth::Votes).expect("a verdict").receipt;
    use safelight::replay::engine::Engine as _;
    record(&mut story.session, &receipt, &HashEngine::default().environment(1.into())).expect("recorded");
    // Long and short frames between the submission and the head.
    story.import(Split::Train, 400..700);
    let image = story.session.state().images().next().expect("one").id;
    story.relabel(image, "glacier");
    (bench, story, told)
}

#[test]
fn a_proof_shows_what_the_head_stands_for() {
    let (_bench, story, told) = story();
    let (head, bundle) = prove(&story.session, told.submission).expect("a proof");
    assert_eq!(head, story.session.head());
    let bytes = bundle.to_bytes();
    let proven = verify(&bytes, head).expect("accepted");
    let written = &story.session.state().submissions().get(told.submission).expect("there").written;
    assert_eq!((proven.csv_digest, proven.time), (written.event.csv, written.time));
    assert_eq!(proven.csv, story.session.repository().blobs().get(written.event.csv).expect("the file"));
    assert_eq!((proven.frames_since, proven.replays.len()), (3, 1));
    assert_eq!(proven.origins.len(), 2 + 4 + 3 + 1 + 1);
    // The import of 300 images has 33 KB; of it the first chunk is enough.
    assert!(bytes.len() < 16_000, "{} bytes", bytes.len());
    // A proof stays one for its head, whatever comes later.
    let mut story = story;
    story.import(Split::Train, 800..801);
    assert!(verify(&bytes, head).is_ok());
    assert!(verify(&bytes, story.session.head()).is_err());
    assert!(verify(&bytes, FrameDigest::ROOT).is_err());
}

#[test]
fn no_byte_of_a_proof_can_be_changed() {
    let (_bench, story, told) = story();
    let (head, bundle) = prove(&story.session, told.submission).expect("a proof");
    let bytes = bundle.to_bytes();
    for place in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[place] ^= 1 << (place % 8);
        assert!(verify(&bent, head).is_err(), "byte {place}");
        // Nor by somebody who makes the hash at the end fit again.
        let (body, hash) = bent.split_at_mut(bytes.len() - 32);
        let fits = Hasher::derive_key("safelight 2026-11-24 proof bundle v1").update(body).finish();
        if *hash != fits && place < bytes.len() - 32 {
            hash.copy_from_slice(&fits);
            assert!(verify(&bent, head).is_err(), "byte {place}, hashed again");
        }
    }
    for len in (0..bytes.len()).step_by(7) {
        assert!(verify(&bytes[..len], head).is_err(), "{len} bytes");
    }
    // Left out, added or taken from elsewhere.
    let refused = |edit: &dyn Fn(&mut safelight::proof::Bundle)| {
        let mut bent = bundle.clone();
        edit(&mut bent);
        verify(&bent.to_bytes(), head).expect_err("refused").to_string()
    };
    refused(&|bundle| drop(bundle.links.pop()));
    refused(&|bundle| drop(bundle.links.remove(1)));
    refused(&|bundle| bundle.links.swap(1, 2));
    refused(&|bundle| bundle.blobs.push(b"more".to_vec()));
    refused(&|bundle| drop(bundle.blobs.pop()));
    let said = refused(&|bundle| bundle.blobs[0].extend_from_slice(b"x,sea\n"));
    assert!(said.contains("the file is"), "{said}");
}

#[test]
fn a_proof_is_checked_where_there_is_no_repository() {
    let (bench, story, told) = story();
    drop(story);
    let id = told.submission.to_string();
    let made = bench.run(["prove", &id[..10], "--output", "../it.proof", "--json"]).expect(0).json();
    bench.run(["prove", &id[..10], "--output", "../it.proof"]).expect(4).says("--force");
    let head = made["head"].as_str().expect("a head").to_owned();
    bench.run(["replay", &id, "--output", "../s.csv"]).expect(0);
    fs::remove_dir_all(bench.path("repo")).expect("no repository any more");
    bench
        .run(["check-proof", "it.proof", &head, "--csv", "s.csv", "--output", "o.csv"])
        .expect(0)
        .says("ACCEPTED");
    let [one, other] = ["s.csv", "o.csv"].map(|file| fs::read(bench.path(file)).expect("a file"));
    assert_eq!(one, other);
    let checked = bench.run(["check-proof", "it.proof", &head, "--json"]).expect(0).json();
    assert_eq!((&checked["accepted"], &checked["submission"]), (&json!(true), &json!(id)));
    bench.write("s.csv", b"image,label\n");
    bench.run(["check-proof", "it.proof", &head, "--csv", "s.csv"]).expect(8).says("ANOTHER file");
    let other = head.replace(|c: char| c.is_ascii_digit(), "0");
    bench.run(["check-proof", "it.proof", &other]).expect(8).says("REFUSED");
    bench.run(["check-proof", "it.proof", "12"]).expect(2).says("64 hexadecimal digits");
    bench.write("no.proof", b"hello");
    bench.run(["check-proof", "no.proof", &head]).expect(8).says("not a proof bundle");
}

#[test]
fn a_signed_head_shows_what_there_was() {
    let (bench, story, told) = story();
    drop(story);
    let key = bench.path("keys/mine");
    let key = key.to_str().expect("text");
    let public = bench.run(["key", "new", "--file", key]).expect(0).stdout.trim().to_owned();
    assert_eq!(public.len(), 64);
    bench.run(["key", "new", "--file", key]).expect(4).says("never overwritten");
    assert_eq!(bench.run(["key", "show", "--file", key]).expect(0).stdout.trim(), public);
    let sign = ["sign", "--key", key, "--output", "../head.json", "--note", "final"];
    bench.run(sign).expect(0).says(&public);
    bench.run(["check", "../head.json", "--key", &public]).expect(0).says("0 events since").says("final");
    bench.run(["relabel", "train/sea/002.jpg", "--to", "glacier"]).expect(0);
    bench.run(["check", "../head.json", "--key", &public]).expect(0).says("1 event since");

    // With the head, a proof made before it needs nothing else.
    let id = told.submission.to_string();
    bench.run(sign).expect(4).says("--force");
    bench.run(["sign", "--key", key, "--output", "../head.json", "--force"]).expect(0);
    bench.run(["prove", &id, "--output", "../it.proof"]).expect(0);
    let other = Bench::new();
    for file in ["head.json", "it.proof"] {
        other.write(file, &fs::read(bench.path(file)).expect("a file"));
    }
    other.run(["check", "head.json", "--key", &public]).expect(0).says("valid");
    other.run(["check-proof", "it.proof", "head.json", "--key", &public]).expect(0).says("head signed");
    let stranger = "ab".repeat(32);
    assert_ne!(other.run(["check", "head.json", "--key", &stranger]).code, 0);
    let text = fs::read_to_string(other.path("head.json")).expect("a file");
    other.write("bent.json", text.replacen("\"seq\": ", "\"seq\": 1", 1).as_bytes());
    other.run(["check", "bent.json", "--key", &public]).expect(8).says("not valid");
    // A repository that never had that head.
    let stranger = Bench::with_repository();
    stranger.write("head.json", text.as_bytes());
    stranger.run(["check", "../head.json", "--key", &public]).expect(8).says("NEVER");
    // Nothing of the key is in the repository.
    let secret = fs::read_to_string(key).expect("a key");
    let secret = secret.lines().nth(1).expect("digits");
    for file in crate::support::files(&bench.path("repo")) {
        let bytes = fs::read(&file).expect("readable");
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", file.display());
    }
}
