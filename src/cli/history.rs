//! `safelight log` and `safelight show`.

use safelight_lineage::event::Frame;
use safelight_lineage::id::{
    CheckpointId, EnsembleId, GeneratorId, ImageId, PassId, PredictionsId, RunId, SamplesId, SubmissionId,
    TransactionId, WeightsId,
};
use safelight_lineage::query::{
    PrefixError, Prefixed, ancestry, biography, lineage_of_submission, resolve_prefix,
};
use safelight_lineage::state::State;

use serde_json::{Value, json};

use super::context::Context;
use super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::session::Session;

/// Show what happened, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight log -n 5\n  safelight log --events\n  \
                  safelight log --as-of 5000\n  safelight log --kind ImageRemoved")]
pub struct LogArgs {
    /// At most this many transactions.
    #[arg(short = 'n', long = "number", default_value_t = 20)]
    number: usize,

    /// List every event, not a summary a transaction.
    #[arg(long)]
    events: bool,

    /// Only what happened up to this Seq or transaction.
    #[arg(long, value_name = "SEQ")]
    as_of: Option<String>,

    /// Only transactions with an event of this kind, such as ImageRemoved.
    #[arg(long)]
    kind: Option<String>,
}

pub fn log(args: &LogArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let until = args.as_of.as_deref().map(|text| resolve::seq(state, text)).transpose()?;
    if let Some(kind) = &args.kind {
        check_kind(kind)?;
    }
    let mut shown = Vec::new();
    for frame in session.repository().frames_rev() {
        let frame = frame?;
        let late = until.is_some_and(|until| frame.header.first_seq > until);
        let wanted = |kind: &String| frame.events.iter().any(|event| event.kind_name() == kind);
        if late || !args.kind.as_ref().is_none_or(wanted) {
            continue;
        }
        if shown.len() == args.number {
            break;
        }
        write_frame(context, state, &frame, args.events);
        shown.push(frame);
    }
    context.out.document(&shown);
    Ok(Exit::Done)
}

fn check_kind(kind: &str) -> Result<(), AppError> {
    let kinds = safelight_lineage::event::Event::KINDS;
    if kinds.iter().any(|(name, _)| *name == kind) {
        return Ok(());
    }
    let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
    Err(AppError::new(Exit::Usage, format!("there is no event kind '{}'", words::text(kind)))
        .hint(format!("the kinds are {}", names.join(", "))))
}

fn write_frame(context: &Context, state: &State, frame: &Frame, events: bool) {
    let header = &frame.header;
    let message =
        header.message.as_ref().map_or_else(String::new, |text| format!("  “{}”", words::text(text)));
    context.out.line(format!(
        "{:>8}  {}  {}  {}  {}{message}",
        frame.last_seq(),
        transaction_short(header.transaction),
        words::time(header.time),
        header.actor,
        words::frame(state, frame),
    ));
    if events && frame.events.len() > 1 {
        for (place, event) in frame.events.iter().enumerate() {
            let seq = header.first_seq.plus(place as u64);
            context.out.line(format!("{seq:>8}      {}", words::event(state, event)));
        }
    }
}

/// Transaction ids begin with a time, so their first digits are all alike:
/// enough of them to tell transactions of one millisecond apart.
fn transaction_short(id: TransactionId) -> String {
    id.to_string()[..16].to_owned()
}

/// Show one thing: an image, run, checkpoint, predictions, submission, …
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight show 3fa9c1\n  safelight show train/sea/0001.jpg\n  \
                  safelight show 3fa9c1 --json")]
pub struct ShowArgs {
    /// The beginning of an id of any kind, or an image's path.
    id: String,
}

pub fn show(args: &ShowArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut value = Value::Null;
    macro_rules! look {
        ($($id:ty),+) => {$(
            match resolve_prefix::<$id>(state, &args.id) {
                Ok(id) => {
                    found.push((<$id as Prefixed>::KIND, id.to_string()));
                    value = id.describe(&session)?;
                }
                Err(PrefixError::Ambiguous { candidates, .. }) => {
                    found.extend(candidates.into_iter().map(|id| (<$id as Prefixed>::KIND, id)));
                }
                Err(_) => {}
            }
        )+};
    }
    look!(
        ImageId,
        RunId,
        CheckpointId,
        PredictionsId,
        PassId,
        EnsembleId,
        SubmissionId,
        GeneratorId,
        SamplesId,
        WeightsId,
        TransactionId
    );
    match found.as_slice() {
        [(kind, _)] => {
            write_value(context, kind, &value);
            Ok(Exit::Done)
        }
        [] => {
            let image = resolve::image(state, &args.id)?;
            let value = image.describe(&session)?;
            write_value(context, "image", &value);
            Ok(Exit::Done)
        }
        several => Err(several.iter().fold(
            AppError::refused(format!("'{}' is ambiguous", words::text(&args.id))),
            |error, (kind, id)| error.hint(format!("{id}  ({kind})")),
        )),
    }
}

/// What there is to say about one thing, as JSON.
trait Describe {
    fn describe(self, session: &Session) -> Result<Value, AppError>;
}

fn to_json(value: &impl serde::Serialize) -> Result<Value, AppError> {
    serde_json::to_value(value).map_err(|error| AppError::failed(format!("could not write JSON: {error}")))
}

impl Describe for ImageId {
    fn describe(self, session: &Session) -> Result<Value, AppError> {
        let state = session.state();
        let Some(view) = state.image(self) else { return Ok(Value::Null) };
        let mut value = to_json(&view)?;
        value["label_name"] = json!(words::class(state, view.label));
        let entries = biography(state, self).map(|biography| biography.entries).unwrap_or_default();
        value["biography"] = to_json(&entries)?;
        Ok(value)
    }
}

impl Describe for CheckpointId {
    fn describe(self, session: &Session) -> Result<Value, AppError> {
        let state = session.state();
        let mut value = to_json(&state.checkpoints().get(self))?;
        let line = ancestry(state, self);
        let parents: Vec<String> =
            line.iter().skip(1).map(|ancestor| ancestor.checkpoint.event.checkpoint.to_string()).collect();
        value["ancestry"] = json!(parents);
        Ok(value)
    }
}

impl Describe for SubmissionId {
    fn describe(self, session: &Session) -> Result<Value, AppError> {
        let state = session.state();
        let mut value = to_json(&state.submissions().get(self))?;
        if let Ok(plan) = lineage_of_submission(state, self) {
            value["made_by"] = to_json(&plan.steps)?;
        }
        Ok(value)
    }
}

impl Describe for TransactionId {
    fn describe(self, session: &Session) -> Result<Value, AppError> {
        let wanted = session.state().transactions().get(self).map(|record| record.first_seq);
        for frame in session.repository().frames_rev() {
            let frame = frame?;
            if Some(frame.header.first_seq) == wanted {
                return to_json(&frame);
            }
            if wanted.is_none_or(|wanted| frame.header.first_seq < wanted) {
                break;
            }
        }
        Ok(Value::Null)
    }
}

macro_rules! describe {
    ($($id:ty => $registry:ident),+ $(,)?) => {$(
        impl Describe for $id {
            fn describe(self, session: &Session) -> Result<Value, AppError> {
                to_json(&session.state().$registry().get(self))
            }
        }
    )+};
}

describe!(
    RunId => runs,
    PredictionsId => predictions,
    PassId => passes,
    EnsembleId => ensembles,
    GeneratorId => generators,
    SamplesId => samples,
    WeightsId => weights,
);

fn write_value(context: &Context, kind: &str, value: &Value) {
    context.out.line(kind);
    write_fields(context, value, 1);
    context.out.document(&json!({ "kind": kind, "value": value }));
}

/// Writes JSON as indented `name  value` lines, which people read more easily.
fn write_fields(context: &Context, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        context.out.line(format!("{indent}{name}"));
                        write_fields(context, value, depth + 1);
                    }
                    Value::Array(items) if items.iter().any(Value::is_object) => {
                        context.out.line(format!("{indent}{name}"));
                        for item in items {
                            context.out.line(format!("{indent}  -"));
                            write_fields(context, item, depth + 2);
                        }
                    }
                    Value::Null => {}
                    _ if name == "time" => {
                        let time =
                            words::time(safelight_lineage::value::Timestamp(value.as_u64().unwrap_or(0)));
                        context.out.line(format!("{indent}{name:<14} {time}"));
                    }
                    _ => context.out.line(format!("{indent}{name:<14} {}", scalar(value))),
                }
            }
        }
        other => context.out.line(format!("{indent}{}", scalar(other))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(scalar).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_is_refused_with_the_list() {
        let error = check_kind("ImageDeleted").expect_err("no such kind");
        assert!(error.hints[0].contains("ImageRemoved"));
        assert!(check_kind("ImageRemoved").is_ok());
    }
}
