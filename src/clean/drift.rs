//! What happened to the dataset since a pass was proposed.

use std::fmt;

use safelight_lineage::id::PassId;
use safelight_lineage::query::difference;
use safelight_lineage::state::{Effect, State};
use safelight_lineage::value::Seq;
use serde::Serialize;

/// How many images changed since a pass was proposed, other than by decisions
/// in that pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Came into the dataset.
    pub added: u64,
    /// Went out of it.
    pub removed: u64,
    /// Have another label.
    pub relabelled: u64,
    /// Have other bytes.
    pub revised: u64,
}

impl Drift {
    /// Whether nothing changed.
    pub fn is_none(&self) -> bool {
        *self == Drift::default()
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = [
            (self.added, "added"),
            (self.removed, "removed"),
            (self.relabelled, "relabelled"),
            (self.revised, "revised"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {} {what}", if count == 1 { "image" } else { "images" }))
        .collect();
        if parts.is_empty() { f.write_str("nothing changed") } else { f.write_str(&parts.join(", ")) }
    }
}

/// What changed since `pass` was proposed; none when there is no such pass. A
/// frame that is not in this journal is taken to be the pass's own.
pub fn drift(state: &State, pass: PassId) -> Option<Drift> {
    let record = &state.passes().get(pass)?.proposed;
    let from = state.transactions().seq_after(record.event.at).unwrap_or(record.seq);
    let mut drift = Drift::default();
    for found in difference(state, from, state.seq()) {
        if own(state, pass, from, found.image) {
            continue;
        }
        match (found.before, found.after) {
            (None, _) => drift.added += 1,
            (_, None) => drift.removed += 1,
            (Some(before), Some(after)) => {
                drift.relabelled += u64::from(before.label != after.label);
                drift.revised += u64::from(before.blob != after.blob);
            }
        }
    }
    Some(drift)
}

/// Whether all that changed the image since is decisions in this pass.
fn own(state: &State, pass: PassId, from: Seq, image: safelight_lineage::id::ImageId) -> bool {
    let mut since = state
        .changes(image)
        .into_iter()
        .filter(|change| {
            change.live && change.seq > from && !matches!(change.effect, Effect::Reviewed { .. })
        })
        .peekable();
    since.peek().is_some() && since.all(|change| change.because.evidence.pass == Some(pass))
}
