//! The table and what fills it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How and where to measure.
pub struct Setting {
    pub rounds: usize,
    pub program: Option<PathBuf>,
    pub dir: tempfile::TempDir,
}

impl Setting {
    /// The program, on the repository in `dir`.
    pub fn safelight(&self, dir: &Path) -> Option<Command> {
        let mut command = Command::new(self.program.as_ref()?);
        command.arg("-C").arg(dir).arg("--quiet");
        Some(command)
    }
}

/// Rows of what, how much, beside what, and whether the limit holds.
#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    pub fn row(&mut self, what: &str, value: String, reference: &str, limit: Option<(&str, bool)>) {
        let verdict = limit.map_or(String::new(), |(limit, holds)| {
            format!("{limit}: {}", if holds { "holds" } else { "MISSED" })
        });
        eprintln!("{what}: {value} | {reference} | {verdict}");
        self.rows.push([what.into(), value, reference.into(), verdict]);
    }

    pub fn print(&self) {
        println!("\n| What | Measured | Beside | Limit |\n| --- | --- | --- | --- |");
        for [what, value, reference, limit] in &self.rows {
            println!("| {what} | {value} | {reference} | {limit} |");
        }
    }
}

pub fn time(act: impl FnOnce()) -> Duration {
    let began = Instant::now();
    act();
    began.elapsed()
}

/// The middle one.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// Runs a command to its end; its output goes nowhere.
pub fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("a command that starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub fn shell(dir: &Path, line: &str) {
    run(Command::new("sh").arg("-c").arg(line).current_dir(dir));
}

/// Whether there is a program of this name.
pub fn has(name: &str) -> bool {
    Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
}
