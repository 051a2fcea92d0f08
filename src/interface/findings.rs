//! What cleaning passes found.

use safelight_lineage::id::PassId;
use safelight_store::Blobs;
use safelight_tui::{Finding, Findings, PortError};

use super::ports::SharedSession;
use crate::clean::{self, CombinedFinding, combine};

/// The findings of passes, an image each.
pub(super) struct StoredFindings {
    pub(super) session: SharedSession,
    pub(super) blobs: Blobs,
}

impl Findings for StoredFindings {
    fn findings(&mut self, pass: PassId) -> Result<Vec<Finding>, PortError> {
        let blob = {
            let mut session = self.session.lock();
            session.repository_mut().refresh().map_err(PortError::new)?;
            let record = session.state().passes().get(pass);
            let record = record.ok_or_else(|| PortError::new(format!("there is no cleaning pass {pass}")))?;
            record.proposed.event.findings
        };
        let bytes = self.blobs.get(blob).map_err(PortError::new)?;
        let findings = clean::Findings::from_bytes(&bytes).map_err(PortError::new)?;
        Ok(combine(findings.0).into_iter().map(of_one_image).collect())
    }
}

/// An image that several rules found is shown once, with all their reasons; the
/// rule that ranks it highest is the one a decision rests on, as on the command line.
fn of_one_image(entry: CombinedFinding) -> Finding {
    let first = entry.findings.first();
    let mut group: Vec<_> = entry.findings.iter().flat_map(|finding| &finding.related).copied().collect();
    group.sort_unstable();
    group.dedup();
    group.retain(|image| *image != entry.image);
    let notes: Vec<String> = match &entry.findings[..] {
        [only] => vec![only.reason.clone()],
        several => several.iter().map(|finding| format!("{}: {}", finding.rule, finding.reason)).collect(),
    };
    Finding {
        image: entry.image,
        rule: first.map(|finding| finding.rule.clone()).unwrap_or_default(),
        score: first.map_or(entry.score, |finding| finding.score),
        suggestion: entry.suggested,
        group,
        note: notes.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use safelight_lineage::id::ImageId;
    use safelight_lineage::value::ClassIndex;

    use super::*;

    #[test]
    fn an_image_that_two_rules_found_is_shown_once() {
        let id = |n: u8| ImageId([n; 16]);
        let finding = |image: u8, rule: &str, rank: u32, related: Vec<ImageId>| clean::Finding {
            image: id(image),
            rule: rule.to_owned(),
            score: 0.5,
            rank,
            reason: format!("{rule} says so"),
            label: None,
            suggested: (rule == "b").then_some(ClassIndex(2)),
            related,
        };
        let found = vec![finding(1, "a", 1, vec![id(9)]), finding(1, "b", 3, vec![id(9), id(1), id(4)])];
        let shown: Vec<Finding> = combine(found).into_iter().map(of_one_image).collect();
        assert_eq!(shown.len(), 1);
        assert_eq!((shown[0].rule.as_str(), shown[0].suggestion), ("a", Some(ClassIndex(2))));
        assert_eq!(shown[0].group, [id(4), id(9)]);
        assert_eq!(shown[0].note, "a: a says so; b: b says so");
    }
}
