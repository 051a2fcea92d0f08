//! Rules at work, one after the other.

use super::confidence::{ambiguous, confidently_wrong};
use super::confident_learning::confident_learning;
use super::duplicates::{conflicting_duplicates, leakage, near_duplicates};
use super::finding::Finding;
use super::judged::Judged;
use super::picture::{PictureFacts, blank, tiny};
use super::rule::{Rule, RuleError};

/// Why rules cannot judge.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProposeError {
    /// Settings are refused.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A rule needs predictions and there are none.
    #[error("rule {rule} judges by predictions, and none are given")]
    NoPredictions {
        /// Which.
        rule: &'static str,
    },
}

/// Lets every rule judge, in the order given. `classes` are the names by index.
///
/// # Errors
/// When settings are out of range, or a rule needs predictions that are not given.
pub fn propose(
    rules: &[Rule],
    judged: Option<&Judged<'_>>,
    pictures: &[PictureFacts],
    classes: &[String],
) -> Result<Vec<Finding>, ProposeError> {
    let mut findings = Vec::new();
    for rule in rules {
        rule.recorded()?;
        let judged = || judged.ok_or(ProposeError::NoPredictions { rule: rule.name() });
        findings.extend(match *rule {
            Rule::ConfidentlyWrong { above } => confidently_wrong(judged()?, above),
            Rule::Ambiguous { low, high } => ambiguous(judged()?, low, high),
            Rule::ConfidentLearning { filter, min_per_class } => {
                confident_learning(judged()?, filter, min_per_class)
            }
            Rule::NearDuplicate { max_distance } => near_duplicates(pictures, max_distance),
            Rule::Leakage { max_distance } => leakage(pictures, max_distance),
            Rule::ConflictingDuplicate { max_distance } => {
                conflicting_duplicates(pictures, max_distance, classes)
            }
            Rule::Blank { max_deviation } => blank(pictures, max_deviation),
            Rule::Tiny { min_edge } => tiny(pictures, min_edge),
        });
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use safelight_lineage::event::Split;
    use safelight_lineage::id::ImageId;

    use super::*;

    #[test]
    fn rules_judge_in_turn_and_say_what_they_lack() {
        let picture = PictureFacts::of(ImageId([1; 16]), None, Split::Train, (1, 1), &[0; 1024]);
        let rules = [Rule::DEFAULTS[7], Rule::DEFAULTS[3], Rule::DEFAULTS[6]];
        let names: Vec<_> =
            propose(&rules, None, &[picture], &[]).unwrap().into_iter().map(|finding| finding.rule).collect();
        assert_eq!(names, ["tiny", "blank"]);
        assert_eq!(
            propose(&[Rule::DEFAULTS[0]], None, &[], &[]),
            Err(ProposeError::NoPredictions { rule: "confidently-wrong" })
        );
        let proposed = propose(&[Rule::Tiny { min_edge: 0 }], None, &[], &[]);
        assert!(matches!(proposed, Err(ProposeError::Rule(RuleError::Range { .. }))));
        assert!(Rule::DEFAULTS.iter().filter(|rule| rule.needs_predictions()).count() == 3);
    }
}
