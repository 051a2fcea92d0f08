//! `safelight generate admit` and `expel`.

use safelight_lineage::event::Event;
use safelight_lineage::id::{GeneratorId, SamplesId};
use safelight_lineage::query::{learned_by_generator, resolve_prefix};
use safelight_lineage::state::State;

use super::super::context::Context;
use super::super::{resolve, words};
use super::quality::{JudgeArgs, measured, say};
use crate::error::{AppError, Exit};
use crate::generate::admission::{Evidence, Expelled, admission, choose, expulsion};
use crate::generate::held_out::{HeldOut, held_out};
use crate::session::Session;

/// A batch whose samples differ less than this share of how much real images do
/// is not let in.
const DIVERSE: f64 = 0.3;

/// Let samples into the training split, as one event
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight generate admit 3fa9\n  \
                  safelight generate admit 3fa9 --by 77c0 --min-confidence 0.8\n\n\
                  They are measured first, and what was measured is stored with the event. Copies of training\n\
                  images stay out. Take them back with: safelight generate expel 3fa9, or safelight undo")]
pub(super) struct AdmitArgs {
    /// The samples, by the beginning of their id.
    samples: String,

    #[command(flatten)]
    judge: JudgeArgs,

    /// Only those whose class has at least this probability for the checkpoint.
    #[arg(long, value_name = "PROBABILITY", conflicts_with = "unjudged")]
    min_confidence: Option<f64>,

    /// Also those that are copies of training images.
    #[arg(long)]
    allow_copies: bool,

    /// Also when they are all alike.
    #[arg(long)]
    force: bool,

    /// What to remember.
    #[arg(short, long)]
    message: Option<String>,
}

pub(super) fn admit(args: &AdmitArgs, context: &Context) -> Result<Exit, AppError> {
    if args.min_confidence.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
        return Err(AppError::new(Exit::Usage, "--min-confidence must be between 0 and 1"));
    }
    let (mut session, samples, quality) = measured(&args.samples, &args.judge, context)?;
    let out = &context.out;
    say(&quality, out, &session);
    if args.min_confidence.is_some() && quality.judged.is_none() {
        return Err(AppError::refused("there is no checkpoint to be confident")
            .hint("train one first: safelight train"));
    }
    if !args.force && quality.diversity.is_some_and(|diversity| diversity < DIVERSE) {
        return Err(AppError::refused("the samples are nearly all alike; nothing was let in")
            .hint("train the generator longer or otherwise; or, if that is meant: --force"));
    }
    let batch = session.state().samples().get(samples).map(|record| record.generated.event.blobs.clone());
    let choice = choose(&batch.unwrap_or_default(), &quality, args.min_confidence, args.allow_copies);
    let left = |number: usize, why: &str| {
        if number > 0 {
            out.line(format!("  {number} stay out: {why}"));
        }
    };
    left(choice.copies, "copies of training images");
    left(choice.unsure, "the checkpoint is not sure enough of their class");
    left(choice.repeated, "the same bytes as another one");
    if choice.chosen.is_empty() {
        return Err(AppError::refused("no sample is good enough; nothing was let in"));
    }
    let evidence = Evidence {
        quality: quality.clone(),
        min_confidence: args.min_confidence,
        allow_copies: args.allow_copies,
        force: args.force,
        chosen: choice.chosen.clone(),
    };
    let evidence = serde_json::to_vec(&evidence).expect("finite numbers and texts have a JSON form");
    let evidence = session.repository().blobs().put(&evidence)?;
    let held = held_out_of(&session, quality.generator);
    if let Some(words) = held.in_words() {
        out.line(format!("  note: {words}"));
    }
    let frame = session
        .commit(args.message.as_deref(), |state, _| admission(state, samples, &choice.chosen, evidence))
        .map_err(|error| {
            AppError::from(error).hint(format!(
                "see what became of these samples with: safelight generate show {}",
                samples.short()
            ))
        })?;
    let admitted = frame.as_ref().map_or(0, |frame| count(&frame.events));
    out.line(format!(
        "admitted {} of {} into the training split as {}",
        words::count(admitted, "sample", "samples"),
        quality.count,
        words::text(&quality.class)
    ));
    out.line(format!("take them back with: safelight generate expel {}", samples.short()));
    out.document(&serde_json::json!({
        "samples": samples, "admitted": admitted, "copies": choice.copies, "unsure": choice.unsure,
        "repeated": choice.repeated, "quality": quality, "held_out": held,
        "transaction": frame.map(|frame| frame.header.transaction),
    }));
    Ok(Exit::Done)
}

/// The runs that are validated by images which a generator learned from. Of one
/// whose images the log does not give any more, there are none to tell.
fn held_out_of(session: &Session, generator: GeneratorId) -> HeldOut {
    let (state, blobs) = (session.state(), session.repository().blobs());
    let record = state.generators().get(generator);
    let Some(learned) = record.and_then(|record| learned_by_generator(state, &record.event)) else {
        return HeldOut::default();
    };
    let learned = learned.rows().iter().map(|row| row.image).collect();
    held_out(state, |blob| blobs.get(blob), &learned)
}

fn count(events: &[Event]) -> u64 {
    let admitted = |event: &Event| match event {
        Event::SamplesAdmitted(admitted) => admitted.images.len() as u64,
        _ => 0,
    };
    events.iter().map(admitted).sum()
}

/// Take samples out of the dataset again: a batch, or all that a generator drew
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight generate expel 3fa9\n  safelight generate expel 8d41 --reason \"learned removed images\"\n\n\
                  What learned from them: safelight audit generator 8d41. An undo brings them back."
)]
pub(super) struct ExpelArgs {
    /// A generator or samples, by the beginning of its id.
    id: String,

    /// Why.
    #[arg(long, default_value = "taken back")]
    reason: String,
}

/// The generator or the batch whose id begins so.
fn what(state: &State, text: &str) -> Result<Expelled, AppError> {
    let generator = resolve_prefix::<GeneratorId>(state, text).ok();
    let samples = resolve_prefix::<SamplesId>(state, text).ok();
    match (generator, samples) {
        (Some(generator), None) => Ok(Expelled::Generator(generator)),
        (None, Some(samples)) => Ok(Expelled::Samples(samples)),
        (Some(_), Some(_)) => Err(AppError::refused(format!(
            "'{}' begins the id of a generator and of samples; give more digits",
            words::text(text)
        ))),
        (None, None) => resolve::id::<SamplesId>(state, text)
            .map(Expelled::Samples)
            .map_err(|error| error.hint("see what there is with: safelight generate list")),
    }
}

pub(super) fn expel(args: &ExpelArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let expelled = what(session.state(), &args.id)?;
    let before = session.state().present_count();
    let frame = session.commit(None, |state, _| expulsion(state, expelled, &args.reason))?;
    let gone = before.saturating_sub(session.state().present_count());
    let batches = frame.as_ref().map_or(0, |frame| frame.events.len());
    let out = &context.out;
    out.line(format!(
        "took {} of {} out of the dataset",
        words::count(gone, "image", "images"),
        words::count(batches as u64, "batch", "batches")
    ));
    if let Some(frame) = &frame {
        out.line(format!("bring them back with: safelight undo {}", frame.header.transaction.short()));
    }
    out.document(&serde_json::json!({
        "expelled": gone, "batches": batches,
        "transaction": frame.map(|frame| frame.header.transaction),
    }));
    Ok(Exit::Done)
}
