//! Events, times and images in words.

use safelight_lineage::event::{
    Decision, Event, Evidence, Frame, PredictionSource, ReplayOutcome, SubmissionSource, ViewPolicy,
};
use safelight_lineage::id::ImageId;
use safelight_lineage::state::{ImageView, State};
use safelight_lineage::value::{ClassIndex, Timestamp, escape};

/// A time in the local time zone, to the second.
pub fn time(time: Timestamp) -> String {
    let milliseconds = i64::try_from(time.0).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_millisecond(milliseconds) {
        Ok(stamp) => stamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => format!("{milliseconds} ms"),
    }
}

/// A class by its name.
pub fn class(state: &State, label: Option<ClassIndex>) -> String {
    match label {
        None => "no label".to_owned(),
        Some(label) => state
            .classes()
            .get(usize::from(label.0))
            .map_or_else(|| format!("class {}", label.0), |name| escape(name.as_bytes())),
    }
}

/// An image by id and path.
pub fn image(state: &State, id: ImageId) -> String {
    match state.image(id) {
        Some(view) => view_words(&view),
        None => id.short(),
    }
}

/// An image by id, split and path.
pub fn view_words(view: &ImageView<'_>) -> String {
    format!("{} {}", view.id.short(), view.path_text())
}

fn evidence(evidence: &Evidence) -> String {
    let mut parts = Vec::new();
    if let Some(rule) = &evidence.rule {
        parts.push(format!("rule {rule}"));
    }
    if let Some(score) = evidence.score {
        parts.push(format!("score {:.3}", score.0));
    }
    if let Some(pass) = evidence.pass {
        parts.push(format!("pass {}", pass.short()));
    }
    if parts.is_empty() { String::new() } else { format!(" [{}]", parts.join(", ")) }
}

/// One event in a sentence without a full stop.
pub fn event(state: &State, event: &Event) -> String {
    match event {
        Event::DatasetCreated(e) => format!("dataset '{}' created", escape(e.name.as_bytes())),
        Event::ClassesAdded(e) => {
            format!("classes added: {}", escape(e.classes.join(", ").as_bytes()))
        }
        Event::ImageImported(e) => {
            format!("{} {} imported into {} as {}", e.image.short(), e.path, e.split, class(state, e.label))
        }
        Event::ImageRevised(e) => {
            format!(
                "{} revised: {} → {} ({})",
                image(state, e.image),
                e.old.short(),
                e.new.short(),
                text(&e.reason)
            )
        }
        Event::ImageRelabelled(e) => format!(
            "{} relabelled {} → {} ({}){}",
            image(state, e.image),
            class(state, e.old),
            class(state, e.new),
            text(&e.reason),
            evidence(&e.evidence)
        ),
        Event::ImageRemoved(e) => {
            format!("{} removed ({}){}", image(state, e.image), text(&e.reason), evidence(&e.evidence))
        }
        Event::ImageRestored(e) => format!("{} restored ({})", image(state, e.image), text(&e.reason)),
        Event::ReviewDecided(e) => {
            let decision = match e.decision {
                Decision::Kept => "kept".to_owned(),
                Decision::Relabelled { label } => format!("relabelled {}", class(state, Some(label))),
                Decision::Removed => "removed".to_owned(),
                Decision::Skipped => "skipped".to_owned(),
            };
            format!("{} reviewed in pass {}: {decision}", image(state, e.image), e.pass.short())
        }
        Event::WeightsAdded(e) => format!("weights {} added: {}", e.weights.short(), text(&e.name)),
        Event::RunStarted(e) => format!("run {} started on manifest {}", e.run.short(), e.manifest.short()),
        Event::LearningRateFound(e) => {
            format!("run {}: learning rate {:.2e} by {}", e.run.short(), e.suggestion.0, text(&e.method))
        }
        Event::CheckpointSaved(e) => {
            let accuracy = e
                .metrics
                .get("accuracy")
                .map_or_else(String::new, |value| format!(", accuracy {:.4}", value.0));
            format!(
                "checkpoint {} saved by run {}: {} at {} px, stage {}, {} epochs{accuracy}",
                e.checkpoint.short(),
                e.run.short(),
                text(&e.architecture),
                e.image_size,
                e.stage + 1,
                e.epoch
            )
        }
        Event::RunFinished(e) => format!("run {} finished", e.run.short()),
        Event::RunFailed(e) => format!("run {} failed: {}", e.run.short(), text(&e.reason)),
        Event::RunCancelled(e) => format!("run {} cancelled: {}", e.run.short(), text(&e.reason)),
        Event::PredictionsRecorded(e) => {
            let source = source(&e.source);
            let views = match e.views {
                ViewPolicy::Plain => "plain".to_owned(),
                ViewPolicy::TestTimeAugmentation { views, .. } => format!("{views} augmented views"),
                ViewPolicy::TenCrop { .. } => "10-crop".to_owned(),
                ViewPolicy::Unknown => "unknown views".to_owned(),
            };
            format!("predictions {} of {source} on {} ({views})", e.predictions.short(), e.split)
        }
        Event::CleaningPassProposed(e) => {
            let rules: Vec<&str> = e.rules.iter().map(|rule| rule.rule.as_str()).collect();
            format!("pass {} proposed {} images by {}", e.pass.short(), e.found, text(&rules.join(", ")))
        }
        Event::GeneratorTrained(e) => format!("generator {} trained", e.generator.short()),
        Event::SamplesGenerated(e) => {
            format!("{} samples {} generated", e.blobs.len(), e.samples.short())
        }
        Event::SamplesAdmitted(e) => format!("{} samples of {} admitted", e.images.len(), e.samples.short()),
        Event::SamplesExpelled(e) => format!("samples {} expelled ({})", e.samples.short(), text(&e.reason)),
        Event::EnsembleVoted(e) => {
            format!("ensemble {} of {} members voted", e.ensemble.short(), e.members.len())
        }
        Event::SubmissionWritten(e) => {
            let source = match e.source {
                SubmissionSource::Ensemble { ensemble } => format!("ensemble {}", ensemble.short()),
                SubmissionSource::Predictions { predictions } => {
                    format!("predictions {}", predictions.short())
                }
            };
            let derived = e
                .derived_from
                .map_or_else(String::new, |other| format!(", derived from submission {}", other.short()));
            format!("submission {} written from {source}: {} rows{derived}", e.submission.short(), e.rows)
        }
        Event::SubmissionScored(e) => {
            let score = |score: Option<safelight_lineage::value::Real>| {
                score.map_or_else(|| "–".to_owned(), |score| score.to_string())
            };
            format!(
                "submission {} scored: public {}, private {}",
                e.submission.short(),
                score(e.public),
                score(e.private)
            )
        }
        Event::SubmissionReplayed(e) => {
            format!("submission {} replayed: {}", e.submission.short(), outcome(&e.outcome))
        }
        Event::EventsReverted(e) => {
            let count: usize = e.targets.iter().map(|target| target.events.len()).sum();
            let what = if count == 0 {
                format!("{} transactions", e.targets.len())
            } else if count == 1 {
                "1 event".to_owned()
            } else {
                format!("{count} events")
            };
            format!("{what} reverted ({})", text(&e.reason))
        }
        Event::Unknown(e) => format!("an event of a newer version (kind {}, schema {})", e.kind, e.schema),
    }
}

/// What made predictions.
pub fn source(source: &PredictionSource) -> String {
    match source {
        PredictionSource::Checkpoint { checkpoint } => format!("checkpoint {}", checkpoint.short()),
        PredictionSource::Folds { checkpoints } => format!("{} fold models", checkpoints.len()),
        PredictionSource::External { name } => text(name),
    }
}

/// The verdict of a replay.
pub fn outcome(outcome: &ReplayOutcome) -> String {
    match outcome {
        ReplayOutcome::Identical => "IDENTICAL".to_owned(),
        ReplayOutcome::WithinTolerance { largest_difference, equal_decisions } => format!(
            "WITHIN TOLERANCE (largest difference {:.2e}, {:.2} % equal decisions)",
            largest_difference.0,
            equal_decisions.0 * 100.0
        ),
        ReplayOutcome::Diverged { cause, .. } => format!("DIVERGED: {}", text(cause)),
    }
}

/// Words that somebody typed, harmless on a terminal.
pub fn text(words: &str) -> String {
    escape(words.as_bytes())
}

/// A path, harmless on a terminal.
pub fn path(path: &std::path::Path) -> String {
    escape(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()))
}

/// What a frame did in one line: its only event, or how many of which kind.
pub fn frame(state: &State, frame: &Frame) -> String {
    if let [only] = frame.events.as_slice() {
        return event(state, only);
    }
    let mut kinds: Vec<(&str, u64)> = Vec::new();
    for event in &frame.events {
        match kinds.iter_mut().find(|(kind, _)| *kind == event.kind_name()) {
            Some((_, count)) => *count += 1,
            None => kinds.push((event.kind_name(), 1)),
        }
    }
    kinds.iter().map(|(kind, count)| format!("{count} × {kind}")).collect::<Vec<_>>().join(", ")
}

/// A count with its noun.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A decision of a review.
pub fn decision(state: &State, decision: Decision) -> String {
    match decision {
        Decision::Kept => "kept".to_owned(),
        Decision::Removed => "removed".to_owned(),
        Decision::Skipped => "skipped".to_owned(),
        Decision::Relabelled { label } => format!("relabelled {}", class(state, Some(label))),
    }
}
