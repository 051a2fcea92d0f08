//! Replays on the Submissions screen: their steps as they happen, and receipts.

use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{ReplayDepth, ReplayOutcome, SubmissionReplayed};
use safelight_lineage::id::SubmissionId;
use safelight_lineage::value::Timestamp;

use crate::detail::{Target, lines};
use crate::msg::{Cmd, Msg};
use crate::ports::{JobRequest, JobStatus, JobView};
use crate::replay_view::{ReplayStep, ReplayView};
use crate::testing::dump;
use crate::testing::history::{blob, receipt, step};
use crate::testing::stage::{Stage, jobs};

const SUBMISSION: SubmissionId = SubmissionId([0x71; 16]);
/// After everything in the made-up history.
pub const LATE: Timestamp = Timestamp(1_796_000_000_000);

/// A job that replays the submission to its predictions.
pub fn replaying(status: JobStatus, steps: Vec<ReplayStep>, doing: Option<&str>) -> JobView {
    JobView {
        id: "9".into(),
        title: "replay 71717171 --depth predictions".into(),
        status,
        started: LATE,
        progress: Some(0.25),
        replay: Some(ReplayView {
            submission: SUBMISSION,
            depth: "predictions".into(),
            doing: doing.map(str::to_owned),
            steps,
            verdict: None,
        }),
        series: vec![],
        ..jobs().remove(0)
    }
}

fn submissions() -> Stage {
    let mut stage = Stage::new(120, 40);
    stage.press("7");
    stage
}

fn text(stage: &Stage) -> String {
    lines(&stage.model).iter().map(|line| line.line.to_string() + "\n").collect()
}

#[test]
fn the_steps_of_a_replay_are_shown_as_they_happen_and_then_its_receipt() {
    let mut stage = submissions();
    stage.press("Enter j j y p");
    assert_eq!(stage.model.detail.selected, 0, "the steps come to the top");
    assert_eq!(
        stage.started,
        [JobRequest::Replay { submission: SUBMISSION.to_string(), depth: "predictions" }]
    );
    assert!(stage.notice().contains("steps are shown here"), "{}", stage.notice());
    let steps = vec![step("the test split as it was", 80, true)];
    let doing = Some("computing predictions 40404040 again");
    stage.tell(Msg::Jobs(vec![replaying(JobStatus::Running, steps, doing)]));
    let shown = text(&stage);
    assert!(shown.starts_with("replaying to predictions …\n"), "{shown}");
    assert!(
        shown.contains("25 %") && shown.contains("  equal   d8c330d1 the test split as it was\n"),
        "{shown}"
    );
    assert!(shown.contains("now         computing predictions 40404040 again"), "{shown}");
    assert!(dump::text(&stage.model).contains("replaying 25 % to pred"), "in the list too");
    // The verdict of the one before stays below.
    assert!(shown.contains("IDENTICAL, replayed to votes"), "{shown}");

    let recorded = SubmissionReplayed {
        submission: SUBMISSION,
        depth: ReplayDepth::Predictions,
        outcome: ReplayOutcome::Identical,
        environment: blob("environment"),
        receipt: blob("another receipt"),
    };
    let mut done = replaying(JobStatus::Done, vec![step("the file", 82, true)], None);
    // The log's clock in tests stands before this job: as if it had begun earlier.
    done.started = Timestamp(1_795_000_000_000);
    done.took = Some(1e6);
    done.replay.as_mut().expect("a replay").verdict = Some("identical".into());
    stage.log.commit(crate::testing::history::ada(), None, vec![recorded.into()]);
    stage.tell(Msg::Jobs(vec![done]));
    stage.look();
    let shown = text(&stage);
    assert!(shown.starts_with("IDENTICAL, replayed to predictions\n"), "{shown}");
    assert!(shown.contains("took 277 h 46 min"), "{shown}");
    assert!(shown.contains("3 of 3 equal") && !shown.contains("replaying"), "{shown}");
}

#[test]
fn what_differs_is_shown_with_both_digests_and_leads_to_its_event() {
    let mut stage = submissions();
    stage.answering = false;
    let wrong = step("votes of ensemble 61616161", 81, false);
    let outcome = ReplayOutcome::Diverged {
        event: None,
        expected: BlobId([1; 32]),
        actual: BlobId([2; 32]),
        cause: "the record or what it rests on was changed".into(),
    };
    let recorded = SubmissionReplayed {
        submission: SUBMISSION,
        depth: ReplayDepth::Votes,
        outcome,
        environment: blob("environment"),
        receipt: blob("a bad receipt"),
    };
    stage.log.commit(crate::testing::history::ada(), None, vec![recorded.into()]);
    stage.look();
    assert!(
        stage.asked.iter().any(|cmd| matches!(cmd, Cmd::LoadReceipt(of) if *of == blob("a bad receipt")))
    );
    assert!(text(&stage).contains("reading the receipt …"));
    let mut view = receipt();
    view.steps = vec![step("the test split as it was", 80, true), wrong.clone()];
    view.environments = vec!["run 01010101: threads: 4 then, 2 here".into()];
    stage.tell(Msg::Receipt(blob("a bad receipt"), Ok(view.into())));
    let shown = text(&stage);
    for words in ["DIFFERS, replayed to votes", "1 of 2 equal", "was changed", "elsewhere: run 01010101"] {
        assert!(shown.contains(words), "{words} is not in\n{shown}");
    }
    for (name, digest) in [("expected", &wrong.expected), ("found", &wrong.actual)] {
        assert!(shown.contains(&format!("{name:<8} {digest}")), "{shown}");
    }
    let found = lines(&stage.model).into_iter().find(|line| line.line.to_string().starts_with("  DIFFERS"));
    assert_eq!(found.expect("a line").target, Some(Target::Frame(wrong.seq)));

    stage.tell(Msg::Receipt(blob("a bad receipt"), Err("no such blob".into())));
    assert!(text(&stage).contains("the receipt cannot be read: no such blob"));
}

#[test]
fn a_replay_without_a_verdict_is_told_until_there_is_one() {
    let mut stage = submissions();
    stage.tell(Msg::Jobs(vec![replaying(JobStatus::Failed, vec![], Some("a step"))]));
    let shown = text(&stage);
    assert!(shown.starts_with("the replay to predictions failed: no verdict\n"), "{shown}");
    assert!(shown.contains("hostile") && !shown.contains("a step"), "its last words\n{shown}");
    stage.tell(Msg::Jobs(vec![replaying(JobStatus::Cancelled, vec![], None)]));
    assert!(text(&stage).starts_with("the replay to predictions was stopped"));
    // A verdict that came after it counts more.
    let old = JobView { started: Timestamp(1), ..replaying(JobStatus::Failed, vec![], None) };
    stage.tell(Msg::Jobs(vec![old]));
    assert!(text(&stage).starts_with("IDENTICAL"), "{}", text(&stage));
    // In the past nothing runs.
    stage.tell(Msg::Jobs(vec![replaying(JobStatus::Running, vec![], None)]));
    stage.press("[");
    assert!(!text(&stage).contains("replaying"), "{}", text(&stage));
}

#[test]
fn of_many_equal_comparisons_the_first_are_shown() {
    let mut stage = submissions();
    let steps = (0..20).map(|n| step(&format!("probabilities {n}"), n, true));
    let steps = steps.chain([step("the file", 30, false)]).collect();
    stage.tell(Msg::Jobs(vec![replaying(JobStatus::Running, steps, None)]));
    let shown = text(&stage);
    assert!(shown.contains("probabilities 11\n") && !shown.contains("probabilities 12\n"), "{shown}");
    assert!(shown.contains("and 8 more are equal") && shown.contains("DIFFERS the file"), "{shown}");
}
