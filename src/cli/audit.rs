//! `safelight audit`.

mod blast;
mod changes;
mod difference;
mod filter;
mod generator;
mod life;
mod sheet;
mod table;

use super::context::Context;
use crate::error::{AppError, Exit};

/// Answer who changed what, when, why, and on what evidence
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight audit removed --class sea --rule confidently-wrong\n  \
                  safelight audit relabelled --by rule --since 2026-11-01 --csv\n  \
                  safelight audit image train/sea/0001.jpg\n  safelight audit by ada\n  \
                  safelight audit diff 5100 6200\n  safelight audit blast 77c0\n  safelight audit generator 8d41\n  \
                  safelight audit sheet --pass 77c0 --output found.png")]
pub struct AuditArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, clap::Subcommand)]
enum Question {
    Removed(changes::RemovedArgs),
    Relabelled(changes::RelabelledArgs),
    Image(life::ImageArgs),
    By(changes::ByArgs),
    Diff(difference::DiffArgs),
    Blast(blast::BlastArgs),
    Generator(generator::GeneratorArgs),
    Sheet(sheet::SheetArgs),
}

pub fn run(args: &AuditArgs, context: &Context) -> Result<Exit, AppError> {
    match &args.question {
        Question::Removed(args) => changes::removed(args, context),
        Question::Relabelled(args) => changes::relabelled(args, context),
        Question::Image(args) => life::run(args, context),
        Question::By(args) => changes::by(args, context),
        Question::Diff(args) => difference::run(args, context),
        Question::Blast(args) => blast::run(args, context),
        Question::Generator(args) => generator::run(args, context),
        Question::Sheet(args) => sheet::run(args, context),
    }
}
