//! The command line that does what the interface does.

use crate::model::Model;
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
            Some(pass) => vec![format!("safelight show {}", pass.short())],
            None => vec!["safelight clean --help".to_owned()],
        },
        Screen::Training => {
            let run = model.state().runs().iter().rev().nth(model.runs.selected);
            let show = run.map(|record| format!("safelight show {}", record.started.event.run.short()));
            show.into_iter().chain(["safelight train RECIPE.toml".to_owned()]).collect()
        }
        Screen::Generators => match model.state().generators().iter().rev().nth(model.generators.selected) {
            Some(record) => vec![format!("safelight show {}", record.event.generator.short())],
            None => vec!["safelight log".to_owned()],
        },
        Screen::Ensembles => match model.state().ensembles().iter().rev().nth(model.ensembles.selected) {
            Some(record) => vec![format!("safelight show {}", record.event.ensemble.short())],
            None => vec!["safelight ensemble --help".to_owned()],
        },
        Screen::Submissions => {
            let submission = model.state().submissions().iter().rev().nth(model.submissions.selected);
            let id = submission
                .map_or_else(|| "SUBMISSION".to_owned(), |record| record.written.event.submission.short());
            vec![format!("safelight show {id}"), format!("safelight replay {id} --depth votes")]
        }
        Screen::Jobs => vec!["safelight status".to_owned()],
    };
    if let Some(past) = &model.past {
        lines.push(format!("safelight log --as-of {}", past.seq));
    }
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
