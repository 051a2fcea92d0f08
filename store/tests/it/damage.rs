//! Damage: whatever byte is wrong, the answer is right or a typed error.

use std::fs;
use std::path::Path;

use safelight_lineage::digest::BlobId;
use safelight_store::{Repository, VerifyDepth, verify};

use crate::support::{copy, file, forget_derived, small};

/// What a repository answers when asked for all it has.
fn everything(dir: &Path) -> Result<(String, Vec<Vec<u8>>), String> {
    let repository = Repository::open(dir).map_err(|error| error.to_string())?;
    let mut blobs = Vec::new();
    for n in 0..4u8 {
        let blob = repository.blobs().get(BlobId::of(&[n; 40])).map_err(|error| error.to_string())?;
        blobs.push(blob);
    }
    let frames: Result<Vec<_>, _> = repository.frames().collect();
    let frames = frames.map_err(|error| error.to_string())?;
    let back: Result<Vec<_>, _> = repository.frames_rev().collect();
    let back = back.map_err(|error| error.to_string())?.len();
    Ok((format!("{frames:?}{back}{}{}", repository.head(), repository.state().digest()), blobs))
}

/// Makes every change of `spoil` to one file; says how often each answer came.
fn spoil_each(file: &Path, dir: &Path, right: &(String, Vec<Vec<u8>>), flip: u8) -> (usize, usize) {
    let whole = fs::read(file).unwrap();
    let (mut good, mut refused) = (0, 0);
    for place in 0..whole.len() {
        let mut bent = whole.clone();
        bent[place] ^= flip;
        fs::write(file, &bent).unwrap();
        match everything(dir) {
            Ok(answer) => {
                assert!(answer == *right, "a wrong answer after byte {place} of {file:?}");
                good += 1;
            }
            Err(_) => refused += 1,
        }
        let report = verify(dir, VerifyDepth::Deep, &mut |_| ()).unwrap();
        assert!(
            report.problems.iter().any(|problem| problem.file == file),
            "byte {place} of {file:?} is not reported: {report:?}"
        );
    }
    fs::write(file, &whole).unwrap();
    (good, refused)
}

#[test]
fn a_flipped_byte_of_the_journal_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    forget_derived(dir.path());
    let right = everything(dir.path()).unwrap();
    let (good, refused) = spoil_each(&file(dir.path(), "journal", "log"), dir.path(), &right, 0x20);
    assert_eq!(good, 0);
    assert!(refused > 500);
}

#[test]
fn a_flipped_byte_of_a_pack_is_named_and_never_a_wrong_blob() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let right = everything(dir.path()).unwrap();
    for flip in [1, 0x80] {
        let (good, refused) = spoil_each(&file(dir.path(), "packs", "pack"), dir.path(), &right, flip);
        // A damaged footer is got round by reading the records.
        assert!(good > 4 * 48 && refused >= 4 * 92, "{good} {refused}");
    }
}

#[test]
fn a_pack_cut_short_anywhere_gives_what_is_left_or_an_error() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let right = everything(dir.path()).unwrap();
    let pack = file(dir.path(), "packs", "pack");
    let whole = fs::read(&pack).unwrap();
    for kept in 0..whole.len() {
        fs::write(&pack, &whole[..kept]).unwrap();
        if let Ok(answer) = everything(dir.path()) {
            assert!(answer == right, "cut to {kept}");
        }
        verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
    }
}

#[test]
fn damage_to_what_is_derived_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let right = everything(dir.path()).unwrap();
    let snapshot = file(dir.path(), "cache/snapshots", "snapshot");
    let note = dir.path().join(".safelight/journal/acknowledged");
    for path in [snapshot, note] {
        let whole = fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut bent = whole.clone();
            bent[place] ^= 0x10;
            fs::write(&path, &bent).unwrap();
            assert!(everything(dir.path()).unwrap() == right, "byte {place} of {path:?}");
            fs::write(&path, &whole[..place]).unwrap();
            assert!(everything(dir.path()).unwrap() == right, "{path:?} cut to {place}");
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn verify_names_every_damaged_place() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let frames: Vec<_> = repository.frames().map(Result::unwrap).collect();
    drop(repository);
    let (log, pack) = (file(dir.path(), "journal", "log"), file(dir.path(), "packs", "pack"));
    for (path, places) in [(&log, vec![100, 400]), (&pack, vec![32 + 52 + 3, 32 + 2 * 92 + 60])] {
        let mut bytes = fs::read(path).unwrap();
        for place in places {
            bytes[place] ^= 1;
        }
        fs::write(path, bytes).unwrap();
    }
    assert!(Repository::open(dir.path()).is_ok(), "the snapshot leads past the damage");
    forget_derived(dir.path());
    assert!(Repository::open(dir.path()).is_err());
    let mut seen = 0;
    let report = verify(dir.path(), VerifyDepth::Deep, &mut |progress| seen = progress.done).unwrap();
    assert!(seen > 0);
    let told: Vec<_> = report.problems.iter().map(|problem| (problem.file.clone(), problem.blob)).collect();
    let blob = |n: u8| Some(BlobId::of(&[n; 40]));
    assert_eq!(told, [(log.clone(), None), (log, None), (pack.clone(), blob(0)), (pack, blob(2))]);
    let expected: Vec<String> =
        report.problems[..2].iter().map(|problem| problem.expected.to_string()).collect();
    assert_eq!(expected[0], format!("frame {}", frames[0].header.digest));
    assert_eq!(expected[1], format!("frame {}", frames[1].header.digest));
    // Only two of the four frames could be read, and two blobs.
    assert_eq!((report.frames, report.blobs), (2, 4));
}

#[test]
fn a_copy_of_a_repository_is_the_same_repository() {
    let dir = tempfile::tempdir().unwrap();
    small(&dir.path().join("one"));
    copy(&dir.path().join("one"), &dir.path().join("two"));
    assert_eq!(everything(&dir.path().join("one")), everything(&dir.path().join("two")));
}
