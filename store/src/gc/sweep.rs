//! Deleting garbage: what is needed is copied and on the disk before anything
//! is unlinked, and nothing is unlinked without a proof.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use safelight_lineage::digest::{BlobId, FrameDigest};

use super::liveness::{CheckedCopy, DropProof, Liveness};
use super::report::{Fate, GarbageReport, GcError, GcProgress, Left};
use super::survey::{DuePack, Look, Role, Survey, size, survey};
use crate::disk::{self, DiskError};
use crate::format::PACK_ROLL;
use crate::pack::{OpenPack, adopt, pack_path, packs};
use crate::presence::Presence;
use crate::repository::Repository;

impl Repository {
    /// Finds what the log does not need. Changes nothing and holds nobody up,
    /// so what others are writing now may be among it.
    ///
    /// # Errors
    ///
    /// When the log or the packs cannot be read.
    pub fn find_garbage(&mut self, now: SystemTime, grace: Duration) -> Result<GarbageReport, GcError> {
        self.refresh()?;
        let liveness = Liveness::walk(self)?;
        Ok(survey(self.store_dir(), &liveness, now, grace, Look::ToTell)?.report)
    }

    /// Deletes what the log does not need and what is as old as `grace`.
    ///
    /// Packs with such blobs in them are written anew without them. Readers
    /// that have the old packs open go on with them.
    ///
    /// # Errors
    ///
    /// [`GcError::Busy`] while anybody writes to the repository; otherwise when
    /// the log or a file cannot be read or written. Whatever was deleted until
    /// then was garbage, and collecting again goes on.
    pub fn collect_garbage(
        &mut self,
        now: SystemTime,
        grace: Duration,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(GcProgress),
    ) -> Result<GarbageReport, GcError> {
        let Some(_alone) = Presence::alone(self.store_dir())? else { return Err(GcError::Busy) };
        let _held = self.hold_head()?;
        let liveness = Liveness::walk(self)?;
        // What crashes have left is sealed first, as any writer would.
        let dir = self.store_dir().join("packs");
        for number in packs(&dir)? {
            adopt(&dir, number)?;
        }
        let Survey { mut report, packs: due, objects, highest } =
            survey(self.store_dir(), &liveness, now, grace, Look::ToDelete)?;
        let total = due.iter().map(|pack| pack.bytes).sum();
        let mut sweep = Sweep {
            packs: dir,
            head: self.head(),
            liveness: &liveness,
            highest,
            report: &mut report,
            out: None,
            emptied: Vec::new(),
        };
        let mut done = 0;
        let mut result = Ok(());
        for pack in due {
            if stop.load(Ordering::Relaxed) {
                sweep.report.cancelled = true;
                break;
            }
            done += pack.bytes;
            result = sweep.pack(pack);
            if result.is_err() {
                break;
            }
            progress(GcProgress { done, total });
        }
        let result = match result {
            Ok(()) => sweep.finish(),
            Err(error) => {
                sweep.give_up();
                Err(error)
            }
        };
        self.blobs().look_again()?;
        result?;
        let head = self.head();
        for object in objects {
            if stop.load(Ordering::Relaxed) {
                report.cancelled = true;
                break;
            }
            match object.blob {
                Some(blob) => {
                    let proof = liveness.unneeded(blob).ok_or(GcError::Unproven(blob))?;
                    drop_object(&object.path, blob, proof, head)?;
                }
                None if !drop_unfinished(&object.path)? => continue,
                None => {}
            }
            report.garbage[object.garbage].fate = Fate::Deleted;
        }
        Ok(report)
    }
}

/// What allows a pack to go: for every record in it, this.
enum Cleared {
    /// It may be deleted.
    Proven(DropProof),
    /// It was copied to the pack that is being written.
    Copied,
}

struct Emptied {
    pack: DuePack,
    cleared: Vec<Cleared>,
    file: std::fs::File,
}

struct Sweep<'a> {
    packs: PathBuf,
    head: FrameDigest,
    liveness: &'a Liveness,
    highest: u64,
    report: &'a mut GarbageReport,
    /// Where what is needed goes.
    out: Option<OpenPack>,
    /// Packs that can go once `out` is on the disk.
    emptied: Vec<Emptied>,
}

impl Sweep<'_> {
    /// Copies what is needed of one pack.
    fn pack(&mut self, pack: DuePack) -> Result<(), GcError> {
        let path = pack_path(&self.packs, pack.number);
        let file = match disk::open_rw(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        // Nobody writes, so nobody holds it; but a proof is better than a belief.
        if !disk::try_lock(&file, &path)? {
            self.leave(&pack, path, "another process holds it");
            return Ok(());
        }
        // Looked at before anything is copied: of a pack that must stay, nothing is.
        let mut cleared = Vec::with_capacity(pack.records.len());
        for (entry, role) in &pack.records {
            let proof = match role {
                Role::Unneeded => {
                    Some(self.liveness.unneeded(entry.blob).ok_or(GcError::Unproven(entry.blob))?)
                }
                Role::Spare { pack, entry: kept } => {
                    CheckedCopy::read(&self.packs, *pack, *kept)?.map(|copy| self.liveness.spare(&copy))
                }
                Role::Kept => None,
            };
            match proof {
                Some(proof) => cleared.push(Cleared::Proven(proof)),
                None if CheckedCopy::read(&self.packs, pack.number, *entry)?.is_none() => {
                    self.leave(
                        &pack,
                        path,
                        "a blob in it that the log needs is damaged; see safelight repair",
                    );
                    return Ok(());
                }
                None => cleared.push(Cleared::Copied),
            }
        }
        if self.out.is_none() {
            self.out = Some(OpenPack::create(&self.packs)?);
        }
        let Some(out) = self.out.as_mut() else { return Ok(()) };
        for ((entry, _), cleared) in pack.records.iter().zip(&cleared) {
            if let Cleared::Copied = cleared {
                let copy = CheckedCopy::read(&self.packs, pack.number, *entry)?;
                let copy = copy.ok_or(GcError::Unproven(entry.blob))?;
                out.append(entry.blob, &copy.bytes)?;
                self.report.copied += size(entry);
            }
        }
        let full = out.len >= PACK_ROLL;
        self.emptied.push(Emptied { pack, cleared, file });
        if full { self.finish() } else { Ok(()) }
    }

    fn leave(&mut self, pack: &DuePack, file: PathBuf, why: &'static str) {
        self.report.garbage[pack.garbage.clone()].iter_mut().for_each(|garbage| garbage.fate = Fate::Stuck);
        self.report.left.push(Left { file, why });
    }

    /// Brings what was copied to the disk, and only then unlinks.
    fn finish(&mut self) -> Result<(), GcError> {
        let Some(out) = self.out.take() else { return Ok(()) };
        let (number, path, empty) = (out.number, out.path.clone(), out.len <= 32);
        // A number is never given twice: readers know packs by it. So the
        // newest pack goes only when there is a newer one, be it empty.
        let newest_goes = self.emptied.iter().any(|emptied| emptied.pack.number >= self.highest);
        if empty && !newest_goes {
            disk::remove(&path)?;
        } else if let Err(error) = out.seal() {
            // What of it is on the disk nobody knows, so nobody may rely on it.
            let _ = disk::remove(&path);
            return Err(error.into());
        } else {
            self.highest = number;
        }
        disk::sync_dir(&self.packs)?;
        for emptied in std::mem::take(&mut self.emptied) {
            self.drop_pack(emptied)?;
        }
        Ok(disk::sync_dir(&self.packs)?)
    }

    /// Unlinks a pack, every record of which is proven or copied.
    fn drop_pack(&mut self, Emptied { pack, cleared, file: _file }: Emptied) -> Result<(), GcError> {
        for ((entry, _), cleared) in pack.records.iter().zip(&cleared) {
            match cleared {
                Cleared::Proven(proof) if !proof.allows(entry.blob, self.head) => {
                    return Err(GcError::Unproven(entry.blob));
                }
                _ => {}
            }
        }
        disk::remove(&pack_path(&self.packs, pack.number))?;
        self.report.garbage[pack.garbage].iter_mut().for_each(|garbage| garbage.fate = Fate::Deleted);
        Ok(())
    }

    /// Takes back what was copied so far; nothing was unlinked for it.
    fn give_up(&mut self) {
        if let Some(out) = self.out.take() {
            // If this fails too, it is a pack of second copies: the next
            // collection finds them.
            let _ = disk::remove(&out.path);
        }
    }
}

/// Unlinks an object that the log does not need.
fn drop_object(path: &Path, blob: BlobId, proof: DropProof, head: FrameDigest) -> Result<(), GcError> {
    if !proof.allows(blob, head) {
        return Err(GcError::Unproven(blob));
    }
    Ok(disk::remove(path)?)
}

/// Unlinks a file that never became a blob, unless somebody is writing it.
fn drop_unfinished(path: &Path) -> Result<bool, DiskError> {
    let file = match disk::open(path) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return Ok(false),
        Err(error) => return Err(error),
    };
    if !disk::try_lock(&file, path)? {
        return Ok(false);
    }
    disk::remove(path)?;
    Ok(true)
}
