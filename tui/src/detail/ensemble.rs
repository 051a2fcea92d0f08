//! An ensemble: its members, how alike they are, and where they differ.

use ratatui::text::Span;
use safelight_lineage::event::{EnsembleVoted, SubmissionSource};
use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

use super::line::{DetailLine, Target};
use crate::event_text::{image_name, label, source, views, vote_rule};
use crate::judged::Answer;
use crate::judgements::{DisputedImage, VoteTable};
use crate::model::Model;
use crate::text::{count, counted, fit, time};

/// So many of the images on which members differ are listed.
const LISTED: usize = 500;
/// Cells that a vote takes.
const VOTE: usize = 11;

pub(super) fn lines(model: &Model) -> Vec<DetailLine> {
    let mut lines = head(model);
    if let Some(Ok(table)) = table(model) {
        lines.extend(table.disputed.iter().take(LISTED).map(|row| disputed(model, row)));
    }
    lines
}

/// The image that the line at this place is about, without making the lines; the
/// most divided one where no place of it is given.
pub fn image_at(model: &Model, place: Option<usize>) -> Option<ImageId> {
    let Some(Ok(table)) = table(model) else { return None };
    let row = match place {
        Some(place) => place.checked_sub(head(model).len())?,
        None => 0,
    };
    table.disputed.get(row).map(|row| row.image)
}

fn table(model: &Model) -> Option<&Answer<VoteTable>> {
    let record = model.state().ensembles().iter().rev().nth(model.ensembles.selected)?;
    model.judged.votes.get(&record.event.ensemble)
}

/// Everything above the images on which members differ.
fn head(model: &Model) -> Vec<DetailLine> {
    let Some(record) = model.state().ensembles().iter().rev().nth(model.ensembles.selected) else {
        return Vec::new();
    };
    let theme = model.theme;
    let event = &record.event;
    let fact = |name: &str, value: String| DetailLine::fact(name, value, theme.faint());
    let mut lines = vec![
        fact("ensemble", event.ensemble.to_string()),
        fact("voted", format!("{} UTC", time(record.time))).to(Target::Frame(record.seq)),
        fact("rule", format!("{} · ties by seed {}", vote_rule(event.rule), event.tie_seed)),
    ];
    let table = table(model);
    if let Some(Ok(table)) = table {
        lines.push(fact("images", images(table)));
    }
    for submission in model.state().submissions().iter() {
        let written = &submission.written;
        let source = SubmissionSource::Ensemble { ensemble: event.ensemble };
        if written.event.source == source {
            let id = written.event.submission.short();
            lines.push(fact("submission", id).to(Target::Frame(written.seq)));
        }
    }
    lines.push(DetailLine::new("", theme.plain()));
    lines.extend(members(model, event));
    lines.push(DetailLine::new("", theme.plain()));
    match table {
        Some(Ok(table)) => {
            lines.extend(pairs(model, table));
            lines.extend(disputed_title(model, table));
        }
        Some(Err(error)) => {
            lines.push(DetailLine::new(format!("the votes cannot be read: {error}"), theme.bad()));
        }
        None if !model.abilities.judgements => {
            lines.push(DetailLine::new("this program was started without the votes", theme.faint()));
        }
        None => lines.push(DetailLine::new("reading the votes …", theme.faint())),
    }
    lines
}

fn images(table: &VoteTable) -> String {
    let share = table.unanimous as f64 / table.images.max(1) as f64 * 100.0;
    format!("{} · {share:.1} % unanimous · {} by tie-break", count(table.images as u64), table.ties)
}

/// The letter that stands for a member in tables: A, B, … Z, then numbers.
fn letter(place: usize) -> String {
    match u8::try_from(place) {
        Ok(place @ 0..26) => char::from(b'A' + place).to_string(),
        _ => (place + 1).to_string(),
    }
}

fn members(model: &Model, event: &EnsembleVoted) -> Vec<DetailLine> {
    let (state, theme) = (model.state(), model.theme);
    let mut lines = vec![DetailLine::new("members", theme.heading())];
    for (place, member) in event.members.iter().enumerate() {
        let record = state.predictions().get(member.predictions);
        let words = match record {
            Some(record) => format!("{} · {}", source(&record.event.source), views(record.event.views)),
            None => "not in the log".to_owned(),
        };
        let weight =
            if member.weight.0 == 1.0 { String::new() } else { format!(" · weight {}", member.weight.0) };
        let line = DetailLine::spans(vec![
            Span::styled(format!("  {} ", letter(place)), theme.key()),
            Span::styled(format!("{} ", member.predictions.short()), theme.name()),
            Span::raw(format!("{words}{weight}")),
        ]);
        lines.push(match record {
            Some(record) => line.to(Target::Frame(record.seq)),
            None => line,
        });
    }
    lines
}

/// Kappa above the diagonal, the correlation of probabilities below it.
fn pairs(model: &Model, table: &VoteTable) -> Vec<DetailLine> {
    let theme = model.theme;
    let count = table.members.len();
    if count < 2 {
        return Vec::new();
    }
    let mut lines =
        vec![DetailLine::new("alike: kappa of decisions ◥, correlation of probabilities ◣", theme.heading())];
    let head: String = (0..count).map(|place| format!("{:>7}", letter(place))).collect();
    lines.push(DetailLine::new(format!("   {head}"), theme.key()));
    for row in 0..count {
        let mut spans = vec![Span::styled(format!("  {}", letter(row)), theme.key())];
        for column in 0..count {
            let (one, other) = (row.min(column), row.max(column));
            let pair = table.pairs.iter().find(|pair| (pair.one, pair.other) == (one, other));
            let value = pair.and_then(|pair| if row < column { pair.kappa } else { pair.correlation });
            let text = match value {
                _ if row == column => "·".to_owned(),
                Some(value) => format!("{value:.3}"),
                None => "–".to_owned(),
            };
            // Members that are too alike add little.
            let style = match value {
                Some(value) if value > 0.95 => theme.warning(),
                Some(_) => theme.plain(),
                None => theme.faint(),
            };
            spans.push(Span::styled(format!("{text:>7}"), style));
        }
        lines.push(DetailLine::spans(spans));
    }
    let most = table.pairs.iter().max_by(|one, other| one.disagreement.total_cmp(&other.disagreement));
    if let Some(pair) = most {
        let words = format!(
            "  {} and {} differ most: on {:.1} % of images",
            letter(pair.one),
            letter(pair.other),
            pair.disagreement * 100.0
        );
        lines.push(DetailLine::new(words, theme.faint()));
    }
    lines.push(DetailLine::new("", theme.plain()));
    lines
}

/// What stands above the vote matrix of the images on which members differ.
fn disputed_title(model: &Model, table: &VoteTable) -> Vec<DetailLine> {
    let theme = model.theme;
    let total = table.disputed.len();
    let title = match total {
        0 => "all members decide every image the same".to_owned(),
        1..=LISTED => format!("{} on which members differ", counted(total as u64, "image", "images")),
        _ => format!("the {LISTED} most divided of {} on which members differ", count(total as u64)),
    };
    let mut lines = vec![DetailLine::new(title, theme.heading())];
    if total > 0 {
        let head: String =
            (0..table.members.len()).map(|place| format!("{:<VOTE$}", letter(place))).collect();
        lines.push(DetailLine::new(format!("  {:<VOTE$} {head}image", "decided"), theme.key()));
    }
    lines
}

/// A row of the vote matrix.
fn disputed(model: &Model, row: &DisputedImage) -> DetailLine {
    let (state, theme) = (model.state(), model.theme);
    let class = |class: ClassIndex| fit(&label(state, Some(class)), VOTE - 1);
    let tie = if row.tie { "≈" } else { " " };
    let mut spans = vec![
        Span::styled(format!("{tie} "), theme.warning()),
        Span::styled(format!("{}  ", class(row.decision)), theme.name()),
    ];
    for ballot in &row.ballots {
        let style = if *ballot == row.decision { theme.faint() } else { theme.warning() };
        spans.push(Span::styled(format!("{} ", class(*ballot)), style));
    }
    spans.push(Span::raw(image_name(state, row.image)));
    DetailLine::spans(spans).to(Target::Image(row.image))
}
