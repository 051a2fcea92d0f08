//! `safelight tui`, and plain `safelight` inside a repository.

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _};
use std::path::{Path, PathBuf};

use safelight_store::Repository;
use safelight_tui::{ImageMode, Options, Palette, TuiError};
use serde::Deserialize;

use super::context::Context;
use crate::error::{AppError, Exit};
use crate::interface::remembered;

/// Browse everything in the terminal: the log, the images as pictures, the models
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight tui\n  safelight            the same, inside a repository\n  \
                  safelight tui --images halfblocks\n  \
                  safelight tui --print-keys > ~/.config/safelight/keys.toml"
)]
pub struct TuiArgs {
    /// How pictures are drawn: auto, halfblocks, ascii, kitty, sixel, iterm2 or off.
    #[arg(long, value_name = "MODE", default_value = "auto")]
    images: String,

    /// The colours: terminal (its own sixteen), dark or light.
    #[arg(long, value_name = "NAME", default_value = "terminal")]
    theme: String,

    /// Let the mouse scroll and select.
    #[arg(long)]
    mouse: bool,

    /// A key map file; without it, safelight/keys.toml in the folder for settings.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,

    /// Write a key map file with every action, and end.
    #[arg(long)]
    print_keys: bool,

    /// Begin on the first screen, not where the interface was left.
    #[arg(long)]
    fresh: bool,
}

pub fn run(args: &TuiArgs, context: &Context) -> Result<Exit, AppError> {
    if args.print_keys {
        context.out.line(safelight_tui::key_map_file().trim_end());
        context.out.document(&serde_json::json!({ "key_map": safelight_tui::key_map_file() }));
        return Ok(Exit::Done);
    }
    let wrong = |words: String| AppError::new(Exit::Usage, words);
    let images: ImageMode =
        args.images.parse().map_err(|error: safelight_tui::ParseImageModeError| wrong(error.to_string()))?;
    let palette = Palette::from_name(&args.theme).ok_or_else(|| {
        wrong(format!("'{}' is not terminal, dark or light", super::words::text(&args.theme)))
    })?;
    let keys = match &args.keys {
        Some(file) => key_map(file, true)?,
        None => own_key_map()?,
    };
    open(context, Options { images, mouse: args.mouse, keys, palette, ..Options::default() }, args.fresh)
}

/// Opens the interface inside a repository, and shows the help elsewhere.
pub fn run_or_help(context: &Context, help: impl FnOnce() -> Result<(), AppError>) -> Result<Exit, AppError> {
    let inside = Repository::discover(context.start()).is_ok();
    if inside && std::io::stdout().is_terminal() {
        open(context, Options { keys: own_key_map()?, ..Options::default() }, false)
    } else {
        help()?;
        Ok(Exit::Usage)
    }
}

fn open(context: &Context, options: Options, fresh: bool) -> Result<Exit, AppError> {
    let root = Repository::discover(context.start())?;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(AppError::refused("the terminal interface needs a terminal")
            .hint("the same answers as text: safelight status, safelight log, safelight audit"));
    }
    let (ports, cache) = crate::interface::ports(&root, context.person())?;
    let session = if fresh { Default::default() } else { remembered::read(&cache) };
    let options =
        Options { actor: Some(context.person()), session, panic_at_key: asked_to_panic(), ..options };
    match safelight_tui::run(ports, options) {
        Ok(session) => {
            // Where it was left is a comfort; a full disk is no reason to fail.
            let _ = remembered::write(&cache, &session);
            Ok(Exit::Done)
        }
        Err(TuiError::Signal { signal, session, undone }) => {
            let _ = remembered::write(&cache, &session);
            let exit = Exit::from_code(128 + signal).unwrap_or(Exit::Terminated);
            let decided = match undone.as_slice() {
                [] => "what was decided is in the log".to_owned(),
                undone => format!("asked for last, and not done: {}", undone.join("; ")),
            };
            Err(AppError::new(exit, format!("ended by signal {signal}; {decided}")))
        }
        Err(TuiError::Undone { undone, session }) => {
            let _ = remembered::write(&cache, &session);
            let undone = TuiError::Undone { undone, session };
            Err(AppError::failed(undone.to_string()).hint("what was decided before is in the log"))
        }
        Err(error @ TuiError::Keymap(_)) => Err(AppError::new(Exit::Usage, error.to_string())
            .hint("every action with its usual keys: safelight tui --print-keys")),
        Err(error) => Err(AppError::failed(error.to_string())),
    }
}

/// Names the variable that has the interface panic at the first key, in builds
/// for tests: what becomes of the terminal then is seen on the program itself.
const PANIC: &str = "SAFELIGHT_TEST_PANIC";

fn asked_to_panic() -> bool {
    cfg!(debug_assertions) && std::env::var_os(PANIC).is_some()
}

/// The keys of an action: one, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Several(Vec<String>),
}

/// The user's own key map, where there is one.
fn own_key_map() -> Result<BTreeMap<String, Vec<String>>, AppError> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let settings = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    match settings {
        Some(settings) => key_map(&settings.join("safelight").join("keys.toml"), false),
        None => Ok(BTreeMap::new()),
    }
}

/// What a key map file says; nothing where one that nobody asked for is missing.
fn key_map(file: &Path, asked: bool) -> Result<BTreeMap<String, Vec<String>>, AppError> {
    let shown = super::words::text(&file.display().to_string());
    let wrong = |words: String| {
        AppError::new(Exit::Usage, format!("the key map {shown}: {words}"))
            .hint("a file to begin with: safelight tui --print-keys")
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !asked => return Ok(BTreeMap::new()),
        Err(error) => return Err(wrong(error.to_string())),
    };
    let keys: BTreeMap<String, Keys> =
        toml::from_str(&text).map_err(|error| wrong(super::words::text(error.message())))?;
    let several = |keys| match keys {
        Keys::One(key) => vec![key],
        Keys::Several(keys) => keys,
    };
    Ok(keys.into_iter().map(|(name, keys)| (name, several(keys))).collect())
}
