//! `safelight status`.

use safelight_lineage::event::Split;
use safelight_lineage::value::ClassIndex;

use super::context::Context;
use super::output::columns;
use super::words;
use crate::error::{AppError, Exit};

/// Show what the dataset and the models are now
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  safelight status\n  safelight status --json")]
pub struct StatusArgs {}

pub fn run(_: &StatusArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let name = state.dataset().map_or("(none)", |dataset| &dataset.name);
    let removed = state.images().filter(|image| image.exists && image.removed).count() as u64;
    let generated = state
        .images()
        .filter(|image| image.present && image.origin != safelight_lineage::event::Origin::File)
        .count() as u64;

    let out = &context.out;
    out.line(format!("dataset      {}", words::text(name)));
    out.line(format!("head         {}  (seq {})", session.head().short(), state.seq()));
    out.line(format!("images       {}, {removed} removed, {generated} generated", state.present_count()));
    let mut rows = vec![vec![String::new(), "train".into(), "valid".into(), "test".into()]];
    let labels = (0..state.classes().len()).map(|class| Some(ClassIndex(class as u16)));
    for label in labels.chain([None]) {
        let counts = Split::ALL.map(|split| state.count_of(split, label));
        if label.is_some() || counts.iter().any(|count| *count > 0) {
            let mut row = vec![format!("  {}", words::class(state, label))];
            row.extend(counts.iter().map(u64::to_string));
            rows.push(row);
        }
    }
    columns(&rows).iter().for_each(|row| out.line(row.trim_end()));
    let running = state.runs().iter().filter(|run| run.status.is_running()).count();
    out.line(format!(
        "models       {}, {}{}",
        words::count(state.runs().len() as u64, "run", "runs"),
        words::count(state.checkpoints().len() as u64, "checkpoint", "checkpoints"),
        if running > 0 { format!(", {running} running") } else { String::new() }
    ));
    out.line(format!(
        "results      {}, {}, {}",
        words::count(state.predictions().len() as u64, "set of predictions", "sets of predictions"),
        words::count(state.ensembles().len() as u64, "ensemble", "ensembles"),
        words::count(state.submissions().len() as u64, "submission", "submissions"),
    ));
    if let Some(last) = state.transactions().last() {
        out.line(format!("last change  {} by {}", words::time(last.time), last.actor));
    }
    for unknown in state.unknown_events() {
        out.notice(&format!(
            "note: {} of a newer version (kind {}, schema {}); this version keeps them and ignores what they say",
            words::count(unknown.count, "event", "events"),
            unknown.kind,
            unknown.schema
        ));
    }
    out.document(&serde_json::json!({
        "dataset": name,
        "classes": state.classes(),
        "head": session.head(),
        "seq": state.seq(),
        "images": {
            "present": state.present_count(),
            "removed": removed,
            "generated": generated,
            "train": state.split_count(Split::Train),
            "valid": state.split_count(Split::Valid),
            "test": state.split_count(Split::Test),
        },
        "runs": state.runs().len(),
        "running": running,
        "checkpoints": state.checkpoints().len(),
        "predictions": state.predictions().len(),
        "ensembles": state.ensembles().len(),
        "submissions": state.submissions().len(),
        "state": state.digest(),
    }));
    Ok(Exit::Done)
}
