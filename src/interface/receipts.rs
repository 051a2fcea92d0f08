//! Receipts of replays, as the terminal interface shows them.

use safelight_lineage::digest::BlobId;
use safelight_lineage::value::Seq;
use safelight_store::Blobs;
use safelight_tui::{PortError, ReceiptView, Receipts, ReplayStep};
use serde::Deserialize;

use crate::replay::Difference;
use crate::replay::surroundings::{Respect, Surroundings};

/// The receipts of a repository.
pub(super) struct StoredReceipts(pub(super) Blobs);

impl Receipts for StoredReceipts {
    fn receipt(&mut self, blob: BlobId) -> Result<ReceiptView, PortError> {
        let bytes = self.0.get(blob).map_err(PortError::new)?;
        let stated: Stated = serde_json::from_slice(&bytes).map_err(PortError::new)?;
        Ok(stated.into())
    }
}

/// The parts of a receipt that are shown; of its first version too, which had
/// fewer.
#[derive(Deserialize)]
struct Stated {
    frame: String,
    #[serde(default)]
    environments: Vec<StatedEnvironment>,
    #[serde(default)]
    taken_as_recorded: Vec<String>,
    steps: Vec<StatedStep>,
    #[serde(default)]
    program: String,
}

#[derive(Deserialize)]
struct StatedEnvironment {
    of: String,
    differences: Vec<Respect>,
}

#[derive(Deserialize)]
struct StatedStep {
    what: String,
    #[serde(default)]
    seq: u64,
    expected: String,
    actual: String,
    difference: Option<Difference>,
}

impl From<Stated> for ReceiptView {
    fn from(stated: Stated) -> ReceiptView {
        let differs = |StatedEnvironment { of, differences }| {
            let words = Surroundings { of: String::new(), seq: Seq::ZERO, differences }.in_words()?;
            Some(format!("{of}: {words}"))
        };
        let step = |step: StatedStep| ReplayStep {
            what: step.what,
            seq: Seq(step.seq),
            expected: step.expected,
            actual: step.actual,
            note: step.difference.map_or_else(String::new, |found| found.in_words()),
        };
        ReceiptView {
            frame: stated.frame,
            steps: stated.steps.into_iter().map(step).collect(),
            environments: stated.environments.into_iter().filter_map(differs).collect(),
            taken_as_recorded: stated.taken_as_recorded,
            program: stated.program,
        }
    }
}

#[cfg(test)]
mod tests {
    use safelight_lineage::digest::FrameDigest;
    use safelight_lineage::event::{EventRef, ReplayDepth, ReplayOutcome};
    use safelight_lineage::id::{SubmissionId, TransactionId};

    use super::*;
    use crate::replay::{Receipt, StepReceipt};

    fn read(bytes: &[u8]) -> ReceiptView {
        serde_json::from_slice::<Stated>(bytes).expect("a receipt").into()
    }

    #[test]
    fn a_receipt_is_shown_as_it_was_written() {
        let respect = |what: &str, recorded: &str, here: &str| Respect {
            what: what.to_owned(),
            recorded: recorded.to_owned(),
            here: here.to_owned(),
        };
        let at =
            |seq, differences| Surroundings { of: "run 01010101".to_owned(), seq: Seq(seq), differences };
        let receipt = Receipt {
            version: crate::replay::receipt::VERSION,
            submission: SubmissionId([7; 16]),
            depth: ReplayDepth::Training,
            frame: FrameDigest([3; 32]),
            seq: Seq(40),
            manifest: None,
            environments: vec![at(9, vec![]), at(12, vec![respect("threads", "4", "2")])],
            taken_as_recorded: vec!["the temperature of predictions 02020202".to_owned()],
            steps: vec![StepReceipt {
                what: "probabilities".to_owned(),
                event: EventRef { transaction: TransactionId([1; 16]), index: 0 },
                seq: Seq(12),
                expected: BlobId([1; 32]),
                actual: BlobId([2; 32]),
                difference: Some(Difference { largest: 0.25, equal_decisions: 0.5 }),
            }],
            outcome: ReplayOutcome::Identical,
            program: "safelight 9".to_owned(),
        };
        let view = read(&receipt.to_json());
        assert_eq!(view.frame, "03".repeat(32));
        assert_eq!(view.environments, ["run 01010101: threads: 4 then, 2 here"]);
        assert_eq!(view.taken_as_recorded.len(), 1);
        let step = &view.steps[0];
        assert_eq!((step.seq, step.is_equal()), (Seq(12), false));
        assert_eq!(step.expected, "01".repeat(32));
        assert_eq!(step.note, "largest difference 2.50e-1, 50.00 % equal decisions");
    }

    #[test]
    fn the_first_version_had_less_to_say() {
        let view = read(br#"{"frame":"aa","steps":[{"what":"the file","expected":"b","actual":"b"}]}"#);
        assert!(view.steps[0].is_equal() && view.environments.is_empty());
    }
}
