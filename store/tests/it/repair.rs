//! Damage, what it affects, and bringing blobs back.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use safelight_lineage::digest::BlobId;
use safelight_store::{
    LARGE_BLOB, RepairReport, RepairSource, Repository, VerifyDepth, VerifyReport, repair, verify,
};

use crate::support::{append, copy, created, file, imported};

/// A repository of eight small blobs and a large one, all named, and the folder
/// of their originals under other names.
fn stocked(dir: &Path) -> Vec<BlobId> {
    let mut repository = Repository::init(&dir.join("repo")).unwrap();
    append(&mut repository, 1, vec![created()]);
    fs::create_dir_all(dir.join("originals/deep/er")).unwrap();
    let mut blobs = Vec::new();
    for n in 0..9u8 {
        let len = if n == 8 { LARGE_BLOB as usize + 3 } else { 300 + usize::from(n) };
        let bytes = vec![n; len];
        fs::write(dir.join(format!("originals/deep/er/x{n}")), &bytes).unwrap();
        blobs.push(repository.blobs().put(&bytes).unwrap());
    }
    fs::write(dir.join("originals/other"), vec![77; 300]).unwrap();
    append(&mut repository, 2, blobs.iter().zip(1..).map(|(blob, n)| imported(n, *blob)).collect());
    repository.checkpoint().unwrap();
    blobs
}

fn deep(dir: &Path) -> VerifyReport {
    verify(&dir.join("repo"), VerifyDepth::Deep, &mut |_| ()).unwrap()
}

fn mend(dir: &Path, sources: &[RepairSource]) -> RepairReport {
    repair(&dir.join("repo"), sources, &AtomicBool::new(false), &mut |_| ()).unwrap()
}

fn originals(dir: &Path) -> [RepairSource; 1] {
    [RepairSource::Folder(dir.join("originals"))]
}

fn flip(path: &Path, places: &[usize]) {
    let mut bytes = fs::read(path).unwrap();
    for place in places {
        bytes[*place] ^= 1;
    }
    fs::write(path, bytes).unwrap();
}

fn object(dir: &Path, blob: BlobId) -> std::path::PathBuf {
    let name = blob.to_string();
    dir.join("repo/.safelight/objects").join(&name[..2]).join(&name[2..])
}

/// Every blob can be read.
fn all_there(dir: &Path, blobs: &[BlobId]) {
    let repository = Repository::open(&dir.join("repo")).unwrap();
    for blob in blobs {
        assert_eq!(BlobId::of(&repository.blobs().get(*blob).unwrap()), *blob);
    }
}

#[test]
fn a_blob_that_is_gone_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = stocked(dir.path());
    fs::remove_file(file(&dir.path().join("repo"), "packs", "pack")).unwrap();
    for depth in [VerifyDepth::Quick, VerifyDepth::Deep] {
        let report = verify(&dir.path().join("repo"), depth, &mut |_| ()).unwrap();
        let mut expected = blobs[..8].to_vec();
        expected.sort();
        assert_eq!(report.missing.iter().map(|missing| missing.blob).collect::<Vec<_>>(), expected);
        assert!(!report.is_good() && report.problems.is_empty());
        let named = &report.missing[0];
        assert!(named.file.ends_with("journal/00000001.log") && named.offset > 64, "the second frame");
    }
}

#[test]
fn damaged_records_and_objects_are_restored_from_originals() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = stocked(dir.path());
    let pack = file(&dir.path().join("repo"), "packs", "pack");
    let whole = fs::read(&pack).unwrap();
    flip(&pack, &[32 + 52 + 9]);
    flip(&object(dir.path(), blobs[8]), &[5]);
    assert_eq!(deep(dir.path()).broken_blobs().len(), 2);
    let bent = fs::read(&pack).unwrap();
    let report = mend(dir.path(), &originals(dir.path()));
    assert_eq!(report.restored.len(), 2);
    assert!(report.after.is_good(), "{:?}", report.after);
    assert_eq!(fs::read(&pack).unwrap(), bent, "the damaged pack stays as it is");
    assert!(fs::read(&pack).unwrap() != whole);
    // The damaged record is told of, as something that harms nothing.
    assert_eq!(report.after.superseded.len(), 1);
    assert_eq!(report.after.superseded[0].blob, Some(blobs[0]));
    assert_eq!(report.after.set_aside.len(), 1, "the damaged object");
    all_there(dir.path(), &blobs);
    let again = mend(dir.path(), &originals(dir.path()));
    assert!(again.broken.is_empty() && again.restored.is_empty());
}

#[test]
fn missing_blobs_are_restored_from_another_repository() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = stocked(dir.path());
    copy(&dir.path().join("repo"), &dir.path().join("copy"));
    fs::remove_file(file(&dir.path().join("repo"), "packs", "pack")).unwrap();
    fs::remove_file(object(dir.path(), blobs[8])).unwrap();
    let report = mend(dir.path(), &[RepairSource::Repository(dir.path().join("copy"))]);
    assert_eq!((report.broken.len(), report.restored.len()), (9, 9));
    assert!(report.after.is_good());
    all_there(dir.path(), &blobs);
}

#[test]
fn what_nobody_has_stays_broken_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = stocked(dir.path());
    flip(&file(&dir.path().join("repo"), "packs", "pack"), &[32 + 52 + 9, 32 + 352 + 52 + 9]);
    fs::remove_file(dir.path().join("originals/deep/er/x0")).unwrap();
    // Of the right length, and other bytes.
    fs::write(dir.path().join("originals/deep/er/x0"), vec![9; 300]).unwrap();
    let report = mend(dir.path(), &originals(dir.path()));
    assert_eq!(report.restored.keys().copied().collect::<Vec<_>>(), [blobs[1]]);
    assert_eq!(report.after.broken_blobs().into_iter().collect::<Vec<_>>(), [blobs[0]]);
}

#[test]
fn a_record_whose_head_is_damaged_mends_itself() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = stocked(dir.path());
    flip(&file(&dir.path().join("repo"), "packs", "pack"), &[32 + 20]);
    assert_eq!(deep(dir.path()).broken_blobs().len(), 1);
    let report = mend(dir.path(), &[]);
    assert_eq!(report.restored.len(), 1);
    assert!(report.after.is_good());
    all_there(dir.path(), &blobs);
}

#[test]
fn a_pack_that_is_damaged_as_a_whole_is_emptied_and_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = stocked(dir.path());
    let pack = file(&dir.path().join("repo"), "packs", "pack");
    let len = fs::metadata(&pack).unwrap().len() as usize;
    // Its footer, and one record.
    flip(&pack, &[len - 100, 32 + 52 + 9]);
    let bent = fs::read(&pack).unwrap();
    let reader = Repository::open(&dir.path().join("repo")).unwrap();
    assert!(reader.blobs().get(blobs[3]).is_ok());
    let report = mend(dir.path(), &originals(dir.path()));
    assert!(report.after.is_good(), "{:?}", report.after);
    assert_eq!((report.rescued, report.restored.len(), report.set_aside.len()), (7, 1, 1));
    assert_eq!(fs::read(&report.set_aside[0]).unwrap(), bent, "not a byte of it is lost");
    all_there(dir.path(), &blobs);
    assert!(blobs.iter().all(|blob| reader.blobs().get(*blob).is_ok()));
}

#[test]
fn a_repair_works_where_the_journal_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = stocked(dir.path());
    flip(&file(&dir.path().join("repo"), "packs", "pack"), &[32 + 52 + 9]);
    flip(&file(&dir.path().join("repo"), "journal", "log"), &[90]);
    let report = mend(dir.path(), &originals(dir.path()));
    assert_eq!(report.restored.keys().copied().collect::<Vec<_>>(), [blobs[0]]);
    assert!(report.after.problems.iter().all(|problem| problem.file.ends_with("00000001.log")));
    assert!(!report.after.is_good());
}
