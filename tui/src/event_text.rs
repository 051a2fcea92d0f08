//! Events in words.

use std::collections::BTreeMap;

use safelight_lineage::event::{
    Decision, Event, Frame, PredictionSource, ReplayDepth, ReplayOutcome, SubmissionSource, ViewPolicy,
};
use safelight_lineage::id::ImageId;
use safelight_lineage::state::State;
use safelight_lineage::value::{ClassIndex, Seq, escape};

use crate::text::{counted, safe};

/// How many events of one frame are put into words; an import may have a million.
const LINES: usize = 1_000;

/// A frame in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameText {
    /// The Seq of its first event.
    pub first_seq: Seq,
    /// What happened, counted by kind.
    pub summary: String,
    /// Its events, the first [`LINES`] of them.
    pub lines: Vec<EventLine>,
    /// How many more there are.
    pub more: u64,
}

/// An event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLine {
    /// Its place in the log.
    pub seq: Seq,
    /// The name of its kind.
    pub kind: &'static str,
    /// What it says.
    pub text: String,
    /// The image it is about, if it is about one.
    pub image: Option<ImageId>,
}

impl FrameText {
    /// Puts a frame into words; `state` knows names.
    pub fn new(state: &State, frame: &Frame) -> FrameText {
        let mut kinds: BTreeMap<(u16, &'static str), u64> = BTreeMap::new();
        for event in &frame.events {
            *kinds.entry((event.kind(), event.kind_name())).or_insert(0) += 1;
        }
        let summary = kinds.iter().map(|((_, kind), count)| match count {
            1 => (*kind).to_owned(),
            count => format!("{kind} ×{}", crate::text::count(*count)),
        });
        let first = frame.header.first_seq;
        let numbered = frame.events.iter().take(LINES).enumerate();
        let lines = numbered.map(|(index, event)| EventLine {
            seq: first.plus(index as u64),
            kind: event.kind_name(),
            text: describe(state, event),
            image: image_of(event),
        });
        FrameText {
            first_seq: first,
            summary: summary.collect::<Vec<_>>().join(", "),
            lines: lines.collect(),
            more: frame.events.len().saturating_sub(LINES) as u64,
        }
    }
}

/// The name of a label, harmless; `no label` without one.
pub fn label(state: &State, label: Option<ClassIndex>) -> String {
    match label {
        None => "no label".to_owned(),
        Some(index) => match state.classes().get(usize::from(index.0)) {
            Some(name) => safe(name),
            None => format!("class {}", index.0),
        },
    }
}

/// The path of an image, harmless; the start of its id when it is not known.
pub fn image_name(state: &State, image: ImageId) -> String {
    state.image(image).map_or_else(|| image.short(), |view| view.path_text())
}

/// `training`, `predictions` or `votes`.
pub fn depth(depth: ReplayDepth) -> &'static str {
    match depth {
        ReplayDepth::Votes => "votes",
        ReplayDepth::Predictions => "predictions",
        ReplayDepth::Training => "training",
    }
}

/// The outcome of a replay in words.
pub fn outcome(outcome: &ReplayOutcome) -> String {
    match outcome {
        ReplayOutcome::Identical => "identical".to_owned(),
        ReplayOutcome::WithinTolerance { largest_difference, equal_decisions } => format!(
            "within tolerance: differs by {:.2e} at most, {:.2} % of decisions equal",
            largest_difference.0,
            equal_decisions.0 * 100.0
        ),
        ReplayOutcome::Diverged { expected, actual, cause, .. } => {
            format!("diverged: expected {}, got {}: {}", expected.short(), actual.short(), safe(cause))
        }
    }
}

/// A decision on a finding in words.
pub fn decision(state: &State, decision: Decision) -> String {
    match decision {
        Decision::Kept => "kept".to_owned(),
        Decision::Relabelled { label: new } => format!("relabelled {}", label(state, Some(new))),
        Decision::Removed => "removed".to_owned(),
        Decision::Skipped => "not sure".to_owned(),
    }
}

/// What made predictions, in words.
pub fn source(source: &PredictionSource) -> String {
    match source {
        PredictionSource::Checkpoint { checkpoint } => format!("checkpoint {}", checkpoint.short()),
        PredictionSource::Folds { checkpoints } => {
            counted(checkpoints.len() as u64, "fold checkpoint", "fold checkpoints")
        }
        PredictionSource::External { name } => format!("external '{}'", safe(name)),
    }
}

/// Which views predictions are a mean of, in words.
pub fn views(views: ViewPolicy) -> String {
    match views {
        ViewPolicy::Plain => "plain".to_owned(),
        ViewPolicy::TestTimeAugmentation { views, .. } => format!("TTA {views} views"),
        ViewPolicy::TenCrop { resize } => format!("10-crop of {resize}"),
        ViewPolicy::Unknown => "unknown views".to_owned(),
    }
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({})", safe(reason)) }
}

fn image_of(event: &Event) -> Option<ImageId> {
    match event {
        Event::ImageImported(event) => Some(event.image),
        Event::ImageRevised(event) => Some(event.image),
        Event::ImageRelabelled(event) => Some(event.image),
        Event::ImageRemoved(event) => Some(event.image),
        Event::ImageRestored(event) => Some(event.image),
        Event::ReviewDecided(event) => Some(event.image),
        _ => None,
    }
}

/// An event in words; `state` knows names.
pub fn describe(state: &State, event: &Event) -> String {
    let name = |image| image_name(state, image);
    match event {
        Event::DatasetCreated(event) => format!(
            "dataset {} with {}",
            safe(&event.name),
            counted(event.classes.len() as u64, "class", "classes")
        ),
        Event::ClassesAdded(event) => {
            format!(
                "classes {}",
                event.classes.iter().map(|class| safe(class)).collect::<Vec<_>>().join(", ")
            )
        }
        Event::ImageImported(event) => {
            format!("{} · {} · {}", escape(event.path.as_bytes()), event.split, label(state, event.label))
        }
        Event::ImageRevised(event) => {
            format!(
                "{}: {} → {}{}",
                name(event.image),
                event.old.short(),
                event.new.short(),
                because(&event.reason)
            )
        }
        Event::ImageRelabelled(event) => format!(
            "{}: {} → {}{}",
            name(event.image),
            label(state, event.old),
            label(state, event.new),
            because(&event.reason)
        ),
        Event::ImageRemoved(event) => format!("{}{}", name(event.image), because(&event.reason)),
        Event::ImageRestored(event) => format!("{}{}", name(event.image), because(&event.reason)),
        Event::ReviewDecided(event) => format!(
            "{}: {} in pass {}",
            name(event.image),
            decision(state, event.decision),
            event.pass.short()
        ),
        Event::WeightsAdded(event) => format!("{} for {}", safe(&event.name), safe(&event.architecture)),
        Event::RunStarted(event) => match event.parent {
            Some(parent) => format!("run {} from checkpoint {}", event.run.short(), parent.short()),
            None => format!("run {}", event.run.short()),
        },
        Event::LearningRateFound(event) => {
            format!("{:.2e} by {} for run {}", event.suggestion.0, safe(&event.method), event.run.short())
        }
        Event::CheckpointSaved(event) => format!(
            "checkpoint {}: {} at {} px, stage {}, {}",
            event.checkpoint.short(),
            safe(&event.architecture),
            event.image_size,
            event.stage,
            event
                .metrics
                .iter()
                .map(|(name, value)| format!("{} {:.4}", safe(name), value.0))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Event::RunFinished(event) => format!("run {}", event.run.short()),
        Event::RunFailed(event) => format!("run {}{}", event.run.short(), because(&event.reason)),
        Event::RunCancelled(event) => format!("run {}{}", event.run.short(), because(&event.reason)),
        Event::PredictionsRecorded(event) => format!(
            "predictions {} of {} on {}, {}",
            event.predictions.short(),
            source(&event.source),
            event.split,
            views(event.views)
        ),
        Event::CleaningPassProposed(event) => format!(
            "pass {} by {}: {}",
            event.pass.short(),
            event.rules.iter().map(|rule| safe(&rule.rule)).collect::<Vec<_>>().join(", "),
            counted(event.found, "finding", "findings")
        ),
        Event::GeneratorTrained(event) => {
            format!("generator {} of {}", event.generator.short(), label(state, event.class))
        }
        Event::SamplesGenerated(event) => format!(
            "{} of {} by generator {}, seed {}",
            counted(event.blobs.len() as u64, "sample", "samples"),
            label(state, Some(event.class)),
            event.generator.short(),
            event.seed
        ),
        Event::SamplesAdmitted(event) => format!(
            "{} of batch {} as {}",
            counted(event.images.len() as u64, "image", "images"),
            event.samples.short(),
            label(state, Some(event.label))
        ),
        Event::SamplesExpelled(event) => format!("batch {}{}", event.samples.short(), because(&event.reason)),
        Event::EnsembleVoted(event) => format!(
            "ensemble {} of {} by {} vote",
            event.ensemble.short(),
            counted(event.members.len() as u64, "member", "members"),
            vote_rule(event.rule)
        ),
        Event::SubmissionWritten(event) => format!(
            "submission {} of {} from {}",
            event.submission.short(),
            counted(event.rows, "row", "rows"),
            match event.source {
                SubmissionSource::Ensemble { ensemble } => format!("ensemble {}", ensemble.short()),
                SubmissionSource::Predictions { predictions } =>
                    format!("predictions {}", predictions.short()),
            }
        ),
        Event::SubmissionScored(event) => format!(
            "submission {}: public {}, private {}",
            event.submission.short(),
            score(event.public.map(|score| score.0)),
            score(event.private.map(|score| score.0))
        ),
        Event::SubmissionReplayed(event) => {
            format!(
                "submission {} to {}: {}",
                event.submission.short(),
                depth(event.depth),
                outcome(&event.outcome)
            )
        }
        Event::EventsReverted(event) => {
            let what = event.targets.iter().map(|target| match target.events.len() {
                0 => format!("transaction {}", target.transaction.short()),
                count => {
                    format!("{} of {}", counted(count as u64, "event", "events"), target.transaction.short())
                }
            });
            format!("took back {}{}", what.collect::<Vec<_>>().join(", "), because(&event.reason))
        }
        Event::Unknown(event) => format!("of a newer version: kind {}, schema {}", event.kind, event.schema),
    }
}

/// A score, or `–`.
pub fn score(score: Option<f64>) -> String {
    score.map_or_else(|| "–".to_owned(), |score| format!("{score:.5}"))
}

/// The name of a rule of voting.
pub fn vote_rule(rule: safelight_lineage::event::VoteRule) -> &'static str {
    use safelight_lineage::event::VoteRule;
    match rule {
        VoteRule::Majority => "majority",
        VoteRule::Weighted => "weighted",
        VoteRule::Soft => "soft",
    }
}
