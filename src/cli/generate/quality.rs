//! `safelight generate quality`: what samples are worth.

use safelight_lineage::id::{CheckpointId, SamplesId};
use safelight_lineage::state::State;

use super::super::context::Context;
use super::super::output::Output;
use super::super::train::default_threads;
use super::super::{resolve, words};
use crate::error::{AppError, Exit};
use crate::generate::quality::{Quality, QualityError, assess};
use crate::runs::StoredImages;
use crate::session::Session;
use crate::stop::Stop;

/// Measure samples: how far from real, how diverse, how original, how sure a
/// model is of them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight generate quality 3fa9\n  safelight generate quality 3fa9 --by 77c0\n\n\
                  The Fréchet distance is on the embeddings of that checkpoint: compare it with others by the\n\
                  same checkpoint on as many pictures, not with published ones."
)]
pub(super) struct QualityArgs {
    /// The samples, by the beginning of their id.
    samples: String,

    #[command(flatten)]
    judge: JudgeArgs,
}

/// Who judges.
#[derive(Debug, clap::Args)]
pub(super) struct JudgeArgs {
    /// The checkpoint that judges [default: the newest one].
    #[arg(long, value_name = "CHECKPOINT")]
    by: Option<String>,

    /// Let no checkpoint judge: only diversity and originality are measured.
    #[arg(long, conflicts_with = "by")]
    unjudged: bool,

    /// Threads that compute [default: all cores].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

impl JudgeArgs {
    /// Whether somebody is to judge.
    pub(super) fn wanted(&self) -> bool {
        !self.unjudged && cfg!(feature = "torch")
    }

    fn checkpoint(&self, state: &State) -> Result<Option<CheckpointId>, AppError> {
        match &self.by {
            _ if self.unjudged => Ok(None),
            Some(text) => Ok(Some(resolve::id(state, text)?)),
            None => Ok(state.checkpoints().last().map(|record| record.event.checkpoint)),
        }
    }
}

pub(super) fn run(args: &QualityArgs, context: &Context) -> Result<Exit, AppError> {
    let (session, samples, quality) = measured(&args.samples, &args.judge, context)?;
    say(&quality, &context.out, &session);
    context.out.line(format!("next: safelight generate admit {}", samples.short()));
    context.out.document(&quality);
    Ok(Exit::Done)
}

/// Opens the repository and measures a batch.
pub(super) fn measured(
    text: &str,
    args: &JudgeArgs,
    context: &Context,
) -> Result<(Session, SamplesId, Quality), AppError> {
    // The engine is asked for before anything is read.
    let engine = if args.wanted() { Some(context.engine()?) } else { None };
    let session = context.session()?;
    let samples: SamplesId = resolve::id(session.state(), text)?;
    let checkpoint = args.checkpoint(session.state())?;
    let threads = args.threads.unwrap_or_else(default_threads).max(1);
    let judge = match (engine, checkpoint) {
        (Some(engine), Some(checkpoint)) => Some((engine.judge)(&session, checkpoint, threads)?),
        (None, Some(_)) if args.by.is_some() => {
            super::super::engine::built_in()?;
            None
        }
        _ => None,
    };
    let stop = Stop::install();
    let spinner = context.out.spinner("measuring samples");
    let blobs = StoredImages(session.repository().blobs().clone());
    let quality = assess(session.state(), &blobs, samples, judge.as_deref(), stop.flag());
    spinner.finish_and_clear();
    match quality {
        Ok(quality) => Ok((session, samples, quality)),
        Err(_) if stop.is_asked() => Err(AppError::new(stop.exit(), "stopped; nothing was recorded")),
        Err(error) => Err(error.into()),
    }
}

/// Says what was measured.
pub(super) fn say(quality: &Quality, out: &Output, session: &Session) {
    out.line(format!(
        "samples {}: {} of {} at {} px, beside {} real ones",
        quality.samples.short(),
        quality.count,
        words::text(&quality.class),
        quality.image_size,
        quality.real
    ));
    match quality.diversity {
        Some(diversity) => out.line(format!("  diversity         {diversity:.2} of that of the real images")),
        None => out.line("  diversity         not known: the real images do not differ"),
    }
    out.line(format!(
        "  nearest real      {:.1} away in the median; real images are {:.1} from each other",
        quality.nearest, quality.usual_nearest
    ));
    out.line(format!(
        "  copies            {} of training images",
        if quality.copies.is_empty() { "none".to_owned() } else { quality.copies.len().to_string() }
    ));
    for copy in quality.copies.iter().take(3) {
        out.line(format!(
            "    sample {} is {:.1} from {}",
            copy.sample,
            copy.distance,
            words::image(session.state(), copy.image)
        ));
    }
    match &quality.judged {
        None => out.line("  no checkpoint judged them: how far they are from real is not known"),
        Some(judged) => {
            out.line(format!(
                "  Fréchet distance  {:.2} on {} pictures each; {:.2} between halves of the real ones, {} each",
                judged.frechet_distance,
                judged.pictures.0,
                judged.frechet_distance_of_real,
                judged.pictures.1
            ));
            let mean = judged.confidences.iter().map(|sure| f64::from(*sure)).sum::<f64>()
                / judged.confidences.len().max(1) as f64;
            out.line(format!(
                "  recognised        {:.1} %, mean probability of the class {mean:.3}",
                judged.recognised * 100.0
            ));
            out.line(format!(
                "  by checkpoint {}; these distances are not comparable with published ones",
                judged.by.short()
            ));
        }
    }
}

impl From<QualityError> for AppError {
    fn from(error: QualityError) -> AppError {
        match &error {
            QualityError::Sample { .. } => AppError::new(Exit::Damaged, words::text(&error.to_string()))
                .hint("see everything that is damaged with: safelight verify --deep"),
            QualityError::UnknownSamples(_) | QualityError::TooFew { .. } => {
                AppError::refused(error.to_string()).hint("see what there is with: safelight generate list")
            }
            _ => AppError::failed(words::text(&error.to_string())),
        }
    }
}
