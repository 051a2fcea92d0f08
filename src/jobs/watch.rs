//! Watches the jobs of a repository: what their files say, read further at
//! every look.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use safelight_lineage::id::RunId;

use super::account::Account;
use super::folder::{End, Job, JobFolder, Status};
use super::registry::Registry;
use crate::runs::prepare::stored_recipe;
use crate::session::Session;
use crate::train::recipe::Recipe;

/// How long a job that was asked to stop may take before whoever watches kills
/// it, in milliseconds. A training's own watcher kills it after two minutes;
/// this comes later.
pub const PATIENCE: u64 = 150_000;
/// What is kept of a job's errors, in bytes.
const ERRORS: u64 = 8 << 10;

/// Gives the recipe of a run, where it is known.
pub type Recipes<'a> = &'a dyn Fn(RunId) -> Option<Recipe>;

/// The recipe of a run, for how long it takes.
pub fn recipe(session: &Session, run: RunId) -> Option<Recipe> {
    let blobs = session.repository().blobs();
    stored_recipe(session.state(), |blob| blobs.get(blob), run).ok()
}

/// A file of lines that grows, read further every time.
#[derive(Debug, Default)]
pub struct Tail {
    offset: u64,
    partial: Vec<u8>,
}

impl Tail {
    /// Hands over the whole lines that came since the last time.
    ///
    /// # Errors
    /// When the file cannot be read; a file that is not there yet has no lines.
    pub fn read(&mut self, path: &Path, mut line: impl FnMut(&str)) -> io::Result<()> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        self.offset += file.read_to_end(&mut self.partial)? as u64;
        let mut from = 0;
        while let Some(length) = self.partial[from..].iter().position(|byte| *byte == b'\n') {
            line(&String::from_utf8_lossy(&self.partial[from..from + length]));
            from += length + 1;
        }
        self.partial.drain(..from);
        Ok(())
    }
}

/// One job as it stands.
#[derive(Debug)]
pub struct Watched {
    /// What it is.
    pub job: Job,
    /// Where it is.
    pub folder: JobFolder,
    /// How it stands.
    pub status: Status,
    /// How it ended, if it said so.
    pub end: Option<End>,
    /// What its lines say.
    pub account: Account,
    /// The end of what it wrote to stderr.
    pub errors: String,
    tail: Tail,
}

impl Watched {
    fn new(job: Job, folder: JobFolder) -> Watched {
        Watched {
            job,
            folder,
            status: Status::Running,
            end: None,
            account: Account::default(),
            errors: String::new(),
            tail: Tail::default(),
        }
    }

    /// Reads what is new.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn look(&mut self, recipes: Recipes<'_>) -> io::Result<()> {
        if self.status.is_over() {
            return Ok(());
        }
        // How it stands first: what it wrote before it ended is read after.
        let status = self.folder.status()?;
        let account = &mut self.account;
        self.tail.read(&self.folder.output(), |line| {
            account.read(line);
            if let Some(recipe) = account.wants_recipe().and_then(recipes) {
                account.set_recipe(recipe);
            }
        })?;
        self.errors = errors(&self.folder.errors());
        self.end = self.folder.end()?;
        if status.is_over() {
            self.account.eta = None;
            self.account.doing.clear();
        }
        if status == Status::Stopping && self.folder.asked_for().is_some_and(|asked| asked > PATIENCE) {
            self.folder.kill();
        }
        self.status = status;
        Ok(())
    }

    /// The run that it left without an end, when it was killed.
    pub fn orphan(&self) -> Option<RunId> {
        (self.status.is_over() && self.end.is_none()).then_some(self.account.run).flatten()
    }
}

fn errors(path: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(ERRORS)))?;
        let mut bytes = Vec::new();
        file.take(ERRORS).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    read().unwrap_or_default()
}

/// Watches the jobs of a repository.
#[derive(Debug)]
pub struct Watcher {
    registry: Registry,
    jobs: BTreeMap<String, Watched>,
}

impl Watcher {
    /// Watches the jobs of this registry.
    pub fn new(registry: Registry) -> Watcher {
        Watcher { registry, jobs: BTreeMap::new() }
    }

    /// Looks at every job, newest first.
    ///
    /// # Errors
    /// When the folder of the jobs cannot be read. A job that cannot be read,
    /// as it is being removed, is left out.
    pub fn look(&mut self, recipes: Recipes<'_>) -> io::Result<Vec<&Watched>> {
        let listed = self.registry.list()?;
        self.jobs.retain(|id, _| listed.iter().any(|(job, _)| job.id == *id));
        let mut order = Vec::new();
        for (job, folder) in listed {
            let id = job.id.clone();
            let watched = self.jobs.entry(id.clone()).or_insert_with(|| Watched::new(job, folder));
            match watched.look(recipes) {
                Ok(()) => order.push(id),
                Err(error) if fs::exists(watched.folder.path()).unwrap_or(false) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(order.iter().filter_map(|id| self.jobs.get(id)).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::error::Exit;
    use crate::jobs::process::Process;

    #[test]
    fn a_line_is_read_once_and_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines");
        let (mut tail, mut lines) = (Tail::default(), Vec::new());
        tail.read(&path, |line| lines.push(line.to_owned())).expect("nothing yet");
        let mut file = JobFolder::append(&path).expect("writable");
        file.write_all(b"one\ntw").expect("written");
        tail.read(&path, |line| lines.push(line.to_owned())).expect("readable");
        file.write_all(b"o\n\xff\n").expect("written");
        tail.read(&path, |line| lines.push(line.to_owned())).expect("readable");
        assert_eq!(lines, ["one", "two", "\u{fffd}"]);
    }

    #[test]
    fn a_job_is_followed_to_its_end_by_whoever_looks() {
        let cache = tempfile::tempdir().expect("a folder");
        let registry = Registry::new(cache.path());
        let (folder, job) = registry.create(vec!["clean".into()], true).expect("a job");
        folder.add_process(&Process::own()).expect("written");
        let mut output = JobFolder::append(&folder.output()).expect("writable");
        let mut watcher = Watcher::new(registry);
        output.write_all(b"{\"event\":\"said\",\"text\":\"one\"}\n").expect("written");
        let seen = watcher.look(&|_| None).expect("readable");
        assert_eq!((seen[0].job.id.as_str(), seen[0].status), (job.id.as_str(), Status::Running));
        output.write_all(b"{\"event\":\"said\",\"text\":\"two\"}\n").expect("written");
        fs::write(folder.errors(), "a word\n").expect("written");
        folder.record_end(Exit::Refused).expect("written");
        let seen = watcher.look(&|_| None).expect("readable");
        assert_eq!(seen[0].status, Status::Failed);
        assert_eq!(seen[0].account.words, ["one", "two"]);
        assert_eq!(seen[0].errors, "a word");
        fs::remove_dir_all(folder.path()).expect("removed");
        assert!(watcher.look(&|_| None).expect("readable").is_empty());
    }
}
