//! Where a command's words go: results to stdout, as text or as one JSON
//! document; progress, notices and errors to stderr.

use std::cell::{OnceCell, RefCell};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::error::{AppError, Exit};
use crate::jobs::folder::JobFolder;
use crate::jobs::line::Line;
use crate::jobs::log::JobLog;
use crate::jobs::registry::{Registry, VARIABLE};

/// The output of one command.
#[derive(Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
    closed: RefCell<bool>,
    job: OnceCell<JobLog>,
}

impl Output {
    /// Text, or JSON when asked for; `quiet` hides progress and notices.
    pub fn new(json: bool, quiet: bool) -> Self {
        let out = Output { json, quiet, closed: RefCell::new(false), job: OnceCell::new() };
        // Whoever started this process as a job made the folder for it.
        if let Some(folder) = std::env::var_os(VARIABLE) {
            out.work_on(JobFolder::at(folder.into()));
        }
        out
    }

    /// Makes this command a job that others can watch and stop, unless it is
    /// one already. Called where long work begins; a cache that cannot be
    /// written is no reason not to work.
    pub fn become_job(&self, cache: &Path) {
        if self.job.get().is_none() {
            let arguments = command_line(std::env::args_os().skip(1));
            if let Ok((folder, _)) = Registry::new(cache).create(arguments, false) {
                self.work_on(folder);
            }
        }
    }

    fn work_on(&self, folder: JobFolder) {
        if let Ok(log) = JobLog::open(folder) {
            let _ = self.job.set(log);
        }
    }

    /// The folder of the job that this command is.
    pub fn job(&self) -> Option<&JobFolder> {
        self.job.get().map(JobLog::folder)
    }

    /// Records how the job ended, if this command is one.
    pub fn end(&self, exit: Exit) {
        if let Some(job) = self.job.get() {
            job.end(exit);
        }
    }

    /// Tells whoever watches the job that this command is, and nobody else.
    pub fn tell(&self, line: impl FnOnce() -> Line) {
        self.log(line);
    }

    fn log(&self, line: impl FnOnce() -> Line) {
        if let Some(job) = self.job.get() {
            job.write(&line());
        }
    }

    /// Writes a line of text to stdout; nothing under `--json`.
    pub fn line(&self, text: impl AsRef<str>) {
        self.log(|| Line::Said { text: text.as_ref().to_owned() });
        if !self.json {
            self.write(text.as_ref().as_bytes());
        }
    }

    /// Writes the JSON document of the command; nothing without `--json`.
    pub fn document(&self, value: &impl Serialize) {
        if self.job.get().is_some()
            && let Ok(document) = serde_json::to_value(value)
        {
            self.log(|| Line::Result { document });
        }
        self.print(value);
    }

    fn print(&self, value: &impl Serialize) {
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
        self.log(|| Line::Noticed { text: text.to_owned() });
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
        self.watch(&bar);
        bar
    }

    /// A sign of life for work whose length is not known.
    pub fn spinner(&self, what: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.target());
        bar.set_style(style("{spinner} {prefix} {msg}  {elapsed}"));
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        self.watch(&bar);
        bar
    }

    fn watch(&self, bar: &ProgressBar) {
        if let Some(job) = self.job.get() {
            job.watch(bar);
        }
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
        self.log(|| Line::Failed {
            error: error.message.clone(),
            hints: error.hints.clone(),
            exit_code: error.exit.code(),
        });
        self.print(&serde_json::json!({
            "error": error.message,
            "hints": error.hints,
            "exit_code": error.exit.code(),
        }));
    }
}

/// The arguments of a command without those that say where and how to show it.
fn command_line(arguments: impl Iterator<Item = OsString>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut value = false;
    for argument in arguments {
        let text = argument.to_string_lossy().into_owned();
        let global = ["-C", "--repository", "--actor"].contains(&text.as_str());
        let shown = ["--json", "-q", "--quiet"].contains(&text.as_str());
        let joined = text.starts_with("--repository=") || text.starts_with("--actor=");
        if !(value || global || shown || joined) {
            kept.push(text);
        }
        value = global;
    }
    kept
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
    use super::{columns, command_line};

    #[test]
    fn a_job_is_named_by_what_it_does() {
        let arguments = ["-C", "/x", "clean", "propose", "--rule", "blank", "--json", "--actor=ada"];
        assert_eq!(command_line(arguments.iter().map(Into::into)), ["clean", "propose", "--rule", "blank"]);
    }

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["a".to_owned(), "b".to_owned()], vec!["über".to_owned(), "c".to_owned()]];
        assert_eq!(columns(&rows), ["a     b", "über  c"]);
    }
}
