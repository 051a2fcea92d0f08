//! `safelight predict`.

use super::context::Context;
use crate::error::{AppError, Exit};
use crate::train::device::DeviceName;

/// Compute a checkpoint's probabilities for a split and record them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight predict 8d41 --split test\n  safelight predict 8d41 --split test --views tta\n  \
                  safelight predict 8d41 --split valid --views ten-crop\n  safelight predict 8d41 --split test --calibrate"
)]
pub struct PredictArgs {
    /// The checkpoint, by the beginning of its id.
    pub checkpoint: String,

    /// Which images.
    #[arg(long, value_enum, default_value_t = SplitName::Test)]
    pub split: SplitName,

    /// Which views of each image the probabilities are a mean of.
    #[arg(long, value_enum, default_value_t = ViewsName::Plain)]
    pub views: ViewsName,

    /// Fit a temperature on the images that validated the run, and apply it:
    /// what is said with 90 % then comes true nine times in ten.
    #[arg(long)]
    pub calibrate: bool,

    /// What computes: auto (the first GPU where there is one), cpu, or cuda:N.
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceName::Auto)]
    pub device: DeviceName,

    /// Threads that compute [default: all cores].
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// As it is named on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum SplitName {
    /// What models learn from.
    Train,
    /// What judges them.
    Valid,
    /// What they are for.
    Test,
}

/// As it is named on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum ViewsName {
    /// The middle of the image, as validation sees it.
    Plain,
    /// Test-time augmentation as fastai does it: a quarter plain, the rest four augmented views.
    Tta,
    /// Four corners and the centre, each also flipped.
    TenCrop,
}

/// Lets the engine predict.
///
/// # Errors
/// What the command says when it cannot do its work.
pub fn run(args: &PredictArgs, context: &Context) -> Result<Exit, AppError> {
    (context.engine()?.predict)(args, context)
}
