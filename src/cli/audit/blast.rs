//! `safelight audit blast`.

use std::fmt::Display;

use safelight_lineage::id::{ImageId, PassId, TransactionId};
use safelight_lineage::query::{BlastRadius, blast_radius, resolve_prefix, stale_after};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use super::super::context::Context;
use super::super::{resolve, words};
use super::filter::{FormArgs, as_of};
use super::table;
use crate::error::{AppError, Exit};

/// What is stale because of a change, or rests on an image
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight audit blast train/sea/0001.jpg     all that the image may have influenced\n  \
                  safelight audit blast 77c0                   what the decisions of a pass made stale\n  \
                  safelight audit blast 5123                   what the event with that seq made stale\n\n\
                  The answer is an upper bound: a run counts when the image was in the dataset it was\n\
                  trained on, also when a fold kept it out."
)]
pub(super) struct BlastArgs {
    /// An image (id or path), a cleaning pass, a transaction, or a seq.
    id: String,

    /// As the log was at this seq or transaction.
    #[arg(long, value_name = "SEQ")]
    as_of: Option<String>,

    #[command(flatten)]
    form: FormArgs,
}

/// What a person asks about.
enum About {
    Image(ImageId),
    Changes { what: String, changes: Vec<(ImageId, Seq)> },
}

pub(super) fn run(args: &BlastArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    as_of(&session, args.as_of.as_deref(), |state| {
        let about = about(state, &args.id)?;
        let (what, radius) = match &about {
            About::Image(image) => {
                (format!("{} may have influenced", words::image(state, *image)), blast_radius(state, *image))
            }
            About::Changes { what, changes } => (
                format!(
                    "{what} changed {}, and made stale",
                    words::count(changes.len() as u64, "image", "images")
                ),
                stale_after(state, changes),
            ),
        };
        let lists = lists(&radius);
        if args.form.csv {
            let rows = lists
                .iter()
                .flat_map(|(kind, _, ids)| ids.iter().map(|id| vec![(*kind).to_owned(), id.clone()]));
            return table::csv(context, &["kind", "id"], rows);
        }
        context.out.line(what);
        write_lists(context, &lists);
        context.out.document(&radius);
        Ok(())
    })?;
    Ok(Exit::Done)
}

/// One line for each kind that there is any of.
pub(super) fn write_lists(context: &Context, lists: &[(&str, &str, Vec<String>)]) {
    let mut any = false;
    for (one, many, ids) in lists.iter().filter(|(.., ids)| !ids.is_empty()) {
        any = true;
        let short: Vec<&str> = ids.iter().map(|id| id.get(..8).unwrap_or(id)).collect();
        context.out.line(format!("  {}: {}", words::count(ids.len() as u64, one, many), short.join(", ")));
    }
    if !any {
        context.out.line("  nothing");
    }
}

/// The lists of a radius with their names, ids in full.
pub(super) fn lists(radius: &BlastRadius) -> Vec<(&'static str, &'static str, Vec<String>)> {
    fn all<T: Display>(ids: &[T]) -> Vec<String> {
        ids.iter().map(T::to_string).collect()
    }
    vec![
        ("run", "runs", all(&radius.runs)),
        ("checkpoint", "checkpoints", all(&radius.checkpoints)),
        ("predictions", "predictions", all(&radius.predictions)),
        ("cleaning pass", "cleaning passes", all(&radius.passes)),
        ("generator", "generators", all(&radius.generators)),
        ("batch of samples", "batches of samples", all(&radius.samples)),
        ("ensemble", "ensembles", all(&radius.ensembles)),
        ("submission", "submissions", all(&radius.submissions)),
    ]
}

fn about(state: &State, text: &str) -> Result<About, AppError> {
    if text.contains(['/', '.']) {
        return Ok(About::Image(resolve::image(state, text)?));
    }
    if text.len() < 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seq = resolve::seq(state, text)?;
        let changes = changes(state, |_, at| at == seq);
        return Ok(About::Changes { what: format!("event {seq}"), changes });
    }
    let image = resolve_prefix::<ImageId>(state, text).ok();
    let pass = resolve_prefix::<PassId>(state, text).ok();
    let transaction = resolve_prefix::<TransactionId>(state, text).ok();
    match (image, pass, transaction) {
        (Some(image), None, None) => Ok(About::Image(image)),
        (None, Some(pass), None) => {
            let changes = changes(state, |of, _| of == Some(pass));
            Ok(About::Changes { what: format!("pass {}", pass.short()), changes })
        }
        (None, None, Some(transaction)) => {
            let record = state.transactions().get(transaction);
            let changes = changes(state, |_, seq| {
                record.is_some_and(|record| (record.first_seq..=record.last_seq()).contains(&seq))
            });
            Ok(About::Changes { what: format!("transaction {}", transaction.short()), changes })
        }
        (None, None, None) => {
            Err(AppError::refused(format!("there is no image, pass or transaction '{}'", words::text(text)))
                .hint("give the beginning of its id, an image's path, or a seq"))
        }
        _ => Err(AppError::refused(format!("'{}' begins several ids; give more digits", words::text(text)))),
    }
}

/// The changes of images that stand and that `wanted` says yes to, by the pass
/// they rest on and by Seq. Decisions alone change nothing.
fn changes(state: &State, wanted: impl Fn(Option<PassId>, Seq) -> bool) -> Vec<(ImageId, Seq)> {
    state
        .all_changes()
        .filter(|change| {
            change.live && !matches!(change.effect, safelight_lineage::state::Effect::Reviewed { .. })
        })
        .filter(|change| wanted(change.because.evidence.pass, change.seq))
        .map(|change| (change.image, change.seq))
        .collect()
}
