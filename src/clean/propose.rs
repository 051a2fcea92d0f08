//! Rules at work, one after the other.

use super::confidence::{ambiguous, confidently_wrong};
use super::confident_learning::confident_learning;
use super::duplicates::{conflicting_duplicates, leakage, near_duplicates};
use super::embeddings::ClosePair;
use super::finding::Finding;
use super::gather::Pictures;
use super::judged::Judged;
use super::likeness::Likeness;
use super::picture::{blank, colour_model, tiny, unreadable};
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
    /// A rule needs embeddings and there are none.
    #[error("rule {rule} goes by embeddings too, and no checkpoint is given to make them")]
    NoEmbeddings {
        /// Which.
        rule: &'static str,
    },
}

/// What the rules judge by.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// Predictions with labels.
    pub judged: Option<&'a Judged<'a>>,
    /// What the pictures are like.
    pub pictures: &'a Pictures,
    /// Pairs that are close in embeddings: at least all that a rule's least
    /// cosine asks for.
    pub pairs: Option<&'a [ClosePair]>,
    /// The names of the classes by index.
    pub classes: &'a [String],
}

/// Lets every rule judge, in the order given.
///
/// # Errors
/// When settings are out of range, or a rule needs what is not given.
pub fn propose(rules: &[Rule], material: &Material<'_>) -> Result<Vec<Finding>, ProposeError> {
    let mut findings = Vec::new();
    let pictures = material.pictures;
    for rule in rules {
        rule.recorded()?;
        let judged = || material.judged.ok_or(ProposeError::NoPredictions { rule: rule.name() });
        if rule.min_cosine().is_some() && material.pairs.is_none() {
            return Err(ProposeError::NoEmbeddings { rule: rule.name() });
        }
        let likeness = |max_distance, min_cosine| Likeness {
            max_distance,
            min_cosine,
            pairs: material.pairs.unwrap_or_default(),
        };
        findings.extend(match *rule {
            Rule::ConfidentlyWrong { above } => confidently_wrong(judged()?, above),
            Rule::Ambiguous { low, high } => ambiguous(judged()?, low, high),
            Rule::ConfidentLearning { filter, min_per_class } => {
                confident_learning(judged()?, filter, min_per_class)
            }
            Rule::NearDuplicate { max_distance, min_cosine } => {
                near_duplicates(&pictures.facts, &likeness(max_distance, min_cosine))
            }
            Rule::Leakage { max_distance, min_cosine } => {
                leakage(&pictures.facts, &likeness(max_distance, min_cosine))
            }
            Rule::ConflictingDuplicate { max_distance, min_cosine } => {
                conflicting_duplicates(&pictures.facts, &likeness(max_distance, min_cosine), material.classes)
            }
            Rule::Blank { max_deviation } => blank(&pictures.facts, max_deviation),
            Rule::Tiny { min_edge } => tiny(&pictures.facts, min_edge),
            Rule::Unreadable => unreadable(&pictures.unreadable),
            Rule::ColourModel { usual_share } => colour_model(&pictures.facts, usual_share),
        });
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use safelight_lineage::event::Split;
    use safelight_lineage::id::ImageId;

    use super::super::picture::{Colours, PictureFacts, PictureMeasure};
    use super::*;

    #[test]
    fn rules_judge_in_turn_and_say_what_they_lack() {
        let measure = PictureMeasure::of((1, 1), Colours::Rgb, &[0; 1024]);
        let picture = PictureFacts { image: ImageId([1; 16]), label: None, split: Split::Train, measure };
        let pictures = Pictures { facts: vec![picture], unreadable: Vec::new() };
        let material = Material { judged: None, pictures: &pictures, pairs: None, classes: &[] };
        let rules = [Rule::DEFAULTS[7], Rule::DEFAULTS[3], Rule::DEFAULTS[6]];
        let found = propose(&rules, &material).unwrap();
        let names: Vec<_> = found.into_iter().map(|finding| finding.rule).collect();
        assert_eq!(names, ["tiny", "blank"]);
        assert_eq!(
            propose(&[Rule::DEFAULTS[0]], &material),
            Err(ProposeError::NoPredictions { rule: "confidently-wrong" })
        );
        assert_eq!(
            propose(&[Rule::DEFAULTS[3].by_cosine_too(0.9)], &material),
            Err(ProposeError::NoEmbeddings { rule: "near-duplicate" })
        );
        let proposed = propose(&[Rule::Tiny { min_edge: 0 }], &material);
        assert!(matches!(proposed, Err(ProposeError::Rule(RuleError::Range { .. }))));
        assert!(Rule::DEFAULTS.iter().filter(|rule| rule.needs_predictions()).count() == 3);
    }
}
