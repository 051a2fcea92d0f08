//! How a review goes.

use safelight_lineage::event::{Actor, Decision};
use safelight_lineage::id::PassId;
use safelight_lineage::state::Effect;
use safelight_lineage::value::{Seq, Timestamp};

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
    /// How many decisions `yield_of_last` is taken from.
    pub last: usize,
    /// The share of the last decisions that changed something, 0 to 1: when it
    /// sinks, going on is hardly worth it.
    pub yield_of_last: Option<f64>,
}

/// Of what progress was counted: when none of it is another, nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pass: Option<PassId>,
    seq: Seq,
    sent: usize,
    findings: usize,
}

impl Counted {
    /// What would be counted now.
    pub fn of(model: &Model) -> Counted {
        Counted {
            pass: model.pass(),
            seq: model.state().seq(),
            sent: model.review.sent.len(),
            findings: model.findings().len(),
        }
    }
}

/// How the review of the pass goes, by what the log says.
pub fn progress(model: &Model) -> Progress {
    let findings = model.findings();
    let done = findings.iter().filter(|finding| model.decided(finding.image).is_some()).count();
    let state = model.state();
    let pass = model.pass();
    let mut times: Vec<Timestamp> = Vec::new();
    let (mut counted, mut wrong) = (0, 0);
    let mut last = None;
    // Only as far back as there are any.
    let most = pass.map_or(0, |pass| state.reviews(pass).take(LAST).count());
    for change in state.all_changes().rev().filter(|change| change.live) {
        if counted == most {
            break;
        }
        let Effect::Reviewed { pass: of, decision } = change.effect else { continue };
        if Some(of) != pass {
            continue;
        }
        // What was decided together, or by a rule, says nothing of a person's speed.
        if last != Some(change.at.transaction)
            && let Some(record) = state.transactions().get(change.at.transaction)
            && matches!(record.actor, Actor::Person { .. })
        {
            times.push(record.time);
        }
        last = Some(change.at.transaction);
        counted += 1;
        wrong += usize::from(matches!(decision, Decision::Relabelled { .. } | Decision::Removed));
    }
    let gaps: Vec<u64> =
        times.windows(2).map(|pair| pair[0].0.saturating_sub(pair[1].0)).filter(|gap| *gap < PAUSE).collect();
    let spent: u64 = gaps.iter().sum();
    Progress {
        done,
        total: findings.len(),
        per_minute: (spent > 0).then(|| gaps.len() as f64 * 60_000.0 / spent as f64),
        last: counted,
        yield_of_last: (counted > 0).then(|| wrong as f64 / counted as f64),
    }
}
