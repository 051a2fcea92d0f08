//! What people and rules decided in earlier passes, so that nobody is asked
//! the same again.

use std::collections::{BTreeMap, BTreeSet};

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Decision;
use safelight_lineage::id::{ImageId, PassId};
use safelight_lineage::state::{Effect, State};
use safelight_store::BlobError;

use super::finding::Finding;
use super::pass::{PassError, findings};
use super::rule::{Question, Rule};

/// The questions that are answered, by image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered(BTreeSet<(ImageId, Question)>);

impl Answered {
    /// Collects the standing decisions of every pass but `except`.
    ///
    /// A decision answers the questions of the rules that found the image in
    /// its pass, for as long as the image has the label and the bytes that it
    /// then had and is not put back after a removal. A skip answers nothing.
    ///
    /// # Errors
    /// When the findings of a pass cannot be read.
    pub fn of(
        state: &State,
        read: impl Fn(BlobId) -> Result<Vec<u8>, BlobError>,
        except: Option<PassId>,
    ) -> Result<Answered, PassError> {
        let mut answered = BTreeSet::new();
        for record in state.passes() {
            let pass = record.proposed.event.pass;
            if Some(pass) == except {
                continue;
            }
            // Of two decisions on one image the later one counts.
            let decisions: BTreeMap<ImageId, Decision> = state.reviews(pass).collect();
            let standing: BTreeSet<ImageId> = decisions
                .into_iter()
                .filter(|(image, decision)| {
                    *decision != Decision::Skipped && unchanged_since(state, pass, *image)
                })
                .map(|(image, _)| image)
                .collect();
            if standing.is_empty() {
                continue;
            }
            for finding in findings(state, &read, pass)?.0 {
                if let Some(question) = question(&finding)
                    && standing.contains(&finding.image)
                {
                    answered.insert((finding.image, question));
                }
            }
        }
        Ok(Answered(answered))
    }

    /// Whether the question that a finding asks is answered.
    pub fn holds(&self, finding: &Finding) -> bool {
        question(finding).is_some_and(|question| self.0.contains(&(finding.image, question)))
    }
}

/// What a finding asks; none for a rule of a newer version.
fn question(finding: &Finding) -> Option<Question> {
    Rule::from_name(&finding.rule).ok().map(|rule| rule.question())
}

/// Whether nothing overrode the last decision on the image in a pass.
fn unchanged_since(state: &State, pass: PassId, image: ImageId) -> bool {
    let changes = state.changes(image);
    let decided = changes.iter().rposition(
        |change| matches!(change.effect, Effect::Reviewed { pass: of, .. } if of == pass && change.live),
    );
    decided.is_some_and(|decided| {
        // What the decision itself did is in its transaction.
        let own = changes[decided].at.transaction;
        changes[decided..].iter().filter(|change| change.live && change.at.transaction != own).all(|change| {
            !matches!(change.effect, Effect::Relabelled { .. } | Effect::Revised { .. } | Effect::Restored)
        })
    })
}
