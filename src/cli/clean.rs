//! `safelight clean`.

mod act;
mod propose;
mod rehearse;
mod review;
mod show;

use safelight_lineage::id::PassId;
use safelight_lineage::state::State;

use super::context::Context;
use super::{resolve, words};
use crate::clean::Rule;
use crate::clean::drift::drift;
use crate::clean::evidence::EvidenceError;
use crate::clean::gather::GatherError;
use crate::clean::pass::PassError;
use crate::error::{AppError, Exit};
use crate::session::Session;

/// Find images that are probably wrong, and act on what was found
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight clean propose --folds 3 --recipe recipe.toml\n  \
                  safelight clean propose --predictions 3fa9 --rule confidently-wrong:above=0.95\n  \
                  safelight clean propose --rule near-duplicate --rule leakage\n  \
                  safelight clean review 77c0\n  \
                  safelight clean apply 77c0 --rule confidently-wrong --action relabel --limit-per-class 20\n  \
                  safelight clean revert 77c0\n\nRules, with their settings:\n  \
                  confidently-wrong:above=0.9      the model is surer of another label\n  \
                  ambiguous:low=0.5,high=0.6       the model wavers between labels\n  \
                  confident-learning[/FILTER]      as cleanlab finds them; filters: prune-by-noise-rate (default),\n                                   \
                  prune-by-class, both, confident-learning, predicted-neq-given,\n                                   \
                  low-self-confidence, low-normalized-margin\n  \
                  near-duplicate:max_distance=8    twice in one split; with --checkpoint also min_cosine\n  \
                  leakage, conflicting-duplicate   in two splits; under two labels\n  \
                  blank, tiny, unreadable, colour-model")]
pub struct CleanArgs {
    #[command(subcommand)]
    action: CleanCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CleanCommand {
    Propose(propose::ProposeArgs),
    List(show::ListArgs),
    Show(show::ShowArgs),
    Review(review::ReviewArgs),
    Apply(act::ApplyArgs),
    Revert(act::RevertArgs),
    Plant(rehearse::PlantArgs),
    Evaluate(rehearse::EvaluateArgs),
}

/// The rules that judge by predictions, with their defaults.
pub fn default_rules() -> Vec<Rule> {
    Rule::DEFAULTS.into_iter().filter(Rule::needs_predictions).collect()
}

/// Runs one of the cleaning commands.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn run(args: &CleanArgs, context: &Context) -> Result<Exit, AppError> {
    match &args.action {
        CleanCommand::Propose(args) => propose::run(args, context),
        CleanCommand::List(_) => show::list(context),
        CleanCommand::Show(args) => show::run(args, context),
        CleanCommand::Review(args) => review::run(args, context),
        CleanCommand::Apply(args) => act::apply_rules(args, context),
        CleanCommand::Revert(args) => act::revert(args, context),
        CleanCommand::Plant(args) => rehearse::plant(args, context),
        CleanCommand::Evaluate(args) => rehearse::evaluate(args, context),
    }
}

/// Checks that these rules judged in a pass and gives their full names; no
/// names mean all.
fn rules_of_pass(state: &State, pass: PassId, names: &[String]) -> Result<Vec<String>, AppError> {
    let judged: Vec<String> = state.passes().get(pass).map_or_else(Vec::new, |record| {
        record.proposed.event.rules.iter().map(|rule| rule.rule.clone()).collect()
    });
    names
        .iter()
        .map(|name| {
            let full = Rule::from_name(name).map_or_else(|_| name.clone(), |rule| rule.name().to_owned());
            // A filter of confident learning need not be typed where there is one only.
            let prefixed = || judged.iter().find(|rule| rule.starts_with(&format!("{name}/")));
            match judged.iter().find(|rule| **rule == full).or_else(prefixed) {
                Some(rule) => Ok(rule.clone()),
                None => Err(AppError::refused(format!(
                    "no rule '{}' judged in pass {}",
                    words::text(name),
                    pass.short()
                ))
                .hint(format!("the rules of that pass are {}", judged.join(", ")))),
            }
        })
        .collect()
}

/// The pass to act in: the one asked for when the dataset is as it was judged,
/// the same rules on the dataset of now when the person wants that.
fn current_pass(
    session: &mut Session,
    pass: PassId,
    rebase: bool,
    context: &Context,
) -> Result<PassId, AppError> {
    let since = drift(session.state(), pass).unwrap_or_default();
    if since.is_none() {
        return Ok(pass);
    }
    if !rebase {
        return Err(AppError::refused(format!(
            "pass {} is older than the dataset: since it was proposed, {since} (decisions in the pass itself do not count)",
            pass.short()
        ))
        .hint("let the same rules judge the dataset of now, and go on there: the same command with --rebase"));
    }
    let rebased = propose::again(session, pass, context)?;
    context.out.notice(&format!(
        "pass {} is rebased as pass {rebased}: since it was proposed, {since}",
        pass.short()
    ));
    Ok(rebased)
}

fn resolve_pass(session: &Session, prefix: &str) -> Result<PassId, AppError> {
    resolve::id(session.state(), prefix)
}

impl From<PassError> for AppError {
    fn from(error: PassError) -> AppError {
        match error {
            PassError::Session(error) => error.into(),
            PassError::Blob(error) => error.into(),
            PassError::Predictions(error) => error.into(),
            PassError::Findings { .. } => AppError::new(Exit::Damaged, error.to_string()),
            PassError::InSample(_) => AppError::refused(error.to_string())
                .hint("judge by models that have not seen them: safelight clean propose --folds 3")
                .hint("or, if that is meant, and it will be recorded: the same command with --in-sample"),
            other => AppError::refused(words::text(&other.to_string())),
        }
    }
}

impl From<GatherError> for AppError {
    fn from(error: GatherError) -> AppError {
        match error {
            GatherError::Blob(error) => error.into(),
            other => AppError::failed(other.to_string()),
        }
    }
}

impl From<EvidenceError> for AppError {
    fn from(error: EvidenceError) -> AppError {
        match error {
            EvidenceError::Prepare(error) => error.into(),
            other => AppError::refused(other.to_string()),
        }
    }
}
