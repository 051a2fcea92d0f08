//! `safelight clean review`: one finding after another, one letter each.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use safelight_lineage::decide::Command;
use safelight_lineage::event::{Decision, RevertTarget};
use safelight_lineage::id::{PassId, TransactionId};
use safelight_lineage::value::ClassIndex;

use super::super::context::Context;
use super::super::words;
use super::{current_pass, resolve_pass, rules_of_pass, show};
use crate::clean::CombinedFinding;
use crate::clean::pass::{Queue, queue, review};
use crate::error::{AppError, Exit};
use crate::session::Session;

/// Decide what a pass found, image by image
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  safelight clean review 77c0\n  safelight clean review 77c0 --rule confidently-wrong\n  \
                  printf 'r\\nk\\nl glacier\\nx\\n' | safelight clean review 77c0\n\n\
                  One line a finding: k keep, r relabel as suggested, l CLASS relabel, x remove, s skip,\n\
                  u undo the last decision, q quit. Letters may also follow each other in one line: rrkx.\n\
                  Every decision is recorded at once, as one change that can be undone."
)]
pub(super) struct ReviewArgs {
    /// The pass, by the beginning of its id.
    pass: String,

    /// Only what these rules found.
    #[arg(long = "rule", value_name = "RULE")]
    rules: Vec<String>,

    /// Also ask what earlier passes settled.
    #[arg(long)]
    again: bool,

    /// When the dataset changed since: judge it anew by the same rules, and go on.
    #[arg(long)]
    rebase: bool,

    /// Also take the last image of a class.
    #[arg(long)]
    force: bool,
}

/// What a letter asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Keep,
    Suggested,
    Label(String),
    Remove,
    Skip,
    Undo,
    Quit,
}

/// Reads a line: letters one after the other, or `l` and a class.
fn answers(line: &str) -> Result<Vec<Answer>, String> {
    let line = line.trim();
    if let Some(name) = line.strip_prefix("l ") {
        return Ok(vec![Answer::Label(name.trim().to_owned())]);
    }
    line.chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| match letter {
            'k' => Ok(Answer::Keep),
            'r' => Ok(Answer::Suggested),
            'x' => Ok(Answer::Remove),
            's' => Ok(Answer::Skip),
            'u' => Ok(Answer::Undo),
            'q' => Ok(Answer::Quit),
            'l' => Err("after l comes the name of a class: l glacier".to_owned()),
            other => Err(format!("'{}' is none of k, r, l, x, s, u, q", words::text(&other.to_string()))),
        })
        .collect()
}

/// A review that goes on.
struct Review<'a> {
    context: &'a Context,
    session: Session,
    pass: PassId,
    force: bool,
    entries: Vec<CombinedFinding>,
    /// The entry that is asked now.
    place: usize,
    /// Decisions of this review that can be undone, with their entries.
    made: Vec<(usize, Option<TransactionId>)>,
    counts: Counts,
}

#[derive(Debug, Default, serde::Serialize)]
struct Counts {
    kept: usize,
    relabelled: usize,
    removed: usize,
    skipped: usize,
    undone: usize,
    refused: usize,
}

pub(super) fn run(args: &ReviewArgs, context: &Context) -> Result<Exit, AppError> {
    let mut session = context.session()?;
    let pass = resolve_pass(&session, &args.pass)?;
    let rules = rules_of_pass(session.state(), pass, &args.rules)?;
    let pass = current_pass(&mut session, pass, args.rebase, context)?;
    let blobs = session.repository().blobs().clone();
    let queue = queue(session.state(), |blob| blobs.get(blob), pass, &rules, args.again)?;
    tell(&queue, context);
    let mut review = Review {
        context,
        session,
        pass,
        force: args.force,
        entries: queue.open,
        place: 0,
        made: Vec::new(),
        counts: Counts::default(),
    };
    let exit = review.read()?;
    let left = review.entries.len() - review.place.min(review.entries.len());
    let Counts { kept, relabelled, removed, skipped, .. } = review.counts;
    context.out.line(format!(
        "{kept} kept, {relabelled} relabelled, {removed} removed, {skipped} skipped; {left} left"
    ));
    context.out.document(&serde_json::json!({
        "pass": pass,
        "counts": review.counts,
        "left": left,
        "settled_before": queue.answered,
        "decided_before": queue.decided,
        "changed": queue.changed,
    }));
    Ok(exit)
}

fn tell(queue: &Queue, context: &Context) {
    context.out.line(format!("{} to decide", words::count(queue.open.len() as u64, "image", "images")));
    let others = [
        (queue.decided, "decided in this pass already"),
        (queue.answered, "settled by earlier passes (asked again with --again)"),
        (queue.changed, "gone or relabelled since"),
    ];
    for (count, why) in others.into_iter().filter(|(count, _)| *count > 0) {
        context.out.line(format!("{} left out: {why}", words::count(count as u64, "image", "images")));
    }
}

impl Review<'_> {
    /// Reads decisions until there is nothing left to ask or to read. Bad lines
    /// are said and asked again, and leave the exit code of partly done work.
    fn read(&mut self) -> Result<Exit, AppError> {
        let stdin = std::io::stdin();
        let prompt = stdin.is_terminal();
        let mut lines = stdin.lock().lines();
        self.ask(prompt);
        loop {
            if self.place >= self.entries.len() && !prompt {
                // Undo may still come from a pipe.
                if self.made.is_empty() {
                    break;
                }
            }
            let Some(line) = lines.next() else { break };
            let line =
                line.map_err(|error| AppError::failed(format!("could not read decisions: {error}")))?;
            let answers = match answers(&line) {
                Ok(answers) => answers,
                Err(why) => {
                    self.refuse(&why);
                    self.ask(prompt);
                    continue;
                }
            };
            for answer in answers {
                if answer == Answer::Quit {
                    return Ok(self.exit());
                }
                if let Err(why) = self.act(answer)? {
                    self.refuse(&why);
                    // Letters after one that was refused were meant for other images.
                    break;
                }
            }
            if self.place >= self.entries.len() && prompt {
                break;
            }
            self.ask(prompt);
        }
        Ok(self.exit())
    }

    fn exit(&self) -> Exit {
        if self.counts.refused > 0 { Exit::Partly } else { Exit::Done }
    }

    fn refuse(&mut self, why: &str) {
        self.counts.refused += 1;
        eprintln!("not done: {why}");
    }

    fn ask(&self, prompt: bool) {
        let Some(entry) = self.entries.get(self.place) else { return };
        for line in show::entry_lines(self.session.state(), entry) {
            self.context.out.line(line);
        }
        if prompt {
            eprint!("k keep, r suggested, l CLASS, x remove, s skip, u undo, q quit: ");
            let _ = std::io::stderr().flush();
        }
    }

    /// Does what a letter asks for; the inner error is for the person.
    fn act(&mut self, answer: Answer) -> Result<Result<(), String>, AppError> {
        if answer == Answer::Undo {
            return self.undo();
        }
        let Some(entry) = self.entries.get(self.place).cloned() else {
            return Ok(Err("there is nothing left to decide".to_owned()));
        };
        let state = self.session.state();
        let decision = match answer {
            Answer::Keep => Decision::Kept,
            Answer::Remove => Decision::Removed,
            Answer::Skip => Decision::Skipped,
            Answer::Suggested => match entry.suggested {
                Some(label) => Decision::Relabelled { label },
                None => return Ok(Err("no rule suggests a label for it; use l CLASS".to_owned())),
            },
            Answer::Label(name) => match state.classes().iter().position(|class| *class == name) {
                Some(place) => Decision::Relabelled { label: ClassIndex(place as u16) },
                None => {
                    let known = state.classes().join(", ");
                    return Ok(Err(words::text(&format!(
                        "there is no class '{name}'; the classes are {known}"
                    ))));
                }
            },
            Answer::Undo | Answer::Quit => return Ok(Ok(())),
        };
        let frame = match review(&mut self.session, self.pass, &entry, decision, self.force) {
            Ok(frame) => frame,
            Err(crate::session::SessionError::Rejected(rejection)) => {
                return Ok(Err(format!("{rejection} (--force)")));
            }
            Err(other) => return Err(other.into()),
        };
        *self.count(decision) += 1;
        self.context.out.line(format!(
            "        {} {}",
            words::image(self.session.state(), entry.image),
            words::decision(self.session.state(), decision)
        ));
        self.made.push((self.place, frame.map(|frame| frame.header.transaction)));
        self.place += 1;
        Ok(Ok(()))
    }

    fn count(&mut self, decision: Decision) -> &mut usize {
        match decision {
            Decision::Kept => &mut self.counts.kept,
            Decision::Relabelled { .. } => &mut self.counts.relabelled,
            Decision::Removed => &mut self.counts.removed,
            Decision::Skipped => &mut self.counts.skipped,
        }
    }

    fn undo(&mut self) -> Result<Result<(), String>, AppError> {
        let Some((place, transaction)) = self.made.pop() else {
            return Ok(Err("there is nothing to undo in this review".to_owned()));
        };
        let image = self.entries[place].image;
        let decided = self.session.state().review(self.pass, image);
        if let Some(transaction) = transaction {
            self.session.execute(None, |_, _| Command::Revert {
                targets: vec![RevertTarget { transaction, events: Vec::new() }],
                reason: "undo in review".to_owned(),
            })?;
        }
        if let Some(decision) = decided {
            *self.count(decision) -= 1;
        }
        self.counts.undone += 1;
        self.place = place;
        self.context.out.line(format!("        {} undone", words::image(self.session.state(), image)));
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_letters_or_a_label() {
        assert_eq!(answers("k"), Ok(vec![Answer::Keep]));
        assert_eq!(
            answers(" rx su q "),
            Ok(vec![Answer::Suggested, Answer::Remove, Answer::Skip, Answer::Undo, Answer::Quit])
        );
        assert_eq!(answers("l the open sea"), Ok(vec![Answer::Label("the open sea".to_owned())]));
        assert_eq!(answers(""), Ok(vec![]));
        assert!(answers("l").is_err_and(|why| why.contains("l glacier")));
        assert!(answers("k?").is_err_and(|why| why.contains("'?'")));
    }
}
