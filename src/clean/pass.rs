//! A cleaning pass: rules judge recorded predictions, and what they find is
//! recorded; later, findings are acted on, each with its evidence.

use std::collections::{BTreeMap, BTreeSet};

use safelight_lineage::decide::{Command, Rejection, decide};
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Actor, CleaningPassProposed, Decision, Event, Evidence, Frame, Honesty};
use safelight_lineage::id::{ImageId, PassId, PredictionsId};
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, Real};
use safelight_store::BlobError;

use super::answered::Answered;
use super::embeddings::ClosePair;
use super::evidence::dataset_now;
use super::gather::Pictures;
use super::rule::IN_SAMPLE;
use super::{
    CombinedFinding, Finding, Findings, FindingsError, Judged, JudgedError, Material, ProposeError, Rule,
    RuleError, combine, propose,
};
use crate::ensemble::cast::{CastError, probabilities};
use crate::session::{Session, SessionError};

/// Why a pass could not be proposed or acted on.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The predictions cannot be used.
    #[error(transparent)]
    Predictions(#[from] CastError),
    /// They do not fit the dataset's classes.
    #[error(transparent)]
    Judged(#[from] JudgedError),
    /// The rules cannot judge.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// A rule's settings cannot be recorded.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The model learned from the images that it judged.
    #[error(
        "predictions {0} are in-sample: the model learned from the very images, so its certainty about their labels is no evidence"
    )]
    InSample(PredictionsId),
    /// There is no such pass.
    #[error("there is no cleaning pass {0}")]
    UnknownPass(PassId),
    /// Its findings cannot be read.
    #[error("the findings of pass {pass} cannot be used: {error}")]
    Findings {
        /// The pass.
        pass: PassId,
        /// Why.
        error: FindingsError,
    },
    /// A blob cannot be read or written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The log cannot be written.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// What a pass is to judge, and by what.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// The rules, in order.
    pub rules: &'a [Rule],
    /// What the rules that need predictions judge by.
    pub predictions: Option<PredictionsId>,
    /// Whether predictions may be of images that the model learned.
    pub in_sample: bool,
    /// What the pictures are like; may be empty when no rule judges by pixels.
    pub pictures: &'a Pictures,
    /// Pairs that are close in embeddings, for rules that go by them.
    pub pairs: Option<&'a [ClosePair]>,
    /// Whether to ask again what earlier passes settled.
    pub again: bool,
    /// What to remember about the pass.
    pub message: Option<&'a str>,
}

/// A pass that was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// The pass.
    pub pass: PassId,
    /// What was found.
    pub findings: Findings,
    /// How many images were left out because they were decided before.
    pub answered: usize,
}

/// Lets rules judge under the labels of now, and records what they find.
/// Images that are no longer in the dataset are left out, and so are findings
/// whose question an earlier pass settled.
///
/// # Errors
/// When the predictions cannot be used or the log cannot be written.
pub fn propose_pass(session: &mut Session, proposal: &Proposal<'_>) -> Result<Proposed, PassError> {
    let blobs = session.repository().blobs().clone();
    let read = |blob| blobs.get(blob);
    let state = session.state();
    let said = proposal.predictions.map(|id| probabilities(state, read, id)).transpose()?;
    let honesty = proposal
        .predictions
        .and_then(|id| state.predictions().get(id))
        .map_or(Honesty::Unknown, |record| record.event.honesty);
    if let (Honesty::InSample, false, Some(id)) = (honesty, proposal.in_sample, proposal.predictions) {
        return Err(PassError::InSample(id));
    }
    let present = |image: ImageId| state.image(image).filter(|view| view.present);
    let label_of = |image| present(image).and_then(|view| view.label);
    let judged = said.as_ref().map(|said| Judged::new(said, state.classes(), label_of)).transpose()?;
    let material = Material {
        judged: judged.as_ref(),
        pictures: proposal.pictures,
        pairs: proposal.pairs,
        classes: state.classes(),
    };
    let mut found = propose(proposal.rules, &material)?;
    found.retain(|finding| present(finding.image).is_some());
    let mut answered = BTreeSet::new();
    if !proposal.again {
        let before = Answered::of(state, read, None)?;
        answered =
            found.iter().filter(|finding| before.holds(finding)).map(|finding| finding.image).collect();
        found.retain(|finding| !before.holds(finding));
    }
    let findings = Findings(found);
    let mut uses = proposal.rules.iter().map(Rule::recorded).collect::<Result<Vec<_>, _>>()?;
    if honesty == Honesty::InSample {
        for (used, _) in uses.iter_mut().zip(proposal.rules).filter(|(_, rule)| rule.needs_predictions()) {
            used.parameters.insert(IN_SAMPLE.to_owned(), Real(1.0));
        }
    }
    let (manifest, at) = (dataset_now(state).digest(), session.head());
    let (blob, count) = (blobs.put(&findings.to_bytes())?, findings.images() as u64);
    let frame = session.record(proposal.message, |_, transaction| CleaningPassProposed {
        pass: PassId(transaction.derive("pass", 0)),
        predictions: proposal.predictions.into_iter().collect(),
        rules: uses.clone(),
        manifest,
        at,
        findings: blob,
        found: count,
    })?;
    let pass = PassId(frame.header.transaction.derive("pass", 0));
    Ok(Proposed { pass, findings, answered: answered.len() })
}

/// The findings of a recorded pass.
///
/// # Errors
/// When there is no such pass or its findings cannot be read.
pub fn findings(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    pass: PassId,
) -> Result<Findings, PassError> {
    let record = state.passes().get(pass).ok_or(PassError::UnknownPass(pass))?;
    let bytes = read(record.proposed.event.findings)?;
    Findings::from_bytes(&bytes).map_err(|error| PassError::Findings { pass, error })
}

/// What to do with what a rule found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Take the images out.
    Remove,
    /// Give them the suggested label; those without a suggestion are skipped.
    Relabel,
}

/// Which findings to act on, and how.
#[derive(Debug, Clone)]
pub struct Application {
    /// Of which rules.
    pub rules: Vec<String>,
    /// What to do.
    pub action: Action,
    /// At most so many images of each label, the worst first.
    pub limit_per_class: Option<usize>,
    /// Whether a class may lose its last image.
    pub force: bool,
    /// Whether to act on what earlier passes settled.
    pub again: bool,
}

/// The findings of a pass that are open, an image each, the worst first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Queue {
    /// To decide.
    pub open: Vec<CombinedFinding>,
    /// Images that were decided in this pass.
    pub decided: usize,
    /// Images left out because an earlier pass settled what is asked.
    pub answered: usize,
    /// Images that are no longer as they were judged: gone, or relabelled.
    pub changed: usize,
}

/// Gathers what is open in a pass. `rules` are names; none given means all.
/// With several the images are ranked by all of them together.
///
/// # Errors
/// When there is no such pass or findings cannot be read.
pub fn queue(
    state: &State,
    read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
    pass: PassId,
    rules: &[String],
    again: bool,
) -> Result<Queue, PassError> {
    let mut found = findings(state, &read, pass)?.0;
    found.retain(|finding| rules.is_empty() || rules.contains(&finding.rule));
    let before = if again { Answered::default() } else { Answered::of(state, &read, Some(pass))? };
    let mut queue = Queue::default();
    for mut entry in combine(found) {
        let decided = state.review(pass, entry.image);
        if decided.is_some_and(|decision| decision != Decision::Skipped) {
            queue.decided += 1;
            continue;
        }
        let current = state.image(entry.image).filter(|view| view.present);
        let label = entry.findings.first().and_then(|finding| finding.label);
        if current.is_none_or(|view| view.label != label) {
            queue.changed += 1;
            continue;
        }
        entry.findings.retain(|finding| !before.holds(finding));
        if entry.findings.is_empty() {
            queue.answered += 1;
            continue;
        }
        entry.suggested = entry.findings.iter().find_map(|finding| finding.suggested);
        queue.open.push(entry);
    }
    Ok(queue)
}

/// On what a decision about an entry rests.
fn evidence(state: &State, pass: PassId, entry: &CombinedFinding) -> (Evidence, String) {
    let predictions =
        state.passes().get(pass).and_then(|record| record.proposed.event.predictions.first().copied());
    let first = entry.findings.first();
    let by_predictions =
        |finding: &Finding| Rule::from_name(&finding.rule).is_ok_and(|rule| rule.needs_predictions());
    let evidence = Evidence {
        pass: Some(pass),
        predictions: predictions.filter(|_| first.is_some_and(by_predictions)),
        rule: first.map(|finding| finding.rule.clone()),
        score: first.map(|finding| Real(finding.score)),
    };
    (evidence, first.map(|finding| finding.reason.clone()).unwrap_or_default())
}

/// What a decision about an entry commits, if it is news.
fn decided(
    state: &State,
    pass: PassId,
    entry: &CombinedFinding,
    decision: Decision,
) -> Result<Vec<Event>, Rejection> {
    let (evidence, reason) = evidence(state, pass, entry);
    let command = Command::Review { image: entry.image, pass, decision, reason, evidence };
    match decide(state, command) {
        Err(Rejection::NothingToDo) => Ok(Vec::new()),
        decided => decided,
    }
}

/// Records what the session's actor decided about one entry, as one frame.
///
/// # Errors
/// When the rules of the log reject it: without `force`, also when a class
/// would lose its last image.
pub fn review(
    session: &mut Session,
    pass: PassId,
    entry: &CombinedFinding,
    decision: Decision,
    force: bool,
) -> Result<Option<Frame>, SessionError> {
    session.commit(None, |state, _| {
        let events = decided(state, pass, entry, decision)?;
        if !force {
            no_class_vanishes(state, &events)?;
        }
        Ok(events)
    })
}

/// Acts on the findings of rules of a pass without a person looking: one
/// decision an image, all in one frame, by the rules as actor. What was decided
/// in this pass before is left alone, and so is what an earlier one settled.
///
/// # Errors
/// When the pass cannot be read, or the rules of the log reject an act.
pub fn apply(
    session: &mut Session,
    pass: PassId,
    application: &Application,
) -> Result<Option<Frame>, PassError> {
    let blobs = session.repository().blobs().clone();
    let before = session.actor().clone();
    let open = queue(session.state(), |blob| blobs.get(blob), pass, &application.rules, application.again)?;
    let chosen = chosen(open.open, application);
    session.set_actor(Actor::Rule { pass, rule: application.rules.join(" + ") });
    let outcome = session.commit(None, |state, _| {
        let mut events = Vec::new();
        for (entry, decision) in &chosen {
            // Another process may have decided or changed it in between.
            let label = entry.findings.first().and_then(|finding| finding.label);
            let as_judged = state.image(entry.image).is_some_and(|view| view.present && view.label == label);
            let open = !state.review(pass, entry.image).is_some_and(|before| before != Decision::Skipped);
            if as_judged && open {
                events.extend(decided(state, pass, entry, *decision)?);
            }
        }
        if !application.force {
            no_class_vanishes(state, &events)?;
        }
        Ok(events)
    });
    session.set_actor(before);
    Ok(outcome?)
}

/// The entries to act on with what to do, worst first, no more of a label than
/// allowed. Those to relabel that have no suggestion take no one's place.
fn chosen(open: Vec<CombinedFinding>, application: &Application) -> Vec<(CombinedFinding, Decision)> {
    let mut per_class: BTreeMap<Option<ClassIndex>, usize> = BTreeMap::new();
    open.into_iter()
        .filter_map(|entry| {
            let decision = match (application.action, entry.suggested) {
                (Action::Remove, _) => Decision::Removed,
                (Action::Relabel, Some(label)) => Decision::Relabelled { label },
                (Action::Relabel, None) => return None,
            };
            let label = entry.findings.first().and_then(|finding| finding.label);
            let count = per_class.entry(label).or_default();
            *count += 1;
            application.limit_per_class.is_none_or(|limit| *count <= limit).then_some((entry, decision))
        })
        .collect()
}

/// The transactions and events by which decisions of a pass changed anything,
/// newest last, to be reverted together.
pub fn effects(state: &State, pass: PassId) -> Vec<safelight_lineage::event::RevertTarget> {
    use safelight_lineage::event::RevertTarget;
    use safelight_lineage::state::Effect;
    let mut targets: Vec<RevertTarget> = Vec::new();
    for change in state.all_changes().filter(|change| change.live) {
        let reviewed = matches!(change.effect, Effect::Reviewed { pass: of, .. } if of == pass);
        if !reviewed && change.because.evidence.pass != Some(pass) {
            continue;
        }
        match targets.last_mut() {
            Some(last) if last.transaction == change.at.transaction => last.events.push(change.at.index),
            _ => targets
                .push(RevertTarget { transaction: change.at.transaction, events: vec![change.at.index] }),
        }
    }
    targets
}

/// Many removals together may empty a class although each alone would not.
fn no_class_vanishes(state: &State, events: &[Event]) -> Result<(), Rejection> {
    let removed: Vec<ImageId> = events
        .iter()
        .filter_map(|event| match event {
            Event::ImageRemoved(event) => Some(event.image),
            _ => None,
        })
        .collect();
    if removed.is_empty() {
        return Ok(());
    }
    let command = Command::Remove {
        images: removed,
        reason: "check".to_owned(),
        evidence: Evidence::default(),
        force: false,
    };
    decide(state, command).map(drop)
}
