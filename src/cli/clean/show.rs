//! `safelight clean list` and `show`.

use safelight_lineage::state::State;

use super::super::context::Context;
use super::super::words;
use super::{resolve_pass, rules_of_pass};
use crate::clean::pass::findings;
use crate::clean::{CombinedFinding, Finding, combine};
use crate::error::{AppError, Exit};
use crate::session::Session;

/// List the cleaning passes, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  safelight clean list")]
pub(super) struct ListArgs {}

/// List what a pass found, the worst first
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight clean show 77c0 -n 20\n  safelight clean show 77c0 --together"
)]
pub(super) struct ShowArgs {
    /// The pass, by the beginning of its id.
    pass: String,

    /// Only what these rules found.
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,

    /// One list of images, ranked by all rules together.
    #[arg(long)]
    together: bool,

    /// At most this many a rule.
    #[arg(short = 'n', long, default_value_t = 20)]
    number: usize,
}

pub(super) fn list(context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let passes: Vec<_> = state.passes().iter().collect();
    let mut document = Vec::new();
    for record in passes.iter().rev() {
        let event = &record.proposed.event;
        let decided: std::collections::BTreeSet<_> =
            state.reviews(event.pass).map(|(image, _)| image).collect();
        let names: Vec<&str> = event.rules.iter().map(|rule| rule.rule.as_str()).collect();
        context.out.line(format!(
            "{}  {}  {} found, {} decided  {}",
            event.pass.short(),
            words::time(record.proposed.time),
            words::count(event.found, "image", "images"),
            decided.len(),
            names.join(", ")
        ));
        document.push(serde_json::json!({
            "pass": event.pass,
            "seq": record.proposed.seq,
            "found": event.found,
            "decided": decided.len(),
            "predictions": event.predictions,
            "rules": event.rules,
        }));
    }
    if passes.is_empty() {
        context.out.line("no cleaning pass yet; make one with: safelight clean propose");
    }
    context.out.document(&document);
    Ok(Exit::Done)
}

pub(super) fn run(args: &ShowArgs, context: &Context) -> Result<Exit, AppError> {
    let session = context.session()?;
    let state = session.state();
    let pass = resolve_pass(&session, &args.pass)?;
    let rules = rules_of_pass(state, pass, &args.rules)?;
    let blobs = session.repository().blobs().clone();
    let mut found = findings(state, |blob| blobs.get(blob), pass)?.0;
    found.retain(|finding| rules.is_empty() || rules.contains(&finding.rule));
    if args.together {
        let combined = combine(found);
        for entry in combined.iter().take(args.number) {
            for line in entry_lines(state, entry) {
                context.out.line(line);
            }
        }
        if combined.len() > args.number {
            context.out.line(format!("and {} more", combined.len() - args.number));
        }
        context.out.document(
            &combined
                .iter()
                .map(|entry| {
                    serde_json::json!({
                        "image": entry.image,
                        "path": state.image(entry.image).map(|view| view.path_text()),
                        "rank": entry.rank,
                        "score": entry.score,
                        "suggested": entry.suggested.map(|label| words::class(state, Some(label))),
                        "rules": entry.findings.iter().map(|finding| &finding.rule).collect::<Vec<_>>(),
                        "decision": state.review(pass, entry.image),
                    })
                })
                .collect::<Vec<_>>(),
        );
        return Ok(Exit::Done);
    }
    by_rule(context, &session, &found, args.number);
    context.out.document(
        &found
            .iter()
            .map(|finding| {
                serde_json::json!({
                    "image": finding.image,
                    "path": state.image(finding.image).map(|view| view.path_text()),
                    "rule": finding.rule,
                    "rank": finding.rank,
                    "score": finding.score,
                    "reason": finding.reason,
                    "label": finding.label.map(|label| words::class(state, Some(label))),
                    "suggested": finding.suggested.map(|label| words::class(state, Some(label))),
                    "related": finding.related,
                    "decision": state.review(pass, finding.image),
                })
            })
            .collect::<Vec<_>>(),
    );
    Ok(Exit::Done)
}

/// Lists findings rule by rule, at most `number` of each.
pub(super) fn by_rule(context: &Context, session: &Session, findings: &[Finding], number: usize) {
    let state = session.state();
    let mut names: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    names.dedup();
    for name in names {
        let of_rule: Vec<_> = findings.iter().filter(|finding| finding.rule == name).collect();
        context.out.line(format!("  {name}: {}", words::count(of_rule.len() as u64, "image", "images")));
        for finding in of_rule.iter().take(number) {
            context.out.line(format!(
                "    {:>4}  {}  {}",
                finding.rank,
                words::image(state, finding.image),
                finding.reason
            ));
        }
        if of_rule.len() > number {
            context.out.line(format!("          and {} more", of_rule.len() - number));
        }
    }
}

/// One image with what every rule says of it.
pub(super) fn entry_lines(state: &State, entry: &CombinedFinding) -> Vec<String> {
    let view = state.image(entry.image);
    let label = words::class(state, view.and_then(|view| view.label));
    let suggested = match entry.suggested {
        Some(class) => format!(", suggested {}", words::class(state, Some(class))),
        None => String::new(),
    };
    let mut lines =
        vec![format!("{:>4}  {}  labelled {label}{suggested}", entry.rank, words::image(state, entry.image))];
    for finding in &entry.findings {
        lines.push(format!("        {}: {}", finding.rule, finding.reason));
    }
    lines
}
