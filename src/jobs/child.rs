//! A child process that writes progress as JSON lines to a file.
//!
//! A file and not a pipe: the child must neither stop nor die when who watches
//! it does, and somebody else can watch the same file later. The child leads a
//! process group of its own, so a Ctrl-C at the terminal reaches the watcher
//! alone, which passes it on as SIGTERM.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::folder::JobFolder;
use super::process::Process;
use super::registry::VARIABLE;
use crate::stop::Stop;

/// How often the file is looked at.
const POLL: Duration = Duration::from_millis(50);
/// How long a child that was told to stop may take before it is killed.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running child and the file that it writes to.
#[derive(Debug)]
pub struct JobChild {
    process: std::process::Child,
    output: PathBuf,
    errors: PathBuf,
    /// Whether others write to these files too.
    shared: bool,
    file: File,
    partial: Vec<u8>,
}

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code or signal.
    pub status: ExitStatus,
    /// What it wrote to stderr, the last few KiB.
    pub errors: String,
}

impl Ended {
    /// Says why in words when the child was killed.
    pub fn killed_by(&self) -> Option<String> {
        self.status.signal().map(|signal| match signal {
            9 => "killed by signal 9, as the system does when memory runs out".to_owned(),
            6 => "aborted (signal 6)".to_owned(),
            11 => "crashed (signal 11)".to_owned(),
            other => format!("killed by signal {other}"),
        })
    }
}

impl JobChild {
    /// Starts this very program with `arguments`; its output goes to files in
    /// `folder` whose names start with `name`.
    ///
    /// # Errors
    /// When the files cannot be made or the program cannot be started.
    pub fn spawn(folder: &Path, name: &str, arguments: &[OsString]) -> io::Result<JobChild> {
        fs::create_dir_all(folder)?;
        JobChild::start(folder.join(format!("{name}.jsonl")), folder.join(format!("{name}.err")), arguments)
    }

    /// Starts this very program with `arguments` as a part of a job: its output
    /// and errors go to the job's, and it is recorded as one of its processes.
    ///
    /// # Errors
    /// When the files cannot be written or the program cannot be started.
    pub fn spawn_for(job: &JobFolder, arguments: &[OsString]) -> io::Result<JobChild> {
        let mut child = JobChild::start(job.output(), job.errors(), arguments)?;
        child.shared = true;
        job.add_process(&Process::of(child.process.id() as i32))?;
        Ok(child)
    }

    fn start(output: PathBuf, errors: PathBuf, arguments: &[OsString]) -> io::Result<JobChild> {
        let written = JobFolder::append(&output)?;
        let mut file = File::open(&output)?;
        file.seek(SeekFrom::End(0))?;
        let process = Command::new(std::env::current_exe()?)
            .args(arguments)
            // The job is this process's, not the child's to end.
            .env_remove(VARIABLE)
            .stdin(Stdio::null())
            .stdout(written)
            .stderr(JobFolder::append(&errors)?)
            .process_group(0)
            .spawn()?;
        Ok(JobChild { process, output, errors, shared: false, file, partial: Vec::new() })
    }

    /// Where its output goes.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// Hands every line to `line` as it comes, until the child ends. When
    /// `stop` is raised the child is told by SIGTERM, and killed when it has
    /// not ended after two minutes.
    ///
    /// # Errors
    /// When the file cannot be read or the child not waited for.
    pub fn follow(mut self, stop: &Stop, mut line: impl FnMut(&str)) -> io::Result<Ended> {
        let mut told: Option<Instant> = None;
        loop {
            let ended = self.process.try_wait()?;
            self.drain(&mut line)?;
            if let Some(status) = ended {
                let errors = tail(&self.errors)?;
                if errors.is_empty() && !self.shared {
                    // An empty file is no evidence of anything; leave no litter.
                    let _ = fs::remove_file(&self.errors);
                }
                return Ok(Ended { status, errors });
            }
            match told {
                None if stop.is_asked() => {
                    self.signal(Signal::TERM);
                    told = Some(Instant::now());
                }
                Some(when) if when.elapsed() > PATIENCE => self.signal(Signal::KILL),
                _ => {}
            }
            std::thread::sleep(POLL);
        }
    }

    fn drain(&mut self, line: &mut impl FnMut(&str)) -> io::Result<()> {
        self.file.read_to_end(&mut self.partial)?;
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let rest = self.partial.split_off(end + 1);
            let text = String::from_utf8_lossy(&self.partial[..end]).into_owned();
            self.partial = rest;
            line(&text);
        }
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.process.id() as i32) {
            // It may have ended by itself just now; try_wait will tell.
            let _ = kill_process(pid, signal);
        }
    }
}

fn tail(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let start = bytes.len().saturating_sub(8 << 10);
    Ok(String::from_utf8_lossy(&bytes[start..]).trim().to_owned())
}
