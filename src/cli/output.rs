//! Where a command's words go: results to stdout, as text or as one JSON
//! document; progress, notices and errors to stderr.

use std::cell::RefCell;
use std::io::{self, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::error::AppError;

/// The output of one command.
#[derive(Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
    closed: RefCell<bool>,
}

impl Output {
    /// Text, or JSON when asked for; `quiet` hides progress and notices.
    pub fn new(json: bool, quiet: bool) -> Self {
        Output { json, quiet, closed: RefCell::new(false) }
    }

    /// Writes a line of text to stdout; nothing under `--json`.
    pub fn line(&self, text: impl AsRef<str>) {
        if !self.json {
            self.write(text.as_ref().as_bytes());
        }
    }

    /// Writes the JSON document of the command; nothing without `--json`.
    pub fn document(&self, value: &impl Serialize) {
        if self.json {
            match serde_json::to_string_pretty(value) {
                Ok(text) => self.write(text.as_bytes()),
                Err(error) => self.notice(&format!("could not write JSON: {error}")),
            }
        }
    }

    /// Writes one line of JSON among many, at once; nothing without `--json`.
    pub fn event(&self, value: &serde_json::Value) {
        if self.json {
            self.write(value.to_string().as_bytes());
            // A reader waits for it; when it went away, the writes say so.
            let _ = io::stdout().flush();
        }
    }

    /// Tells a person something on stderr that is not the result.
    pub fn notice(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    // A reader that went away (`safelight log | head`) ends the output, not
    // the command: what it does to the repository must still be completed.
    fn write(&self, bytes: &[u8]) {
        if *self.closed.borrow() {
            return;
        }
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.write_all(b"\n"));
        if written.is_err() {
            *self.closed.borrow_mut() = true;
        }
    }

    /// A bar that counts `unit` up to `total`, with rate and time left.
    pub fn bar(&self, what: &str, total: u64, unit: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(Some(total), self.target());
        bar.set_style(style(&format!(
            "{{prefix:<12}} {{bar:30}} {{human_pos}}/{{human_len}} {unit}  {{per_sec}}  {{msg}}  ETA {{eta}}"
        )));
        bar.set_prefix(what.to_owned());
        bar
    }

    /// A sign of life for work whose length is not known.
    pub fn spinner(&self, what: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.target());
        bar.set_style(style("{spinner} {prefix} {msg}  {elapsed}"));
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    // indicatif itself stays silent where stderr is not a terminal.
    fn target(&self) -> ProgressDrawTarget {
        if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(8) }
    }

    /// Writes a failure to stderr (and to stdout as JSON under `--json`).
    pub fn failure(&self, error: &AppError) {
        eprintln!("error: {}", error.message);
        for hint in &error.hints {
            eprintln!("  hint: {hint}");
        }
        self.document(&serde_json::json!({
            "error": error.message,
            "hints": error.hints,
            "exit_code": error.exit.code(),
        }));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

/// Writes rows as columns: every column as wide as its widest cell, except
/// that the last is not padded.
pub fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                line.push_str(cell);
                if column + 1 < row.len() {
                    line.extend(std::iter::repeat_n(' ', widths[column] - cell.chars().count() + 2));
                }
            }
            line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["a".to_owned(), "b".to_owned()], vec!["über".to_owned(), "c".to_owned()]];
        assert_eq!(columns(&rows), ["a     b", "über  c"]);
    }
}
