//! `safelight find-rate`.

use std::ffi::OsString;
use std::path::PathBuf;

use textplots::{Chart, Plot as _, Shape};

use super::context::Context;
use super::train::{TrainRequest, machine, read_recipe, start};
use super::{engine, resolve, words};
use crate::error::{AppError, Exit};
use crate::plot::{Figure, Panel, Series, check_name, draw};
use crate::runs::prepare::prepare;
use crate::stop::Stop;
use crate::train::device::DeviceName;
use crate::train::rate_finder::{Curve, Method};

/// Find a learning rate: a hundred steps at growing rates, and where the loss falls best
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight find-rate recipe.toml\n  safelight find-rate recipe.toml --method steep --plot rates.svg\n  \
                  safelight find-rate recipe.toml --stage 2 --from 8d41\n\n\
                  The network's steps are thrown away; curve and suggestion stay in the log."
)]
pub struct FindRateArgs {
    /// The recipe, TOML [default: ResNet-18, five epochs at 64 pixels].
    recipe: Option<PathBuf>,

    /// Change one top-level value of the recipe; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// For which stage of the recipe, from one.
    #[arg(long, default_value_t = 1)]
    stage: usize,

    /// Start from this checkpoint's weights.
    #[arg(long, value_name = "CHECKPOINT")]
    from: Option<String>,

    /// Start from these weights, kept with `weights add`.
    #[arg(long, value_name = "WEIGHTS", conflicts_with = "from")]
    weights: Option<String>,

    /// How the rate is read from the curve: valley, steep, minimum or slide.
    #[arg(long, value_parser = method, default_value = "valley")]
    method: Method,

    /// Also draw the curve into this file, SVG or PNG by its name.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,

    /// What computes: auto (the first GPU where there is one), cpu, or cuda:N.
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceName::Auto)]
    device: DeviceName,

    /// Threads that compute [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// The method of this name.
pub(super) fn method(text: &str) -> Result<Method, String> {
    Method::from_name(text).ok_or_else(|| "it is valley, steep, minimum or slide".to_owned())
}

pub fn run(args: &FindRateArgs, context: &Context) -> Result<Exit, AppError> {
    let mut recipe = read_recipe(args.recipe.as_deref(), &args.set)?;
    if !(1..=recipe.stage.len()).contains(&args.stage) {
        let stages = recipe.stage.len();
        return Err(AppError::refused(format!("the recipe has no stage {}", args.stage))
            .hint(format!("its stages are numbered from 1 to {stages}")));
    }
    args.plot.as_deref().map_or(Ok(()), check_name)?;
    engine::built_in()?;
    let mut session = context.session()?;
    let state = session.state();
    if let Some(text) = &args.weights {
        recipe.weights = Some(resolve::id(state, text)?);
    }
    let request = TrainRequest {
        recipe,
        from: args.from.as_deref().map(|text| resolve::id(state, text)).transpose()?,
        resume: None,
        at: None,
        machine: machine(args.device, args.threads),
        message: None,
    };
    let blobs = session.repository().blobs().clone();
    drop(prepare(state, |blob| blobs.get(blob), request.recipe.clone(), request.from)?);
    let stop = Stop::install();
    let stage = (args.stage - 1).to_string();
    let more =
        ["--find-rate".to_owned(), stage, "--method".to_owned(), args.method.to_string()].map(OsString::from);
    let found = start(&mut session, &request, &more, &stop, &context.out)?;
    match found.exit {
        Exit::Done => {}
        Exit::Interrupted | Exit::Terminated => {
            return Err(AppError::new(found.exit, "stopped; no curve was recorded"));
        }
        _ => {
            let reason = found.reason.unwrap_or_else(|| "it did not say why".to_owned());
            return Err(AppError::failed(words::text(&reason)));
        }
    }
    let record = session.state().runs().get(found.run);
    let Some(event) = record.and_then(|run| run.learning_rates.last()).map(|found| &found.event) else {
        return Err(AppError::failed(format!("run {} left no curve", found.run)));
    };
    let curve: Curve = serde_json::from_slice(&blobs.get(event.curve)?)
        .map_err(|error| AppError::failed(format!("the curve cannot be read: {error}")))?;
    let suggestions: Vec<(Method, Option<f64>)> =
        Method::ALL.into_iter().map(|method| (method, curve.suggest(method))).collect();
    show(&curve, &suggestions, args.method, context);
    if let Some(path) = &args.plot {
        draw(path, &figure(&curve, event.suggestion.0))?;
        context.out.line(format!("drawn into {}", words::text(&path.display().to_string())));
    }
    context.out.document(&serde_json::json!({
        "run": found.run,
        "method": args.method,
        "suggestion": event.suggestion,
        "suggestions": suggestions
            .iter()
            .map(|(method, rate)| (method.to_string(), *rate))
            .collect::<std::collections::BTreeMap<_, _>>(),
        "curve": { "rates": curve.rates, "losses": curve.losses },
    }));
    Ok(Exit::Done)
}

/// The curve in the terminal, over the logarithm of the rate.
fn show(curve: &Curve, suggestions: &[(Method, Option<f64>)], chosen: Method, context: &Context) {
    let points: Vec<(f32, f32)> =
        points(curve).map(|(rate, loss)| (rate.log10() as f32, loss as f32)).collect();
    let (first, last) =
        (points.first().map_or(-7.0, |point| point.0), points.last().map_or(1.0, |point| point.0));
    let (shape, mut chart) = (Shape::Lines(&points), Chart::new(120, 48, first, last));
    let chart = chart.lineplot(&shape);
    chart.axis();
    chart.figures();
    let plot = chart.to_string();
    context.out.line("loss over log10(learning rate)");
    plot.lines().for_each(|line| context.out.line(line));
    for (method, rate) in suggestions {
        let rate = rate.map_or_else(|| "nothing".to_owned(), |rate| format!("{rate:.2e}"));
        let mark = if *method == chosen { "  ←" } else { "" };
        context.out.line(format!("{method:<8} suggests {rate}{mark}"));
    }
}

/// What is drawn: without the rise at the end, which would flatten the rest.
fn points(curve: &Curve) -> impl Iterator<Item = (f64, f64)> + '_ {
    let finite = |(rate, loss): (&f64, &f64)| loss.is_finite().then_some((*rate, *loss));
    let best = curve.losses.iter().copied().filter(|loss| loss.is_finite()).fold(f64::INFINITY, f64::min);
    let start = curve.losses.first().copied().unwrap_or(best);
    let ceiling = start.max(best) * 1.5;
    curve.rates.iter().zip(&curve.losses).filter_map(finite).filter(move |(_, loss)| *loss <= ceiling)
}

/// The curve with its suggestion marked.
fn figure(curve: &Curve, suggestion: f64) -> Figure {
    let points: Vec<(f64, f64)> = points(curve).collect();
    let near = |point: &&(f64, f64)| (point.0 / suggestion).ln().abs();
    let mark = points.iter().min_by(|a, b| near(a).total_cmp(&near(b))).copied();
    let series = Series { marks: mark.into_iter().collect(), points };
    let caption = format!("learning rate {suggestion:.2e}");
    let (x, y) = ("learning rate".to_owned(), "smoothed loss".to_owned());
    Figure { panels: vec![Panel { caption, x, y, logarithmic: true, series }] }
}
