//! How far the journal was acknowledged: what tells damage from a torn tail.
//!
//! After each commit is on the disk, and before it is acknowledged, its place
//! is noted in `journal/acknowledged`, without a sync of its own. Whatever the
//! note says was durable when it was written: so a bad frame before that place
//! is damage, never the remains of a crash, and readers follow the log up to
//! there without any lock. After a power cut the note may be old or gone; then
//! only the bytes of the journal decide.
//!
//! ```text
//!  0  4  magic "SLAK"
//!  4  1  version
//!  5  3  zero
//!  8  8  segment
//! 16  8  offset behind the last acknowledged frame
//! 24  8  Seq of its last event
//! 32 32  its digest
//! 64  4  CRC-32 of bytes 0..64
//! ```

use std::path::{Path, PathBuf};

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::value::Seq;

use super::{Place, Tip};
use crate::bytes::Fields;
use crate::disk::{self, DiskError};
use crate::format::{ACKNOWLEDGED_MAGIC, ACKNOWLEDGED_VERSION};

const LEN: usize = 68;

/// The note of how far the journal was acknowledged.
pub(crate) struct Acknowledged;

impl Acknowledged {
    pub(crate) fn path(journal: &Path) -> PathBuf {
        journal.join("acknowledged")
    }

    /// Reads the note; none when it is missing or makes no sense.
    pub(crate) fn read(journal: &Path) -> Result<Option<Tip>, DiskError> {
        let path = Self::path(journal);
        // A reader can meet a half-replaced note; a moment later it is whole.
        for _ in 0..3 {
            let bytes = match disk::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) => return Err(error),
            };
            if let Some(tip) = parse(&bytes) {
                return Ok(Some(tip));
            }
            std::thread::yield_now();
        }
        Ok(None)
    }

    /// Replaces the note. Called with the journal's lock held.
    pub(crate) fn write(journal: &Path, tip: &Tip) -> Result<(), DiskError> {
        let path = Self::path(journal);
        let file = disk::open_or_create(&path)?;
        disk::write_at(&file, &path, &to_bytes(tip), 0)
    }
}

fn to_bytes(tip: &Tip) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    bytes[..4].copy_from_slice(&ACKNOWLEDGED_MAGIC);
    bytes[4] = ACKNOWLEDGED_VERSION;
    bytes[8..16].copy_from_slice(&tip.place.segment.to_le_bytes());
    bytes[16..24].copy_from_slice(&tip.place.offset.to_le_bytes());
    bytes[24..32].copy_from_slice(&tip.seq.0.to_le_bytes());
    bytes[32..64].copy_from_slice(tip.head.as_bytes());
    let sum = crc32fast::hash(&bytes[..64]);
    bytes[64..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn parse(bytes: &[u8]) -> Option<Tip> {
    let mut fields = Fields::new(bytes);
    let magic = fields.array::<4>()?;
    let version = fields.u8()?;
    fields.take(3)?;
    let place = Place { segment: fields.u64()?, offset: fields.u64()? };
    let tip = Tip { place, seq: Seq(fields.u64()?), head: FrameDigest(fields.array()?) };
    let good = magic == ACKNOWLEDGED_MAGIC
        && version == ACKNOWLEDGED_VERSION
        && fields.u32()? == crc32fast::hash(bytes.get(..64)?)
        && fields.left() == 0;
    good.then_some(tip)
}
