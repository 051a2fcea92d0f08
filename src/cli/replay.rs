//! `safelight replay` and `safelight check-receipt`.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use safelight_lineage::event::ReplayOutcome;
use safelight_lineage::id::SubmissionId;
use safelight_lineage::value::Seq;

use super::context::Context;
use super::output::Output;
use super::{resolve, words};
use crate::checkout::into::materialise;
use crate::error::{AppError, Exit};
use crate::jobs::line::{Compared, Line};
use crate::replay::check::{ReceiptError, check};
use crate::replay::engine::{Engine, NoEngine};
use crate::replay::record::record;
use crate::replay::run::{Then, then, work};
use crate::replay::surroundings::Work;
use crate::replay::{Depth, ReplayError, Replayed, Report, StepReceipt, replay};
use crate::session::Session;
use crate::stop::Stop;
use crate::train::progress::Progress;

/// Make a past submission again from the log and prove that it is the same
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight replay 9c41\n  safelight replay 9c41 --depth predictions\n  \
                  safelight replay 9c41 --depth training --receipt receipt.json\n  \
                  safelight replay 9c41 --into as-it-was\n  safelight replay 9c41 --without 81bc\n  \
                  safelight replay 9c41 --with-labels-as-of 5000\n\n\
                  Ends with 0 when every byte is equal, 7 when probabilities differ by at most 0.001, 8 when\n\
                  something differs, 6 when something that the submission needs is damaged. Nothing that is\n\
                  computed again is kept, and of the log only the receipt is new.")]
pub struct ReplayArgs {
    /// The submission, by the beginning of its id.
    submission: String,

    /// How deep.
    #[arg(long, value_enum, default_value_t = DepthName::Votes)]
    depth: DepthName,

    /// Write the rebuilt file here.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write the receipt here.
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,

    /// Write the dataset, the weights, the predictions and the file as they
    /// were into this new or empty folder.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,

    /// Compute with so many threads [default: as many as were recorded, as the bits depend on it].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Record nothing in the log.
    #[arg(long)]
    no_record: bool,

    /// What if this member had not voted: a new submission, marked as derived
    /// from this one. May be repeated.
    #[arg(long, value_name = "PREDICTIONS", conflicts_with_all = ["depth", "into", "receipt", "no_record"])]
    without: Vec<String>,

    /// What if the dataset had been as of this seq, transaction or submission:
    /// trains again everything that the submission rests on and writes a new
    /// one, marked as derived from it.
    #[arg(
        long,
        value_name = "SEQ",
        conflicts_with_all = ["depth", "into", "receipt", "no_record", "threads", "without"]
    )]
    with_labels_as_of: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum DepthName {
    /// Count stored predictions again and rebuild the file: equal bytes anywhere.
    Votes,
    /// Also compute the predictions again from the stored weights and images.
    Predictions,
    /// Also train again from recipes, images and seeds.
    Training,
}

impl From<DepthName> for Depth {
    fn from(name: DepthName) -> Depth {
        match name {
            DepthName::Votes => Depth::Votes,
            DepthName::Predictions => Depth::Predictions,
            DepthName::Training => Depth::Training,
        }
    }
}

/// Replays a submission.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn run(args: &ReplayArgs, context: &Context) -> Result<Exit, AppError> {
    if args.with_labels_as_of.is_some() || Depth::from(args.depth) != Depth::Votes {
        context.engine()?;
    }
    let mut session = context.session()?;
    let submission: SubmissionId = resolve::id(session.state(), &args.submission)?;
    if !args.without.is_empty() {
        return super::what_if::without(
            &mut session,
            submission,
            &args.without,
            args.output.as_deref(),
            context,
        );
    }
    if let Some(dir) = &args.into {
        super::checkout::must_be_empty(dir)?;
    }
    let stop = Stop::install();
    if let Some(moment) = &args.with_labels_as_of {
        let output = args.output.as_deref();
        let again = context.engine()?.with_labels_as_of;
        return again(&mut session, submission, moment, output, &stop, context);
    }
    let depth = args.depth.into();
    let done = announced(&mut session, submission, depth, args.threads, &stop, !args.no_record, context)?;
    let receipt = done.receipt.to_json();
    for (path, bytes) in [(&args.output, &done.csv), (&args.receipt, &receipt)] {
        if let Some(path) = path {
            std::fs::write(path, bytes).map_err(|error| AppError::io("write", path, &error))?;
        }
    }
    if let Some(dir) = &args.into {
        write_into(&session, submission, dir, &done, &stop, context)?;
    }
    context.out.document(&done.receipt);
    Ok(exit(&done.receipt.outcome))
}

fn write_into(
    session: &Session,
    submission: SubmissionId,
    dir: &Path,
    done: &Replayed,
    stop: &Stop,
    context: &Context,
) -> Result<(), AppError> {
    let then = then(session, submission)?;
    let bar = context.out.bar("writing", 0, "files");
    let written = materialise(session, &then, submission, done, dir, stop.flag(), &mut |files, total| {
        bar.set_length(total);
        bar.set_position(files);
    });
    bar.finish_and_clear();
    let written = written.map_err(|error| super::checkout::failure(error, dir, stop))?;
    context.out.line(format!(
        "written to {}: {} images, {} of weights, {} of predictions, the file and the receipt",
        dir.display(),
        written.images,
        words::count(written.weights, "file", "files"),
        words::count(written.predictions, "set", "sets"),
    ));
    Ok(())
}

/// Says what is going to be done, replays, says what was found, and records it
/// if wanted.
pub fn announced(
    session: &mut Session,
    submission: SubmissionId,
    depth: Depth,
    threads: Option<usize>,
    stop: &Stop,
    keep: bool,
    context: &Context,
) -> Result<Replayed, AppError> {
    let mut engine: Box<dyn Engine> = match depth {
        Depth::Votes => Box::new(NoEngine),
        Depth::Predictions | Depth::Training => (context.engine()?.replay)(session, stop),
    };
    if depth != Depth::Votes {
        context.out.become_job(&session.repository().cache_dir());
    }
    let then = then(session, submission)?;
    let work = work(session, &then, submission, depth, &*engine, threads)?;
    describe(&context.out, &then, depth, &work);
    context.out.tell(|| Line::ReplayStarted {
        submission: submission.to_string(),
        depth: depth_name(depth).to_owned(),
    });
    let mut watch = Watch::new(&context.out);
    let done =
        replay(session, &then, submission, depth, &mut *engine, threads, &mut |report| watch.see(&report));
    watch.bar.finish_and_clear();
    let done = done.map_err(|error| match error.is_cancelled() {
        true => AppError::new(stop.exit(), "stopped; no verdict is given and nothing was recorded"),
        false => error.into(),
    })?;
    if keep {
        let environment = engine.environment(threads.unwrap_or(1).into());
        record(session, &done.receipt, &environment)?;
    }
    report(&context.out, &done);
    // After the record: who hears of the verdict finds it in the log.
    context.out.tell(|| Line::ReplayEnded { verdict: verdict(&done.receipt.outcome).to_owned() });
    Ok(done)
}

fn depth_name(depth: Depth) -> &'static str {
    match depth {
        Depth::Votes => "votes",
        Depth::Predictions => "predictions",
        Depth::Training => "training",
    }
}

fn verdict(outcome: &ReplayOutcome) -> &'static str {
    match outcome {
        ReplayOutcome::Identical => "identical",
        ReplayOutcome::WithinTolerance { .. } => "within tolerance",
        ReplayOutcome::Diverged { .. } => "diverged",
    }
}

/// The exit code of a verdict.
pub fn exit(outcome: &ReplayOutcome) -> Exit {
    match outcome {
        ReplayOutcome::Identical => Exit::Done,
        ReplayOutcome::WithinTolerance { .. } => Exit::WithinTolerance,
        ReplayOutcome::Diverged { .. } => Exit::Diverged,
    }
}

/// Says what a replay is going to do, and how here differs from there.
fn describe(out: &Output, Then { seq, .. }: &Then, depth: Depth, work: &Work) {
    out.line(format!("plan: fold the log up to seq {seq}"));
    if work.runs > 0 {
        out.line(format!(
            "      train {} again from recipe, images and seed",
            words::count(work.runs as u64, "run", "runs")
        ));
    }
    if work.predictions > 0 {
        out.line(format!(
            "      compute {} again from weights and images",
            words::count(work.predictions as u64, "set of predictions", "sets of predictions")
        ));
    }
    out.line(format!("      count the votes and write the file; {}", where_equal(depth)));
    if depth != Depth::Votes {
        work.taken_as_recorded.iter().for_each(|words| out.line(format!("note: {words}; taken as recorded")));
    }
    differences(out, work);
}

fn where_equal(depth: Depth) -> &'static str {
    match depth {
        Depth::Votes => "equal bytes on any machine",
        _ => "equal bytes on the same build, processor class and number of threads",
    }
}

fn differences(out: &Output, work: &Work) {
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for at in &work.environments {
        if let Some(words) = at.in_words() {
            match said.iter_mut().find(|(other, _)| *other == words) {
                Some((_, of)) => of.push(&at.of),
                None => said.push((words, vec![&at.of])),
            }
        }
    }
    for (words, of) in &said {
        out.line(format!("environment differs from that of {}: {}", of.join(", "), words::text(words)));
    }
    if said.is_empty() && !work.environments.is_empty() {
        out.line("environment: the same as recorded");
    }
}

/// Says what was compared and the verdict.
fn report(out: &Output, replayed: &Replayed) {
    out.line(format!("{} ({} bytes rebuilt)", words::outcome(&replayed.receipt.outcome), replayed.csv.len()));
    if let ReplayOutcome::Diverged { event: Some(_), expected, actual, .. } = &replayed.receipt.outcome {
        let seq = replayed.receipt.steps.last().map_or(Seq::ZERO, |step| step.seq);
        out.line(format!("  event {seq}: expected {expected}"));
        out.line(format!("  {:width$}  actual   {actual}", "", width = 6 + seq.to_string().len()));
    }
}

/// Shows a replay that goes on.
struct Watch<'a> {
    out: &'a Output,
    bar: ProgressBar,
    epochs: u32,
}

impl<'a> Watch<'a> {
    fn new(out: &'a Output) -> Self {
        Watch { out, bar: out.bar("replaying", 0, "done"), epochs: 0 }
    }

    fn see(&mut self, report: &Report<'_>) {
        match report {
            Report::Begins(what) => {
                self.bar.reset();
                self.bar.set_length(0);
                self.bar.set_message((*what).to_owned());
                self.out.tell(|| Line::ReplayStep { what: (*what).to_owned() });
            }
            Report::Compared(step) => {
                self.bar.suspend(|| self.out.line(compared(step)));
                self.out.tell(|| {
                    Line::ReplayCompared(Compared {
                        what: step.what.clone(),
                        seq: step.seq.0,
                        expected: step.expected.to_string(),
                        actual: step.actual.to_string(),
                        note: step.difference.map_or_else(String::new, |found| found.in_words()),
                    })
                });
            }
            Report::Goes(progress) => self.work(progress),
        }
    }

    fn work(&mut self, progress: &Progress) {
        match progress {
            Progress::Decoding { done, total } | Progress::Predicting { done, total } => {
                self.bar.set_length(*total);
                self.bar.set_position(*done);
            }
            Progress::StageStarted { stage, stages, epochs, steps, .. } => {
                self.epochs = *epochs;
                self.bar.reset();
                self.bar.set_prefix(format!("stage {}/{stages}", stage + 1));
                self.bar.set_length(u64::from(*epochs) * u64::from(*steps));
            }
            Progress::Step { epoch, step, steps, loss, .. } => {
                self.bar.set_position(u64::from(*epoch) * u64::from(*steps) + u64::from(*step) + 1);
                self.bar.set_message(format!("epoch {}/{} loss {loss:.3}", epoch + 1, self.epochs));
            }
            _ => {}
        }
    }
}

fn compared(step: &StepReceipt) -> String {
    let mut line = format!(
        "  {}  {:<52} {}",
        if step.is_equal() { "equal  " } else { "DIFFERS" },
        step.what,
        step.actual.short(),
    );
    if !step.is_equal() {
        line.push_str(&format!(", recorded {}", step.expected.short()));
    }
    if let Some(found) = step.difference {
        line.push_str(&format!("; {}", found.in_words()));
    }
    line
}

/// Check a receipt that somebody wrote against the log
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight check-receipt receipt.json\n\n\
                  Compares the frame and every recorded digest that the receipt names with the log, and says\n\
                  whether the log holds this very receipt. Ends with 8 when the log says otherwise.")]
pub struct CheckReceiptArgs {
    /// The receipt, as `replay --receipt` wrote it.
    receipt: PathBuf,
}

/// Checks a receipt against the log.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn check_receipt(args: &CheckReceiptArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let path = &args.receipt;
    let bytes = std::fs::read(path).map_err(|error| AppError::io("read", path, &error))?;
    let checked = check(&session, &bytes).map_err(|error| match error {
        ReceiptError::Replay(error) => error.into(),
        other => AppError::refused(format!("{}: {}", path.display(), words::text(&other.to_string()))),
    })?;
    let out = &context.out;
    out.line(format!(
        "submission {}, depth {}: states {}",
        checked.submission,
        words::text(&checked.depth),
        words::text(&checked.verdict)
    ));
    checked.problems.iter().for_each(|problem| out.line(format!("  DIFFERS  {}", words::text(problem))));
    out.line(format!(
        "{} of its digests are those of the log; {}",
        checked.confirmed,
        if checked.recorded {
            "the log holds this very receipt"
        } else {
            "the log does not hold this receipt, so it may come from elsewhere"
        }
    ));
    out.document(&serde_json::json!({
        "submission": checked.submission, "depth": checked.depth, "verdict": checked.verdict,
        "confirmed": checked.confirmed, "recorded": checked.recorded, "problems": checked.problems,
    }));
    Ok(if checked.problems.is_empty() { Exit::Done } else { Exit::Diverged })
}

impl From<ReplayError> for AppError {
    fn from(error: ReplayError) -> AppError {
        match error {
            ReplayError::Store(error) => error.into(),
            ReplayError::Session(error) => error.into(),
            ReplayError::Cast(error) => error.into(),
            ReplayError::Commit(error) => error.into(),
            ReplayError::Prepare(error) => error.into(),
            ReplayError::Blob { what, error } => {
                let inner = AppError::from(error);
                AppError {
                    message: format!("{what} cannot be read, so no verdict is given: {}", inner.message),
                    ..inner
                }
            }
            ReplayError::NoEngine => AppError::refused(error.to_string())
                .hint("build it with its default features: make build")
                .hint("without it, replay goes to --depth votes"),
            ReplayError::Predict { .. } | ReplayError::Train { .. } => {
                AppError::failed(format!("no verdict is given: {}", words::text(&error.to_string())))
            }
            other => AppError::refused(words::text(&other.to_string())),
        }
    }
}
