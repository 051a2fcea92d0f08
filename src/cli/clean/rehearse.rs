//! `safelight clean plant` and `evaluate`: how well rules do where the truth is
//! known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use safelight_lineage::decide::{Rejection, decide};
use safelight_lineage::event::{Actor, Evidence, Split};
use safelight_lineage::id::{ImageId, PassId};
use safelight_lineage::value::ClassIndex;
use serde::Serialize;

use super::super::context::Context;
use super::super::words;
use super::resolve_pass;
use crate::clean::pass::findings;
use crate::clean::{Finding, PrecisionRecall, Rule, average_precision, combine, planted, precision_recall};
use crate::ensemble::cast::probabilities;
use crate::error::{AppError, Exit};
use crate::predictions::{Probabilities, argmax};

/// Give a share of the training images a wrong label, to try rules on
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  safelight clean plant --share 0.05 --seed 1 --truth truth.csv\n\n\
                  It is one change, which safelight undo takes back. --truth gets the right labels of\n\
                  all labelled training images, for safelight clean evaluate.")]
pub(super) struct PlantArgs {
    /// The share of the labelled training images, 0 to 1.
    #[arg(long, default_value_t = 0.05)]
    share: f64,

    /// What the choice depends on, besides the images.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Where to write the labels as they were: CSV of image and label.
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
}

/// Compare what a pass found with the truth
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  safelight clean evaluate 77c0 --truth truth.csv\n\n\
                  An image is wrong where the label that was judged is not that of the truth.")]
pub(super) struct EvaluateArgs {
    /// The pass, by the beginning of its id.
    pass: String,

    /// The right labels: CSV of image (its id) and label.
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,
}

pub(super) fn plant(args: &PlantArgs, context: &Context) -> Result<Exit, AppError> {
    if !(args.share > 0.0 && args.share <= 1.0) {
        return Err(AppError::new(
            Exit::Usage,
            format!("--share is {}, expected above 0, up to 1", args.share),
        ));
    }
    let mut session = context.session()?;
    let state = session.state();
    let images: Vec<(ImageId, ClassIndex)> = state
        .images()
        .filter(|view| view.present && view.split == Split::Train)
        .filter_map(|view| Some((view.id, view.label?)))
        .collect();
    let classes = u16::try_from(state.classes().len()).unwrap_or(u16::MAX);
    if classes < 2 {
        return Err(AppError::refused(
            "there is no other label to give: the dataset has fewer than two classes",
        ));
    }
    let wrong = planted(&images, classes, args.share, args.seed);
    let mut csv = csv::Writer::from_writer(Vec::new());
    let written = (|| {
        csv.write_record(["image", "label"])?;
        for (image, label) in &images {
            let name = state.classes().get(usize::from(label.0)).map_or("", String::as_str);
            csv.write_record([image.to_string().as_str(), name])?;
        }
        csv.flush()
    })();
    written.map_err(|error| AppError::io("write", &args.truth, &error))?;
    let bytes = csv.into_inner().map_err(|error| AppError::failed(error.to_string()))?;
    // First the truth, so that no wrong label is ever without it.
    std::fs::write(&args.truth, bytes).map_err(|error| AppError::io("write", &args.truth, &error))?;
    let person = session.actor().clone();
    session.set_actor(Actor::Program { name: "safelight clean plant".to_owned() });
    let reason = format!("planted wrong label (share {}, seed {})", args.share, args.seed);
    let frame = session.commit(None, |state, _| {
        let mut events = Vec::new();
        for (image, label) in &wrong {
            let name = state.classes().get(usize::from(label.0)).cloned();
            let command = safelight_lineage::decide::Command::Relabel {
                images: vec![*image],
                label: name,
                reason: reason.clone(),
                evidence: Evidence::default(),
            };
            match decide(state, command) {
                Ok(decided) => events.extend(decided),
                Err(Rejection::NothingToDo) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(events)
    })?;
    session.set_actor(person);
    let transaction = frame.map(|frame| frame.header.transaction);
    context.out.line(format!(
        "{} of {} got a wrong label; the right ones are in {}",
        words::count(wrong.len() as u64, "image", "images"),
        images.len(),
        args.truth.display()
    ));
    if let Some(transaction) = transaction {
        context.out.line(format!("to take it back: safelight undo {transaction}"));
    }
    context.out.document(&serde_json::json!({
        "planted": wrong.len(),
        "of": images.len(),
        "transaction": transaction,
    }));
    Ok(Exit::Done)
}

/// How one rule, or all together, did.
#[derive(Debug, Serialize)]
struct Score {
    rule: String,
    #[serde(flatten)]
    found: PrecisionRecall,
    /// The area under precision by recall of what it found.
    average_precision: Option<f64>,
    /// Of the wrong images it found with a suggestion, those whose suggestion is right.
    right_suggestions: usize,
    suggestions: usize,
}

pub(super) fn evaluate(args: &EvaluateArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let pass = resolve_pass(&session, &args.pass)?;
    let truth = read_truth(args, state.classes())?;
    let judged = labels_judged(state, pass);
    let wrong: BTreeSet<ImageId> = truth
        .iter()
        .filter(|(image, label)| judged.get(image).is_some_and(|judged| judged != *label))
        .map(|(image, _)| *image)
        .collect();
    let blobs = session.repository().blobs().clone();
    let found = findings(state, |blob| blobs.get(blob), pass)?.0;
    let mut scores: Vec<Score> = Vec::new();
    for rule in state.passes().get(pass).iter().flat_map(|record| &record.proposed.event.rules) {
        let of_rule: Vec<&Finding> = found.iter().filter(|finding| finding.rule == rule.rule).collect();
        scores.push(score(rule.rule.clone(), &of_rule, &wrong, &truth));
    }
    let by_label =
        |finding: &Finding| Rule::from_name(&finding.rule).is_ok_and(|rule| rule.needs_predictions());
    let combined = combine(found.iter().filter(|finding| by_label(finding)).cloned().collect());
    let worst: Vec<&Finding> = combined.iter().filter_map(|entry| entry.findings.first()).collect();
    scores.push(score("rules by predictions together".to_owned(), &worst, &wrong, &truth));
    context.out.line(format!(
        "{} of {} judged images have a wrong label",
        wrong.len(),
        truth.keys().filter(|image| judged.contains_key(image)).count()
    ));
    let said = state.passes().get(pass).and_then(|record| record.proposed.event.predictions.first().copied());
    let said = said.map(|id| probabilities(state, |blob| blobs.get(blob), id)).transpose()?;
    let evidence = said.as_ref().map(|said| Evidenced::of(said, &judged, &truth, &wrong));
    let share = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let mut rows = vec![
        ["rule", "found", "precision", "recall", "average precision", "right suggestions"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for score in &scores {
        rows.push(vec![
            score.rule.clone(),
            score.found.found.to_string(),
            share(score.found.precision),
            share(score.found.recall),
            share(score.average_precision),
            format!("{} of {}", score.right_suggestions, score.suggestions),
        ]);
    }
    for line in super::super::output::columns(&rows) {
        context.out.line(line);
    }
    if let Some(evidence) = &evidence {
        context.out.line(format!(
            "the predictions agree with the truth on {:.3} of the images; all of them ranked by self-confidence have average precision {}",
            evidence.accuracy,
            share(evidence.self_confidence)
        ));
    }
    context.out.document(&serde_json::json!({
        "wrong": wrong.len(),
        "rules": scores,
        "evidence": evidence,
    }));
    Ok(Exit::Done)
}

/// How good the predictions are that a pass judged by.
#[derive(Debug, Serialize)]
struct Evidenced {
    /// The share of judged images whose most probable class is the true one.
    accuracy: f64,
    /// The area under precision by recall of all judged images, those first
    /// that have the least probability of their label.
    self_confidence: Option<f64>,
}

impl Evidenced {
    fn of(
        said: &Probabilities,
        judged: &BTreeMap<ImageId, ClassIndex>,
        truth: &BTreeMap<ImageId, ClassIndex>,
        wrong: &BTreeSet<ImageId>,
    ) -> Evidenced {
        let mut ranked: Vec<(f32, ImageId)> = said
            .rows()
            .filter_map(|(image, row)| Some((*row.get(usize::from(judged.get(&image)?.0))?, image)))
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let right = said.rows().filter(|(image, row)| truth.get(image) == Some(&argmax(row))).count();
        Evidenced {
            accuracy: right as f64 / said.len().max(1) as f64,
            self_confidence: average_precision(ranked.into_iter().map(|(_, image)| image), wrong),
        }
    }
}

fn score(
    rule: String,
    found: &[&Finding],
    wrong: &BTreeSet<ImageId>,
    truth: &BTreeMap<ImageId, ClassIndex>,
) -> Score {
    let images = || found.iter().map(|finding| finding.image);
    let suggested: Vec<_> = found
        .iter()
        .filter(|finding| wrong.contains(&finding.image) && finding.suggested.is_some())
        .collect();
    Score {
        rule,
        found: precision_recall(images(), wrong),
        average_precision: average_precision(images(), wrong),
        right_suggestions: suggested
            .iter()
            .filter(|finding| finding.suggested.as_ref() == truth.get(&finding.image))
            .count(),
        suggestions: suggested.len(),
    }
}

/// The labels that the images had when a pass judged them.
fn labels_judged(state: &safelight_lineage::state::State, pass: PassId) -> BTreeMap<ImageId, ClassIndex> {
    let Some(record) = state.passes().get(pass) else { return BTreeMap::new() };
    let at = state.transactions().seq_after(record.proposed.event.at).unwrap_or(record.proposed.seq);
    let then = state.as_of(at);
    let rows = then.images().filter(|row| row.split == Split::Train);
    rows.filter_map(|row| Some((row.image, row.label?))).collect()
}

fn read_truth(args: &EvaluateArgs, classes: &[String]) -> Result<BTreeMap<ImageId, ClassIndex>, AppError> {
    let bytes = std::fs::read(&args.truth).map_err(|error| AppError::io("read", &args.truth, &error))?;
    let bad = |line: u64, why: String| {
        AppError::refused(format!("line {line} of {}: {}", args.truth.display(), words::text(&why)))
    };
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let mut truth = BTreeMap::new();
    for record in reader.records() {
        let record = record
            .map_err(|error| bad(error.position().map_or(1, csv::Position::line), error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let (Some(image), Some(label)) = (record.get(0), record.get(1)) else {
            return Err(bad(line, "expected an image and a label".to_owned()));
        };
        let image: ImageId = image
            .parse()
            .map_err(|error: safelight_lineage::id::ParseIdError| bad(line, error.to_string()))?;
        let class = classes
            .iter()
            .position(|class| class == label)
            .ok_or_else(|| bad(line, format!("there is no class '{label}'")))?;
        truth.insert(image, ClassIndex(class as u16));
    }
    Ok(truth)
}
