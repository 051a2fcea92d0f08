//! The command line that does what the interface does.

use crate::detail::batch_at;
use crate::generators::{self, Row};
use crate::model::Model;
use crate::ports::{Evidence, JobRequest, Judging};
use crate::screen::Screen;

/// Bytes as one word for a POSIX shell, of printable characters only.
fn word(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+:,@%=".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if crate::text::safe(text) == text => format!("'{}'", text.replace('\'', "'\\''")),
        _ => {
            // POSIX shells lack $'…' but printf writes any byte.
            let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
            format!("\"$(printf '{octal}')\"")
        }
    }
}

/// What can be typed for what is selected.
pub fn lines(model: &Model) -> Vec<String> {
    let mut lines = match model.screen {
        Screen::Timeline => match model.selected_transaction() {
            Some(record) => vec![
                "safelight log".to_owned(),
                format!("safelight show {}", record.transaction.short()),
                format!("safelight undo {}", record.transaction.short()),
            ],
            None => vec!["safelight log".to_owned()],
        },
        Screen::Images => images(model),
        Screen::Review => match model.pass() {
            Some(pass) => vec![
                format!("safelight clean show {}", pass.short()),
                format!("safelight clean review {}", pass.short()),
                started(&JobRequest::Clean { by: Evidence::Pictures }),
                started(&JobRequest::Clean { by: Evidence::Models }),
            ],
            None => vec![
                started(&JobRequest::Clean { by: Evidence::Pictures }),
                started(&JobRequest::Clean { by: Evidence::Models }),
            ],
        },
        Screen::Training => {
            let run = model.state().runs().iter().rev().nth(model.runs.selected);
            let of_run = run
                .map(|record| record.started.event.run.short())
                .map(|run| vec![format!("safelight runs show {run}"), started(&JobRequest::Resume { run })]);
            let train = started(&JobRequest::Train { recipe: "RECIPE.toml".to_owned() });
            of_run.unwrap_or_default().into_iter().chain([train]).collect()
        }
        Screen::Generators => generators_lines(model),
        Screen::Ensembles => match model.state().ensembles().iter().rev().nth(model.ensembles.selected) {
            Some(record) => vec![format!("safelight show {}", record.event.ensemble.short())],
            None => vec!["safelight ensemble --help".to_owned()],
        },
        Screen::Submissions => {
            let submission = model.state().submissions().iter().rev().nth(model.submissions.selected);
            let id = submission
                .map_or_else(|| "SUBMISSION".to_owned(), |record| record.written.event.submission.short());
            let depths = ["votes", "predictions", "training"];
            let replay = |depth| started(&JobRequest::Replay { submission: id.clone(), depth });
            [format!("safelight show {id}")].into_iter().chain(depths.map(replay)).collect()
        }
        Screen::Jobs => {
            let job = model.jobs.views.get(model.jobs.cursor.selected);
            let of_job = job.map(|job| {
                let id = word(job.id.as_bytes());
                ["show", "follow", "cancel"].map(|verb| format!("safelight jobs {verb} {id}")).to_vec()
            });
            ["safelight jobs".to_owned()].into_iter().chain(of_job.unwrap_or_default()).collect()
        }
    };
    if let Some(past) = &model.past {
        lines.push(format!("safelight log --as-of {}", past.seq));
    }
    lines
}

/// How a job is started from a shell, so that it goes on by itself.
pub fn started(request: &JobRequest) -> String {
    let words: Vec<String> = request.arguments().iter().map(|argument| word(argument.as_bytes())).collect();
    format!("safelight jobs start -- {}", words.join(" "))
}

fn generators_lines(model: &Model) -> Vec<String> {
    let mut lines = vec!["safelight generate list".to_owned()];
    match generators::selected(model) {
        None => {}
        Some(Row::Unfinished(unfinished)) => {
            let generator = unfinished.generator.short();
            lines.push(started(&JobRequest::ResumeGenerator { generator }));
        }
        Some(Row::Trained(record)) => {
            let generator = record.event.generator.short();
            lines.push(format!("safelight generate show {generator}"));
            lines.push(format!("safelight audit generator {generator}"));
            let state = model.state();
            let class = record.event.class.and_then(|class| state.classes().get(usize::from(class.0)));
            let class = class.cloned().unwrap_or_else(|| "CLASS".to_owned());
            lines.push(started(&JobRequest::Sample {
                generator: generator.clone(),
                class,
                count: 100,
                seed: 0,
            }));
            let of_line = model.in_detail.then(|| batch_at(model, model.detail.selected)).flatten();
            let newest = || {
                Some(generators::batches(state, record.event.generator).next_back()?.generated.event.samples)
            };
            if let Some(samples) = of_line.or_else(newest).map(|samples| samples.short()) {
                lines.push(format!("safelight generate show {samples}"));
                lines.push(format!("safelight generate quality {samples}"));
                let least = "0.8".to_owned();
                for judging in [Judging::Newest, Judging::Sure { least, by: None }] {
                    lines.push(started(&JobRequest::Admit { samples: samples.clone(), judging }));
                }
                lines.push(format!("safelight generate expel {samples}"));
            }
            lines.push(format!("safelight generate expel {generator}"));
        }
    }
    let (recipe, class) = (Some("RECIPE.toml".to_owned()), Some("CLASS".to_owned()));
    lines.push(started(&JobRequest::TrainGenerator { recipe, class }));
    lines
}

fn images(model: &Model) -> Vec<String> {
    let Some(image) = model.selected_image() else { return vec!["safelight import FOLDER".to_owned()] };
    let id = image.id.short();
    let label = image.label.and_then(|label| model.state().classes().get(usize::from(label.0)));
    let label = label.map_or_else(|| "CLASS".to_owned(), |label| word(label.as_bytes()));
    vec![
        format!("safelight show {id}    # {}", image.path_text()),
        format!("safelight relabel {id} --to {label}"),
        format!("safelight remove {id} --reason duplicate"),
        format!("safelight restore {id}"),
        "safelight undo".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_harmless() {
        assert_eq!(word(b"sea"), "sea");
        assert_eq!(word(b"it's here"), r"'it'\''s here'");
        assert_eq!(word(b""), "''");
        assert_eq!(word(b"\x1b[2J"), r#""$(printf '\033\133\062\112')""#);
    }
}
