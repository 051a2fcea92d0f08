//! `safelight generate`.

mod admit;
mod list;
mod quality;
mod sample;
mod train;

pub use sample::{SampleArgs, class_of, sampled};
pub use train::{WorkArgs, bad_recipe};

use super::context::Context;
use crate::error::{AppError, Exit};

/// Train generators of images, draw samples, and let them in and out again
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight generate train --print-recipe > generator.toml\n  \
                  safelight generate train generator.toml --class sea        # → generator 8d41…\n  \
                  safelight generate sample 8d41 -n 500 --seed 7             # → samples 3fa9…\n  \
                  safelight generate quality 3fa9 --by 77c0\n  \
                  safelight generate admit 3fa9 --by 77c0 --min-confidence 0.8\n  \
                  safelight generate expel 8d41\n  safelight generate list\n\n\
                  Samples only ever enter the training split; safelight audit generator ID says where they went.")]
pub struct GenerateArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Train(train::TrainArgs),
    Sample(SampleArgs),
    Quality(quality::QualityArgs),
    Admit(admit::AdmitArgs),
    Expel(admit::ExpelArgs),
    List(list::ListArgs),
    Show(list::ShowArgs),
}

/// Runs one of them.
pub(super) fn run(args: &GenerateArgs, context: &Context) -> Result<Exit, AppError> {
    match &args.action {
        Action::Train(args) => train::run(args, context),
        Action::Sample(args) => (context.engine()?.sample)(args, context),
        Action::Quality(args) => quality::run(args, context),
        Action::Admit(args) => admit::admit(args, context),
        Action::Expel(args) => admit::expel(args, context),
        Action::List(args) => list::list(args, context),
        Action::Show(args) => list::show(args, context),
    }
}
