//! `safelight watch`.

use std::path::PathBuf;
use std::time::Duration;

use safelight_lineage::state::State;
use serde_json::{Value, json};

use super::context::Context;
use super::{duration, words};
use crate::error::{AppError, Exit};
use crate::import::run::ImportOptions;
use crate::import::{Layout, WalkOptions};
use crate::stop::Stop;
use crate::watch::hints::Means;
use crate::watch::run::{Said, WatchOptions, run as watch};
use crate::watch::survey::Change;

/// Watch a folder and say, or bring in, what is new or changed there
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight watch ~/photos               say what is new, changed or gone\n  \
                  safelight watch ~/photos --auto        bring in what is new or changed\n  \
                  safelight watch /mnt/share --poll 30s  look every half minute\n  \
                  safelight watch ~/photos --once --json look once; a line of JSON each\n\n\
                  A file is read once it has held still. A changed file becomes a revision of its image. One that\n\
                  vanished is said and never removed: that is for safelight remove. Ctrl-C ends the watch."
)]
pub struct WatchArgs {
    /// The folder, as it is imported.
    folder: PathBuf,

    /// Record what is new or changed, as import does.
    #[arg(long)]
    auto: bool,

    /// What the images are for, when the folder has no train, valid or test in it.
    #[arg(long, value_enum, default_value_t = super::import::SplitName::Train)]
    split: super::import::SplitName,

    /// How the folder is organised.
    #[arg(long, value_enum, default_value_t = super::import::LayoutName::Auto)]
    layout: super::import::LayoutName,

    /// How long a file must hold still before it is read.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration::parse_seconds)]
    settle: Duration,

    /// Look this often instead of asking the system what changed.
    #[arg(long, value_name = "TIME", value_parser = duration::parse_seconds)]
    poll: Option<Duration>,

    /// End when everything has been looked at and holds still.
    #[arg(long)]
    once: bool,
}

pub fn run(args: &WatchArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    // A folder that is not there is said before anything is said to be watched.
    std::fs::read_dir(&args.folder).map_err(|error| AppError::io("look into", &args.folder, &error))?;
    let walk = WalkOptions { layout: Layout::from(args.layout), split: args.split.into() };
    let options = WatchOptions {
        import: ImportOptions { walk, ..ImportOptions::default() },
        auto: args.auto,
        settle: args.settle,
        poll: args.poll,
        once: args.once,
    };
    let stop = Stop::install();
    watch(&mut session, &args.folder, &options, stop.flag(), &mut |session, said| {
        say(context, args, session.state(), &said);
    })?;
    if stop.is_asked() { Ok(stop.exit()) } else { Ok(Exit::Done) }
}

fn say(context: &Context, args: &WatchArgs, state: &State, said: &Said<'_>) {
    let out = &context.out;
    match said {
        Said::Watching(means) => {
            let how = match means {
                Means::Hints => "the system tells of changes".to_owned(),
                Means::Polling { every, why } => {
                    format!("looking every {}: {}", duration::words(*every), words::text(why))
                }
            };
            out.notice(&format!("watching {} ({how}); Ctrl-C ends it", words::path(&args.folder)));
            out.event(&json!({
                "watch": "begun",
                "folder": words::path(&args.folder),
                "polling": matches!(means, Means::Polling { .. }),
                "how": how,
            }));
        }
        Said::Overflow => {
            out.notice("the system lost count of changes; everything is looked at");
            out.event(&json!({ "watch": "overflow" }));
        }
        Said::Proposed(change) => {
            out.line(line(state, change, args.auto));
            out.event(&document(change));
        }
        Said::Imported(done) => {
            let summary = &done.summary;
            let refused: Vec<Value> = done
                .refused()
                .map(|problem| json!({ "path": problem.path, "reason": words::text(&problem.reason()) }))
                .collect();
            if summary.imported + summary.revised > 0 {
                out.line(format!("{} imported, {} revised", summary.imported, summary.revised));
            }
            for problem in done.refused() {
                out.line(format!("refused: {}: {}", problem.path, words::text(&problem.reason())));
            }
            out.event(&json!({
                "watch": "imported",
                "imported": summary.imported,
                "revised": summary.revised,
                "refused": refused,
                "head": state.head(),
            }));
        }
        Said::Failed(error) => {
            let text = words::text(&error.to_string());
            out.notice(&format!("could not look: {text}; trying again"));
            out.event(&json!({ "watch": "failed", "error": text }));
        }
    }
}

fn line(state: &State, change: &Change, auto: bool) -> String {
    match change {
        Change::New { path, split, label } => {
            let class = label.as_ref().map_or_else(|| "no label".to_owned(), |label| words::text(label));
            format!(
                "new: {path} ({class}, for {split}){}",
                if auto { "" } else { "; bring it in with safelight import" }
            )
        }
        Change::Changed { path, image } => format!("changed: {path} (image {})", image.short()),
        Change::Vanished { path, image } => format!(
            "vanished: {path}; {} stays in the dataset, and safelight remove takes it out",
            words::image(state, *image)
        ),
    }
}

fn document(change: &Change) -> Value {
    match change {
        Change::New { path, split, label } => {
            json!({ "watch": "new", "path": path, "split": split, "class": label })
        }
        Change::Changed { path, image } => json!({ "watch": "changed", "path": path, "image": image }),
        Change::Vanished { path, image } => json!({ "watch": "vanished", "path": path, "image": image }),
    }
}
