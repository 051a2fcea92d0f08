//! What the log names, held against what is stored.

use std::path::Path;

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Frame;

use super::report::{MissingBlob, VerifyReport};
use crate::blobs::Blobs;
use crate::journal::{RawFrame, segment_path};
use crate::partial;
use crate::repair::set_aside_dir;

/// The blobs that the log names, each with the frame that does, as segment and
/// offset.
#[derive(Debug, Default)]
pub(super) struct Named {
    rows: Vec<(BlobId, u64, u64)>,
}

impl Named {
    /// Takes in the events of a frame.
    pub(super) fn add(&mut self, raw: &RawFrame<'_>, frame: &Frame) {
        for event in &frame.events {
            event.blobs(&mut |blob| self.rows.push((blob, raw.place.segment, raw.place.offset)));
        }
    }

    /// The first naming of each blob, ascending.
    fn first(mut self) -> Vec<(BlobId, u64, u64)> {
        self.rows.sort_unstable();
        self.rows.dedup_by_key(|row| row.0);
        self.rows
    }
}

/// Sorts out what is damaged, what is missing, and what only looks so. `whole`
/// are the blobs of which a good copy was seen.
pub(super) fn find(store: &Path, named: Named, mut whole: Vec<BlobId>, report: &mut VerifyReport) {
    whole.sort_unstable();
    whole.dedup();
    let is_whole = |blob: &BlobId| whole.binary_search(blob).is_ok();
    let problems = std::mem::take(&mut report.problems);
    let (superseded, problems): (Vec<_>, Vec<_>) =
        problems.into_iter().partition(|problem| problem.blob.is_some_and(|blob| is_whole(&blob)));
    (report.superseded, report.problems) = (superseded, problems);

    let damaged = report.broken_blobs();
    let absent = partial::read(store).unwrap_or_default();
    // Looked for once more: it may have moved while the packs were read.
    let now = Blobs::open(store);
    for (blob, segment, offset) in named.first() {
        if is_whole(&blob) || damaged.contains(&blob) || now.contains(blob).unwrap_or(false) {
            continue;
        }
        if absent.binary_search(&blob).is_ok() {
            report.absent += 1;
        } else {
            let file = segment_path(&store.join("journal"), segment);
            report.missing.push(MissingBlob { blob, file, offset });
        }
    }
    let aside = std::fs::read_dir(set_aside_dir(store)).into_iter().flatten().flatten();
    report.set_aside = aside.map(|entry| entry.path()).collect();
    report.set_aside.sort();
}
