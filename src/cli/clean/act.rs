//! `safelight clean apply` and `revert`.

use safelight_lineage::decide::{Command, Rejection};
use safelight_lineage::event::Frame;

use super::super::context::Context;
use super::super::words;
use super::{current_pass, resolve_pass, rules_of_pass};
use crate::clean::pass::{Action, Application, PassError, apply, effects};
use crate::error::{AppError, Exit};
use crate::session::SessionError;

/// Act on what rules of a pass found, without looking at each image
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight clean apply 77c0 --rule ambiguous --action remove --limit-per-class 10\n  \
                  safelight clean apply 77c0 --rule confidently-wrong --rule confident-learning --action relabel --limit-per-class 25\n\n\
                  With several rules the images are ranked by all of them together."
)]
pub(super) struct ApplyArgs {
    /// The pass, by the beginning of its id.
    pass: String,

    /// Whose findings to act on; may be repeated.
    #[arg(long = "rule", value_name = "RULE", required = true)]
    rules: Vec<String>,

    /// What to do with them.
    #[arg(long, value_enum)]
    action: ActionName,

    /// At most this many images of each label, the worst first.
    #[arg(long, value_name = "N")]
    limit_per_class: Option<usize>,

    /// Also act on what earlier passes settled.
    #[arg(long)]
    again: bool,

    /// When the dataset changed since: judge it anew by the same rules, and go on.
    #[arg(long)]
    rebase: bool,

    /// Also take the last image of a class.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ActionName {
    /// Take the images out.
    Remove,
    /// Give them the suggested label.
    Relabel,
}

/// Take back everything that was decided in a pass
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  safelight clean revert 77c0 --reason \"the model was no good\"")]
pub(super) struct RevertArgs {
    /// The pass, by the beginning of its id.
    pass: String,

    /// Why; kept for ever.
    #[arg(long, default_value = "the whole pass")]
    reason: String,
}

pub(super) fn apply_rules(args: &ApplyArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let pass = resolve_pass(&session, &args.pass)?;
    let rules = rules_of_pass(session.state(), pass, &args.rules)?;
    let pass = current_pass(&mut session, pass, args.rebase, context)?;
    let application = Application {
        rules,
        action: match args.action {
            ActionName::Remove => Action::Remove,
            ActionName::Relabel => Action::Relabel,
        },
        limit_per_class: args.limit_per_class,
        force: args.force,
        again: args.again,
    };
    let frame = apply(&mut session, pass, &application).map_err(|error| {
        let last =
            matches!(&error, PassError::Session(SessionError::Rejected(Rejection::LastOfClass { .. })));
        let error = AppError::from(error);
        if last {
            error
                .hint("leave some of each class with --limit-per-class")
                .hint("or, if that is meant: the same command with --force")
        } else {
            error
        }
    })?;
    let decided = decisions(frame.as_ref());
    context.out.line(format!(
        "{} by rule {} of pass {}",
        words::count(decided as u64, "decision", "decisions"),
        application.rules.join(" + "),
        pass.short()
    ));
    if let Some(frame) = &frame {
        context.out.line(format!("to take them back: safelight undo {}", frame.header.transaction));
    }
    context.out.document(&serde_json::json!({
        "pass": pass,
        "decided": decided,
        "transaction": frame.as_ref().map(|frame| frame.header.transaction),
    }));
    Ok(Exit::Done)
}

fn decisions(frame: Option<&Frame>) -> usize {
    frame.map_or(0, |frame| frame.events.iter().filter(|event| event.kind_name() == "ReviewDecided").count())
}

pub(super) fn revert(args: &RevertArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let pass = resolve_pass(&session, &args.pass)?;
    let mut reverted = 0;
    let frame = session
        .execute(None, |state, _| {
            let targets = effects(state, pass);
            reverted = targets.iter().map(|target| target.events.len()).sum();
            Command::Revert { targets, reason: args.reason.clone() }
        })
        .map_err(|error| {
            let (nothing, conflict) = match &error {
                SessionError::Rejected(Rejection::NothingToDo) => (true, false),
                SessionError::Rejected(Rejection::Conflict { .. }) => (false, true),
                _ => (false, false),
            };
            if nothing {
                return AppError::refused(format!("nothing decided in pass {} stands", pass.short()));
            }
            let error = AppError::from(error);
            if conflict {
                error.hint("take the later change back first with: safelight undo SEQ")
            } else {
                error
            }
        })?;
    context.out.line(format!(
        "{} of pass {} taken back",
        words::count(reverted as u64, "event", "events"),
        pass.short()
    ));
    if let Some(frame) = &frame {
        context.out.line(format!("to bring them back: safelight undo {}", frame.header.transaction));
    }
    context.out.document(&serde_json::json!({
        "pass": pass,
        "reverted": reverted,
        "transaction": frame.map(|frame| frame.header.transaction),
    }));
    Ok(Exit::Done)
}
