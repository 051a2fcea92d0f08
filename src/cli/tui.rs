//! `safelight tui`, and plain `safelight` inside a repository.

use std::io::IsTerminal as _;

use safelight_store::Repository;
use safelight_tui::{ImageMode, Options};

use super::context::Context;
use crate::error::{AppError, Exit};

/// Browse everything in the terminal: the log, the images as pictures, the models
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight tui\n  safelight            the same, inside a repository\n  \
                  safelight tui --images halfblocks"
)]
pub struct TuiArgs {
    /// How pictures are drawn: auto, halfblocks, ascii, kitty, sixel, iterm2 or off.
    #[arg(long, value_name = "MODE", default_value = "auto")]
    images: String,

    /// Let the mouse scroll and select.
    #[arg(long)]
    mouse: bool,
}

pub fn run(args: &TuiArgs, context: &Context) -> Result<Exit, AppError> {
    let images: ImageMode = args
        .images
        .parse()
        .map_err(|error: safelight_tui::ParseImageModeError| AppError::new(Exit::Usage, error.to_string()))?;
    open(context, Options { images, mouse: args.mouse, ..Options::default() })
}

/// Opens the interface inside a repository, and shows the help elsewhere.
pub fn run_or_help(context: &Context, help: impl FnOnce() -> Result<(), AppError>) -> Result<Exit, AppError> {
    let inside = Repository::discover(context.start()).is_ok();
    if inside && std::io::stdout().is_terminal() {
        open(context, Options::default())
    } else {
        help()?;
        Ok(Exit::Usage)
    }
}

fn open(context: &Context, options: Options) -> Result<Exit, AppError> {
    let root = Repository::discover(context.start())?;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(AppError::refused("the terminal interface needs a terminal")
            .hint("the same answers as text: safelight status, safelight log, safelight audit"));
    }
    let ports = crate::interface::ports(&root, context.person())?;
    let options = Options { actor: Some(context.person()), ..options };
    safelight_tui::run(ports, options).map_err(|error| AppError::failed(error.to_string()))?;
    Ok(Exit::Done)
}
