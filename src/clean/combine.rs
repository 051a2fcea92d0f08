//! Several rules' findings as one list of images.

use std::collections::BTreeMap;

use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

use super::finding::{Finding, rounded};
use super::rule::Rule;

/// Softens the weight of the first ranks (Cormack, Clarke and Buettcher,
/// "Reciprocal rank fusion", SIGIR 2009).
const SOFTENING: f64 = 60.0;

/// One image with all that the rules found in it.
#[derive(Debug, Clone, PartialEq)]
pub struct CombinedFinding {
    /// The image.
    pub image: ImageId,
    /// Its place among all images, 1 is the worst.
    pub rank: u32,
    /// The share of the score that first place under every rule would give, 0
    /// to 1, in steps of a billionth.
    pub score: f64,
    /// The suggestion with the best rank.
    pub suggested: Option<ClassIndex>,
    /// What each rule found, the best rank first, of equals by rule name.
    pub findings: Vec<Finding>,
}

/// Brings the findings of several rules together, one entry for each image.
///
/// Scores of different rules do not compare, so ranks are combined: an image
/// scores `Σ weight/(60 + rank)` over the rules that found it, and so one that
/// several rules find comes before one that a single rule puts as high. Of
/// equals the lower image id comes first. See [`Rule::weight`]; a rule of a
/// newer version weighs 1.
pub fn combine(findings: Vec<Finding>) -> Vec<CombinedFinding> {
    let mut rules: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let weight = |rule: &str| Rule::from_name(rule).map_or(1.0, |rule| rule.weight());
    let best = rules.iter().map(|rule| weight(rule)).sum::<f64>() / (SOFTENING + 1.0);
    let mut by_image: BTreeMap<ImageId, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        by_image.entry(finding.image).or_default().push(finding);
    }
    let mut combined: Vec<CombinedFinding> = by_image
        .into_iter()
        .map(|(image, mut findings)| {
            findings.sort_by(|a, b| (a.rank, &a.rule).cmp(&(b.rank, &b.rule)));
            findings.dedup_by(|later, earlier| later.rule == earlier.rule);
            let share = |finding: &Finding| weight(&finding.rule) / (SOFTENING + f64::from(finding.rank));
            let sum: f64 = findings.iter().map(share).sum();
            let suggested = findings.iter().find_map(|finding| finding.suggested);
            CombinedFinding { image, rank: 0, score: rounded(sum / best), suggested, findings }
        })
        .collect();
    combined.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.image.cmp(&b.image)));
    for (rank, entry) in (1..).zip(&mut combined) {
        entry.rank = rank;
    }
    combined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(image: u8, rule: &str, rank: u32, suggested: Option<u16>) -> Finding {
        Finding {
            image: ImageId([image; 16]),
            rule: rule.to_owned(),
            score: 0.5,
            rank,
            reason: String::new(),
            label: None,
            suggested: suggested.map(ClassIndex),
            related: vec![],
        }
    }

    #[test]
    fn an_image_that_several_rules_find_comes_first() {
        let combined = combine(vec![
            finding(1, "a", 1, Some(0)),
            finding(2, "a", 2, Some(1)),
            finding(3, "b", 1, None),
            finding(2, "b", 2, None),
            finding(4, "a", 3, None),
        ]);
        let order: Vec<_> = combined.iter().map(|entry| (entry.image.0[0], entry.rank)).collect();
        assert_eq!(order, [(2, 1), (1, 2), (3, 3), (4, 4)]);
        assert_eq!(combined[0].findings.len(), 2);
        assert_eq!(combined[0].suggested, Some(ClassIndex(1)));
        assert_eq!(combined[1].score, 0.5);
        assert_eq!(combine(vec![]), []);
    }

    #[test]
    fn what_wavers_comes_after_what_is_wrong() {
        let findings = vec![finding(1, "ambiguous", 1, None), finding(2, "confident-learning/both", 9, None)];
        let order: Vec<_> = combine(findings).iter().map(|entry| entry.image.0[0]).collect();
        assert_eq!(order, [2, 1]);
    }

    #[test]
    fn the_best_ranked_suggestion_counts_and_order_of_input_does_not() {
        let mut findings = vec![
            finding(1, "a", 3, Some(0)),
            finding(1, "b", 1, None),
            finding(1, "c", 2, Some(5)),
            finding(2, "c", 1, None),
        ];
        let combined = combine(findings.clone());
        assert_eq!(combined[0].suggested, Some(ClassIndex(5)));
        findings.reverse();
        assert_eq!(combine(findings), combined);
    }
}
