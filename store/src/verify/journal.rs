//! Verifying the journal: every frame, and the chain between them.

use std::path::Path;

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::value::Seq;

use super::missing::Named;
use super::report::{Meter, VerifyProblem, VerifyReport};
use crate::disk::{self, DiskError};
use crate::error::{Mark, StoreError};
use crate::frame;
use crate::journal::{
    Acknowledged, Damage, HEADER_LEN, Place, Scan, SegmentHeader, Step, Tip, find_frame, segment_path,
    segments,
};

/// Walks the frames; `named` takes in the blobs that their events name.
pub(super) fn verify(dir: &Path, report: &mut VerifyReport, named: &mut Named, meter: &mut Meter<'_>) {
    if let Err(error) = walk(dir, report, named, meter) {
        report.problems.push(error.into());
    }
}

fn walk(
    dir: &Path,
    report: &mut VerifyReport,
    named: &mut Named,
    meter: &mut Meter<'_>,
) -> Result<(), DiskError> {
    let acknowledged = Acknowledged::read(dir)?;
    let mut scan = Scan::new(dir, Tip::START);
    loop {
        let bad = match scan.step()? {
            Step::Frame(raw) => {
                report.frames += 1;
                report.events += raw.events;
                meter.add(raw.bytes.len() as u64);
                match raw.open() {
                    Ok(frame) => named.add(&raw, &frame),
                    Err(StoreError::UnreadableFrame { file, offset, source }) => {
                        report.problems.push(VerifyProblem {
                            file,
                            offset,
                            blob: None,
                            expected: Mark::Words("events that can be read"),
                            actual: Mark::Said(source.to_string()),
                            what: "the frame is whole, but its content makes no sense",
                        });
                    }
                    Err(_) => {}
                }
                continue;
            }
            Step::End => break,
            Step::Bad(bad) => bad,
        };
        let known = acknowledged.filter(|tip| bad.place < tip.place);
        match resume(dir, &bad, acknowledged)? {
            Some((next, damaged)) => {
                report.problems.push(described(bad, next.head, damaged));
                meter.add(0);
                scan.jump(next);
            }
            None if known.is_some() || is_first(&bad) => {
                let head = known.map_or(FrameDigest::ROOT, |tip| tip.head);
                report.problems.push(described(bad, head, None));
                return Ok(());
            }
            None => {
                let path = segment_path(dir, bad.place.segment);
                let len = disk::open(&path).and_then(|file| disk::len(&file, &path)).unwrap_or_default();
                report.torn_bytes = len.saturating_sub(bad.place.offset);
                return Ok(());
            }
        }
    }
    let end = scan.tip();
    match acknowledged {
        Some(goal) if end.place < goal.place => report.problems.push(VerifyProblem {
            file: segment_path(dir, end.place.segment),
            offset: end.place.offset,
            blob: None,
            expected: Mark::Frame(goal.head),
            actual: Mark::Missing,
            what: "acknowledged frames are missing",
        }),
        Some(goal) if end.place == goal.place && end.head != goal.head => {
            report.problems.push(VerifyProblem {
                file: segment_path(dir, end.place.segment),
                offset: end.place.offset,
                blob: None,
                expected: Mark::Frame(goal.head),
                actual: Mark::Frame(end.head),
                what: "another frame was acknowledged here",
            })
        }
        _ => {}
    }
    Ok(())
}

fn is_first(bad: &Damage) -> bool {
    bad.place == Place { segment: 1, offset: 0 }
}

/// The problem, with the digests where they are known: what the next good
/// frame calls its parent, and what the damaged bytes give.
fn described(bad: Damage, expected: FrameDigest, damaged: Option<FrameDigest>) -> VerifyProblem {
    let mut problem = VerifyProblem::from(bad.corruption);
    if expected != FrameDigest::ROOT && problem.offset > 0 {
        problem.expected = Mark::Frame(expected);
        problem.actual = damaged.map_or(problem.actual, Mark::Frame);
    }
    problem
}

/// Where the journal can be read again behind some damage, and the digest of
/// the bytes between.
fn resume(
    dir: &Path,
    bad: &Damage,
    acknowledged: Option<Tip>,
) -> Result<Option<(Tip, Option<FrameDigest>)>, DiskError> {
    let Place { segment, offset } = bad.place;
    let path = segment_path(dir, segment);
    if disk::exists(&path)? {
        let file = disk::open(&path)?;
        let len = disk::len(&file, &path)?;
        let mut bytes = vec![0; usize::try_from(len.saturating_sub(offset)).unwrap_or_default()];
        let read = disk::read_at(&file, &path, &mut bytes, offset)?;
        bytes.truncate(read);
        // The next frame begins where this one says it ends, if one does.
        if offset >= HEADER_LEN
            && let Ok(total) = frame::total_len(&bytes)
            && bytes.len() >= total
        {
            let place = Place { segment, offset: offset + total as u64 };
            let (damaged, rest) = bytes.split_at(total);
            let head = match frame::total_len(rest) {
                Ok(_) => frame::claimed_parent(rest),
                Err(_) => acknowledged.filter(|tip| tip.place == place).map(|tip| tip.head),
            };
            if let Some(head) = head {
                return Ok(Some((Tip { place, seq: Seq::ZERO, head }, Some(frame::digest(damaged)))));
            }
        }
        // A header that is damaged hides nothing: the frames begin behind it.
        let skip = if offset == 0 { HEADER_LEN as usize } else { 1 };
        if let Some(found) = bytes.get(skip..).and_then(find_frame) {
            let start = skip + found;
            let total = frame::total_len(&bytes[start..]).unwrap_or_default();
            if let Ok(parent) = frame::check(&bytes[start..start + total]) {
                let place = Place { segment, offset: offset + start as u64 };
                let tip = Tip { place, seq: Seq::ZERO, head: parent };
                return Ok(Some((tip, Some(frame::digest(&bytes[..start])))));
            }
        }
    }
    for next in segments(dir)?.into_iter().filter(|number| *number > segment) {
        let path = segment_path(dir, next);
        let mut header = [0; HEADER_LEN as usize];
        disk::read_at(&disk::open(&path)?, &path, &mut header, 0)?;
        if let Some(header) = SegmentHeader::from_bytes(&header) {
            return Ok(Some((header.tip(), None)));
        }
    }
    Ok(None)
}
