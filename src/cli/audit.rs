//! `safelight audit`.

use safelight_lineage::event::Actor;
use safelight_lineage::query::{Happening, Occasion, biography, relabels, removals};
use safelight_lineage::state::{Because, Effect, State};

use super::context::Context;
use super::{resolve, words};
use crate::error::{AppError, Exit};

/// Answer who changed what, when, why, and on what evidence
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight audit removed\n  safelight audit removed --class sea --rule confidently_wrong\n  \
                  safelight audit relabelled --json\n  safelight audit image train/sea/0001.jpg"
)]
pub struct AuditArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, clap::Subcommand)]
enum Question {
    /// Which images were removed
    #[command(after_help = "Example:\n  safelight audit removed --class sea")]
    Removed(FilterArgs),
    /// Which images got another label
    #[command(after_help = "Example:\n  safelight audit relabelled --by rule")]
    Relabelled(FilterArgs),
    /// The whole life of one image
    #[command(after_help = "Example:\n  safelight audit image 3fa9c1")]
    Image {
        /// The image, by the beginning of its id or by path.
        image: String,
    },
}

#[derive(Debug, clap::Args)]
struct FilterArgs {
    /// Only images of this class (as they are labelled now).
    #[arg(long)]
    class: Option<String>,

    /// Only by this rule.
    #[arg(long)]
    rule: Option<String>,

    /// Only for a reason that holds these words.
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,

    /// Only by this actor: a name, or person, rule, model, program.
    #[arg(long)]
    by: Option<String>,

    /// As the log was at this seq or transaction.
    #[arg(long, value_name = "SEQ")]
    as_of: Option<String>,

    /// Also those that were taken back since.
    #[arg(long)]
    all: bool,
}

impl FilterArgs {
    fn admits(
        &self,
        state: &State,
        image: safelight_lineage::id::ImageId,
        occasion: &Occasion<'_>,
        because: &Because,
    ) -> bool {
        let class = || state.image(image).map(|view| words::class(state, view.label));
        self.class.as_ref().is_none_or(|wanted| class().as_ref() == Some(wanted))
            && self.rule.as_ref().is_none_or(|wanted| because.evidence.rule.as_ref() == Some(wanted))
            && self.reason.as_ref().is_none_or(|wanted| because.reason.contains(wanted.as_str()))
            && self.by.as_ref().is_none_or(|wanted| acts_as(occasion.actor, wanted))
            && (self.all || occasion.reverted_by.is_none())
    }
}

fn acts_as(actor: &Actor, wanted: &str) -> bool {
    match actor {
        Actor::Person { name } => wanted == "person" || wanted == name,
        Actor::Rule { rule, .. } => wanted == "rule" || wanted == rule,
        Actor::Model { checkpoint } => wanted == "model" || checkpoint.to_string().starts_with(wanted),
        Actor::Program { name } => wanted == "program" || wanted == name,
    }
}

pub fn run(args: &AuditArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    match &args.question {
        Question::Removed(filter) => {
            with_state(&session, filter, |state| {
                let found: Vec<_> = removals(state)
                    .filter(|removal| filter.all || removal.still_removed)
                    .filter(|removal| filter.admits(state, removal.image, &removal.occasion, removal.because))
                    .collect();
                for removal in &found {
                    context.out.line(line(
                        state,
                        removal.image,
                        &removal.occasion,
                        removal.because,
                        "removed",
                    ));
                }
                context.out.line(words::count(found.len() as u64, "removal", "removals"));
                context.out.document(&found);
            })?;
        }
        Question::Relabelled(filter) => {
            with_state(&session, filter, |state| {
                let found: Vec<_> = relabels(state)
                    .filter(|change| filter.admits(state, change.image, &change.occasion, change.because))
                    .collect();
                for change in &found {
                    let what =
                        format!("{} → {}", words::class(state, change.old), words::class(state, change.new));
                    context.out.line(line(state, change.image, &change.occasion, change.because, &what));
                }
                context.out.line(words::count(found.len() as u64, "change of a label", "changes of labels"));
                context.out.document(&found);
            })?;
        }
        Question::Image { image } => {
            let state = session.state();
            let image = resolve::image(state, image)?;
            let life = biography(state, image);
            context.out.line(words::image(state, image));
            for entry in life.iter().flat_map(|life| &life.entries) {
                context.out.line(format!(
                    "{:>8}  {}  {}  {}{}",
                    entry.occasion.seq,
                    words::time(entry.occasion.time),
                    entry.occasion.actor,
                    happening(state, &entry.what),
                    taken_back(&entry.occasion)
                ));
            }
            context.out.document(&life);
        }
    }
    Ok(Exit::Done)
}

fn with_state(
    session: &crate::session::Session,
    filter: &FilterArgs,
    answer: impl FnOnce(&State),
) -> Result<(), AppError> {
    match &filter.as_of {
        None => answer(session.state()),
        Some(text) => answer(&session.repository().state_as_of(resolve::seq(session.state(), text)?)?),
    }
    Ok(())
}

fn line(
    state: &State,
    image: safelight_lineage::id::ImageId,
    occasion: &Occasion<'_>,
    because: &Because,
    what: &str,
) -> String {
    format!(
        "{:>8}  {}  {}  {what} by {}: {}{}",
        occasion.seq,
        words::time(occasion.time),
        words::image(state, image),
        occasion.actor,
        words::text(&because.reason),
        taken_back(occasion)
    )
}

fn taken_back(occasion: &Occasion<'_>) -> &'static str {
    if occasion.reverted_by.is_some() { "  (taken back)" } else { "" }
}

fn happening(state: &State, what: &Happening<'_>) -> String {
    let because = |because: &Because| words::text(&because.reason);
    match what {
        Happening::Imported { blob, label } => {
            format!("imported as {} ({})", words::class(state, *label), blob.short())
        }
        Happening::Changed { effect, because: why } => match effect {
            Effect::Relabelled { old, new } => {
                format!(
                    "relabelled {} → {}: {}",
                    words::class(state, *old),
                    words::class(state, *new),
                    because(why)
                )
            }
            Effect::Removed => format!("removed: {}", because(why)),
            Effect::Restored => format!("restored: {}", because(why)),
            other => format!("{other:?}: {}", because(why)),
        },
        Happening::Reverted { targets, reason } => {
            format!(
                "{} taken back: {}",
                words::count(targets.len() as u64, "event", "events"),
                words::text(reason)
            )
        }
    }
}
