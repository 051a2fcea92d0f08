//! `safelight runs`.

use std::path::PathBuf;

use safelight_lineage::id::RunId;

use super::context::Context;
use super::output::columns;
use super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::plot::{Figure, Panel, PlotError, Series, check_name, draw};
use crate::runs::compare::{RunFacts, differences, facts};
use crate::session::Session;
use crate::train::metrics::{EpochFigures, History, Judgement, StepFigures};

/// List training runs, show one, or compare several
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight runs\n  safelight runs show 77aa\n  safelight runs compare 77aa 81bc 9c41"
)]
pub struct RunsArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List every run, newest first (the default)
    #[command(after_help = "Examples:\n  safelight runs list\n  safelight runs list --json")]
    List,
    /// Show a run: its epochs, recalls, and which classes it mixes up
    #[command(
        after_help = "Examples:\n  safelight runs show 77aa\n  safelight runs show 77aa --plot run.png"
    )]
    Show {
        /// The run, by the beginning of its id.
        run: String,

        /// Also draw loss and learning rate by step and accuracy by epoch into
        /// this file, SVG or PNG by its name.
        #[arg(long, value_name = "FILE")]
        plot: Option<PathBuf>,
    },
    /// Say in what runs differ, and how each did, epoch by epoch
    #[command(after_help = "Examples:\n  safelight runs compare 77aa 81bc")]
    Compare {
        /// The runs, by the beginning of their ids.
        #[arg(required = true, num_args = 2..)]
        runs: Vec<String>,
    },
}

pub fn run(args: &RunsArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    match &args.action {
        None | Some(Action::List) => list(&session, context),
        Some(Action::Show { run, plot }) => {
            plot.as_deref().map_or(Ok(()), check_name)?;
            let facts = gather(&session, resolve::id(session.state(), run)?)?;
            if let Some(path) = plot {
                let Some(history) = facts.history.as_ref().filter(|history| !history.steps.is_empty()) else {
                    return Err(AppError::refused(format!("run {run} has no figures to draw"))
                        .hint("a run leaves them when it has ended"));
                };
                draw(path, &plotted(history))?;
                context.out.notice(&format!("drawn into {}", words::text(&path.display().to_string())));
            }
            show(&facts, context);
            Ok(Exit::Done)
        }
        Some(Action::Compare { runs }) => {
            let ids =
                runs.iter().map(|run| resolve::id(session.state(), run)).collect::<Result<Vec<_>, _>>()?;
            let facts = ids.into_iter().map(|run| gather(&session, run)).collect::<Result<Vec<_>, _>>()?;
            compare(&facts, context);
            Ok(Exit::Done)
        }
    }
}

fn gather(session: &Session, run: RunId) -> Result<RunFacts, AppError> {
    let blobs = session.repository().blobs().clone();
    Ok(facts(session.state(), &|blob| blobs.get(blob), run)?)
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

fn list(session: &Session, context: &Context) -> Result<Exit, AppError> {
    let state = session.state();
    let mut found: Vec<RunFacts> = Vec::new();
    for record in state.runs().iter() {
        found.push(gather(session, record.started.event.run)?);
    }
    found.reverse();
    if found.is_empty() {
        context.out.line("no run yet; start one with: safelight train");
    } else {
        let head =
            ["run", "status", "architecture", "pixels×epochs", "seed", "accuracy", "best", "checkpoint"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(found.iter().map(|run| {
            let accuracies = run.accuracies();
            vec![
                run.run.short(),
                run.status.to_owned(),
                run.recipe.architecture.to_string(),
                run.stages(),
                run.recipe.seed.to_string(),
                figure(accuracies.map(|(last, _)| last)),
                figure(accuracies.map(|(_, best)| best)),
                run.checkpoints.last().map_or_else(|| "–".to_owned(), |id| id.short()),
            ]
        }));
        columns(&rows).iter().for_each(|line| context.out.line(line));
    }
    let document: Vec<serde_json::Value> = found.iter().map(summary).collect();
    context.out.document(&document);
    Ok(Exit::Done)
}

/// A run without its steps.
fn summary(run: &RunFacts) -> serde_json::Value {
    let accuracies = run.accuracies();
    serde_json::json!({
        "run": run.run,
        "status": run.status,
        "reason": run.reason,
        "recipe": run.recipe,
        "dataset": run.manifest,
        "checkpoints": run.checkpoints,
        "accuracy": accuracies.map(|(last, _)| last),
        "best_accuracy": accuracies.map(|(_, best)| best),
        "epochs": run.history.as_ref().map(|history| history.epochs.len()),
    })
}

fn show(run: &RunFacts, context: &Context) {
    let out = &context.out;
    let why = run.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", words::text(reason)));
    out.line(format!("run         {}  {}{why}", run.run, run.status));
    out.line(format!("recipe      {} {}, seed {}", run.recipe.architecture, run.stages(), run.recipe.seed));
    out.line(format!("dataset     {}", run.manifest));
    if let Some(environment) = &run.environment {
        let libtorch = environment.libtorch.as_deref().unwrap_or("no libtorch");
        out.line(format!(
            "environment {} ({}), {} threads, {}",
            words::text(&environment.cpu),
            environment.cpu_class,
            environment.threads,
            libtorch
        ));
    }
    for checkpoint in &run.checkpoints {
        out.line(format!("checkpoint  {checkpoint}"));
    }
    if let Some(history) = &run.history {
        let mut rows = vec![
            ["stage", "epoch", "train loss", "valid loss", "accuracy", "calibration error", "seconds"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(history.epochs.iter().map(|epoch| {
            let judged = epoch.judgement.as_ref();
            vec![
                (epoch.stage + 1).to_string(),
                (epoch.epoch + 1).to_string(),
                format!("{:.4}", epoch.train_loss),
                figure(judged.map(|judged| judged.loss)),
                figure(judged.map(Judgement::accuracy)),
                figure(judged.map(|judged| judged.calibration_error)),
                format!("{:.1}", epoch.train_seconds + epoch.valid_seconds),
            ]
        }));
        columns(&rows).iter().for_each(|line| out.line(line));
        if let Some(judged) = run.last_epoch().and_then(|epoch| epoch.judgement.as_ref()) {
            confusion(judged, &history.classes, context);
        }
    }
    out.document(run);
}

/// Loss and learning rate by step, accuracy by epoch, over the whole run; an
/// accuracy stands where its epoch ended.
fn plotted(history: &History) -> Figure {
    let by_step = |value: fn(&StepFigures) -> f64| -> Vec<(f64, f64)> {
        history.steps.iter().zip(1u32..).map(|(step, place)| (f64::from(place), value(step))).collect()
    };
    let end = |epoch: &EpochFigures| {
        let until = |step: &&StepFigures| (step.stage, step.epoch) <= (epoch.stage, epoch.epoch);
        history.steps.iter().filter(until).count() as f64
    };
    let accuracies: Vec<(f64, f64)> = history
        .epochs
        .iter()
        .filter_map(|epoch| Some((end(epoch), epoch.judgement.as_ref()?.accuracy())))
        .collect();
    let panel = |caption: &str, points: Vec<(f64, f64)>, marks: Vec<(f64, f64)>| Panel {
        caption: caption.to_owned(),
        x: "step".to_owned(),
        y: caption.to_owned(),
        logarithmic: false,
        series: Series { points, marks },
    };
    let mut panels = vec![
        panel("loss", by_step(|step| step.loss), Vec::new()),
        panel("learning rate", by_step(|step| step.learning_rate), Vec::new()),
    ];
    if !accuracies.is_empty() {
        panels.push(panel("accuracy", accuracies.clone(), accuracies));
    }
    Figure { panels }
}

/// Rows are labels, columns what the model said.
fn confusion(judged: &Judgement, classes: &[String], context: &Context) {
    let name = |class: &String| words::text(class);
    let mut rows = vec![vec!["label \\ said".to_owned()]];
    rows[0].extend(classes.iter().map(name));
    rows[0].push("recall".to_owned());
    for ((class, counts), recall) in classes.iter().zip(&judged.confusion).zip(judged.recalls()) {
        let mut row = vec![name(class)];
        row.extend(counts.iter().map(u64::to_string));
        row.push(figure(recall));
        rows.push(row);
    }
    columns(&rows).iter().for_each(|line| context.out.line(line));
}

fn compare(runs: &[RunFacts], context: &Context) {
    let out = &context.out;
    let found = differences(runs);
    let mut rows = vec![vec!["differs in".to_owned()]];
    rows[0].extend(runs.iter().map(|run| run.run.short()));
    rows.extend(found.iter().map(|difference| {
        let mut row = vec![difference.what.clone()];
        // A digest is recognised by its beginning.
        let shorten =
            |text: &String| words::text(text.get(..16).filter(|_| text.len() == 64).unwrap_or(text));
        row.extend(
            difference.values.iter().map(|value| value.as_ref().map_or_else(|| "–".to_owned(), shorten)),
        );
        row
    }));
    if found.is_empty() {
        out.line("the runs have the same recipe, dataset and environment");
    } else {
        columns(&rows).iter().for_each(|line| out.line(line));
    }
    let epochs = |run: &RunFacts| run.history.as_ref().map_or(0, |history| history.epochs.len());
    let longest = runs.iter().map(epochs).max().unwrap_or(0);
    let mut rows = vec![vec!["accuracy".to_owned()]];
    rows[0].extend(runs.iter().map(|run| run.run.short()));
    for place in 0..longest {
        let mut row = vec![format!("epoch {}", place + 1)];
        row.extend(runs.iter().map(|run| {
            let epoch = run.history.as_ref().and_then(|history| history.epochs.get(place));
            figure(epoch.and_then(|epoch| epoch.judgement.as_ref()).map(Judgement::accuracy))
        }));
        rows.push(row);
    }
    if longest > 0 {
        columns(&rows).iter().for_each(|line| out.line(line));
    }
    out.document(&serde_json::json!({
        "differences": found,
        "runs": runs.iter().map(summary).collect::<Vec<_>>(),
        "accuracy_by_epoch": runs
            .iter()
            .map(|run| run.history.as_ref().map(|history| {
                let accuracy = |judged: &Judgement| judged.accuracy();
                history.epochs.iter().map(|epoch| epoch.judgement.as_ref().map(accuracy)).collect::<Vec<_>>()
            }))
            .collect::<Vec<_>>(),
    }));
}

impl From<PlotError> for AppError {
    fn from(error: PlotError) -> AppError {
        match error {
            PlotError::Name => AppError::new(Exit::Usage, error.to_string()),
            PlotError::Write { path, error } => AppError::io("write", &path, &error),
            other => AppError::failed(words::text(&other.to_string())),
        }
    }
}
