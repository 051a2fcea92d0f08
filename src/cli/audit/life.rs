//! `safelight audit image`: the whole life of one image.

use safelight_lineage::event::{Honesty, PredictionSource};
use safelight_lineage::id::{ImageId, PassId, PredictionsId};
use safelight_lineage::query::{Biography, BlastRadius, Happening, biography, blast_radius};
use safelight_lineage::state::{Because, Effect, ImageView, State};
use safelight_lineage::value::Seq;
use safelight_store::Blobs;
use serde::Serialize;

use super::super::context::Context;
use super::super::{resolve, words};
use super::blast::{lists, write_lists};
use super::changes::taken_back;
use super::filter::{FormArgs, as_of, stamp};
use super::table;
use crate::clean::pass::findings;
use crate::error::{AppError, Exit};
use crate::predictions::{Probabilities, argmax};

/// The whole life of one image: its versions and labels, who changed it and
/// why, what was predicted and found, and all that it may have influenced
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight audit image 3fa9c1\n  safelight audit image train/sea/0001.jpg --json\n  safelight audit image 3fa9c1 --as-of 6200"
)]
pub(super) struct ImageArgs {
    /// The image, by the beginning of its id or by path.
    image: String,

    /// As the log was at this seq or transaction.
    #[arg(long, value_name = "SEQ")]
    as_of: Option<String>,

    #[command(flatten)]
    form: FormArgs,
}

/// What predictions said about the image.
#[derive(Debug, Serialize)]
struct Said<'a> {
    predictions: PredictionsId,
    seq: Seq,
    source: &'a PredictionSource,
    honesty: Honesty,
    /// The most probable class, by name.
    class: String,
    /// By class, in the order of the classes.
    probabilities: Vec<f32>,
}

/// What a rule of a pass found in it.
#[derive(Debug, Serialize)]
struct Found {
    pass: PassId,
    seq: Seq,
    rule: String,
    rank: u32,
    score: f64,
    reason: String,
    suggested: Option<String>,
}

#[derive(Debug, Serialize)]
struct Life<'a> {
    now: ImageView<'a>,
    #[serde(flatten)]
    biography: Biography<'a>,
    predictions: Vec<Said<'a>>,
    findings: Vec<Found>,
    influenced: BlastRadius,
}

pub(super) fn run(args: &ImageArgs, context: &Context) -> Result<Exit, AppError> {
    let answer = |blobs: &Blobs, state: &State| {
        let image = resolve::image(state, &args.image)?;
        let life = life(blobs, state, image)?;
        if args.form.csv {
            return write_csv(context, state, &life);
        }
        write(context, state, &life);
        context.out.document(&life);
        Ok(())
    };
    // From the image's own blocks of the snapshot when that will do: then it
    // takes no time, whatever the size of the dataset.
    if args.as_of.is_none()
        && let Some(glimpse) = context.glimpse(&args.image)?
    {
        answer(glimpse.blobs(), glimpse.state())?;
        return Ok(Exit::Done);
    }
    let session = context.session()?;
    as_of(&session, args.as_of.as_deref(), |state| answer(session.repository().blobs(), state))?;
    Ok(Exit::Done)
}

fn life<'a>(blobs: &Blobs, state: &'a State, image: ImageId) -> Result<Life<'a>, AppError> {
    let unknown = || AppError::refused(format!("there is no image {image}"));
    let now = state.image(image).ok_or_else(unknown)?;
    let biography = biography(state, image).ok_or_else(unknown)?;
    let influenced = blast_radius(state, image);
    let mut predictions = Vec::new();
    for id in &influenced.predictions {
        let Some(record) = state.predictions().get(*id) else { continue };
        // Predictions by models that learned the image are mostly for others.
        if record.event.split != now.split {
            continue;
        }
        let bytes = blobs.get(record.event.probabilities)?;
        let row = Probabilities::row_in(&bytes, image)
            .map_err(|error| AppError::new(Exit::Damaged, format!("predictions {id}: {error}")))?;
        let Some(probabilities) = row else { continue };
        predictions.push(Said {
            predictions: *id,
            seq: record.seq,
            source: &record.event.source,
            honesty: record.event.honesty,
            class: words::class(state, Some(argmax(&probabilities))),
            probabilities,
        });
    }
    let mut found = Vec::new();
    for pass in &influenced.passes {
        let Some(record) = state.passes().get(*pass) else { continue };
        let of_image = findings(state, |blob| blobs.get(blob), *pass)?.0;
        found.extend(of_image.into_iter().filter(|finding| finding.image == image).map(|finding| Found {
            pass: *pass,
            seq: record.proposed.seq,
            rule: finding.rule,
            rank: finding.rank,
            score: finding.score,
            reason: finding.reason,
            suggested: finding.suggested.map(|class| words::class(state, Some(class))),
        }));
    }
    Ok(Life { now, biography, predictions, findings: found, influenced })
}

/// The moments of the log, of predictions and of passes, in one order.
fn moments(state: &State, life: &Life<'_>) -> Vec<(Seq, String, String, String)> {
    let mut moments: Vec<(Seq, String, String, String)> = life
        .biography
        .entries
        .iter()
        .map(|entry| {
            let (occasion, what) = (&entry.occasion, happening(state, &entry.what));
            let what = format!("{what}{}", taken_back(occasion));
            (occasion.seq, words::time(occasion.time), occasion.actor.to_string(), what)
        })
        .collect();
    let of = |seq: Seq| {
        let record = state.transactions().of_seq(seq);
        record.map_or_else(Default::default, |record| (words::time(record.time), record.actor.to_string()))
    };
    for said in &life.predictions {
        let (time, actor) = of(said.seq);
        let top = said.probabilities.iter().copied().fold(0.0f32, f32::max);
        let what = format!(
            "predictions {} say {} {:.1} % ({})",
            said.predictions.short(),
            said.class,
            f64::from(top) * 100.0,
            source(said)
        );
        moments.push((said.seq, time, actor, what));
    }
    for found in &life.findings {
        let (time, actor) = of(found.seq);
        let what = format!(
            "found by {} of pass {}, rank {}: {}",
            found.rule,
            found.pass.short(),
            found.rank,
            found.reason
        );
        moments.push((found.seq, time, actor, what));
    }
    moments.sort_by(|a, b| (a.0, &a.3).cmp(&(b.0, &b.3)));
    moments
}

fn source(said: &Said<'_>) -> String {
    let source = match said.source {
        PredictionSource::Checkpoint { checkpoint } => format!("checkpoint {}", checkpoint.short()),
        PredictionSource::Folds { checkpoints } => {
            let names: Vec<String> = checkpoints.iter().map(|id| id.short()).collect();
            format!("folds {}", names.join(" "))
        }
        PredictionSource::External { name } => words::text(name),
    };
    match said.honesty {
        Honesty::InSample => format!("{source}, in-sample"),
        Honesty::OutOfFold => format!("{source}, out of fold"),
        Honesty::HeldOut => format!("{source}, held out"),
        Honesty::Unknown => source,
    }
}

fn write(context: &Context, state: &State, life: &Life<'_>) {
    let out = &context.out;
    let held = if life.now.present {
        "in the dataset"
    } else if life.now.removed {
        "removed"
    } else {
        "its import was taken back"
    };
    out.line(words::image(state, life.now.id));
    out.line(format!(
        "  now: {} ({}), bytes {}, {held}",
        words::class(state, life.now.label),
        life.now.split,
        life.now.blob.short()
    ));
    for (seq, time, actor, what) in moments(state, life) {
        out.line(format!("{seq:>8}  {time}  {actor}  {what}"));
    }
    out.line("  may have influenced:");
    write_lists(context, &lists(&life.influenced));
}

fn write_csv(context: &Context, state: &State, life: &Life<'_>) -> Result<(), AppError> {
    let rows = moments(state, life).into_iter().map(|(seq, _, actor, what)| {
        let time = state.transactions().of_seq(seq).map_or_else(String::new, |record| stamp(record.time));
        vec![seq.to_string(), time, actor, what]
    });
    let reached = lists(&life.influenced);
    let reached = reached.iter().flat_map(|(kind, _, ids)| {
        ids.iter().map(move |id| {
            vec![String::new(), String::new(), String::new(), format!("influenced {kind} {id}")]
        })
    });
    table::csv(context, &["seq", "time", "actor", "what"], rows.chain(reached))
}

fn happening(state: &State, what: &Happening<'_>) -> String {
    let because = |because: &Because| {
        let evidence = &because.evidence;
        let mut text = words::text(&because.reason);
        if let Some(rule) = &evidence.rule {
            text.push_str(&format!(" [rule {}", words::text(rule)));
            if let Some(score) = evidence.score {
                text.push_str(&format!(", score {:.3}", score.0));
            }
            if let Some(predictions) = evidence.predictions {
                text.push_str(&format!(", predictions {}", predictions.short()));
            }
            text.push(']');
        }
        text
    };
    match what {
        Happening::Imported { blob, label } => {
            format!("imported as {} (bytes {})", words::class(state, *label), blob.short())
        }
        Happening::Changed { effect, because: why } => {
            let what = match effect {
                Effect::Relabelled { old, new } => {
                    format!("relabelled {} → {}", words::class(state, *old), words::class(state, *new))
                }
                Effect::Removed => "removed".to_owned(),
                Effect::Restored => "restored".to_owned(),
                Effect::Revised { old, new } => format!("new bytes {} → {}", old.short(), new.short()),
                Effect::Reviewed { pass, decision } => {
                    return format!(
                        "reviewed in pass {}: {}",
                        pass.short(),
                        words::decision(state, *decision)
                    );
                }
                Effect::Imported { blob, label } => {
                    format!("imported again as {} (bytes {})", words::class(state, *label), blob.short())
                }
                Effect::Admitted { samples, label, .. } => {
                    format!("admitted with samples {} as {}", samples.short(), words::class(state, *label))
                }
                Effect::Expelled { samples } => format!("expelled with samples {}", samples.short()),
            };
            format!("{what}: {}", because(why))
        }
        Happening::Reverted { targets, reason } => {
            format!(
                "{} taken back: {}",
                words::count(targets.len() as u64, "event", "events"),
                words::text(reason)
            )
        }
    }
}
