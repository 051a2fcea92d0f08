//! `safelight score` and `safelight submissions`.

use std::collections::BTreeSet;

use safelight_lineage::event::{ReplayOutcome, Split, SubmissionScored, SubmissionSource};
use safelight_lineage::id::SubmissionId;
use safelight_lineage::query::{StepKind, lineage_of_submission, removals};
use safelight_lineage::state::{State, SubmissionRecord};
use safelight_lineage::value::{Real, Seq};
use serde::Serialize;

use super::context::Context;
use super::output::columns;
use super::{resolve, words};
use crate::error::{AppError, Exit};

/// Record what a leaderboard said of a submission
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight score 9c41 --public 0.962\n  \
                  safelight score 9c41 --public 0.962 --private 0.9499\n\n\
                  A later score counts in place of an earlier one; `safelight undo` takes one back.")]
pub struct ScoreArgs {
    /// The submission, by the beginning of its id.
    submission: String,

    /// The score on the public part of the test set.
    #[arg(long, value_name = "SCORE", required_unless_present = "private", allow_negative_numbers = true)]
    public: Option<f64>,

    /// The score on the private part.
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    private: Option<f64>,

    /// What to remember about it.
    #[arg(short, long)]
    message: Option<String>,
}

pub fn score(args: &ScoreArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let submission: SubmissionId = resolve::id(session.state(), &args.submission)?;
    let (public, private) = (args.public.map(Real), args.private.map(Real));
    session.record(args.message.as_deref(), |_, _| SubmissionScored { submission, public, private })?;
    let state = session.state();
    if let Some(record) = state.submissions().get(submission) {
        let row = row(state, record);
        context.out.line(format!(
            "submission {submission}: public {}, private {}",
            figure(row.public),
            figure(row.private)
        ));
        context.out.document(&row);
    }
    Ok(Exit::Done)
}

/// List the submissions with scores, members and the dataset they rest on
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight submissions\n  safelight submissions --json")]
pub struct SubmissionsArgs {}

pub fn submissions(_: &SubmissionsArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let rows: Vec<Row> = state.submissions().iter().map(|record| row(state, record)).collect();
    let head =
        ["submission", "written", "made of", "rows", "train", "removed", "public", "private", "replayed"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    for row in &rows {
        table.push(vec![
            row.submission.short(),
            row.written.clone(),
            row.made_of(),
            row.rows.to_string(),
            row.train_images.to_string(),
            row.removed_images.to_string(),
            figure(row.public),
            figure(row.private),
            row.replayed.clone().unwrap_or_else(|| "–".to_owned()),
        ]);
    }
    if rows.is_empty() {
        context
            .out
            .line("no submission yet; write one with: safelight submit ENSEMBLE --output submission.csv");
    } else {
        columns(&table).iter().for_each(|line| context.out.line(line.trim_end()));
    }
    context.out.document(&rows);
    Ok(Exit::Done)
}

fn figure(score: Option<f64>) -> String {
    score.map_or_else(|| "–".to_owned(), |score| score.to_string())
}

/// A submission and what it rests on.
#[derive(Debug, Serialize)]
struct Row {
    submission: SubmissionId,
    seq: Seq,
    written: String,
    /// `majority`, `weighted`, `soft`, or `one model`.
    rule: String,
    members: Vec<String>,
    architectures: Vec<String>,
    rows: u64,
    /// Training images when it was recorded.
    train_images: u64,
    /// Validation images then.
    valid_images: u64,
    /// Test images then.
    test_images: u64,
    /// Images that were out of the dataset because of a removal then.
    removed_images: u64,
    public: Option<f64>,
    private: Option<f64>,
    derived_from: Option<SubmissionId>,
    /// The deepest replay that gave a verdict, and the verdict.
    replayed: Option<String>,
}

impl Row {
    fn made_of(&self) -> String {
        let mut words = match self.members.len() {
            1 => self.architectures.first().cloned().unwrap_or_else(|| self.rule.clone()),
            many => format!("{} of {many} ({})", self.rule, self.architectures.join(", ")),
        };
        if let Some(other) = self.derived_from {
            words.push_str(&format!(", derived from {}", other.short()));
        }
        words
    }
}

fn row(state: &State, record: &SubmissionRecord) -> Row {
    let written = &record.written;
    let end =
        state.transactions().get(written.at.transaction).map_or(written.seq, |record| record.last_seq());
    let then = state.as_of(end);
    let mut counts = [0; 3];
    then.images().for_each(|image| counts[usize::from(image.split.code())] += 1);
    let removed: BTreeSet<_> = removals(state)
        .filter(|removal| removal.occasion.seq <= end && !then.present(removal.image))
        .map(|removal| removal.image)
        .collect();
    let (rule, members) = match written.event.source {
        SubmissionSource::Predictions { predictions } => {
            ("one model".to_owned(), vec![predictions.to_string()])
        }
        SubmissionSource::Ensemble { ensemble } => match state.ensembles().get(ensemble) {
            None => ("unknown".to_owned(), Vec::new()),
            Some(voted) => {
                let members = voted.event.members.iter().map(|member| member.predictions.to_string());
                (format!("{:?}", voted.event.rule).to_lowercase(), members.collect())
            }
        },
    };
    let architectures: BTreeSet<String> = match lineage_of_submission(state, written.event.submission) {
        Err(_) => BTreeSet::new(),
        Ok(plan) => plan.steps.iter().filter_map(|step| architecture(state, &step.kind)).collect(),
    };
    Row {
        submission: written.event.submission,
        seq: written.seq,
        written: words::time(written.time),
        rule,
        members,
        architectures: architectures.into_iter().collect(),
        rows: written.event.rows,
        train_images: counts[0],
        valid_images: counts[1],
        test_images: counts[2],
        removed_images: removed.len() as u64,
        public: record.public_score(),
        private: record.private_score(),
        derived_from: written.event.derived_from,
        replayed: deepest(record),
    }
}

/// What judged, at a step that predicts.
fn architecture(state: &State, kind: &StepKind<'_>) -> Option<String> {
    use safelight_lineage::event::PredictionSource;
    let StepKind::Predict { predictions } = kind else { return None };
    let checkpoint = match &predictions.source {
        PredictionSource::Checkpoint { checkpoint } => *checkpoint,
        PredictionSource::Folds { checkpoints } => *checkpoints.first()?,
        PredictionSource::External { name } => return Some(words::text(name)),
    };
    Some(words::text(&state.checkpoints().get(checkpoint)?.event.architecture))
}

fn deepest(record: &SubmissionRecord) -> Option<String> {
    let replay = record.replays.iter().max_by_key(|replay| (replay.event.depth, replay.seq))?;
    let verdict = match replay.event.outcome {
        ReplayOutcome::Identical => "identical",
        ReplayOutcome::WithinTolerance { .. } => "within tolerance",
        ReplayOutcome::Diverged { .. } => "DIVERGED",
    };
    Some(format!("{:?}: {verdict}", replay.event.depth).to_lowercase())
}

// The split's place in the counts above is its stable number.
const _: () = assert!(Split::Train.code() == 0 && Split::Valid.code() == 1 && Split::Test.code() == 2);
