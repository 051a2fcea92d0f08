//! The output of the job that this process is: progress, words and results as
//! JSON lines in the job's folder, whatever the terminal shows.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, WeakProgressBar};
use serde::Serialize;

use super::folder::JobFolder;
use super::line::Line;
use super::process::Process;
use crate::error::Exit;

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(300);

/// The output of the job that this process is.
#[derive(Debug)]
pub struct JobLog {
    folder: JobFolder,
    shared: Arc<Shared>,
}

struct Shared {
    file: Mutex<File>,
    bars: Mutex<Vec<(WeakProgressBar, Option<Seen>)>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// What was last said of a bar.
type Seen = (String, u64, Option<u64>, String);

impl JobLog {
    /// Works on the job of this folder from here on.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn open(folder: JobFolder) -> io::Result<JobLog> {
        let own = Process::own();
        if !folder.processes().contains(&own) {
            folder.add_process(&own)?;
        }
        let file = Mutex::new(JobFolder::append(&folder.output())?);
        let shared = Arc::new(Shared { file, bars: Mutex::default() });
        let watched = Arc::downgrade(&shared);
        thread::Builder::new().name("safelight-job".to_owned()).spawn(move || look(&watched))?;
        Ok(JobLog { folder, shared })
    }

    /// Its folder.
    pub fn folder(&self) -> &JobFolder {
        &self.folder
    }

    /// Writes a line.
    pub fn write(&self, line: &impl Serialize) {
        self.shared.write(line);
    }

    /// Reports what this bar shows, as long as it does.
    pub fn watch(&self, bar: &ProgressBar) {
        lock(&self.shared.bars).push((bar.downgrade(), None));
    }

    /// Records how the job ended.
    pub fn end(&self, exit: Exit) {
        self.shared.tell();
        // A cache that cannot be written any more is no failure of the work.
        let _ = self.folder.record_end(exit);
    }
}

fn look(shared: &Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        shared.tell();
        drop(shared);
        thread::sleep(LOOK);
    }
}

impl Shared {
    fn write(&self, line: &impl Serialize) {
        if let Ok(mut bytes) = serde_json::to_vec(line) {
            bytes.push(b'\n');
            // One write: a child may append to the same file. A full disk takes
            // the words, not the work.
            let _ = lock(&self.file).write_all(&bytes);
        }
    }

    /// Says what bars show that they did not show before.
    fn tell(&self) {
        let mut lines = Vec::new();
        lock(&self.bars).retain_mut(|(weak, seen)| {
            let Some(bar) = weak.upgrade() else { return false };
            let finished = bar.is_finished();
            let shown = (bar.prefix(), bar.position(), bar.length(), bar.message());
            if !finished && seen.as_ref() != Some(&shown) {
                let total = shown.2.filter(|total| *total > 0);
                let left = total.map(|_| bar.eta().as_secs_f64()).filter(|left| *left > 0.0);
                lines.push(Line::Progress {
                    what: shown.0.clone(),
                    done: shown.1,
                    total,
                    message: shown.3.clone(),
                    eta_seconds: left,
                });
                *seen = Some(shown);
            }
            !finished
        });
        lines.iter().for_each(|line| self.write(line));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_become_lines() {
        let cache = tempfile::tempdir().expect("a folder");
        let (folder, _) = JobFolder::create(cache.path(), vec![], true).expect("a job");
        let log = JobLog::open(folder.clone()).expect("writable");
        let bar = ProgressBar::hidden();
        bar.set_length(10);
        bar.set_prefix("looking");
        log.watch(&bar);
        bar.set_position(4);
        log.write(&Line::Said { text: "hello".into() });
        log.end(Exit::Done);
        let text = std::fs::read_to_string(folder.output()).expect("written");
        let lines: Vec<Line> = text.lines().filter_map(Line::parse).collect();
        assert!(lines.contains(&Line::Said { text: "hello".into() }));
        let four = |line: &Line| matches!(line, Line::Progress { what, done: 4, total: Some(10), .. } if what == "looking");
        assert!(lines.iter().any(four), "{text}");
        assert_eq!(folder.processes(), [Process::own()]);
    }
}
