//! What is stored that the log does not need.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use safelight_lineage::digest::BlobId;

use super::liveness::Liveness;
use super::report::{Fate, Garbage, GarbageKind, GarbageReport, Left, is_old};
use crate::disk::{self, DiskError, failed};
use crate::pack::{Entry, Loaded, PackState, RECORD_LEN, load, pack_path, packs};

/// What the survey is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// To say what could go.
    ToTell,
    /// To delete it, with nobody else at work.
    ToDelete,
}

/// What a record of a pack is to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The copy that is kept.
    Kept,
    /// The blob is needed; this pack holds the copy that is kept.
    Spare { pack: u64, entry: Entry },
    /// No event names it.
    Unneeded,
}

/// One pack with garbage in it that is old enough.
#[derive(Debug)]
pub(super) struct DuePack {
    pub(super) number: u64,
    pub(super) bytes: u64,
    /// Every record, in the order of the file.
    pub(super) records: Vec<(Entry, Role)>,
    /// Which of the report's garbage it holds.
    pub(super) garbage: std::ops::Range<usize>,
}

/// A file in `objects` that is old enough to go.
#[derive(Debug)]
pub(super) struct DueObject {
    pub(super) path: PathBuf,
    /// None for a file that never became a blob.
    pub(super) blob: Option<BlobId>,
    pub(super) garbage: usize,
}

/// What is there, and what of it can go.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) report: GarbageReport,
    pub(super) packs: Vec<DuePack>,
    pub(super) objects: Vec<DueObject>,
    /// The highest number of a pack; 0 when there is none.
    pub(super) highest: u64,
}

struct Seen {
    number: u64,
    path: PathBuf,
    written: SystemTime,
    bytes: u64,
    loaded: Loaded,
}

/// Looks at every pack's list of blobs and at every object's name.
pub(super) fn survey(
    store: &Path,
    liveness: &Liveness,
    now: SystemTime,
    grace: Duration,
    look: Look,
) -> Result<Survey, DiskError> {
    let report = GarbageReport {
        head: liveness.head(),
        live: liveness.count(),
        garbage: Vec::new(),
        left: Vec::new(),
        copied: 0,
        cancelled: false,
    };
    let mut survey = Survey { report, packs: Vec::new(), objects: Vec::new(), highest: 0 };
    let dir = store.join("packs");
    let seen = seen(&dir)?;
    survey.highest = seen.last().map_or(0, |pack| pack.number);
    let kept = kept(&seen, liveness, look);
    for pack in seen {
        survey.pack(pack, liveness, &kept, now, grace);
    }
    survey.objects(&store.join("objects"), liveness, now, grace)?;
    Ok(survey)
}

fn seen(dir: &Path) -> Result<Vec<Seen>, DiskError> {
    let mut seen = Vec::new();
    for number in packs(dir)? {
        let path = pack_path(dir, number);
        let file = match disk::open(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => continue,
            Err(error) => return Err(error),
        };
        let data = disk::file_metadata(&file, &path)?;
        let mut loaded = load(&file, &path, number)?;
        loaded.entries.sort_unstable_by_key(|entry| entry.offset);
        seen.push(Seen { number, written: written(&data, &path)?, bytes: data.len(), path, loaded });
    }
    Ok(seen)
}

fn written(data: &Metadata, path: &Path) -> Result<SystemTime, DiskError> {
    data.modified().map_err(failed("examine", path))
}

/// Of every needed blob that lies in more than one sealed pack, the copy that is
/// kept: that in the newest pack. A repair writes new packs, so its copy wins.
/// A pack that was not sealed may not be on the disk, whatever reading it says;
/// but before anything is deleted, all that can be are.
fn kept(seen: &[Seen], liveness: &Liveness, look: Look) -> BTreeMap<BlobId, (u64, Entry)> {
    let mut places: Vec<(BlobId, u64, Entry)> = seen
        .iter()
        .filter(|pack| match look {
            Look::ToTell => objection(&pack.loaded, pack.bytes).is_none(),
            Look::ToDelete => pack.loaded.state == PackState::Sealed,
        })
        .flat_map(|pack| pack.loaded.entries.iter().map(|entry| (entry.blob, pack.number, *entry)))
        .filter(|(blob, _, _)| liveness.needs(*blob))
        .collect();
    places.sort_unstable();
    let doubled = places.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    // The last of several wins.
    doubled.map(|pair| (pair[1].0, (pair[1].1, pair[1].2))).collect()
}

/// Why a pack cannot be rewritten, if it cannot.
fn objection(loaded: &Loaded, bytes: u64) -> Option<&'static str> {
    match loaded.state {
        PackState::Sealed | PackState::Closed => None,
        PackState::Damaged { .. } => Some("it is damaged; see safelight verify and repair"),
        PackState::Open { end: 0 } if bytes <= 32 => None,
        PackState::Open { .. } => {
            let records: u64 = loaded.entries.iter().map(size).sum();
            let end = loaded.entries.last().map_or(32, |last| last.offset + size(last));
            (32 + records != end).then_some("some of its records cannot be read; see safelight verify")
        }
    }
}

pub(super) fn size(entry: &Entry) -> u64 {
    RECORD_LEN as u64 + u64::from(entry.len)
}

impl Survey {
    fn pack(
        &mut self,
        pack: Seen,
        liveness: &Liveness,
        kept: &BTreeMap<BlobId, (u64, Entry)>,
        now: SystemTime,
        grace: Duration,
    ) {
        let role = |entry: &Entry| match kept.get(&entry.blob) {
            _ if !liveness.needs(entry.blob) => Role::Unneeded,
            Some((number, place)) if (*number, place) != (pack.number, entry) => {
                Role::Spare { pack: *number, entry: *place }
            }
            _ => Role::Kept,
        };
        let records: Vec<(Entry, Role)> =
            pack.loaded.entries.iter().map(|entry| (*entry, role(entry))).collect();
        // An empty pack that is not the newest keeps nobody's number.
        let useless = records.is_empty() && pack.number < self.highest;
        if !useless && records.iter().all(|(_, role)| *role == Role::Kept) {
            return;
        }
        let objection = objection(&pack.loaded, pack.bytes);
        let fate = match objection {
            _ if !is_old(pack.written, now, grace) => Fate::Young,
            Some(_) => Fate::Stuck,
            None => Fate::Due,
        };
        let first = self.report.garbage.len();
        for (entry, role) in records.iter().filter(|(_, role)| *role != Role::Kept) {
            self.report.garbage.push(Garbage {
                kind: if *role == Role::Unneeded {
                    GarbageKind::Unreferenced
                } else {
                    GarbageKind::SecondCopy
                },
                blob: Some(entry.blob),
                file: pack.path.clone(),
                bytes: size(entry),
                written: pack.written,
                fate,
            });
        }
        match (fate, objection) {
            (Fate::Stuck, Some(why)) => self.report.left.push(Left { file: pack.path, why }),
            (Fate::Due, _) => self.packs.push(DuePack {
                number: pack.number,
                bytes: pack.bytes,
                records,
                garbage: first..self.report.garbage.len(),
            }),
            _ => {}
        }
    }

    fn objects(
        &mut self,
        dir: &Path,
        liveness: &Liveness,
        now: SystemTime,
        grace: Duration,
    ) -> Result<(), DiskError> {
        let mut files = Vec::new();
        for entry in disk::entries(dir)? {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => files.extend(disk::entries(&entry.path())?),
                _ => files.push(entry),
            }
        }
        files.sort_by_key(std::fs::DirEntry::path);
        for entry in files {
            let path = entry.path();
            let Some(data) = disk::metadata(&path)? else { continue };
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
            let blob = folder.and_then(|folder| format!("{folder}{name}").parse::<BlobId>().ok());
            let unfinished = blob.is_none() && name.starts_with("new-") && path.parent() == Some(dir);
            let kind = match blob {
                Some(blob) if liveness.needs(blob) => continue,
                Some(_) => GarbageKind::Unreferenced,
                None if unfinished => GarbageKind::Unfinished,
                // Not ours: verify names it.
                None => continue,
            };
            let written = written(&data, &path)?;
            let fate = if is_old(written, now, grace) { Fate::Due } else { Fate::Young };
            if fate == Fate::Due {
                let garbage = self.report.garbage.len();
                self.objects.push(DueObject { path: path.clone(), blob, garbage });
            }
            self.report.garbage.push(Garbage { kind, blob, file: path, bytes: data.len(), written, fate });
        }
        Ok(())
    }
}
