//! `safelight clean`.

use std::path::PathBuf;

use safelight_lineage::id::{PassId, PredictionsId};

use super::context::Context;
use super::{resolve, words};
use crate::clean::pass::{Action, Application, PassError, apply, findings, propose_pass};
use crate::clean::{Findings, Rule};
use crate::error::{AppError, Exit};
use crate::train::recipe::Recipe;

/// Find images that are probably wrong, and act on what was found
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight clean propose --folds 3 --recipe recipe.toml\n  \
                  safelight clean propose --predictions 3fa9 --rule confidently-wrong\n  \
                  safelight clean show 77c0\n  \
                  safelight clean apply 77c0 --rule confidently-wrong --action relabel --limit-per-class 20")]
pub struct CleanArgs {
    #[command(subcommand)]
    action: CleanCommand,
}

#[derive(Debug, clap::Subcommand)]
enum CleanCommand {
    /// Judge the training images and record what the rules find
    #[command(after_help = "Example:\n  safelight clean propose --folds 3 --recipe recipe.toml")]
    Propose(ProposeArgs),
    /// List what a pass found, the worst first
    #[command(after_help = "Example:\n  safelight clean show 77c0 -n 20")]
    Show {
        /// The pass, by the beginning of its id.
        pass: String,
        /// At most this many a rule.
        #[arg(short = 'n', long, default_value_t = 20)]
        number: usize,
    },
    /// Act on what one rule of a pass found, without looking at each image
    #[command(
        after_help = "Example:\n  safelight clean apply 77c0 --rule ambiguous --action remove --limit-per-class 10"
    )]
    Apply(ApplyArgs),
}

#[derive(Debug, clap::Args)]
struct ProposeArgs {
    /// Judge by these predictions instead of training models of folds.
    #[arg(long, value_name = "PREDICTIONS", conflicts_with_all = ["folds", "recipe"])]
    predictions: Option<String>,

    /// Train this many models, each kept from its share of the images, so that
    /// every image is judged by a model that has not seen it.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=20))]
    folds: u8,

    /// The recipe of the fold models [default: ResNet-18, five epochs at 64 pixels].
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,

    /// Which rules judge; may be repeated [default: the two of the recipe and confident learning].
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,

    /// Threads that compute [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Debug, clap::Args)]
struct ApplyArgs {
    /// The pass, by the beginning of its id.
    pass: String,

    /// Whose findings to act on.
    #[arg(long)]
    rule: String,

    /// What to do with them.
    #[arg(long, value_enum)]
    action: ActionName,

    /// At most this many images of each label, the worst first.
    #[arg(long, value_name = "N")]
    limit_per_class: Option<usize>,

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

/// The rules that judge when nobody says which.
pub fn default_rules() -> Vec<Rule> {
    Rule::DEFAULTS.into_iter().filter(Rule::needs_predictions).collect()
}

pub fn run(args: &CleanArgs, context: &Context) -> Result<Exit, AppError> {
    match &args.action {
        CleanCommand::Propose(args) => run_propose(args, context),
        CleanCommand::Show { pass, number } => run_show(pass, *number, context),
        CleanCommand::Apply(args) => run_apply(args, context),
    }
}

fn run_propose(args: &ProposeArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let mut rules = Vec::new();
    for name in &args.rules {
        let rule = Rule::from_name(name)
            .map_err(|error| AppError::new(Exit::Usage, words::text(&error.to_string())))?;
        if !rule.needs_predictions() {
            return Err(AppError::refused(format!(
                "rule {name} judges by pixels, which this command does not do yet"
            ))
            .hint("choose among confidently-wrong, ambiguous and confident-learning"));
        }
        rules.push(rule);
    }
    if rules.is_empty() {
        rules = default_rules();
    }
    let predictions: PredictionsId = match &args.predictions {
        Some(prefix) => resolve::id(session.state(), prefix)?,
        None => {
            let text = match &args.recipe {
                None => String::new(),
                Some(path) => std::fs::read_to_string(path)
                    .map_err(|error| AppError::io("read the recipe", path, &error))?,
            };
            let recipe = Recipe::parse(&text)?;
            let threads = args.threads.unwrap_or_else(super::train::default_threads).max(1);
            let stop = crate::stop::Stop::install();
            super::folds::out_of_fold(&mut session, &recipe, args.folds, threads, &stop, &context.out)?
        }
    };
    let (pass, findings) = propose_pass(&mut session, predictions, &rules)?;
    context.out.line(format!(
        "pass {pass} on predictions {}: {} images found",
        predictions.short(),
        findings.images()
    ));
    report(context, &session, &findings, 5);
    context.out.line(format!(
        "next: safelight clean show {0}   or   safelight clean apply {0} --rule … --action …",
        pass.short()
    ));
    context.out.document(&serde_json::json!({
        "pass": pass,
        "predictions": predictions,
        "found": findings.images(),
        "rules": rules.iter().map(|rule| serde_json::json!({
            "rule": rule.name(),
            "found": findings.0.iter().filter(|finding| finding.rule == rule.name()).count(),
        })).collect::<Vec<_>>(),
    }));
    Ok(Exit::Done)
}

fn report(context: &Context, session: &crate::session::Session, findings: &Findings, number: usize) {
    let state = session.state();
    let mut names: Vec<&str> = findings.0.iter().map(|finding| finding.rule.as_str()).collect();
    names.dedup();
    for name in names {
        let of_rule: Vec<_> = findings.0.iter().filter(|finding| finding.rule == name).collect();
        context.out.line(format!("  {name}: {}", words::count(of_rule.len() as u64, "image", "images")));
        for finding in of_rule.iter().take(number) {
            context.out.line(format!(
                "    {:>4}  {}  {}",
                finding.rank,
                words::image(state, finding.image),
                finding.reason
            ));
        }
        if of_rule.len() > number {
            context.out.line(format!("          and {} more", of_rule.len() - number));
        }
    }
}

fn run_show(pass: &str, number: usize, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let pass: PassId = resolve::id(session.state(), pass)?;
    let blobs = session.repository().blobs().clone();
    let found = findings(session.state(), |blob| blobs.get(blob), pass)?;
    report(context, &session, &found, number);
    let state = session.state();
    context.out.document(
        &found
            .0
            .iter()
            .map(|finding| {
                serde_json::json!({
                    "image": finding.image,
                    "path": state.image(finding.image).map(|view| view.path_text()),
                    "rule": finding.rule,
                    "rank": finding.rank,
                    "score": finding.score,
                    "reason": finding.reason,
                    "label": finding.label.map(|label| words::class(state, Some(label))),
                    "suggested": finding.suggested.map(|label| words::class(state, Some(label))),
                    "decision": state.review(pass, finding.image),
                })
            })
            .collect::<Vec<_>>(),
    );
    Ok(Exit::Done)
}

fn run_apply(args: &ApplyArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let pass: PassId = resolve::id(session.state(), &args.pass)?;
    let application = Application {
        rule: args.rule.clone(),
        action: match args.action {
            ActionName::Remove => Action::Remove,
            ActionName::Relabel => Action::Relabel,
        },
        limit_per_class: args.limit_per_class,
        force: args.force,
    };
    let known = session
        .state()
        .passes()
        .get(pass)
        .is_some_and(|record| record.proposed.event.rules.iter().any(|rule| rule.rule == args.rule));
    if !known {
        let names: Vec<String> = session.state().passes().get(pass).map_or_else(Vec::new, |record| {
            record.proposed.event.rules.iter().map(|rule| rule.rule.clone()).collect()
        });
        return Err(AppError::refused(format!(
            "no rule '{}' judged in pass {}",
            words::text(&args.rule),
            pass.short()
        ))
        .hint(format!("the rules of that pass are {}", names.join(", "))));
    }
    let frame = apply(&mut session, pass, &application)?;
    let decided = frame
        .as_ref()
        .map_or(0, |frame| frame.events.iter().filter(|event| event.kind_name() == "ReviewDecided").count());
    context.out.line(format!(
        "{} by rule {} of pass {}",
        words::count(decided as u64, "decision", "decisions"),
        args.rule,
        pass.short()
    ));
    if let Some(frame) = &frame {
        context.out.line(format!("to take them back: safelight undo {}", frame.header.transaction));
    }
    context.out.document(&serde_json::json!({
        "decided": decided,
        "transaction": frame.as_ref().map(|frame| frame.header.transaction),
    }));
    Ok(Exit::Done)
}

impl From<PassError> for AppError {
    fn from(error: PassError) -> AppError {
        match error {
            PassError::Session(error) => error.into(),
            PassError::Blob(error) => error.into(),
            PassError::Predictions(error) => error.into(),
            PassError::Findings { .. } => AppError::new(Exit::Damaged, error.to_string()),
            other => AppError::refused(words::text(&other.to_string())),
        }
    }
}
