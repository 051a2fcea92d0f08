//! A cleaning pass: rules judge recorded predictions, and what they find is
//! recorded; later, findings are acted on, each with its evidence.

use std::collections::BTreeSet;

use safelight_lineage::decide::{Command, Rejection, decide};
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Actor, CleaningPassProposed, Decision, Evidence, Frame};
use safelight_lineage::id::{ImageId, PassId, PredictionsId};
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, Real};
use safelight_store::BlobError;

use super::evidence::dataset_now;
use super::{Finding, Findings, FindingsError, Judged, JudgedError, ProposeError, Rule, RuleError, propose};
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

/// Lets `rules` judge `predictions` under the labels of now, and records what
/// they find. Images that are no longer in the dataset are left out.
///
/// # Errors
/// When the predictions cannot be used or the log cannot be written.
pub fn propose_pass(
    session: &mut Session,
    predictions: PredictionsId,
    rules: &[Rule],
) -> Result<(PassId, Findings), PassError> {
    let blobs = session.repository().blobs().clone();
    let state = session.state();
    let said = probabilities(state, |blob| blobs.get(blob), predictions)?;
    let present = |image: ImageId| state.image(image).filter(|view| view.present);
    let judged = Judged::new(&said, state.classes(), |image| present(image).and_then(|view| view.label))?;
    let mut found = propose(rules, Some(&judged), &[], state.classes())?;
    found.retain(|finding| present(finding.image).is_some());
    let findings = Findings(found);
    let uses = rules.iter().map(Rule::recorded).collect::<Result<Vec<_>, _>>()?;
    let (manifest, at) = (dataset_now(state).digest(), session.head());
    let (blob, count) = (blobs.put(&findings.to_bytes())?, findings.images() as u64);
    let frame = session.record(None, |_, transaction| CleaningPassProposed {
        pass: PassId(transaction.derive("pass", 0)),
        predictions: vec![predictions],
        rules: uses.clone(),
        manifest,
        at,
        findings: blob,
        found: count,
    })?;
    Ok((PassId(frame.header.transaction.derive("pass", 0)), findings))
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
    /// Of which rule.
    pub rule: String,
    /// What to do.
    pub action: Action,
    /// At most so many images of each label, the worst first.
    pub limit_per_class: Option<usize>,
    /// Whether a class may lose its last image.
    pub force: bool,
}

/// Acts on the findings of one rule of a pass without a person looking: one
/// decision an image, all in one frame, by the rule as actor. What was decided
/// in this pass before is left alone.
///
/// # Errors
/// When the pass cannot be read, or the rules of the log reject an act.
pub fn apply(
    session: &mut Session,
    pass: PassId,
    application: &Application,
) -> Result<Option<Frame>, PassError> {
    let blobs = session.repository().blobs().clone();
    let found = findings(session.state(), |blob| blobs.get(blob), pass)?;
    let predictions = session
        .state()
        .passes()
        .get(pass)
        .and_then(|record| record.proposed.event.predictions.first().copied());
    let before = session.actor().clone();
    session.set_actor(Actor::Rule { pass, rule: application.rule.clone() });
    let outcome = session.commit(None, |state, _| {
        let mut events = Vec::new();
        for finding in chosen(state, pass, &found.0, application) {
            let decision = match (application.action, finding.suggested) {
                (Action::Remove, _) => Decision::Removed,
                (Action::Relabel, Some(label)) => Decision::Relabelled { label },
                (Action::Relabel, None) => continue,
            };
            let evidence = Evidence {
                pass: Some(pass),
                predictions,
                rule: Some(finding.rule.clone()),
                score: Some(Real(finding.score)),
            };
            let command = Command::Review {
                image: finding.image,
                pass,
                decision,
                reason: finding.reason.clone(),
                evidence,
            };
            match decide(state, command) {
                Ok(decided) => events.extend(decided),
                Err(Rejection::NothingToDo) => {}
                Err(other) => return Err(other),
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

/// The findings to act on: of the rule, not yet decided in this pass, of images
/// that are still there under the label that was judged, worst first, and no
/// more of a label than allowed.
fn chosen<'a>(
    state: &State,
    pass: PassId,
    findings: &'a [Finding],
    application: &Application,
) -> Vec<&'a Finding> {
    let mut per_class: std::collections::BTreeMap<Option<ClassIndex>, usize> = Default::default();
    let mut seen: BTreeSet<ImageId> = BTreeSet::new();
    let mut of_rule: Vec<&Finding> =
        findings.iter().filter(|finding| finding.rule == application.rule).collect();
    of_rule.sort_by_key(|finding| finding.rank);
    of_rule
        .into_iter()
        .filter(|finding| {
            let current = state.image(finding.image).filter(|view| view.present);
            let as_judged = current.is_some_and(|view| view.label == finding.label);
            let open = state.review(pass, finding.image).is_none();
            if !as_judged || !open || !seen.insert(finding.image) {
                return false;
            }
            let count = per_class.entry(finding.label).or_default();
            *count += 1;
            application.limit_per_class.is_none_or(|limit| *count <= limit)
        })
        .collect()
}

/// Many removals together may empty a class although each alone would not.
fn no_class_vanishes(state: &State, events: &[safelight_lineage::event::Event]) -> Result<(), Rejection> {
    use safelight_lineage::event::Event;
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
