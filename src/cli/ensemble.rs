//! `safelight ensemble`.

use safelight_lineage::event::{Split, VoteRule};
use safelight_lineage::id::PredictionsId;
use safelight_lineage::state::State;
use serde_json::{Value, json};

use super::context::Context;
use super::{resolve, words};
use crate::ensemble::cast::{Cast, CastError, ballot, hold};
use crate::ensemble::choose::{Choice, ChooseError, choose, leaks_among};
use crate::ensemble::{Agreement, Leak};
use crate::error::{AppError, Exit};

/// Let several predictions vote
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight ensemble 3fa9 81bc\n  safelight ensemble 3fa9 81bc 0c1d --rule soft\n  \
                  safelight ensemble 3fa9=2 81bc=1 --rule weighted\n  \
                  safelight ensemble 3fa9 81bc 0c1d 77e0 --greedy --validation valid\n\n\
                  The order of members decides nothing; ties are broken by a hash of the tie seed and the image id."
)]
pub struct EnsembleArgs {
    /// The members: predictions by the beginning of their ids, with =WEIGHT
    /// for the rules that weigh.
    #[arg(required = true, value_name = "PREDICTIONS")]
    members: Vec<String>,

    /// How votes become decisions.
    #[arg(long, value_enum, default_value_t = Rule::Majority)]
    rule: Rule,

    /// What ties are broken by, with the image id.
    #[arg(long, default_value_t = 0)]
    tie_seed: u64,

    /// Choose members one by one, each time the one with which the vote is
    /// right most often on labelled images that none of them learned from.
    #[arg(long)]
    greedy: bool,

    /// Where those images are: each member's model needs predictions of this
    /// split too, with the same views.
    #[arg(long, value_enum, default_value_t = SplitName::Valid, requires = "greedy")]
    validation: SplitName,

    /// Choose at most so many members.
    #[arg(long, value_name = "N", requires = "greedy", value_parser = clap::value_parser!(u16).range(1..))]
    limit: Option<u16>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SplitName {
    Train,
    Valid,
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Split {
        match name {
            SplitName::Train => Split::Train,
            SplitName::Valid => Split::Valid,
            SplitName::Test => Split::Test,
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Rule {
    /// One member, one vote.
    Majority,
    /// Each vote counts its weight.
    Weighted,
    /// The weighted mean of the probabilities decides.
    Soft,
}

impl From<Rule> for VoteRule {
    fn from(rule: Rule) -> VoteRule {
        match rule {
            Rule::Majority => VoteRule::Majority,
            Rule::Weighted => VoteRule::Weighted,
            Rule::Soft => VoteRule::Soft,
        }
    }
}

/// Lets predictions vote.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn run(args: &EnsembleArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let mut members: Vec<(PredictionsId, f64)> = Vec::new();
    for text in &args.members {
        let (prefix, weight) = match text.split_once('=') {
            None => (text.as_str(), 1.0),
            Some((prefix, weight)) => {
                let number = weight.parse::<f64>().map_err(|_| {
                    AppError::new(Exit::Usage, format!("'{}' is not a weight", words::text(weight)))
                        .hint("give a number above zero, such as 3fa9=2.5")
                })?;
                (prefix, number)
            }
        };
        members.push((resolve::id(session.state(), prefix)?, weight));
    }
    let blobs = session.repository().blobs().clone();
    let read = |blob| blobs.get(blob);
    let rule: VoteRule = args.rule.into();
    let choice = match args.greedy {
        false => None,
        true => {
            let limit = args.limit.map_or(members.len(), usize::from);
            let how = (rule, args.tie_seed, limit);
            let choice = choose(session.state(), &read, &members, args.validation.into(), how)?;
            members.retain(|(id, _)| choice.selection.chosen.contains(id));
            Some(choice)
        }
    };
    let counted = ballot(session.state(), read, &members, rule, args.tie_seed)?;
    let leaks = leaks_among(session.state(), &read, members.iter().map(|(id, _)| *id))?;
    // Before the vote: whether these members belong together is the person's call.
    if let Some(choice) = &choice {
        chosen(context, session.state(), choice);
    }
    alike(context, &counted.agreement);
    warn(context, &leaks);
    let cast = hold(&mut session, counted)?;
    report(context, &cast);
    let mut document = document(&cast);
    document["leaks"] = json!(leaks);
    if let Some(choice) = &choice {
        document["selection"] = json!({
            "steps": choice.selection.steps, "images": choice.images, "learned": choice.learned,
            "accuracy": choice.selection.accuracy(),
        });
    }
    context.out.document(&document);
    Ok(Exit::Done)
}

fn chosen(context: &Context, state: &State, choice: &Choice) {
    let out = &context.out;
    out.line(format!(
        "choosing by {}{}:",
        words::count(choice.images as u64, "labelled image", "labelled images"),
        match choice.learned {
            0 => String::new(),
            learned => format!(" ({learned} more do not count: a candidate learned from them)"),
        }
    ));
    for step in &choice.selection.steps {
        let kept = choice.selection.chosen.contains(&step.added);
        let source = state.predictions().get(step.added).map(|record| words::source(&record.event.source));
        out.line(format!(
            "  {} {}  accuracy {:.4} with it{}  {}",
            if kept { "+" } else { " " },
            step.added.short(),
            step.accuracy,
            if kept { "" } else { ", left out" },
            source.unwrap_or_default()
        ));
    }
}

/// Says how alike the members are.
pub fn alike(context: &Context, agreement: &Agreement) {
    for pair in &agreement.pairs {
        context.out.line(format!(
            "{} and {} decide {:.1} % of images differently{}{}{}",
            pair.one.short(),
            pair.other.short(),
            pair.disagreement * 100.0,
            pair.kappa.map_or_else(String::new, |value| format!(", kappa {value:.3}")),
            pair.correlation.map_or_else(String::new, |value| format!(", correlation {value:.3}")),
            pair.error_correlation.map_or_else(String::new, |value| format!(", of their errors {value:.3}")),
        ));
    }
}

fn warn(context: &Context, leaks: &[Leak]) {
    for leak in leaks {
        let twins = match leak.twins {
            0 => String::new(),
            twins => format!(" and near-duplicates of {twins}"),
        };
        context.out.notice(&format!(
            "warning: the model of {} learned from {} of the {} images that validated {}{twins}; \
             its accuracy on them is no evidence",
            leak.learner.short(),
            leak.images,
            leak.of,
            if leak.learner == leak.validated { "itself".to_owned() } else { leak.validated.short() },
        ));
    }
}

/// Says what came of the vote.
pub fn report(context: &Context, cast: &Cast) {
    let out = &context.out;
    out.line(format!(
        "ensemble {}: {} members, {} images, {:.1} % unanimous, {} by tie-break",
        cast.ensemble,
        cast.members.len(),
        cast.votes.images().len(),
        cast.agreement.unanimous * 100.0,
        cast.votes.tied(),
    ));
    if cast.members.len() == 1 {
        out.notice("note: an ensemble of one decides as its member does");
    }
    out.line(format!("next: safelight submit {} --output submission.csv", cast.ensemble.short()));
}

fn document(cast: &Cast) -> Value {
    json!({
        "ensemble": cast.ensemble,
        "members": cast.members,
        "images": cast.votes.images().len(),
        "unanimous": cast.agreement.unanimous,
        "ties": cast.votes.tied(),
        "pairs": cast.agreement.pairs,
    })
}

impl From<ChooseError> for AppError {
    fn from(error: ChooseError) -> AppError {
        match error {
            ChooseError::NoValidation { split, ref candidates } => {
                let refused = AppError::refused(error.to_string());
                candidates.iter().fold(refused, |refused, id| {
                    refused.hint(format!(
                        "{}: predict with its checkpoint and the same views, --split {split}",
                        id.short()
                    ))
                })
            }
            ChooseError::Cast(error) => error.into(),
            ChooseError::Prepare(error) => error.into(),
            ChooseError::Blob(error) => error.into(),
            ChooseError::Findings(_) => AppError::new(Exit::Damaged, error.to_string()),
            other => AppError::refused(words::text(&other.to_string())),
        }
    }
}

impl From<CastError> for AppError {
    fn from(error: CastError) -> AppError {
        match error {
            CastError::Session(error) => error.into(),
            CastError::Blob(error) => error.into(),
            CastError::Probabilities { .. } => AppError::new(Exit::Damaged, error.to_string()),
            CastError::OtherImages { .. } => AppError::refused(error.to_string())
                .hint("members must be predictions of the same split of the same dataset; predict again with the older model"),
            other => AppError::refused(other.to_string()),
        }
    }
}
