//! The folder of one job: what it is, which processes work on it, what they
//! wrote, and how it ended.
//!
//! ```text
//! cache/jobs/ID/
//!   job.json         what it does: written once, before anything starts
//!   processes.jsonl  who works on it: appended
//!   output.jsonl     what it wrote: appended
//!   errors.txt       what it wrote to stderr: appended
//!   stop.json        that somebody asked it to stop
//!   end.json         how it ended, written by itself
//! ```
//!
//! Whoever watches reads; only the job itself writes its end. So a job without
//! an end whose processes are gone was killed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::process::Process;
use crate::error::Exit;

/// How long a job may take to show its first process, in milliseconds.
const STARTING: u64 = 60_000;

/// What a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name: eight hexadecimal digits.
    pub id: String,
    /// The command line that does the same, without the program.
    pub arguments: Vec<String>,
    /// When it was started, in milliseconds since 1970.
    pub started: u64,
    /// Whether it was started to go on by itself, with nobody at its terminal.
    pub detached: bool,
}

/// How a job ended, by its own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Its exit code.
    pub exit_code: u8,
    /// When, in milliseconds since 1970.
    pub ended: u64,
}

/// That a job was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopAsked {
    /// When, in milliseconds since 1970.
    pub asked: u64,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It runs.
    Running,
    /// It was asked to stop and still runs.
    Stopping,
    /// It did its work.
    Done,
    /// It did not.
    Failed,
    /// It was stopped.
    Cancelled,
    /// Its processes are gone and none said how it ended: it was killed.
    Died,
}

impl Status {
    /// Whether it is over.
    pub fn is_over(self) -> bool {
        !matches!(self, Status::Running | Status::Stopping)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Stopping => "stopping",
            Status::Done => "done",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
            Status::Died => "died",
        }
    }
}

/// The folder of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFolder {
    path: PathBuf,
}

impl JobFolder {
    /// The folder at `path`; nothing is read yet.
    pub fn at(path: PathBuf) -> JobFolder {
        JobFolder { path }
    }

    /// Makes a folder for a job below `jobs`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(jobs: &Path, arguments: Vec<String>, detached: bool) -> io::Result<(JobFolder, Job)> {
        JobFolder::create_with(jobs, detached, |_| Ok(arguments))
    }

    /// The same, of a job whose folder holds something from its beginning: `fill`
    /// puts it there and gives the arguments.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create_with(
        jobs: &Path,
        detached: bool,
        fill: impl FnOnce(&Path) -> io::Result<Vec<String>>,
    ) -> io::Result<(JobFolder, Job)> {
        fs::create_dir_all(jobs)?;
        loop {
            let mut random = [0u8; 4];
            getrandom::fill(&mut random).map_err(io::Error::other)?;
            let id = format!("{:08x}", u32::from_be_bytes(random));
            let folder = JobFolder::at(jobs.join(&id));
            match fs::create_dir(&folder.path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            let arguments = fill(&folder.path)?;
            let job = Job { id, arguments, started: now(), detached };
            folder.write("job.json", &job)?;
            return Ok((folder, job));
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of its output.
    pub fn output(&self) -> PathBuf {
        self.path.join("output.jsonl")
    }

    /// The file of its errors.
    pub fn errors(&self) -> PathBuf {
        self.path.join("errors.txt")
    }

    /// What the job is.
    ///
    /// # Errors
    /// When there is no job here or its description cannot be read.
    pub fn job(&self) -> io::Result<Job> {
        self.read("job.json")?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// How it ended, if it said so.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn end(&self) -> io::Result<Option<End>> {
        self.read("end.json")
    }

    /// When it was asked to stop.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn stop_asked(&self) -> io::Result<Option<StopAsked>> {
        self.read("stop.json")
    }

    /// Opens one of its files to append whole lines.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn append(path: &Path) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(path)
    }

    /// Records a process that works on it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_process(&self, process: &Process) -> io::Result<()> {
        let mut line = serde_json::to_vec(process)?;
        line.push(b'\n');
        // One write: another process may append at the same time.
        JobFolder::append(&self.path.join("processes.jsonl"))?.write_all(&line)
    }

    /// The processes that worked on it, in the order in which they began.
    pub fn processes(&self) -> Vec<Process> {
        let text = fs::read_to_string(self.path.join("processes.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Records how it ended.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record_end(&self, exit: Exit) -> io::Result<()> {
        self.write("end.json", &End { exit_code: exit.code(), ended: now() })
    }

    /// How it stands.
    ///
    /// # Errors
    /// When there is no job here or it cannot be read.
    pub fn status(&self) -> io::Result<Status> {
        // The processes first: one that ends after this look has written its end.
        let processes = self.processes();
        let alive = processes.iter().any(Process::is_alive);
        let asked = self.stop_asked()?.is_some();
        if let Some(end) = self.end()? {
            return Ok(match Exit::from_code(i32::from(end.exit_code)) {
                Some(Exit::Done | Exit::Partly | Exit::WithinTolerance | Exit::Diverged) => Status::Done,
                Some(Exit::Interrupted | Exit::Terminated) => Status::Cancelled,
                _ => Status::Failed,
            });
        }
        let starting = processes.is_empty() && now().saturating_sub(self.job()?.started) < STARTING;
        Ok(match (alive || starting, asked) {
            (true, false) => Status::Running,
            (true, true) => Status::Stopping,
            (false, true) => Status::Cancelled,
            (false, false) => Status::Died,
        })
    }

    /// Asks it to stop, by SIGTERM to the first of its processes that lives:
    /// that one passes it on to the others.
    ///
    /// # Errors
    /// When that cannot be recorded.
    pub fn ask_to_stop(&self) -> io::Result<()> {
        if self.stop_asked()?.is_none() {
            self.write("stop.json", &StopAsked { asked: now() })?;
        }
        self.processes().iter().find(|process| process.signal(Signal::TERM));
        Ok(())
    }

    /// Kills every process of it that lives. What the log says stays whole.
    pub fn kill(&self) {
        for process in self.processes() {
            process.signal(Signal::KILL);
        }
    }

    /// How long ago it was asked to stop, in milliseconds.
    pub fn asked_for(&self) -> Option<u64> {
        Some(now().saturating_sub(self.stop_asked().ok()??.asked))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Written aside and renamed: nobody reads half of it.
    fn write(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        let fresh = self.path.join(format!("{name}.{}", std::process::id()));
        fs::write(&fresh, serde_json::to_vec(value)?)?;
        fs::rename(&fresh, self.path.join(name))
    }
}

/// Milliseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> (tempfile::TempDir, JobFolder) {
        let folder = tempfile::tempdir().expect("a folder");
        let (job, _) =
            JobFolder::create(&folder.path().join("jobs"), vec!["clean".into()], true).expect("a job");
        (folder, job)
    }

    #[test]
    fn a_job_stands_as_its_processes_and_its_end_say() {
        let (_folder, job) = job();
        assert_eq!(job.status().expect("read"), Status::Running, "it is starting");
        job.add_process(&Process::own()).expect("written");
        assert_eq!(job.status().expect("read"), Status::Running);
        job.write("stop.json", &StopAsked { asked: now() }).expect("written");
        assert_eq!(job.status().expect("read"), Status::Stopping);
        for (exit, status) in [
            (Exit::Done, Status::Done),
            (Exit::Diverged, Status::Done),
            (Exit::Refused, Status::Failed),
            (Exit::Terminated, Status::Cancelled),
        ] {
            job.record_end(exit).expect("written");
            assert_eq!(job.status().expect("read"), status);
        }
    }

    #[test]
    fn a_job_whose_process_is_gone_died_or_was_stopped() {
        let (_folder, job) = job();
        job.add_process(&Process { pid: 1, birth: "long ago".into() }).expect("written");
        assert_eq!(job.status().expect("read"), Status::Died);
        job.ask_to_stop().expect("written");
        assert_eq!(job.status().expect("read"), Status::Cancelled);
    }

    #[test]
    fn a_child_is_asked_to_stop_and_killed() {
        for kill in [false, true] {
            let (_folder, job) = job();
            let mut child = std::process::Command::new("sleep").arg("600").spawn().expect("a process");
            job.add_process(&Process::of(child.id() as i32)).expect("written");
            if kill {
                job.kill()
            } else {
                job.ask_to_stop().expect("written")
            }
            assert!(!child.wait().expect("it ends").success());
            assert_eq!(job.asked_for().is_some(), !kill);
        }
    }
}
