//! `safelight init`.

use std::path::PathBuf;

use safelight_lineage::decide::Command;
use safelight_store::Repository;

use super::context::Context;
use crate::error::{AppError, Exit};
use crate::session::Session;

/// Make a repository: a folder `.safelight` that keeps one dataset's life
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight init\n  safelight init scenes --name \"natural scenes\"\n  \
                  safelight init scenes --class forest --class sea")]
pub struct InitArgs {
    /// The folder; made when missing [default: the current one].
    dir: Option<PathBuf>,

    /// What the dataset is called [default: the folder's name].
    #[arg(long)]
    name: Option<String>,

    /// A class, in this order; may be repeated. Classes that are not named here
    /// come with the first import, in alphabetical order.
    #[arg(long = "class", value_name = "NAME")]
    classes: Vec<String>,
}

pub fn run(args: &InitArgs, context: &Context) -> Result<Exit, AppError> {
    let dir = args.dir.as_ref().map_or_else(|| context.start().to_owned(), |dir| context.start().join(dir));
    std::fs::create_dir_all(&dir).map_err(|error| AppError::io("make the folder", &dir, &error))?;
    let dir = dir.canonicalize().map_err(|error| AppError::io("find the folder", &dir, &error))?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => {
            dir.file_name().map_or_else(|| "dataset".to_owned(), |name| name.to_string_lossy().into_owned())
        }
    };
    let mut session = Session::new(Repository::init(&dir)?, context.person());
    session
        .execute(None, |_, _| Command::CreateDataset { name: name.clone(), classes: args.classes.clone() })?;
    let shown = safelight_lineage::value::PathBytes::new(
        std::os::unix::ffi::OsStrExt::as_bytes(dir.as_os_str()).to_vec(),
    );
    context.out.line(format!("made a repository for '{name}' in {shown}"));
    context.out.line("next: safelight import FOLDER   (FOLDER/train/CLASS/*.jpg, or FOLDER/CLASS/*.jpg)");
    context.out.document(&serde_json::json!({
        "repository": shown,
        "name": name,
        "classes": args.classes,
        "head": session.head(),
    }));
    Ok(Exit::Done)
}
