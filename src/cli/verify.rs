//! `safelight verify`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use safelight_lineage::digest::BlobId;
use safelight_lineage::query::{BlastRadius, Need, blast_radius_of, reachable_blobs};
use safelight_lineage::state::State;
use safelight_store::{Repository, VerifyDepth, VerifyReport};
use serde_json::{Value, json};

use super::context::Context;
use super::words;
use crate::error::{AppError, Exit};

/// So many damaged blobs are explained one by one to a person.
const EXPLAINED: usize = 20;

/// Check what is stored: the hash chain of the journal, every pack, every blob
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight verify           the chain, the footers, and that no blob is missing\n  \
                  safelight verify --deep    every byte\n\n\
                  Says what each damaged or missing blob affects. Nothing is changed; to bring blobs back:\n  \
                  safelight repair --from DIR"
)]
pub struct VerifyArgs {
    /// Read and hash every byte.
    #[arg(long)]
    deep: bool,
}

pub fn run(args: &VerifyArgs, context: &Context) -> Result<Exit, AppError> {
    let root = Repository::discover(context.start())?;
    let depth = if args.deep { VerifyDepth::Deep } else { VerifyDepth::Quick };
    let bar = context.out.bar("verifying", 0, "MB");
    let report = safelight_store::verify(&root, depth, &mut |progress| {
        bar.set_length(progress.total >> 20);
        bar.set_position(progress.done >> 20);
    })?;
    bar.finish_and_clear();
    let affected = Affected::of(&root, &report.broken_blobs());
    say(&report, &affected, context);
    let out = &context.out;
    let checked = format!(
        "{} frames, {} events, {} blobs, {:.1} MB {}",
        report.frames,
        report.events,
        report.blobs,
        report.bytes as f64 / 1e6,
        if args.deep { "read and hashed" } else { "checked by chain and footers" },
    );
    let mut document = document(&report, &affected);
    document["deep"] = json!(args.deep);
    out.document(&document);
    if report.is_good() {
        out.line(format!("good: {checked}"));
        return Ok(Exit::Done);
    }
    let count = (report.problems.len() + report.missing.len()) as u64;
    out.line(format!("{} in {checked}", words::count(count, "problem", "problems")));
    out.notice("hint: nothing was changed; bring blobs back with: safelight repair --from DIR, where DIR holds the original files, or a copy of the repository");
    Ok(Exit::Damaged)
}

/// What damaged and missing blobs are needed for, and what that may have
/// influenced.
pub(super) struct Affected {
    /// What needs each blob; nothing where no event names it.
    needs: BTreeMap<BlobId, BTreeSet<Need>>,
    /// All of it together.
    radius: BlastRadius,
    state: Option<State>,
}

impl Affected {
    /// Asks the log of the repository at `root`, if that can be read.
    pub(super) fn of(root: &Path, blobs: &BTreeSet<BlobId>) -> Affected {
        let mut needs: BTreeMap<BlobId, BTreeSet<Need>> =
            blobs.iter().map(|blob| (*blob, BTreeSet::new())).collect();
        if blobs.is_empty() {
            return Affected { needs, radius: BlastRadius::default(), state: None };
        }
        let Ok(repository) = Repository::open(root) else {
            return Affected { needs, radius: BlastRadius::default(), state: None };
        };
        let state = repository.state().clone();
        for (blob, need) in reachable_blobs(&state) {
            if let Some(needs) = needs.get_mut(&blob) {
                needs.insert(need);
            }
        }
        let radius = blast_radius_of(&state, &needs.values().flatten().copied().collect());
        Affected { needs, radius, state: Some(state) }
    }

    /// One line on one blob.
    fn words(&self, blob: BlobId) -> String {
        let Some(state) = &self.state else {
            return "what it affects cannot be told while the log cannot be read".to_owned();
        };
        let Some(needs) = self.needs.get(&blob).filter(|needs| !needs.is_empty()) else {
            return "affects nothing: no event names it".to_owned();
        };
        let named: Vec<String> = needs
            .iter()
            .map(|need| match need {
                Need::Image(image) => format!("image {}", words::image(state, *image)),
                other => other.to_string(),
            })
            .collect();
        let mut text = format!("it is {}", named.join("; "));
        let parts = parts(&blast_radius_of(state, needs));
        if !parts.is_empty() {
            text.push_str(&format!("; affects {}", parts.join(", ")));
        }
        text
    }

    fn json(&self, blob: BlobId) -> Value {
        match (&self.state, self.needs.get(&blob)) {
            (Some(state), Some(needs)) => {
                json!({ "needed_by": needs, "affects": blast_radius_of(state, needs) })
            }
            _ => Value::Null,
        }
    }
}

/// What a radius holds, in words; submissions by their ids.
fn parts(radius: &BlastRadius) -> Vec<String> {
    let count =
        |number: usize, one: &str, many: &str| (number > 0).then(|| words::count(number as u64, one, many));
    let mut parts: Vec<String> = [
        count(radius.runs.len(), "run", "runs"),
        count(radius.checkpoints.len(), "checkpoint", "checkpoints"),
        count(radius.predictions.len(), "set of predictions", "sets of predictions"),
        count(radius.passes.len(), "cleaning pass", "cleaning passes"),
        count(radius.generators.len(), "generator", "generators"),
        count(radius.samples.len(), "batch of samples", "batches of samples"),
        count(radius.ensembles.len(), "ensemble", "ensembles"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !radius.submissions.is_empty() {
        let ids: Vec<String> = radius.submissions.iter().map(|id| id.short().to_string()).collect();
        parts.push(format!(
            "{} ({})",
            words::count(ids.len() as u64, "submission", "submissions"),
            ids.join(", ")
        ));
    }
    parts
}

/// Says what is damaged, what is missing and what that affects.
pub(super) fn say(report: &VerifyReport, affected: &Affected, context: &Context) {
    let out = &context.out;
    let mut explained = 0;
    let mut explain = |blob: BlobId| {
        explained += 1;
        if explained <= EXPLAINED {
            out.line(format!("  {}", affected.words(blob)));
        }
    };
    for problem in &report.problems {
        out.line(format!("damaged: {problem}"));
        if let Some(blob) = problem.blob {
            explain(blob);
        }
    }
    for (place, missing) in report.missing.iter().enumerate() {
        if place < EXPLAINED {
            out.line(format!(
                "missing: blob {}, named by the frame at byte {} of {}",
                missing.blob,
                missing.offset,
                words::path(&missing.file)
            ));
            explain(missing.blob);
        }
    }
    if report.missing.len() > EXPLAINED {
        out.line(format!(
            "missing: {} more blobs; see them all with --json",
            report.missing.len() - EXPLAINED
        ));
    }
    let parts = parts(&affected.radius);
    if affected.needs.len() > 1 && !parts.is_empty() {
        out.line(format!("all of this together affects {}", parts.join(", ")));
    }
    if !report.superseded.is_empty() {
        out.line(format!(
            "note: {} damaged where a whole copy is stored elsewhere; nothing is lost",
            words::count(report.superseded.len() as u64, "record is", "records are")
        ));
    }
    if report.absent > 0 {
        out.line(format!(
            "note: {} absent on purpose: this repository was made from an archive without them",
            words::count(report.absent, "blob is", "blobs are")
        ));
    }
    for aside in &report.set_aside {
        out.line(format!("note: put aside by a repair, and no longer used: {}", words::path(aside)));
    }
}

/// The report as JSON.
pub(super) fn document(report: &VerifyReport, affected: &Affected) -> Value {
    let problem = |problem: &safelight_store::VerifyProblem| {
        json!({
            "file": words::path(&problem.file),
            "offset": problem.offset,
            "blob": problem.blob,
            "what": problem.what,
            "expected": problem.expected.to_string(),
            "actual": problem.actual.to_string(),
            "impact": problem.blob.map(|blob| affected.json(blob)),
        })
    };
    json!({
        "good": report.is_good(),
        "frames": report.frames,
        "events": report.events,
        "blobs": report.blobs,
        "bytes": report.bytes,
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
        "missing": report.missing.iter().map(|missing| json!({
            "blob": missing.blob,
            "file": words::path(&missing.file),
            "offset": missing.offset,
            "impact": affected.json(missing.blob),
        })).collect::<Vec<_>>(),
        "superseded": report.superseded.iter().map(problem).collect::<Vec<_>>(),
        "absent_on_purpose": report.absent,
        "set_aside": report.set_aside.iter().map(|path| words::path(path)).collect::<Vec<_>>(),
        "affects": affected.radius,
    })
}
