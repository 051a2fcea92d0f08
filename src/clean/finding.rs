//! What a rule found, and the JSON blob that keeps the findings of a pass.

use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;
use serde::{Deserialize, Serialize};

const VERSION: u32 = 1;

/// Scores are kept to this many parts of one. So every score survives JSON
/// exactly, and two machines whose logarithms differ in the last bit rank alike.
const SCORE_PARTS: f64 = 1e9;

/// One image that a rule holds to be wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The image.
    pub image: ImageId,
    /// The rule's name; see [`Rule::name`](super::Rule::name).
    pub rule: String,
    /// How sure the rule is, 0 to 1, in steps of a billionth; higher is worse.
    /// Scores of different rules do not compare.
    pub score: f64,
    /// Its place among the findings of its rule, 1 is the worst.
    pub rank: u32,
    /// Why, in plain words, safe on a terminal.
    pub reason: String,
    /// The label it had.
    pub label: Option<ClassIndex>,
    /// The label that the rule would give it, where it has an opinion.
    pub suggested: Option<ClassIndex>,
    /// Other images that the reason speaks of.
    pub related: Vec<ImageId>,
}

/// Rounds scores, sorts one rule's findings worst first (of equals the lower
/// image id), and numbers them from 1.
pub fn ranked(mut findings: Vec<Finding>) -> Vec<Finding> {
    for finding in &mut findings {
        finding.score = rounded(finding.score);
    }
    findings.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.image.cmp(&b.image)));
    for (rank, finding) in (1..).zip(&mut findings) {
        finding.rank = rank;
    }
    findings
}

/// A score in 0 to 1 at its resolution; no negative zero.
pub(super) fn rounded(score: f64) -> f64 {
    (score.clamp(0.0, 1.0) * SCORE_PARTS).round() / SCORE_PARTS + 0.0
}

/// Why bytes are not findings.
#[derive(Debug, thiserror::Error)]
pub enum FindingsError {
    /// They are not the JSON of findings.
    #[error("not findings: {0}")]
    Json(#[from] serde_json::Error),
    /// They are of another version.
    #[error("findings of version {found}; this program reads version {VERSION}")]
    Version {
        /// The version they state.
        found: u32,
    },
    /// An image id is not one.
    #[error(transparent)]
    Image(#[from] safelight_lineage::id::ParseIdError),
    /// A score is out of range.
    #[error("the score of image {image} under {rule} is {score}; scores are 0 to 1")]
    Score {
        /// The image.
        image: ImageId,
        /// The rule.
        rule: String,
        /// What was found.
        score: f64,
    },
}

/// The findings of a pass, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings(pub Vec<Finding>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    findings: Vec<StoredFinding>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFinding {
    image: String,
    rule: String,
    score: f64,
    rank: u32,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suggested: Option<u16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    related: Vec<String>,
}

impl Findings {
    /// How many different images they name.
    pub fn images(&self) -> usize {
        let mut images: Vec<ImageId> = self.0.iter().map(|finding| finding.image).collect();
        images.sort_unstable();
        images.dedup();
        images.len()
    }

    /// The blob: JSON, one line. Equal findings have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let stored = |finding: &Finding| StoredFinding {
            image: finding.image.to_string(),
            rule: finding.rule.clone(),
            score: rounded(finding.score),
            rank: finding.rank,
            reason: finding.reason.clone(),
            label: finding.label.map(|label| label.0),
            suggested: finding.suggested.map(|label| label.0),
            related: finding.related.iter().map(ImageId::to_string).collect(),
        };
        let stored = Stored { version: VERSION, findings: self.0.iter().map(stored).collect() };
        let mut bytes = serde_json::to_vec(&stored).expect("strings, numbers and lists always become JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// When the bytes are not findings of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FindingsError> {
        /// Read first, so that newer findings are not called malformed.
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version: found } = serde_json::from_slice(bytes)?;
        if found != VERSION {
            return Err(FindingsError::Version { found });
        }
        let stored: Stored = serde_json::from_slice(bytes)?;
        let finding = |stored: StoredFinding| {
            let image = stored.image.parse()?;
            if !(0.0..=1.0).contains(&stored.score) {
                return Err(FindingsError::Score { image, rule: stored.rule, score: stored.score });
            }
            Ok(Finding {
                image,
                rule: stored.rule,
                score: stored.score,
                rank: stored.rank,
                reason: stored.reason,
                label: stored.label.map(ClassIndex),
                suggested: stored.suggested.map(ClassIndex),
                related: stored.related.iter().map(|id| id.parse()).collect::<Result<_, _>>()?,
            })
        };
        stored.findings.into_iter().map(finding).collect::<Result<_, _>>().map(Findings)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finding(image: u8, score: f64) -> Finding {
        Finding {
            image: ImageId([image; 16]),
            rule: "ambiguous".to_owned(),
            score,
            rank: 0,
            reason: "two \"classes\"".to_owned(),
            label: None,
            suggested: Some(ClassIndex(2)),
            related: vec![],
        }
    }

    #[test]
    fn the_worst_comes_first_and_equals_go_by_image() {
        let close = 0.5 + 1e-12;
        let ranked = ranked(vec![finding(3, close), finding(2, 0.5), finding(1, 0.25), finding(4, 7.0)]);
        let order: Vec<_> = ranked.iter().map(|finding| (finding.image.0[0], finding.rank)).collect();
        assert_eq!(order, [(4, 1), (2, 2), (3, 3), (1, 4)]);
        assert_eq!((ranked[0].score, ranked[2].score), (1.0, 0.5));
    }

    #[test]
    fn the_json_is_stable() {
        let mut with_label = finding(1, 0.25);
        with_label.label = Some(ClassIndex(0));
        with_label.related = vec![ImageId([2; 16])];
        let findings = Findings(vec![with_label, finding(1, 1.0)]);
        let json = concat!(
            r#"{"version":1,"findings":[{"image":"01010101010101010101010101010101","rule":"ambiguous","score":0.25,"#,
            r#""rank":0,"reason":"two \"classes\"","label":0,"suggested":2,"related":["02020202020202020202020202020202"]},"#,
            r#"{"image":"01010101010101010101010101010101","rule":"ambiguous","score":1.0,"rank":0,"#,
            r#""reason":"two \"classes\"","suggested":2}]}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(findings.to_bytes()).unwrap(), json);
        assert_eq!(Findings::from_bytes(json.as_bytes()).unwrap(), findings);
        assert_eq!(findings.images(), 1);
    }

    #[test]
    fn other_json_is_refused() {
        let with = |from: &str, to: &str| {
            let json = String::from_utf8(Findings(vec![finding(1, 0.25)]).to_bytes()).unwrap();
            assert!(json.contains(from));
            Findings::from_bytes(json.replace(from, to).as_bytes()).unwrap_err()
        };
        assert!(matches!(with(":1,", ":2,"), FindingsError::Version { found: 2 }));
        assert!(matches!(with("rank", "rang"), FindingsError::Json(_)));
        assert!(matches!(with("0.25", "1.25"), FindingsError::Score { .. }));
        assert!(matches!(with("0101", "01"), FindingsError::Image(_)));
    }

    proptest! {
        #[test]
        fn every_score_survives(score in 0.0f64..=1.0) {
            let findings = Findings(ranked(vec![finding(1, score)]));
            let again = Findings::from_bytes(&findings.to_bytes()).unwrap();
            prop_assert_eq!(again.0[0].score.to_bits(), findings.0[0].score.to_bits());
        }
    }
}
