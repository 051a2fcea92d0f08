//! Damage: whatever byte is wrong, the answer is right or a typed error.

use std::fs;
use std::path::Path;

use safelight_lineage::digest::BlobId;
use safelight_lineage::id::ImageId;
use safelight_lineage::query::biography;
use safelight_lineage::state::Sought;
use safelight_store::{Repository, VerifyDepth, verify};

use crate::support::{copy, file, forget_derived, image, small};

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

/// A glimpse reads parts of a snapshot: what it says is right, or it says
/// nothing and the repository is opened.
#[test]
fn damage_to_a_snapshot_makes_no_glimpse_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let ask = |n: u64| {
        let glimpse = Repository::glimpse(dir.path(), Sought::Id(image(n))).unwrap()?;
        Some(format!("{:?}", biography(glimpse.state(), image(n))))
    };
    let right: Vec<_> =
        (1..=4).map(|n| Some(format!("{:?}", biography(repository.state(), image(n))))).collect();
    drop(repository);
    assert_eq!((1..=4).map(ask).collect::<Vec<_>>(), right);
    let path = file(dir.path(), "cache/snapshots", "snapshot");
    let whole = fs::read(&path).unwrap();
    let mut silent = 0;
    for place in 0..whole.len() {
        let mut bent = whole.clone();
        bent[place] ^= 0x41;
        fs::write(&path, &bent).unwrap();
        let answer = ask(2);
        silent += usize::from(answer.is_none());
        assert!(answer.is_none() || answer == right[1], "byte {place}");
        fs::write(&path, &whole[..place]).unwrap();
        assert_eq!(ask(2), None, "cut to {place}");
    }
    assert!(silent > whole.len() / 2, "{silent} of {}", whole.len());
}

/// Every file of the index: bytes that are not zero, flipped one by one (every
/// single one with `SAFELIGHT_TORTURE`, otherwise as many as take seconds), and
/// files cut short. The index is asked, and whatever it says is confirmed.
#[test]
fn damage_to_the_index_changes_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let mut repository = small(dir.path());
    assert!(repository.rebuild_index().unwrap());
    let images: Vec<ImageId> = (1..=4).map(image).collect();
    let right: Vec<_> = images.iter().map(|image| repository.events_of(*image).unwrap()).collect();
    assert_eq!(right[1].len(), 2, "an import and a new label");
    drop(repository);
    let index = dir.path().join(".safelight/index");
    let whole = dir.path().join("whole");
    copy(&index, &whole);
    let most = if std::env::var_os("SAFELIGHT_TORTURE").is_some() { usize::MAX } else { 60 };
    let files: Vec<_> = fs::read_dir(whole.join("sled"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name())
        .collect();
    assert!(files.len() >= 2, "{files:?}");
    let check = |what: &str| {
        let mut again = Repository::open(dir.path()).unwrap();
        for (image, right) in images.iter().zip(&right) {
            assert_eq!(again.events_of(*image).unwrap(), *right, "{what}");
        }
        for n in 0..4u8 {
            assert_eq!(again.blob(BlobId::of(&[n; 40])).unwrap(), [n; 40], "{what}");
        }
        drop(again);
        fs::remove_dir_all(&index).unwrap();
        copy(&whole, &index);
    };
    for name in files {
        let path = index.join("sled").join(&name);
        let bytes = fs::read(whole.join("sled").join(&name)).unwrap();
        let used: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] != 0).collect();
        for place in used.iter().step_by(used.len().div_ceil(most).max(1)) {
            let mut bent = bytes.clone();
            bent[*place] ^= 0x11;
            fs::write(&path, &bent).unwrap();
            check(&format!("byte {place} of {name:?}"));
        }
        let end = used.last().map_or(0, |last| last + 1);
        for kept in (0..end).step_by(end.div_ceil(most.min(4000) / 3).max(1)) {
            fs::write(&path, &bytes[..kept]).unwrap();
            check(&format!("{name:?} cut to {kept}"));
        }
    }
}

/// Without its derived files and without the note of what was acknowledged, a
/// journal that is cut is a shorter journal: a prefix, and said to be cut.
#[test]
fn a_journal_cut_short_anywhere_is_a_prefix_or_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let repository = small(dir.path());
    let frames: Vec<_> = repository.frames().map(Result::unwrap).collect();
    drop(repository);
    let log = file(dir.path(), "journal", "log");
    let whole = fs::read(&log).unwrap();
    let mut prefixes = 0;
    for kept in 0..whole.len() {
        forget_derived(dir.path());
        let _ = fs::remove_file(dir.path().join(".safelight/journal/acknowledged"));
        fs::write(&log, &whole[..kept]).unwrap();
        verify(dir.path(), VerifyDepth::Deep, &mut |_| ()).unwrap();
        let Ok(repository) = Repository::open(dir.path()) else { continue };
        let left: Vec<_> = repository.frames().map(Result::unwrap).collect();
        assert!(frames.starts_with(&left), "cut to {kept}");
        let whole_frames = fs::metadata(&log).unwrap().len() == kept as u64;
        assert!(whole_frames || !repository.notices().is_empty(), "cut to {kept} and nothing said");
        prefixes += 1;
    }
    assert!(prefixes > whole.len() - 100, "{prefixes}");
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
