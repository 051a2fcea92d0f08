//! Words in the whole log, for the timeline of the terminal interface.

use safelight_lineage::value::Seq;
use safelight_tui::{LogSearch, PortError, frame_mentions};

use super::ports::SharedSession;

/// The log of the session.
pub(super) struct StoredLogSearch(pub(super) SharedSession);

impl LogSearch for StoredLogSearch {
    fn search(
        &mut self,
        wanted: &str,
        newest: Seq,
        after: Seq,
        tell: &mut dyn FnMut(Seq, bool) -> bool,
    ) -> Result<(), PortError> {
        let frames = self.0.lock().repository().frames_rev();
        for frame in frames {
            let frame = frame.map_err(PortError::new)?;
            let first = frame.header.first_seq;
            if first > newest {
                continue;
            }
            if first <= after {
                break;
            }
            // The session only for as long as a frame takes: others wait for it.
            let mentions = frame_mentions(self.0.lock().state(), &frame, wanted);
            if !tell(first, mentions) {
                break;
            }
        }
        Ok(())
    }
}
