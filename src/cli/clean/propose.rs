//! `safelight clean propose`.

use std::path::PathBuf;

use safelight_lineage::event::Honesty;
use safelight_lineage::id::{CheckpointId, ImageId, PassId, PredictionsId};

use super::super::context::Context;
use super::super::engine::Fast;
use super::super::output::Output;
use super::super::{resolve, train, words};
use super::{default_rules, show};
use crate::clean::gather::{GatherError, Pictures, gather, present_images};
use crate::clean::pass::{Proposal, propose_pass};
use crate::clean::{ClosePair, Likeness, Rule, duplicate_groups};
use crate::error::{AppError, Exit};
use crate::session::Session;
use crate::stop::Stop;
use crate::train::recipe::Recipe;

/// The least cosine of embeddings when a checkpoint is given and nobody says.
///
/// By a ResNet-18 trained from scratch on 2,800 of 5,100 photographs of scenes,
/// the pairs above it that the hash does not find were the same view, framed a
/// little differently; at 0.85 the first two that are not came up.
const LEAST_COSINE: f64 = 0.88;

/// Judge the images and record what the rules find
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight clean propose --folds 3 --recipe recipe.toml\n  \
                  safelight clean propose --fast --checkpoint 8d41\n  \
                  safelight clean propose --predictions 3fa9 --rule confidently-wrong --rule ambiguous:low=0.4\n  \
                  safelight clean propose --rule near-duplicate --rule leakage --checkpoint 8d41\n\n\
                  Without --rule every rule judges. Rules by predictions judge by --predictions, by the\n\
                  linear probe of --fast, or by models of folds that are trained for it; when only rules\n\
                  by pixels are asked for, nothing is trained.")]
pub(super) struct ProposeArgs {
    /// Judge by these predictions instead of training models of folds.
    #[arg(long, value_name = "PREDICTIONS", conflicts_with_all = ["folds", "recipe", "fast"])]
    predictions: Option<String>,

    /// Train this many models, each kept from its share of the images, so that
    /// every image is judged by a model that has not seen it. Near-duplicates
    /// are kept together.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=20))]
    folds: u8,

    /// The recipe of the fold models [default: ResNet-18, five epochs at 64 pixels].
    #[arg(long, value_name = "FILE", conflicts_with = "fast")]
    recipe: Option<PathBuf>,

    /// Train no network: fit a linear probe on the embeddings of --checkpoint,
    /// each image judged by a probe that has not seen it.
    #[arg(long, requires = "checkpoint")]
    fast: bool,

    /// A checkpoint whose embeddings also tell duplicates, and feed --fast.
    #[arg(long, value_name = "CHECKPOINT")]
    checkpoint: Option<String>,

    /// Which rules judge, each with settings if need be; may be repeated
    /// [default: all].
    #[arg(long = "rule", value_name = "RULE[:SETTING=NUMBER,…]")]
    rules: Vec<String>,

    /// Accept predictions of a model that learned from the images it judges;
    /// that is recorded with the pass.
    #[arg(long)]
    in_sample: bool,

    /// Also find what was decided in earlier passes.
    #[arg(long)]
    again: bool,

    /// What to remember about the pass.
    #[arg(short, long)]
    message: Option<String>,

    /// Threads that compute [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

pub(super) fn run(args: &ProposeArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let threads = args.threads.unwrap_or_else(train::default_threads).max(1);
    let checkpoint: Option<CheckpointId> =
        args.checkpoint.as_deref().map(|text| resolve::id(session.state(), text)).transpose()?;
    let rules = rules(&args.rules, checkpoint.is_some())?;
    let recipe = match &args.recipe {
        None => String::new(),
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| AppError::io("read the recipe", path, &error))?
        }
    };
    let recipe = Recipe::parse(&recipe)?;
    let wants_predictions = rules.iter().any(Rule::needs_predictions);
    // What cannot work is said before anything long starts.
    let given: Option<PredictionsId> =
        args.predictions.as_deref().map(|text| resolve::id(session.state(), text)).transpose()?;
    let least = rules.iter().filter_map(Rule::min_cosine).reduce(f64::min);
    let trains = wants_predictions && given.is_none();
    let embeds = checkpoint.filter(|_| least.is_some() || args.fast);
    let engine = match trains || embeds.is_some() {
        true => Some(context.engine().map_err(|error| {
            error
                .hint("or judge by predictions that are recorded already: safelight clean propose --predictions …")
                .hint("or by pixels only: safelight clean propose --rule near-duplicate")
        })?),
        false => None,
    };
    if let Some(id) = given {
        tell_honesty(&session, id, args.in_sample, context)?;
    }
    let stop = Stop::install();
    context.out.become_job(&session.repository().cache_dir());
    let looks = rules.iter().any(|rule| !rule.needs_predictions());
    let pictures =
        if looks || trains { look(&session, threads, &stop, &context.out)? } else { Pictures::default() };
    let embeddings = match (engine, embeds) {
        (Some(engine), Some(checkpoint)) => {
            Some((engine.embed)(&session, checkpoint, &pictures, threads, &stop, &context.out)?)
        }
        _ => None,
    };
    let pairs = match (&embeddings, least) {
        (Some(embeddings), Some(least)) => {
            let bar = context.out.bar("comparing", embeddings.len() as u64, "images");
            let pairs = embeddings.close_pairs(least, stop.flag(), &|done| bar.inc(done));
            bar.finish_and_clear();
            Some(pairs.ok_or_else(|| stopped(&stop))?)
        }
        _ => None,
    };
    let together = together(&pictures, pairs.as_deref());
    let predictions = match (engine, &embeddings, checkpoint) {
        (Some(engine), Some(embeddings), Some(checkpoint)) if trains && args.fast => {
            let request = Fast {
                checkpoint,
                folds: args.folds,
                seed: recipe.seed,
                together: &together,
                in_sample: args.in_sample,
                threads,
            };
            Some((engine.probe)(&mut session, embeddings, &request, &stop, &context.out)?)
        }
        (Some(engine), ..) if trains => Some((engine.out_of_fold)(
            &mut session,
            &recipe,
            args.folds,
            &together,
            threads,
            &stop,
            &context.out,
        )?),
        _ => given,
    };
    let message = match (checkpoint, &pairs) {
        (Some(checkpoint), Some(_)) => Some(format!(
            "{}duplicates also by embeddings of checkpoint {checkpoint}",
            args.message.as_ref().map_or_else(String::new, |message| format!("{message}; "))
        )),
        _ => args.message.clone(),
    };
    let proposed = propose_pass(
        &mut session,
        &Proposal {
            rules: &rules,
            predictions: predictions.filter(|_| wants_predictions),
            in_sample: args.in_sample,
            pictures: &pictures,
            pairs: pairs.as_deref(),
            again: args.again,
            message: message.as_deref(),
        },
    )?;
    let pass = proposed.pass;
    let on = predictions.map_or_else(String::new, |id| format!(" on predictions {}", id.short()));
    context.out.line(format!("pass {pass}{on}: {} images found", proposed.findings.images()));
    if proposed.answered > 0 {
        context.out.line(format!(
            "{} left out that earlier passes settled; with --again they are asked again",
            words::count(proposed.answered as u64, "image was", "images were")
        ));
    }
    show::by_rule(context, &session, &proposed.findings.0, 5);
    if !proposed.findings.0.is_empty() {
        context.out.line(format!(
            "next: safelight clean review {0}   or   safelight clean apply {0} --rule … --action …",
            pass.short()
        ));
    }
    context.out.document(&serde_json::json!({
        "pass": pass,
        "predictions": predictions,
        "found": proposed.findings.images(),
        "settled_before": proposed.answered,
        "rules": rules.iter().map(|rule| serde_json::json!({
            "rule": rule.name(),
            "found": proposed.findings.0.iter().filter(|finding| finding.rule == rule.name()).count(),
        })).collect::<Vec<_>>(),
    }));
    Ok(Exit::Done)
}

/// The rules asked for, or all; with a checkpoint those that compare pictures
/// go by embeddings too.
fn rules(texts: &[String], checkpoint: bool) -> Result<Vec<Rule>, AppError> {
    let mut rules = Vec::new();
    for text in texts {
        let rule = Rule::parse(text).map_err(|error| {
            AppError::new(Exit::Usage, words::text(&error.to_string()))
                .hint("see rules and settings with: safelight clean --help")
        })?;
        if rules.iter().any(|known: &Rule| known.name() == rule.name()) {
            return Err(AppError::new(Exit::Usage, format!("rule {} is given twice", rule.name())));
        }
        rules.push(rule);
    }
    if rules.is_empty() {
        let pixels = Rule::DEFAULTS.into_iter().filter(|rule| !rule.needs_predictions());
        rules = default_rules().into_iter().chain(pixels).collect();
    }
    if checkpoint {
        rules = rules.into_iter().map(|rule| rule.by_cosine_too(LEAST_COSINE)).collect();
    }
    if let Some(rule) = rules.iter().find(|rule| rule.min_cosine().is_some() && !checkpoint) {
        return Err(AppError::new(
            Exit::Usage,
            format!("rule {} goes by embeddings, and no checkpoint is given to make them", rule.name()),
        )
        .hint("name one with --checkpoint, or leave min_cosine out"));
    }
    Ok(rules)
}

fn tell_honesty(
    session: &Session,
    id: PredictionsId,
    in_sample: bool,
    context: &Context,
) -> Result<(), AppError> {
    let honesty = session.state().predictions().get(id).map(|record| record.event.honesty);
    match honesty {
        Some(Honesty::InSample) if !in_sample => Err(crate::clean::pass::PassError::InSample(id).into()),
        Some(Honesty::InSample) => {
            context.out.notice("note: these predictions are in-sample, and the pass is marked so: what a model memorised it does not find");
            Ok(())
        }
        Some(Honesty::Unknown) => {
            context.out.notice("note: whether the model had seen these images is not known");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Measures the pictures of the dataset.
fn look(session: &Session, threads: usize, stop: &Stop, out: &Output) -> Result<Pictures, AppError> {
    let images = present_images(session.state());
    let bar = out.bar("looking", 0, "pictures");
    let blobs = session.repository().blobs();
    let cache = session.repository().cache_dir();
    let pictures = gather(&images, blobs, Some(&cache), threads, stop.flag(), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    pictures.map_err(|error| match error {
        GatherError::Cancelled => stopped(stop),
        other => other.into(),
    })
}

fn stopped(stop: &Stop) -> AppError {
    AppError::new(stop.exit(), "stopped; no pass was proposed")
}

/// The groups of near-duplicates, which belong in one fold.
fn together(pictures: &Pictures, pairs: Option<&[ClosePair]>) -> Vec<Vec<ImageId>> {
    let max_distance = Rule::DEFAULTS
        .iter()
        .find_map(|rule| match rule {
            Rule::NearDuplicate { max_distance, .. } => Some(*max_distance),
            _ => None,
        })
        .unwrap_or(0);
    let likeness =
        Likeness { max_distance, min_cosine: pairs.map(|_| LEAST_COSINE), pairs: pairs.unwrap_or_default() };
    duplicate_groups(&pictures.facts, &likeness)
}

/// Lets the rules of a pass judge the dataset of now by the same predictions.
pub(super) fn again(session: &mut Session, pass: PassId, context: &Context) -> Result<PassId, AppError> {
    let record = session
        .state()
        .passes()
        .get(pass)
        .ok_or_else(|| AppError::refused(format!("there is no cleaning pass {pass}")))?
        .proposed
        .event
        .clone();
    let rules = record
        .rules
        .iter()
        .map(Rule::from_recorded)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| AppError::refused(words::text(&error.to_string())))?;
    if let Some(rule) = rules.iter().find(|rule| rule.min_cosine().is_some()) {
        return Err(AppError::refused(format!(
            "rule {} of pass {} goes by embeddings, which a rebase does not compute",
            rule.name(),
            pass.short()
        ))
        .hint("propose anew: safelight clean propose --checkpoint …"));
    }
    let stop = Stop::install();
    let pictures = if rules.iter().any(|rule| !rule.needs_predictions()) {
        look(session, train::default_threads(), &stop, &context.out)?
    } else {
        Pictures::default()
    };
    let message = format!("pass {pass} rebased");
    let proposal = Proposal {
        rules: &rules,
        predictions: record.predictions.first().copied(),
        // Who proposed the pass accepted it, and it is recorded anew.
        in_sample: true,
        pictures: &pictures,
        pairs: None,
        again: false,
        message: Some(&message),
    };
    Ok(propose_pass(session, &proposal)?.pass)
}
