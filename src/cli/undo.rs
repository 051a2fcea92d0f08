//! `safelight undo`.

use safelight_lineage::decide::{Command, Rejection, decide};
use safelight_lineage::event::{Event, EventRef, RevertTarget};
use safelight_lineage::state::State;

use super::change::report;
use super::context::Context;
use super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::session::{Session, SessionError};

/// So many events that stand in the way are looked for.
const CHAIN: usize = 1_000;
/// So many of them are named in a hint.
const NAMED: usize = 12;

/// Take back earlier changes; the changes and the undo all stay in the log
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight undo                  the newest change that can be taken back\n  \
                  safelight undo 5123             the event with that seq\n  \
                  safelight undo 5123 5140        both together, when the later one builds on the earlier\n  \
                  safelight undo 01937f2a         a whole transaction; one that is an undo itself is redone\n\n\
                  Any past change of images or scores can be taken back, also out of order, unless a later one\n\
                  built on it: then both are named. What a run, a prediction or a vote recorded is a fact and stays."
)]
pub struct UndoArgs {
    /// Events by seq, or transactions by the beginning of their ids
    /// [default: the newest change that can be taken back].
    targets: Vec<String>,

    /// Why; kept for ever.
    #[arg(long, default_value = "undo")]
    reason: String,
}

pub fn run(args: &UndoArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let targets = if args.targets.is_empty() {
        newest_undoable(&session, &args.reason)?
    } else {
        args.targets
            .iter()
            .map(|text| {
                let (transaction, events) = resolve::target(session.state(), text)?;
                Ok(RevertTarget { transaction, events })
            })
            .collect::<Result<Vec<_>, AppError>>()?
    };
    let frame = session
        .execute(None, |_, _| Command::Revert { targets: targets.clone(), reason: args.reason.clone() })
        .map_err(|error| match error {
            SessionError::Rejected(rejection) => explained(&session, &targets, rejection),
            other => other.into(),
        })?;
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
fn newest_undoable(session: &Session, reason: &str) -> Result<Vec<RevertTarget>, AppError> {
    let state = session.state();
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
            Err(other) => return Err(explained(session, &targets, other)),
        }
    }
    Err(AppError::refused("there is nothing to take back"))
}

/// Why something cannot be taken back, and what can be done instead.
fn explained(session: &Session, targets: &[RevertTarget], rejection: Rejection) -> AppError {
    let state = session.state();
    match &rejection {
        Rejection::Conflict { target_seq, later, seq, image, field, .. } => {
            let what = words::text(&format!(
                "event {target_seq} cannot be taken back by itself: event {seq} changed the {field} of {} after it{}",
                words::image(state, *image),
                event_at(session, *later)
                    .map_or_else(String::new, |event| format!(" ({})", words::event(state, &event)))
            ));
            let mut error =
                AppError::refused(what).hint(format!("take the later one back first: safelight undo {seq}"));
            if let Some(all) = with_what_follows(state, targets) {
                error = error.hint(if all.len() <= NAMED {
                    format!("or all of them together: safelight undo {}", all.join(" "))
                } else {
                    format!(
                        "or all of them together, {} in all: safelight undo {} …; safelight log --events shows them",
                        all.len(),
                        all[..NAMED].join(" ")
                    )
                });
            }
            error
        }
        Rejection::NotReversible { event } => {
            let found = event_at(session, *event);
            let error = AppError::refused(words::text(&rejection.to_string()));
            match found.as_ref().map(instead) {
                Some(hint) => error.hint(hint),
                None => error,
            }
        }
        Rejection::AlreadyReverted { by, .. } => AppError::refused(words::text(&rejection.to_string()))
            .hint(format!("to have it back: safelight undo {}", by.transaction)),
        _ => rejection.into(),
    }
}

/// What to undo so that nothing stands in the way: the targets and all that
/// was built on them. None when that cannot be found.
fn with_what_follows(state: &State, targets: &[RevertTarget]) -> Option<Vec<String>> {
    let mut all = targets.to_vec();
    for _ in 0..CHAIN {
        let attempt = Command::Revert { targets: all.clone(), reason: String::new() };
        match decide(state, attempt) {
            Ok(_) => {
                let seq = |event: EventRef| state.transactions().seq_of(event).map(|seq| seq.to_string());
                return all
                    .iter()
                    .map(|target| match target.events.as_slice() {
                        [] => Some(target.transaction.to_string()),
                        [index] => seq(EventRef { transaction: target.transaction, index: *index }),
                        _ => None,
                    })
                    .collect();
            }
            Err(Rejection::Conflict { later, .. }) => {
                all.push(RevertTarget { transaction: later.transaction, events: vec![later.index] });
            }
            Err(_) => return None,
        }
    }
    None
}

fn event_at(session: &Session, at: EventRef) -> Option<Event> {
    let frames = session.repository().frames_rev();
    let frame = frames.map_while(Result::ok).find(|frame| frame.header.transaction == at.transaction)?;
    frame.events.into_iter().nth(at.index as usize)
}

/// What somebody who wants to undo such an event may mean.
fn instead(event: &Event) -> &'static str {
    match event {
        Event::DatasetCreated(_) => "a repository is its dataset: delete the folder to be rid of both",
        Event::ClassesAdded(_) => {
            "classes stay, for labels are numbers into their list: move the images with safelight relabel, and the class is empty"
        }
        Event::ReviewDecided(_) => {
            "the decision stays on record; what it changed is an event of its own and can be undone: see safelight log --events"
        }
        Event::WeightsAdded(_) => "weights that are registered and not used do no harm",
        Event::RunStarted(_)
        | Event::LearningRateFound(_)
        | Event::CheckpointSaved(_)
        | Event::RunFinished(_)
        | Event::RunFailed(_)
        | Event::RunCancelled(_) => {
            "the run took place; nothing rests on it unless you predict with its checkpoints, so leave it or train another"
        }
        Event::PredictionsRecorded(_) | Event::CleaningPassProposed(_) => {
            "it only says what was computed; what was done to images because of it can be undone: see safelight log --events"
        }
        Event::GeneratorTrained(_) | Event::SamplesGenerated(_) => {
            "drawn images are not in the dataset until they are admitted, and that can be undone"
        }
        Event::EnsembleVoted(_) | Event::SubmissionWritten(_) => {
            "it only says what was computed; vote or submit again, and use that"
        }
        Event::SubmissionReplayed(_) => "it only says what a replay found; replay again for another verdict",
        Event::Unknown(_) => "a newer version of safelight recorded it, and may know how to take it back",
        _ => "see what it did with: safelight log --events",
    }
}
