//! Looking for words in the whole log: what was found so far, and how far the
//! search has come. It goes on in the background and is told of piece by piece.

use std::collections::BTreeSet;

use safelight_lineage::event::Frame;
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use crate::event_text::describe;

/// Whether an event of a frame mentions `wanted`, which is lower case already;
/// `state` knows names.
pub fn frame_mentions(state: &State, frame: &Frame, wanted: &str) -> bool {
    frame
        .events
        .iter()
        .any(|event| contains(event.kind_name(), wanted) || contains(&describe(state, event), wanted))
}

/// Whether a text contains another one, which is lower case already.
pub fn contains(text: &str, wanted: &str) -> bool {
    if text.is_ascii() {
        // Without a copy: an import has a million events.
        let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
        return wanted.is_empty() || text.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted));
    }
    text.to_lowercase().contains(wanted)
}

/// A search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFound {
    /// For what, in lower case.
    pub wanted: String,
    /// Which search: one that was begun later makes it stale.
    pub generation: u64,
    /// The Seqs of the first events of frames that mention it.
    pub frames: BTreeSet<Seq>,
    /// Frames up to this one were looked at before this search began.
    pub after: Seq,
    /// It began at this one.
    pub newest: Seq,
    /// It has come down to this one; `after` when it is done.
    pub down_to: Seq,
}

impl LogFound {
    /// Whether everything up to a Seq was looked at for these words. While it is
    /// being looked at, too: what came meanwhile is looked at afterwards, or a log
    /// that grows would never be looked through.
    pub fn covers(&self, wanted: &str, newest: Seq) -> bool {
        self.wanted == wanted && (self.newest >= newest || !self.is_done())
    }

    /// A search for these words up to `newest`; of an older one for the same
    /// that is done, what it found is kept, and only what came since is looked at.
    pub fn next(&self, wanted: &str, newest: Seq) -> LogFound {
        let goes_on = self.wanted == wanted && self.is_done();
        let (frames, after) = match goes_on {
            true => (self.frames.clone(), self.newest),
            false => (BTreeSet::new(), Seq::ZERO),
        };
        let generation = self.generation + 1;
        LogFound { wanted: wanted.to_owned(), generation, frames, after, newest, down_to: newest }
    }

    /// Whether all was looked at.
    pub fn is_done(&self) -> bool {
        self.down_to <= self.after
    }

    /// How much was looked at, 0 to 1.
    pub fn progress(&self) -> f64 {
        let all = self.newest.0.saturating_sub(self.after.0).max(1) as f64;
        (self.newest.0.saturating_sub(self.down_to.0) as f64 / all).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::history::log;

    #[test]
    fn words_are_found_whatever_their_case() {
        assert!(contains("Train/SEA/1.jpg", "sea/1") && contains("ÄRGER", "ärger"));
        assert!(!contains("sea", "seas") && contains("sea", ""));
        let log = log();
        let mentions = |words: &str| -> Vec<usize> {
            let numbered = log.frames.iter().enumerate();
            let found = numbered.filter(|(_, frame)| frame_mentions(&log.state, frame, words));
            found.map(|(place, _)| place).collect()
        };
        assert_eq!(mentions("a road by the sea"), [3]);
        assert!(mentions("at 64 px").len() > 1, "not only in the first");
        assert!(mentions("no such words").is_empty());
    }

    #[test]
    fn a_search_goes_on_where_the_last_one_ended() {
        let mut first = LogFound::default().next("sea", Seq(40));
        assert!(first.covers("sea", Seq(41)) && !first.covers("se", Seq(1)), "it goes on");
        first.down_to = Seq(30);
        assert_eq!((first.progress(), first.is_done()), (0.25, false));
        assert_eq!(first.next("sea", Seq(50)).after, Seq::ZERO, "half a search is done anew");
        first.down_to = Seq::ZERO;
        assert!(first.covers("sea", Seq(40)) && !first.covers("sea", Seq(41)));
        first.frames.insert(Seq(7));
        let second = first.next("sea", Seq(50));
        assert_eq!((second.after, second.frames.len()), (Seq(40), 1));
        assert_eq!(first.next("lake", Seq(50)).frames.len(), 0);
    }
}
