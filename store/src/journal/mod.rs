//! The journal: the truth. Segments of frames, each naming its parent.

mod acknowledged;
mod backward;
mod log;
mod scan;
mod segment;

pub(crate) use acknowledged::Acknowledged;
pub(crate) use backward::Backward;
pub(crate) use log::{Each, Journal, Locked};
pub(crate) use scan::{Damage, RawFrame, Scan, Step, find, find_frame};
pub(crate) use segment::{HEADER_LEN, SegmentHeader, segment_path, segments};

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::value::Seq;

/// A place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Which segment, from one.
    pub(crate) segment: u64,
    /// Which byte of it.
    pub(crate) offset: u64,
}

/// The end of a prefix of the journal: where it is and what the log is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tip {
    /// Behind the last frame of the prefix.
    pub(crate) place: Place,
    /// The Seq of its last event.
    pub(crate) seq: Seq,
    /// The digest of its last frame.
    pub(crate) head: FrameDigest,
}

impl Tip {
    /// Before the first frame.
    pub(crate) const START: Tip =
        Tip { place: Place { segment: 1, offset: HEADER_LEN }, seq: Seq::ZERO, head: FrameDigest::ROOT };
}
