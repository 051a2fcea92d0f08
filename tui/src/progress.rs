//! How a review goes.

use safelight_lineage::event::Decision;
use safelight_lineage::state::Effect;
use safelight_lineage::value::Timestamp;

use crate::model::Model;

/// How many of the last decisions speed and yield are taken from.
const LAST: usize = 50;
/// A pause longer than this was no reviewing, in milliseconds.
const PAUSE: u64 = 5 * 60_000;

/// How a review goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Findings decided.
    pub done: usize,
    /// All findings.
    pub total: usize,
    /// Decisions a minute lately.
    pub per_minute: Option<f64>,
    /// The share of the last decisions that changed something, 0 to 1: when it
    /// sinks, going on is hardly worth it.
    pub yield_of_last: Option<f64>,
}

/// How the review of the pass goes, by what the log says.
pub fn progress(model: &Model) -> Progress {
    let findings = model.findings();
    let done = findings.iter().filter(|finding| model.decided(finding.image).is_some()).count();
    let state = model.state();
    let pass = model.pass();
    let mut times: Vec<Timestamp> = Vec::new();
    let (mut counted, mut wrong) = (0, 0);
    for change in state.all_changes().rev().filter(|change| change.live) {
        let Effect::Reviewed { pass: of, decision } = change.effect else { continue };
        if Some(of) != pass {
            continue;
        }
        times.extend(state.transactions().get(change.at.transaction).map(|record| record.time));
        counted += 1;
        wrong += usize::from(matches!(decision, Decision::Relabelled { .. } | Decision::Removed));
        if counted == LAST {
            break;
        }
    }
    let gaps: Vec<u64> =
        times.windows(2).map(|pair| pair[0].0.saturating_sub(pair[1].0)).filter(|gap| *gap < PAUSE).collect();
    let spent: u64 = gaps.iter().sum();
    Progress {
        done,
        total: findings.len(),
        per_minute: (spent > 0).then(|| gaps.len() as f64 * 60_000.0 / spent as f64),
        yield_of_last: (counted > 0).then(|| wrong as f64 / counted as f64),
    }
}
