//! Frames as they are on the disk, for archives.

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::event::Frame;

use super::Repository;
use crate::error::{AppendError, StoreError};
use crate::journal::{RawFrame, Scan, Step, Tip};

impl Repository {
    /// Gives `each` every frame up to the head, oldest first, with its bytes.
    pub(crate) fn each_raw_frame<E: From<StoreError>>(
        &self,
        each: &mut dyn FnMut(&RawFrame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let end = self.journal.tip();
        let mut scan = Scan::new(self.journal.dir(), Tip::START);
        while scan.tip().place < end.place && scan.tip().head != end.head {
            match scan.step().map_err(StoreError::from)? {
                Step::Frame(raw) => each(&raw)?,
                Step::Bad(bad) => return Err(StoreError::CorruptFrame(bad.corruption.into()).into()),
                Step::End => break,
            }
        }
        Ok(())
    }

    /// The digests of all frames, oldest first.
    pub(crate) fn frame_digests(&self) -> Result<Vec<FrameDigest>, StoreError> {
        let mut digests = Vec::new();
        self.each_raw_frame(&mut |raw| {
            digests.push(raw.digest);
            Ok::<(), StoreError>(())
        })?;
        Ok(digests)
    }

    /// Appends frames as another repository sealed them, with one sync. `bytes`
    /// are those of `frames`, which follow each other and the head.
    pub(crate) fn append_read(&mut self, bytes: &[u8], frames: Vec<Frame>) -> Result<(), AppendError> {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return Ok(()) };
        let (expected, head) = (first.header.parent, last.header.digest);
        let events = frames.iter().map(|frame| frame.events.len() as u64).sum();
        let _presence = self.blobs.present()?;
        self.blobs.sync()?;
        let state = &mut self.state;
        let notice = self.journal.append(bytes, (head, events), expected, &mut |raw| {
            state.apply(&raw.open()?);
            Ok(())
        })?;
        self.notices.extend(notice);
        for frame in &frames {
            self.state.apply(frame);
        }
        self.snapshot_when_due();
        self.start_index();
        Ok(())
    }
}
