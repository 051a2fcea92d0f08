//! The jobs of a repository, running and ended.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use safelight_lineage::event::Actor;

use super::folder::{Job, JobFolder, now};
use super::process::Process;
use crate::session::Session;

/// How many jobs that ended are kept.
pub const KEPT: usize = 50;
/// For how long, in milliseconds: thirty days.
const KEPT_FOR: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Names the folder of the job that a process works on.
pub const VARIABLE: &str = "SAFELIGHT_JOB";

/// What a job started here is told before its own arguments.
pub fn global(session: &Session) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-C".into(), session.root().into()];
    if let Actor::Person { name } = session.actor() {
        arguments.extend(["--actor".into(), name.into()]);
    }
    arguments
}

/// The jobs of a repository.
#[derive(Debug, Clone)]
pub struct Registry {
    jobs: PathBuf,
}

impl Registry {
    /// The jobs below a repository's cache.
    pub fn new(cache: &Path) -> Registry {
        Registry { jobs: cache.join("jobs") }
    }

    /// Every job, newest first. What is no job, or half removed, is left out.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> io::Result<Vec<(Job, JobFolder)>> {
        let entries = match fs::read_dir(&self.jobs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let folder = JobFolder::at(entry?.path());
            if let Ok(job) = folder.job() {
                found.push((job, folder));
            }
        }
        found.sort_by(|(one, _), (other, _)| (other.started, &other.id).cmp(&(one.started, &one.id)));
        Ok(found)
    }

    /// Makes a folder for a job, and makes room for it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(&self, arguments: Vec<String>, detached: bool) -> io::Result<(JobFolder, Job)> {
        // Room that cannot be made is no reason not to work.
        let _ = self.prune();
        JobFolder::create(&self.jobs, arguments, detached)
    }

    /// Starts this program with `arguments`, which outlives this process and
    /// whoever watches.
    ///
    /// # Errors
    /// When the folder cannot be written or the program not be started.
    pub fn start(&self, global: &[OsString], arguments: Vec<String>) -> io::Result<Job> {
        let (folder, job) = self.create(arguments, true)?;
        self.spawn(global, &folder, job)
    }

    /// The same, of a job that reads a file: its name and what is in it. It is
    /// kept with the job; `arguments` are told where.
    ///
    /// # Errors
    /// When the folder or the file cannot be written or the program not be started.
    pub fn start_with(
        &self,
        global: &[OsString],
        (name, bytes): (&str, &[u8]),
        arguments: impl FnOnce(&str) -> Vec<String>,
    ) -> io::Result<Job> {
        let _ = self.prune();
        let (folder, job) = JobFolder::create_with(&self.jobs, true, |folder| {
            let path = folder.join(name);
            fs::write(&path, bytes)?;
            let not_text = || io::Error::other("the path of the repository is not text");
            Ok(arguments(path.to_str().ok_or_else(not_text)?))
        })?;
        self.spawn(global, &folder, job)
    }

    fn spawn(&self, global: &[OsString], folder: &JobFolder, job: Job) -> io::Result<Job> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(global)
            .arg("--quiet")
            .args(&job.arguments)
            .env(VARIABLE, folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(JobFolder::append(&folder.errors())?)
            .process_group(0)
            .spawn()?;
        folder.add_process(&Process::of(child.id() as i32))?;
        // Somebody has to wait for it, or it would remain as a zombie for as
        // long as this process lives.
        std::thread::spawn(move || child.wait());
        Ok(job)
    }

    /// Removes jobs that ended, the oldest first, until [`KEPT`] are left and
    /// none is older than thirty days. A job that runs is never removed.
    ///
    /// # Errors
    /// When the folder cannot be read or something not be removed.
    pub fn prune(&self) -> io::Result<usize> {
        let mut kept = 0;
        let mut removed = 0;
        for (job, folder) in self.list()? {
            if !folder.status()?.is_over() {
                continue;
            }
            kept += 1;
            if kept > KEPT || now().saturating_sub(job.started) > KEPT_FOR {
                fs::remove_dir_all(folder.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn old_jobs_that_ended_go_and_running_ones_stay() {
        let cache = tempfile::tempdir().expect("a folder");
        let registry = Registry::new(cache.path());
        assert!(registry.list().expect("none").is_empty());
        let (running, first) = registry.create(vec!["train".into()], false).expect("a job");
        running.add_process(&Process::own()).expect("written");
        for _ in 0..KEPT + 3 {
            let (folder, _) = registry.create(vec!["clean".into()], false).expect("a job");
            folder.record_end(Exit::Done).expect("written");
        }
        registry.prune().expect("pruned");
        let left = registry.list().expect("readable");
        assert_eq!(left.len(), KEPT + 1);
        assert!(left.iter().any(|(job, _)| job.id == first.id), "the running one is older than all");
        fs::write(cache.path().join("jobs/left by an older version.jsonl"), "").expect("written");
        assert_eq!(registry.list().expect("readable").len(), KEPT + 1);
    }
}
