//! What fuzzing found worth keeping, tried again by the same functions.

use std::fs;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::{BlobId, FrameDigest};
use safelight_store::{frame, fuzz, schema};

use crate::samples;
use crate::support::{draft, file, small};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

#[test]
fn the_corpus_of_every_fuzz_target_is_answered() {
    for (target, run) in fuzz::TARGETS {
        let mut tried = 0;
        for entry in fs::read_dir(corpus(target)).unwrap_or_else(|error| panic!("{target}: {error}")) {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            run(&fs::read(&path).unwrap());
            tried += 1;
        }
        assert!(tried > 3, "{target} has a corpus");
    }
}

/// Every target, over every seed with one byte changed or cut off there: a
/// small fuzzing that needs no fuzzer.
#[test]
fn seeds_with_any_one_byte_changed_are_answered() {
    for (target, run) in fuzz::TARGETS {
        assert!(!seeds(target).is_empty(), "{target} has seeds");
        for (name, seed) in seeds(target) {
            println!("{target} {name}");
            for place in (0..seed.len()).step_by(1 + seed.len() / 700) {
                let mut bent = seed.clone();
                for flip in [1, 0x80, 0xff] {
                    bent[place] = seed[place] ^ flip;
                    run(&bent);
                }
                run(&seed[..place]);
            }
        }
    }
}

/// Writes the seeds into the corpus. Run it by hand after adding an event.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_seeds() {
    for (target, _) in fuzz::TARGETS {
        let dir = corpus(target);
        fs::create_dir_all(&dir).unwrap();
        for (name, seed) in seeds(target) {
            fs::write(dir.join(name), seed).unwrap();
        }
    }
}

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let named = |name: &str, bytes: Vec<u8>| (format!("seed-{name}"), bytes);
    match target {
        "archive" => {
            let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/archive-v1");
            let whole = fs::read(golden.join("whole.safelight")).unwrap();
            vec![
                named("partial", fs::read(golden.join("partial.safelight")).unwrap()),
                named("header", whole[..96].to_vec()),
                named("cut", whole[..whole.len() - 30].to_vec()),
                named("whole", whole),
            ]
        }
        "event" => samples::events()
            .iter()
            .enumerate()
            .map(|(number, event)| {
                let mut payload = Vec::new();
                let (kind, stored) = schema::encode(event, &mut payload).unwrap();
                let place =
                    safelight_lineage::event::Event::KINDS.iter().position(|(_, known)| *known == kind);
                let mut bytes = (place.unwrap_or(usize::from(kind)) as u16).to_le_bytes().to_vec();
                bytes.extend_from_slice(&stored.to_le_bytes());
                bytes.extend_from_slice(&payload);
                named(&format!("{number:02}-{}", event.kind_name()), bytes)
            })
            .collect(),
        "frame" => [1, 2, 3, 8]
            .iter()
            .map(|step| {
                let events = samples::events().into_iter().step_by(*step).collect();
                let bytes = frame::seal(FrameDigest::ROOT, &draft(*step as u64, events)).unwrap();
                named(&format!("every-{step}"), bytes)
            })
            .collect(),
        "snapshot" => {
            let mut state = safelight_lineage::state::State::new();
            let mut all = vec![named("empty", state.to_snapshot())];
            for frame in small(dir.path()).frames() {
                state.apply(&frame.unwrap());
                all.push(named(&format!("after-{}", state.seq().0), state.to_snapshot()));
            }
            all
        }
        "pack" | "record" => {
            small(dir.path());
            let whole = fs::read(file(dir.path(), "packs", "pack")).unwrap();
            let mut open = whole.clone();
            open[5] = 0;
            open.truncate(32 + 92 * 3 + 10);
            let record = whole[32..32 + 92].to_vec();
            assert_eq!(BlobId::of(&record[52..]), BlobId::of(&[0; 40]));
            let end = whole[32 + 92 * 4..].to_vec();
            match target {
                "pack" => vec![
                    named("sealed", whole.clone()),
                    named("open", open),
                    named("cut", whole[..whole.len() - 7].to_vec()),
                    named("header", whole[..32].to_vec()),
                ],
                _ => vec![
                    named("record", record),
                    named("footer", end),
                    named("header", whole[..32].to_vec()),
                    named("head", whole[32..84].to_vec()),
                ],
            }
        }
        other => panic!("no seeds for {other}"),
    }
}
