//! `safelight key`, `safelight sign` and `safelight check`.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use safelight_lineage::value::Timestamp;
use safelight_store::StoreError;
use serde_json::json;

use super::context::Context;
use super::proof::place_of;
use super::words;
use crate::error::{AppError, Exit};
use crate::proof::key::{self, KeyError, hex};
use crate::proof::signed_head::{SignedHead, SignedHeadError};
use crate::session::Session;

/// Make a key to sign heads with, or show its public half
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight key new\n  safelight key show\n\n\
                  The key is kept in your own folder of settings ($XDG_CONFIG_HOME/safelight/key), readable by\n\
                  you alone, and never in a repository. Give others the public key.")]
pub struct KeyArgs {
    #[command(subcommand)]
    action: KeyAction,
}

#[derive(Debug, clap::Subcommand)]
enum KeyAction {
    /// Make a key; one that is there is never overwritten
    #[command(after_help = "Example:\n  safelight key new")]
    New {
        /// The file to keep it in.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Show the public key
    #[command(after_help = "Example:\n  safelight key show > me.pub")]
    Show {
        /// The file that it is kept in.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

fn key_path(given: Option<&PathBuf>) -> Result<PathBuf, AppError> {
    match given {
        Some(path) => Ok(path.clone()),
        None => Ok(key::default_path()?),
    }
}

pub fn key(args: &KeyArgs, context: &Context) -> Result<Exit, AppError> {
    let (path, public, new) = match &args.action {
        KeyAction::New { file } => {
            let path = key_path(file.as_ref())?;
            let public = key::create(&path)?;
            (path, public, true)
        }
        KeyAction::Show { file } => {
            let path = key_path(file.as_ref())?;
            let public = key::read(&path)?.verifying_key();
            (path, public, false)
        }
    };
    let public = hex(public.as_bytes());
    if new {
        context.out.notice(&format!("a new key is in {}; the public key is", path.display()));
    }
    context.out.line(&public);
    context.out.document(&json!({ "public_key": public, "file": path.display().to_string() }));
    Ok(Exit::Done)
}

/// Sign the head: publish the file before a deadline, and it proves what existed then
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight sign --output head.json\n  \
                  safelight sign --output head.json --note \"final submission\"\n\n\
                  The head stands for the whole history: nothing can be put before it afterwards. The time in\n\
                  the file is that of your clock; that it is true, only where and when you publish it can show.")]
pub struct SignArgs {
    /// Where to write the signed head.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// The key's file [default: the one of `safelight key new`].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// What to say about it; it is signed too.
    #[arg(long, default_value = "")]
    note: String,

    /// Overwrite the file.
    #[arg(long)]
    force: bool,
}

pub fn sign(args: &SignArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let key = key::read(&key_path(args.key.as_ref())?)?;
    let path = &args.output;
    if path.exists() && !args.force {
        return Err(AppError::refused(format!("{} exists already", path.display()))
            .hint("choose another name, or overwrite it with --force"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_millis() as u64);
    let signed = SignedHead::sign(&key, session.head(), session.state().seq(), Timestamp(now), &args.note);
    fs::write(path, signed.to_json()).map_err(|error| AppError::io("write", path, &error))?;
    let public = hex(signed.key.as_bytes());
    let out = &context.out;
    out.line(format!("head {} (seq {}) signed {}", signed.head, signed.seq, words::time(signed.time)));
    out.line(format!("check it anywhere with: safelight check {} --key {public}", path.display()));
    out.document(&json!({
        "head": signed.head, "seq": signed.seq, "time": signed.time, "key": public,
        "file": path.display().to_string(),
    }));
    Ok(Exit::Done)
}

/// Check a signed head; needs no repository, and in one says what came since
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight check head.json --key PUBLIC_KEY\n\n\
                  Ends with 8 when the signature is not valid, or, inside a repository, when its history never\n\
                  had that head.")]
pub struct CheckArgs {
    /// The signed head.
    file: PathBuf,

    /// The public key that must have signed it: 64 digits or a file.
    #[arg(long, value_name = "PUBLIC_KEY")]
    key: String,
}

pub fn check(args: &CheckArgs, context: &Context) -> Result<Exit, AppError> {
    let public = key::public(&args.key)?;
    let bytes = fs::read(&args.file).map_err(|error| AppError::io("read", &args.file, &error))?;
    let signed = SignedHead::open(&bytes, &public)?;
    let out = &context.out;
    out.line(format!("valid: head {} (seq {})", signed.head, signed.seq));
    out.line(format!("signed {} by {}", words::time(signed.time), hex(signed.key.as_bytes())));
    if !signed.note.is_empty() {
        out.line(format!("note: {}", words::text(&signed.note)));
    }
    let place = match Session::discover(context.start(), context.person()) {
        Ok(session) => Some(place_of(&session, signed.head)),
        Err(StoreError::NotARepository { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    match place {
        None => {}
        Some(Some((_, since))) => {
            out.line(format!(
                "this repository had that head; {} since",
                words::count(since, "event", "events")
            ));
        }
        Some(None) => out.line("this repository's history NEVER had that head"),
    }
    out.document(&json!({
        "valid": true, "head": signed.head, "seq": signed.seq, "time": signed.time, "note": signed.note,
        "in_this_repository": place.map(|place| place.is_some()),
        "events_since": place.flatten().map(|(_, since)| since),
    }));
    Ok(if place == Some(None) { Exit::Diverged } else { Exit::Done })
}

impl From<KeyError> for AppError {
    fn from(error: KeyError) -> AppError {
        let message = words::text(&error.to_string());
        match error {
            KeyError::Io { ref source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                AppError::failed(message).hint("make a key with: safelight key new")
            }
            KeyError::Io { .. } | KeyError::Random(_) => AppError::failed(message),
            KeyError::Readable { ref path, .. } => {
                AppError::refused(message).hint(format!("keep it to yourself: chmod 600 {}", path.display()))
            }
            KeyError::Exists(_) => {
                AppError::refused(message).hint("show its public half with: safelight key show")
            }
            _ => AppError::refused(message),
        }
    }
}

impl From<SignedHeadError> for AppError {
    fn from(error: SignedHeadError) -> AppError {
        let message = words::text(&error.to_string());
        match error {
            SignedHeadError::Signature | SignedHeadError::OtherKey { .. } => {
                AppError::new(Exit::Diverged, message)
            }
            _ => AppError::refused(message),
        }
    }
}
