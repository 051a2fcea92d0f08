//! `safelight relabel`, `remove` and `restore`.

use safelight_lineage::decide::{Command, Rejection};
use safelight_lineage::event::{Evidence, Frame};

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

/// Says what a change did.
pub(super) fn report(context: &Context, session: &Session, frame: Option<&Frame>) {
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
