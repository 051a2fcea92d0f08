//! Snapshots of the state, so that opening need not fold the whole journal.
//!
//! They are derived: one that is missing, damaged, of another version or of
//! another journal is ignored, and the journal is folded instead.
//!
//! ```text
//!   0  4  magic "SLSN"
//!   4  1  version
//!   5  3  zero
//!   8  8  segment
//!  16  8  offset behind the last frame that is folded in
//!  24  8  Seq of its last event
//!  32 32  its digest
//!  64  8  length of the state, n
//!  72 32  BLAKE3 derive_key of the hashes below
//! 104  4  zero
//! 108  4  CRC-32 of bytes 0..108
//! 112  …  per 64 KiB of the state one BLAKE3 derive_key hash of 32 bytes
//!   …  n  the state, as the lineage crate writes it
//! ```
//!
//! Hashed block by block, a part of it can be believed without reading all.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::state::{Sought, State};
use safelight_lineage::value::Seq;

use crate::bytes::Fields;
use crate::disk::{self, DiskError, failed};
use crate::error::Notice;
use crate::format::{SNAPSHOT_MAGIC, SNAPSHOT_VERSION};
use crate::journal::{Backward, Place, Tip};

const HEADER_LEN: usize = 112;
const HASH_LEN: usize = 32;
/// So many snapshots are kept: the newest, and one in case it is damaged.
const KEEP: usize = 2;
/// A tail of fewer events is folded in no time.
const SHORT_TAIL: u64 = 20_000;

/// So many bytes of the state have a hash of their own.
const BLOCK: usize = 64 << 10;
const BLOCK_CONTEXT: &str = "safelight 2026-11-24 snapshot block v2";
const TABLE_CONTEXT: &str = "safelight 2026-11-24 snapshot v2";

/// The folder of snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    dir: PathBuf,
    newest: Seq,
}

/// A state and where the journal stood then.
pub(crate) struct Loaded {
    pub(crate) state: State,
    pub(crate) tip: Tip,
}

impl Snapshots {
    pub(crate) fn new(cache: &Path) -> Self {
        Snapshots { dir: cache.join("snapshots"), newest: Seq::ZERO }
    }

    fn path(&self, seq: u64) -> PathBuf {
        self.dir.join(format!("{seq:020}.snapshot"))
    }

    /// The newest usable snapshot of this journal that is not past `limit`.
    pub(crate) fn load(&mut self, journal: &Path, limit: Seq, notices: &mut Vec<Notice>) -> Option<Loaded> {
        // Without the folder there is no snapshot, whatever the reason.
        let numbers = disk::numbered(&self.dir, "snapshot").unwrap_or_default();
        for number in numbers.into_iter().rev().filter(|number| *number <= limit.0) {
            let path = self.path(number);
            match read(&path, journal) {
                Ok(loaded) => {
                    self.newest = self.newest.max(loaded.tip.seq);
                    return Some(loaded);
                }
                Err(why) => notices.push(Notice::SnapshotIgnored { file: path, why }),
            }
        }
        None
    }

    /// The newest usable snapshot, with only the images in it that are sought.
    pub(crate) fn glimpse(&self, journal: &Path, sought: Sought<'_>) -> Option<Loaded> {
        let numbers = disk::numbered(&self.dir, "snapshot").unwrap_or_default();
        numbers.into_iter().rev().find_map(|number| glimpse(&self.path(number), journal, sought).ok())
    }

    /// Whether so much has happened that the next opening would be slow. The
    /// more there is, the rarer: all snapshots together cost a few times the
    /// last one.
    pub(crate) fn is_due(&self, seq: Seq) -> bool {
        seq.0.saturating_sub(self.newest.0) >= SHORT_TAIL.max(self.newest.0 / 8)
    }

    /// Whether there is anything that the newest snapshot lacks.
    pub(crate) fn is_behind(&self, seq: Seq) -> bool {
        self.newest < seq
    }

    /// Writes a snapshot and removes older ones.
    pub(crate) fn write(&mut self, state: &State, tip: &Tip) -> Result<(), DiskError> {
        if let Some(cache) = self.dir.parent() {
            disk::create_dir(cache)?;
        }
        disk::create_dir(&self.dir)?;
        let temporary = self.dir.join(format!("{}.new", std::process::id()));
        disk::remove(&temporary)?;
        let file = disk::create_new(&temporary)?;
        let bytes = state.to_snapshot();
        let start = HEADER_LEN + bytes.len().div_ceil(BLOCK) * HASH_LEN;
        let hashes = std::thread::scope(|scope| {
            let hashes = scope.spawn(|| hashes_of(&bytes));
            disk::write_at(&file, &temporary, &bytes, start as u64)?;
            Ok(hashes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        let table = hash(TABLE_CONTEXT, &hashes);
        disk::write_at(&file, &temporary, &hashes, HEADER_LEN as u64)?;
        disk::write_at(&file, &temporary, &header(tip, bytes.len(), table), 0)?;
        // Not synced: after a power cut a checksum tells, and it is made again.
        disk::rename(&temporary, &self.path(tip.seq.0))?;
        self.newest = tip.seq;
        let numbers = disk::numbered(&self.dir, "snapshot")?;
        for old in numbers.iter().rev().skip(KEEP) {
            disk::remove(&self.path(*old))?;
        }
        Ok(())
    }
}

fn hash(context: &str, bytes: &[u8]) -> [u8; HASH_LEN] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    hasher.update(bytes);
    *hasher.finalize().as_bytes()
}

/// The hash of every block, one after another.
fn hashes_of(state: &[u8]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new_derive_key(BLOCK_CONTEXT);
    let mut hashes = Vec::with_capacity(state.len().div_ceil(BLOCK) * HASH_LEN);
    for block in state.chunks(BLOCK) {
        hasher.reset().update(block);
        hashes.extend_from_slice(hasher.finalize().as_bytes());
    }
    hashes
}

fn header(tip: &Tip, len: usize, sum: [u8; 32]) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..4].copy_from_slice(&SNAPSHOT_MAGIC);
    bytes[4] = SNAPSHOT_VERSION;
    bytes[8..16].copy_from_slice(&tip.place.segment.to_le_bytes());
    bytes[16..24].copy_from_slice(&tip.place.offset.to_le_bytes());
    bytes[24..32].copy_from_slice(&tip.seq.0.to_le_bytes());
    bytes[32..64].copy_from_slice(tip.head.as_bytes());
    bytes[64..72].copy_from_slice(&(len as u64).to_le_bytes());
    bytes[72..104].copy_from_slice(&sum);
    let sum = crc32fast::hash(&bytes[..108]);
    bytes[108..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn read(path: &Path, journal: &Path) -> Result<Loaded, String> {
    let bytes = map(path).map_err(|error| error.to_string())?;
    let Parsed { tip, hashes, state } = parse(&bytes)?;
    // No bytes whatever harm the reader, so it need not wait for the checksums.
    let (actual, state) = std::thread::scope(|scope| {
        let actual = scope.spawn(|| hashes_of(state));
        let state = State::from_snapshot(state);
        (actual.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), state)
    });
    if actual != hashes {
        return Err("its checksum differs".into());
    }
    let state = state.map_err(|error| error.to_string())?;
    check(&state, tip, journal)?;
    Ok(Loaded { state, tip })
}

/// As [`read`], but only the images that are sought, and only the blocks that
/// they are in.
fn glimpse(path: &Path, journal: &Path, sought: Sought<'_>) -> Result<Loaded, String> {
    let bytes = map(path).map_err(|error| error.to_string())?;
    let Parsed { tip, hashes, state: whole } = parse(&bytes)?;
    let good = RefCell::new(BTreeSet::new());
    let fetch = |range: Range<usize>| {
        let part = whole.get(range.clone())?;
        for block in range.start / BLOCK..range.end.div_ceil(BLOCK) {
            if !good.borrow().contains(&block) {
                let start = block * BLOCK;
                let actual = hash(BLOCK_CONTEXT, &whole[start..whole.len().min(start + BLOCK)]);
                if hashes.get(block * HASH_LEN..)?.get(..HASH_LEN)? != actual {
                    return None;
                }
                good.borrow_mut().insert(block);
            }
        }
        Some(part)
    };
    let state = State::glimpse(&fetch, sought).map_err(|error| error.to_string())?;
    check(&state, tip, journal)?;
    Ok(Loaded { state, tip })
}

fn check(state: &State, tip: Tip, journal: &Path) -> Result<(), String> {
    if state.seq() != tip.seq || state.head() != tip.head {
        return Err("its state is another".into());
    }
    // The journal may be another one than that which was folded.
    match Backward::new(journal, tip).next() {
        Some(Ok(_)) => Ok(()),
        _ => Err("the journal does not lead to it".into()),
    }
}

/// The bytes of a snapshot, without a copy of them.
fn map(path: &Path) -> Result<memmap2::Mmap, DiskError> {
    let file = disk::open(path)?;
    // SAFETY: a snapshot gets its name when all of it is written, and is never
    // changed after that, only unlinked, which leaves the mapping whole. It is
    // mapped only while it is read.
    unsafe { memmap2::Mmap::map(&file) }.map_err(failed("map", path))
}

/// A snapshot taken apart. Its header and its hashes are checked, the state is not.
struct Parsed<'a> {
    tip: Tip,
    hashes: &'a [u8],
    state: &'a [u8],
}

fn parse(bytes: &[u8]) -> Result<Parsed<'_>, String> {
    let (tip, len, expected) = parse_header(bytes).ok_or("its header is damaged")?;
    let count = usize::try_from(len).unwrap_or(usize::MAX).div_ceil(BLOCK);
    let rest = &bytes[HEADER_LEN..];
    let (hashes, state) = count
        .checked_mul(HASH_LEN)
        .and_then(|length| rest.split_at_checked(length))
        .filter(|(_, state)| state.len() as u64 == len)
        .ok_or("it is too short or too long")?;
    if hash(TABLE_CONTEXT, hashes) != expected {
        return Err("its checksums are damaged".into());
    }
    Ok(Parsed { tip, hashes, state })
}

fn parse_header(bytes: &[u8]) -> Option<(Tip, u64, [u8; HASH_LEN])> {
    let mut fields = Fields::new(bytes);
    let magic = fields.array::<4>()?;
    let version = fields.u8()?;
    fields.take(3)?;
    let place = Place { segment: fields.u64()?, offset: fields.u64()? };
    let tip = Tip { place, seq: Seq(fields.u64()?), head: FrameDigest(fields.array()?) };
    let len = fields.u64()?;
    let expected = fields.array()?;
    fields.take(4)?;
    let good = magic == SNAPSHOT_MAGIC
        && version == SNAPSHOT_VERSION
        && fields.u32()? == crc32fast::hash(bytes.get(..108)?);
    good.then_some((tip, len, expected))
}
