//! `safelight generate sample`; the engine draws.

use safelight_lineage::event::SamplesGenerated;
use safelight_lineage::id::{GeneratorId, SamplesId};
use safelight_lineage::state::State;
use safelight_lineage::value::ClassIndex;

use super::super::context::Context;
use super::super::words;
use crate::error::{AppError, Exit};
use crate::generate::pictures::PictureError;
use crate::session::Session;

/// Draw samples from a generator and record them; the same seed draws the same
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight generate sample 8d41 -n 500 --seed 7\n  \
                  safelight generate sample 8d41 --class sea -n 500 --seed 7\n\n\
                  They are in the dataset only when they are let in: safelight generate admit")]
pub struct SampleArgs {
    /// The generator, by the beginning of its id.
    pub generator: String,

    /// The class; needed where the generator learned several.
    #[arg(long)]
    pub class: Option<String>,

    /// How many; more begin with the same ones.
    #[arg(short = 'n', long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub number: u32,

    /// What they are a function of, beside the generator and the class.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Threads that compute [default: all cores].
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// The class that is asked of a generator that learned `own`, or all classes.
///
/// # Errors
/// When it is no class, or none was named where one has to be.
pub fn class_of(state: &State, own: Option<ClassIndex>, asked: Option<&str>) -> Result<ClassIndex, AppError> {
    let classes = state.classes();
    let Some(name) = asked else {
        return own.ok_or_else(|| {
            AppError::refused("this generator learned all classes; say which one to draw")
                .hint(format!("--class, one of {}", words::text(&classes.join(", "))))
        });
    };
    match classes.iter().position(|class| class == name) {
        Some(place) => Ok(ClassIndex(place as u16)),
        None => Err(AppError::refused(format!("there is no class '{}'", words::text(name)))
            .hint(format!("the classes are {}", words::text(&classes.join(", "))))),
    }
}

/// Records encoded samples and says so.
///
/// # Errors
/// When the store or the log cannot be written.
pub fn sampled(
    session: &mut Session,
    generator: GeneratorId,
    class: ClassIndex,
    args: &SampleArgs,
    encoded: &[Vec<u8>],
    seconds: f64,
    context: &Context,
) -> Result<Exit, AppError> {
    let store = session.repository().blobs().clone();
    let blobs = encoded.iter().map(|png| store.put(png)).collect::<Result<Vec<_>, _>>()?;
    let frame = session.record(None, |_, transaction| SamplesGenerated {
        samples: SamplesId(transaction.derive("samples", 0)),
        generator,
        class,
        seed: args.seed,
        blobs: blobs.clone(),
    })?;
    let samples = SamplesId(frame.header.transaction.derive("samples", 0));
    let out = &context.out;
    let rate = blobs.len() as f64 / seconds.max(1e-9);
    out.line(format!(
        "samples {samples}: {} of {}, {rate:.0} a second",
        words::count(blobs.len() as u64, "picture", "pictures"),
        words::class(session.state(), Some(class))
    ));
    out.line(format!("next: safelight generate quality {}", samples.short()));
    out.document(&serde_json::json!({
        "samples": samples,
        "samples_per_second": rate,
        "record": session.state().samples().get(samples).map(|record| &record.generated.event),
    }));
    Ok(Exit::Done)
}

impl From<PictureError> for AppError {
    fn from(error: PictureError) -> AppError {
        AppError::failed(words::text(&error.to_string()))
    }
}
