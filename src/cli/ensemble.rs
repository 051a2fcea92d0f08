//! `safelight ensemble`.

use safelight_lineage::event::VoteRule;
use safelight_lineage::id::PredictionsId;

use super::context::Context;
use super::{resolve, words};
use crate::ensemble::cast::{Cast, CastError, cast};
use crate::error::{AppError, Exit};

/// Let several predictions vote
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight ensemble 3fa9 81bc\n  safelight ensemble 3fa9 81bc 0c1d --rule soft\n  \
                  safelight ensemble 3fa9=2 81bc=1 --rule weighted\n\n\
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
    let cast = cast(&mut session, &members, args.rule.into(), args.tie_seed)?;
    report(context, &cast);
    Ok(Exit::Done)
}

/// Says how alike the members are and what came of the vote.
pub fn report(context: &Context, cast: &Cast) {
    let out = &context.out;
    for pair in &cast.agreement.pairs {
        out.line(format!(
            "{} and {} decide {:.1} % of images differently{}",
            pair.one.short(),
            pair.other.short(),
            pair.disagreement * 100.0,
            pair.correlation.map_or_else(String::new, |value| format!(", correlation {value:.3}"))
        ));
    }
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
    let pairs: Vec<_> = cast
        .agreement
        .pairs
        .iter()
        .map(|pair| {
            serde_json::json!({
                "one": pair.one, "other": pair.other, "disagreement": pair.disagreement,
                "correlation": pair.correlation, "error_correlation": pair.error_correlation,
            })
        })
        .collect();
    out.document(&serde_json::json!({
        "ensemble": cast.ensemble,
        "members": cast.members,
        "images": cast.votes.images().len(),
        "unanimous": cast.agreement.unanimous,
        "ties": cast.votes.tied(),
        "pairs": pairs,
    }));
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
