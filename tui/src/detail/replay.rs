//! Replays of a submission: the one that goes on, step by step, and the receipt
//! of the last.

use ratatui::style::{Modifier, Style};
use ratatui::text::Span;
use safelight_lineage::event::{ReplayOutcome, SubmissionReplayed};
use safelight_lineage::state::{Recorded, SubmissionRecord};

use super::line::{DetailLine, Target};
use crate::event_text;
use crate::model::Model;
use crate::plot;
use crate::ports::{JobStatus, JobView};
use crate::replay_view::{ReceiptView, ReplayStep, ReplayView};
use crate::text::{self, safe};
use crate::theme::Theme;

/// So many comparisons that came out equal are shown one by one; of more, the
/// first ones. What differs is always shown.
const EQUAL: usize = 12;

/// The newest job that replays this submission, unless a verdict came after it:
/// then that is what there is to show.
pub fn job<'a>(model: &'a Model, record: &SubmissionRecord) -> Option<(&'a JobView, &'a ReplayView)> {
    if model.past.is_some() {
        return None;
    }
    let submission = record.written.event.submission;
    let mut of_it = model.jobs.views.iter().filter_map(|job| Some((job, job.replay.as_ref()?)));
    let (job, replay) = of_it.find(|(_, replay)| replay.submission == submission)?;
    let judged = record.replays.last().map(|last| last.time);
    let runs = matches!(job.status, JobStatus::Running | JobStatus::Stopping);
    (runs || judged.is_none_or(|judged| judged < job.started)).then_some((job, replay))
}

/// The lines above those that say what the submission was made from.
pub(super) fn lines(model: &Model, record: &SubmissionRecord) -> Vec<DetailLine> {
    let mut lines = Vec::new();
    if let Some((job, replay)) = job(model, record) {
        live(model.theme, job, replay, &mut lines);
        lines.push(DetailLine::new("", model.theme.plain()));
    }
    if let Some(last) = record.replays.last() {
        verdict(model, last, &mut lines);
        lines.push(DetailLine::new("", model.theme.plain()));
    }
    lines
}

fn live(theme: Theme, job: &JobView, replay: &ReplayView, lines: &mut Vec<DetailLine>) {
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let depth = safe(&replay.depth);
    let (words, style) = match (job.status, &replay.verdict) {
        (JobStatus::Running, None) => (format!("replaying to {depth} …"), theme.warning()),
        (JobStatus::Stopping, _) => (format!("stopping the replay to {depth} …"), theme.warning()),
        (JobStatus::Cancelled, _) => {
            (format!("the replay to {depth} was stopped: no verdict"), theme.faint())
        }
        (JobStatus::Failed, _) => (format!("the replay to {depth} failed: no verdict"), theme.bad()),
        (_, Some(verdict)) => (format!("replayed to {depth}: {}", safe(verdict)), theme.plain()),
        (JobStatus::Done, None) => (format!("the replay to {depth} ended without a verdict"), theme.bad()),
    };
    lines.push(DetailLine::new(words, style));
    let runs = job.status == JobStatus::Running;
    if let Some(progress) = job.progress.filter(|_| runs) {
        let left = job.eta.map_or_else(String::new, |eta| format!(" · {} left", text::seconds(eta)));
        lines.push(fact("done", format!("{} {:.0} %{left}", plot::bar(progress, 12), progress * 100.0)));
    }
    steps(theme, &replay.steps, lines);
    if let Some(doing) = replay.doing.as_ref().filter(|_| runs) {
        lines.push(fact("now", safe(doing)));
    }
    if job.status == JobStatus::Failed {
        lines.extend(
            job.output.iter().rev().take(4).rev().map(|line| DetailLine::new(safe(line), theme.bad())),
        );
    }
}

/// The verdict of a replay that the log records, and what its receipt says.
fn verdict(model: &Model, last: &Recorded<SubmissionReplayed>, lines: &mut Vec<DetailLine>) {
    let theme = model.theme;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let event = &last.event;
    let bold = |style: Style| style.add_modifier(Modifier::BOLD);
    let (word, style) = match event.outcome {
        ReplayOutcome::Identical => ("IDENTICAL", bold(theme.good())),
        ReplayOutcome::WithinTolerance { .. } => ("WITHIN TOLERANCE", theme.warning()),
        ReplayOutcome::Diverged { .. } => ("DIFFERS", bold(theme.bad())),
    };
    lines.push(DetailLine::spans(vec![
        Span::styled(word, style),
        Span::raw(format!(", replayed to {}", event_text::depth(event.depth))),
    ]));
    match &event.outcome {
        ReplayOutcome::Identical => {}
        ReplayOutcome::WithinTolerance { largest_difference, equal_decisions } => {
            lines.push(fact("differs by", format!("{:.2e} at most", largest_difference.0)));
            lines.push(fact("decisions", format!("{:.2} % equal", equal_decisions.0 * 100.0)));
        }
        ReplayOutcome::Diverged { cause, .. } => {
            let width = usize::from(crate::layout::areas(model).detail.width).max(20);
            let cause = text::wrap(&safe(cause), width);
            lines.extend(cause.into_iter().map(|line| DetailLine::new(line, theme.bad())));
        }
    }
    let took = took(model, last).map_or_else(String::new, |took| match took {
        0.0..10.0 => format!(" · took {took:.2} s"),
        _ => format!(" · took {}", text::seconds(took)),
    });
    lines.push(fact("when", format!("{} UTC{took}", text::time(last.time))).to(Target::Frame(last.seq)));
    match model.receipts.get(&event.receipt) {
        Some(Some(Ok(receipt))) => self::receipt(theme, receipt, lines),
        Some(Some(Err(error))) => {
            lines.push(DetailLine::new(format!("the receipt cannot be read: {}", safe(error)), theme.bad()));
        }
        Some(None) => lines.push(DetailLine::new("reading the receipt …", theme.faint())),
        None => {}
    }
    lines.push(fact("receipt", event.receipt.short()));
}

/// How long the job took that came to this verdict, while it is still known.
fn took(model: &Model, last: &Recorded<SubmissionReplayed>) -> Option<f64> {
    let (time, depth) = (last.time, event_text::depth(last.event.depth));
    let made_it = |job: &&JobView| {
        let of_it = job.replay.as_ref().is_some_and(|replay| {
            replay.submission == last.event.submission && replay.depth == depth && replay.verdict.is_some()
        });
        let ended = job.started.0 as f64 + job.took.unwrap_or(0.0) * 1_000.0;
        of_it && job.started <= time && time.0 as f64 <= ended
    };
    model.jobs.views.iter().find(made_it)?.took
}

fn receipt(theme: Theme, receipt: &ReceiptView, lines: &mut Vec<DetailLine>) {
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    lines.push(fact("by", safe(&receipt.program)));
    lines.push(fact("rests on", format!("frame {}", safe(receipt.frame.get(..8).unwrap_or(&receipt.frame)))));
    let equal = receipt.steps.iter().filter(|step| step.is_equal()).count();
    lines.push(fact("compared", format!("{equal} of {} equal", receipt.steps.len())));
    steps(theme, &receipt.steps, lines);
    for words in &receipt.environments {
        lines.push(fact("computed", format!("elsewhere: {}", safe(words))));
    }
    for words in &receipt.taken_as_recorded {
        lines.push(fact("as recorded", safe(words)));
    }
}

fn steps(theme: Theme, steps: &[ReplayStep], lines: &mut Vec<DetailLine>) {
    let mut equal = 0;
    for step in steps {
        let digest = |digest: &String| safe(digest.get(..8).unwrap_or(digest));
        if step.is_equal() {
            equal += 1;
            if equal <= EQUAL {
                let words = format!("{} {}", digest(&step.actual), safe(&step.what));
                let spans = vec![Span::styled("  equal   ", theme.good()), Span::raw(words)];
                lines.push(DetailLine::spans(spans).to(Target::Frame(step.seq)));
            }
            continue;
        }
        let spans = vec![Span::styled("  DIFFERS ", theme.bad()), Span::raw(safe(&step.what))];
        lines.push(DetailLine::spans(spans).to(Target::Frame(step.seq)));
        for (name, value) in [("expected", &step.expected), ("found", &step.actual)] {
            lines.push(DetailLine::spans(vec![
                Span::styled(format!("    {name:<8} "), theme.faint()),
                Span::raw(safe(value)),
            ]));
        }
        if !step.note.is_empty() {
            lines.push(DetailLine::new(format!("    {}", safe(&step.note)), theme.faint()));
        }
    }
    if equal > EQUAL {
        let more = text::counted((equal - EQUAL) as u64, "more is equal", "more are equal");
        lines.push(DetailLine::new(format!("  and {more}"), theme.faint()));
    }
}
