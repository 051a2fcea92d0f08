//! Verifying the packs and objects: every footer, or every byte.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use safelight_lineage::digest::BlobId;

use super::report::{Meter, VerifyDepth, VerifyProblem, VerifyReport};
use crate::disk::{self, DiskError};
use crate::error::Mark;
use crate::objects::hash_of;
use crate::pack::{Entry, Loaded, PackState, RECORD_LEN, RecordHead, load, pack_path, packs};

/// So many bytes of a pack are read at once.
const CHUNK: u64 = 4 << 20;

enum Job {
    Pack(u64),
    Object(PathBuf),
}

enum Word {
    Problem(VerifyProblem),
    /// So many blobs were seen, and of these a good copy.
    Blobs(u64, Vec<BlobId>),
    Bytes(u64),
}

/// Looks at all that is stored; `whole` takes in the blobs with a good copy, as
/// far as the depth can tell.
pub(super) fn verify(
    store: &Path,
    depth: VerifyDepth,
    report: &mut VerifyReport,
    whole: &mut Vec<BlobId>,
    meter: &mut Meter<'_>,
) {
    let dir = store.join("packs");
    let mut jobs = Vec::new();
    match packs(&dir) {
        Ok(numbers) => jobs.extend(numbers.into_iter().map(Job::Pack)),
        Err(error) => report.problems.push(error.into()),
    }
    for folder in disk::folders(&store.join("objects")) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        jobs.extend(entries.map(|entry| Job::Object(entry.path())));
    }
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, jobs, next, dir) = (sender.clone(), &jobs, &next, &dir);
            scope.spawn(move || {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = match job {
                        Job::Pack(number) => verify_pack(dir, *number, depth, &sender),
                        Job::Object(path) => verify_object(path, depth, &sender),
                    };
                    if let Err(error) = result {
                        let _ = sender.send(Word::Problem(error.into()));
                    }
                }
            });
        }
        drop(sender);
        for word in receiver {
            match word {
                Word::Problem(problem) => report.problems.push(problem),
                Word::Blobs(blobs, good) => {
                    report.blobs += blobs;
                    whole.extend(good);
                }
                Word::Bytes(bytes) => meter.add(bytes),
            }
        }
    });
    report.problems.sort_by(|a, b| (&a.file, a.offset).cmp(&(&b.file, b.offset)));
}

fn verify_pack(dir: &Path, number: u64, depth: VerifyDepth, out: &Sender<Word>) -> Result<(), DiskError> {
    let path = pack_path(dir, number);
    let file = match disk::open(&path) {
        Ok(file) => file,
        // Collected since it was listed.
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error),
    };
    let Loaded { state, mut entries } = load(&file, &path, number)?;
    let count = entries.len() as u64;
    let problem = |offset, blob, what, expected, actual| {
        let _ = out.send(Word::Problem(VerifyProblem {
            file: path.clone(),
            offset,
            blob,
            expected,
            actual,
            what,
        }));
    };
    if let PackState::Damaged { what, offset, expected, actual } = &state {
        problem(*offset, None, what, expected.clone(), actual.clone());
    }
    entries.sort_unstable_by_key(|entry| entry.offset);
    if matches!(state, PackState::Open { .. } | PackState::Damaged { .. }) {
        // Without a footer, a record whose head is damaged shows as a gap.
        let mut end = entries.first().map_or(0, |first| first.offset.min(32));
        for entry in &entries {
            if entry.offset > end {
                problem(
                    end,
                    None,
                    "no record begins here",
                    Mark::Words("a record"),
                    Mark::Words("other bytes"),
                );
            }
            end = entry.offset + RECORD_LEN as u64 + u64::from(entry.len);
        }
    }
    if depth == VerifyDepth::Quick {
        let _ = out.send(Word::Blobs(count, entries.iter().map(|entry| entry.blob).collect()));
        return Ok(());
    }
    let mut good = Vec::with_capacity(entries.len());
    let mut rest = entries.as_slice();
    let mut bytes = Vec::new();
    while let Some(first) = rest.first() {
        let behind = |entry: &Entry| entry.offset + RECORD_LEN as u64 + u64::from(entry.len);
        let fits = rest.iter().take_while(|entry| behind(entry) - first.offset <= CHUNK).count().max(1);
        let (group, others) = rest.split_at(fits);
        rest = others;
        let end = group.iter().map(behind).max().unwrap_or(first.offset);
        bytes.resize((end - first.offset) as usize, 0);
        let read = disk::read_at(&file, &path, &mut bytes, first.offset)?;
        for entry in group {
            let start = (entry.offset - first.offset) as usize;
            let stop = start + RECORD_LEN + entry.len as usize;
            let Some(record) = bytes[..read].get(start..stop) else {
                let (needed, found) = (stop - start, read.saturating_sub(start));
                let what = "the record is cut short";
                problem(
                    entry.offset,
                    Some(entry.blob),
                    what,
                    Mark::Bytes(needed as u64),
                    Mark::Bytes(found as u64),
                );
                continue;
            };
            let (head, payload) = record.split_at(RECORD_LEN);
            let expected = RecordHead { blob: entry.blob, len: entry.len };
            let actual = BlobId::of(payload);
            if actual != entry.blob {
                let what = "the blob's bytes are others";
                problem(entry.offset, Some(entry.blob), what, Mark::Blob(entry.blob), Mark::Blob(actual));
            } else if RecordHead::from_bytes(head) != Some(expected) {
                let what = "the record's head is damaged";
                problem(
                    entry.offset,
                    Some(entry.blob),
                    what,
                    Mark::Blob(entry.blob),
                    Mark::Words("other bytes"),
                );
            } else {
                good.push(entry.blob);
            }
        }
        let _ = out.send(Word::Bytes(end - first.offset));
    }
    let _ = out.send(Word::Blobs(count, good));
    Ok(())
}

fn verify_object(path: &Path, depth: VerifyDepth, out: &Sender<Word>) -> Result<(), DiskError> {
    let part =
        |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).unwrap_or_default().to_owned();
    let name = part(path.parent().and_then(Path::file_name)) + &part(path.file_name());
    let Ok(blob) = name.parse::<BlobId>() else {
        let problem = VerifyProblem {
            file: path.to_owned(),
            offset: 0,
            blob: None,
            expected: Mark::Words("a file named by its hash"),
            actual: Mark::Words("another name"),
            what: "it is no object",
        };
        let _ = out.send(Word::Problem(problem));
        return Ok(());
    };
    if depth == VerifyDepth::Quick {
        let _ = out.send(Word::Blobs(1, vec![blob]));
        return Ok(());
    }
    let (actual, bytes) = hash_of(path)?;
    let _ = out.send(Word::Bytes(bytes));
    let _ = out.send(Word::Blobs(1, if actual == blob { vec![blob] } else { Vec::new() }));
    if actual != blob {
        let problem = VerifyProblem {
            file: path.to_owned(),
            offset: 0,
            blob: Some(blob),
            expected: Mark::Blob(blob),
            actual: Mark::Blob(actual),
            what: "the blob's bytes are others",
        };
        let _ = out.send(Word::Problem(problem));
    }
    Ok(())
}
