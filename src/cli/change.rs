//! `safelight relabel`, `remove`, `restore` and `undo`.

use safelight_lineage::decide::{Command, Rejection, decide};
use safelight_lineage::event::{Evidence, Frame, RevertTarget};
use safelight_lineage::state::State;

use super::context::Context;
use super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::session::Session;

/// Give images another label
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight relabel 3fa9c1 --to glacier --reason \"snow, not sea\"\n  \
                  safelight relabel train/sea/0001.jpg train/sea/0002.jpg --to glacier")]
pub struct RelabelArgs {
    /// The images, by the beginning of their ids or by path.
    #[arg(required = true)]
    images: Vec<String>,

    /// The class they are to have.
    #[arg(long, value_name = "CLASS")]
    to: String,

    /// Why; kept for ever.
    #[arg(long, default_value = "by hand")]
    reason: String,
}

/// Take images out of the dataset; they stay auditable and can be restored
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight remove 3fa9c1 --reason \"two classes in one picture\"\n  \
                  safelight remove train/sea/0001.jpg")]
pub struct RemoveArgs {
    /// The images, by the beginning of their ids or by path.
    #[arg(required = true)]
    images: Vec<String>,

    /// Why; kept for ever.
    #[arg(long, default_value = "by hand")]
    reason: String,

    /// Also take the last image of a class.
    #[arg(long)]
    force: bool,
}

/// Take removed images back into the dataset
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight restore 3fa9c1 --reason \"it is a sea after all\"")]
pub struct RestoreArgs {
    /// The images, by the beginning of their ids or by path.
    #[arg(required = true)]
    images: Vec<String>,

    /// Why; kept for ever.
    #[arg(long, default_value = "by hand")]
    reason: String,
}

/// Take back an earlier change; the change and the undo both stay in the log
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight undo                  the newest change that can be taken back\n  \
                  safelight undo 5123             the event with that seq\n  \
                  safelight undo 01937f2a         a whole transaction; one that is an undo itself is redone"
)]
pub struct UndoArgs {
    /// An event by its seq, or a transaction by the beginning of its id
    /// [default: the newest change that can be taken back].
    target: Option<String>,

    /// Why; kept for ever.
    #[arg(long, default_value = "undo")]
    reason: String,
}

pub fn relabel(args: &RelabelArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let images = resolve::images(session.state(), &args.images)?;
    let frame = session.execute(None, |_, _| Command::Relabel {
        images: images.clone(),
        label: Some(args.to.clone()),
        reason: args.reason.clone(),
        evidence: Evidence::default(),
    })?;
    report(context, &session, frame.as_ref());
    Ok(Exit::Done)
}

pub fn remove(args: &RemoveArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let images = resolve::images(session.state(), &args.images)?;
    let frame = session
        .execute(None, |_, _| Command::Remove {
            images: images.clone(),
            reason: args.reason.clone(),
            evidence: Evidence::default(),
            force: args.force,
        })
        .map_err(|error| {
            let last =
                matches!(&error, crate::session::SessionError::Rejected(Rejection::LastOfClass { .. }));
            let error = AppError::from(error);
            if last { error.hint("if that is meant: the same command with --force") } else { error }
        })?;
    report(context, &session, frame.as_ref());
    Ok(Exit::Done)
}

pub fn restore(args: &RestoreArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let images = resolve::images(session.state(), &args.images)?;
    let frame = session.execute(None, |_, _| Command::Restore {
        images: images.clone(),
        reason: args.reason.clone(),
        evidence: Evidence::default(),
    })?;
    report(context, &session, frame.as_ref());
    Ok(Exit::Done)
}

pub fn undo(args: &UndoArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let targets = match &args.target {
        Some(text) => {
            let (transaction, events) = resolve::target(session.state(), text)?;
            vec![RevertTarget { transaction, events }]
        }
        None => newest_undoable(session.state(), &args.reason)?,
    };
    let frame = session
        .execute(None, |_, _| Command::Revert { targets: targets.clone(), reason: args.reason.clone() })?;
    for target in &targets {
        if let Some(record) = session.state().transactions().get(target.transaction) {
            context.out.line(format!(
                "took back {} of {} by {}",
                if target.events.is_empty() {
                    "everything".to_owned()
                } else {
                    format!("event {}", record.first_seq.plus(u64::from(target.events[0])))
                },
                words::time(record.time),
                record.actor,
            ));
        }
    }
    report(context, &session, frame.as_ref());
    context.out.line("to redo: safelight undo, with the transaction above");
    Ok(Exit::Done)
}

/// The newest transaction that can be taken back and is not itself an undo, so
/// that repeated undoing goes further back.
fn newest_undoable(state: &State, reason: &str) -> Result<Vec<RevertTarget>, AppError> {
    let undos: std::collections::BTreeSet<_> =
        state.reverts().iter().map(|revert| revert.at.transaction).collect();
    for record in state.transactions().iter().rev() {
        if undos.contains(&record.transaction) {
            continue;
        }
        let targets = vec![RevertTarget { transaction: record.transaction, events: Vec::new() }];
        let attempt = Command::Revert { targets: targets.clone(), reason: reason.to_owned() };
        match decide(state, attempt) {
            Ok(_) => return Ok(targets),
            Err(
                Rejection::NotReversible { .. } | Rejection::AlreadyReverted { .. } | Rejection::NothingToDo,
            ) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Err(AppError::refused("there is nothing to take back"))
}

fn report(context: &Context, session: &Session, frame: Option<&Frame>) {
    let Some(frame) = frame else {
        context.out.line("nothing to do: everything is as wanted already");
        context.out.document(&serde_json::json!({ "changed": 0 }));
        return;
    };
    for event in &frame.events {
        context.out.line(words::event(session.state(), event));
    }
    context.out.line(format!("transaction {}, seq {}", frame.header.transaction, frame.last_seq()));
    context.out.document(frame);
}
