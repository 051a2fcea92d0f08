//! An import: read the files of a folder, keep their bytes, record them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use safelight_lineage::decide::{Command, ImportSummary, NewImage, import as decide_import};
use safelight_lineage::event::Event;
use safelight_lineage::state::State;
use safelight_lineage::value::PathBytes;
use safelight_store::BlobError;

use super::{
    Found, ProbeDepth, Problem, ReadOptions, RescanIndex, Row, Severity, Stamp, Walk, WalkError, WalkOptions,
    file_system_time, read_all, walk,
};
use crate::session::{Session, SessionError};

/// So many images go into one frame: few enough that a frame stays small, many
/// enough that syncing costs nothing against reading.
const BATCH: usize = 4_096;

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// How the folder is organised.
    pub walk: WalkOptions,
    /// How files are read and checked.
    pub read: ReadOptions,
    /// Look, read and check, but keep nothing.
    pub dry_run: bool,
    /// Read every file, also those that did not change since the last import.
    pub reread: bool,
    /// Only these files, and only while they have these stamps; all of them
    /// when none.
    pub only: Option<BTreeMap<PathBytes, Stamp>>,
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    /// What was decided, added up over all frames.
    pub summary: ImportSummary,
    /// Files that were dealt with.
    pub files: u64,
    /// Of these, the ones that were not read, since they did not change.
    pub passed_over: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// What was not imported, and why, sorted by path.
    pub problems: Vec<Problem>,
    /// Whether it was told to stop; what was recorded until then stays.
    pub cancelled: bool,
}

impl Imported {
    /// The problems that somebody has to look at.
    pub fn refused(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.kind.severity() == Severity::Refused)
    }
}

/// Why an import stopped. What was recorded until then stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder cannot be imported.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// Bytes cannot be kept.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The log cannot be written.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// How far an import is.
#[derive(Debug, Clone, Copy)]
pub struct ImportProgress {
    /// Files dealt with.
    pub files: u64,
    /// Files in all.
    pub total: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// Imports a folder. Originals are copied, never moved, linked or changed.
///
/// # Errors
/// When the folder cannot be imported at all or something cannot be written;
/// what is wrong with single files is in the result.
pub fn run(
    session: &mut Session,
    folder: &Path,
    options: &ImportOptions,
    cancel: &AtomicBool,
    progress: &mut dyn FnMut(ImportProgress),
) -> Result<Imported, ImportError> {
    let rescan = Rescan::begin(session, folder, options);
    let Walk { mut files, problems, mut classes, .. } = walk(folder, &options.walk)?;
    if let Some(only) = &options.only {
        files.retain(|file| only.get(&file.path) == Some(&file.stamp));
        classes.retain(|class| files.iter().any(|file| file.label.as_ref() == Some(class)));
    }
    let mut done = Imported { problems, ..Imported::default() };
    let mut batch: Vec<NewImage> = Vec::new();
    let message = format!(
        "import {}",
        safelight_lineage::value::escape(std::os::unix::ffi::OsStrExt::as_bytes(folder.as_os_str()))
    );
    // All classes at once and first, so that their order is that of their names
    // however the files are batched.
    if !options.dry_run {
        let known = session.state().classes();
        if classes.iter().any(|class| !known.contains(class)) {
            let added =
                session.execute(Some(&message), |_, _| Command::AddClasses { classes: classes.clone() })?;
            done.summary.classes = added.map_or(0, |frame| match frame.events.first() {
                Some(Event::ClassesAdded(event)) => event.classes.len() as u64,
                _ => 0,
            });
        }
    }
    let Sorted { unchanged, files, mut rows } = rescan.sort(session.state(), files);
    let blobs = session.repository().blobs().clone();
    let known = unchanged.len() as u64;
    let mut seen = ImportProgress { files: known, total: known + files.len() as u64, bytes: 0 };
    let (events, part) = decide_import(session.state(), unchanged).map_err(SessionError::from)?;
    // What is unchanged is in the log, so there is nothing to record of it.
    debug_assert!(events.is_empty());
    add(&mut done.summary, part);
    done.passed_over = known;
    progress(seen);
    let read_none = files.is_empty();
    let summary = read_all(&files, &options.read, cancel, |found, outcome| -> Result<(), ImportError> {
        seen.files += 1;
        match outcome {
            Err(kind) => done.problems.push(Problem { path: found.path.clone(), kind }),
            Ok(file) => {
                seen.bytes += file.bytes.len() as u64;
                if !options.dry_run {
                    blobs.put_hashed(file.blob, &file.bytes)?;
                }
                rows.push(Row { path: found.path.clone(), stamp: found.stamp, blob: file.blob });
                batch.push(NewImage {
                    blob: file.blob,
                    path: found.path.clone(),
                    label: found.label.clone(),
                    split: found.split,
                });
                if batch.len() == BATCH {
                    record(
                        session,
                        &message,
                        std::mem::take(&mut batch),
                        options.dry_run,
                        &mut done.summary,
                    )?;
                }
            }
        }
        progress(seen);
        Ok(())
    })?;
    record(session, &message, batch, options.dry_run, &mut done.summary)?;
    if done.summary.imported + done.summary.revised > 0 && !options.dry_run {
        // The next command then opens what is here now instead of folding it.
        session.repository_mut().checkpoint().map_err(SessionError::from)?;
    }
    (done.files, done.bytes, done.cancelled) = (known + summary.read, summary.bytes, summary.cancelled);
    if !options.dry_run && options.only.is_none() {
        rescan.end(rows, read_none && known > 0);
    }
    done.problems.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(done)
}

fn record(
    session: &mut Session,
    message: &str,
    images: Vec<NewImage>,
    dry_run: bool,
    total: &mut ImportSummary,
) -> Result<(), ImportError> {
    if images.is_empty() {
        return Ok(());
    }
    let mut part = ImportSummary::default();
    if dry_run {
        part = decide_import(session.state(), images).map_err(SessionError::from)?.1;
    } else {
        session.commit(Some(message), |state, _| {
            let (events, summary) = decide_import(state, images.clone())?;
            part = summary;
            Ok(events)
        })?;
    }
    add(total, part);
    Ok(())
}

fn add(total: &mut ImportSummary, part: ImportSummary) {
    total.imported += part.imported;
    total.revised += part.revised;
    total.unchanged += part.unchanged;
    total.still_removed += part.still_removed;
    total.repeated += part.repeated;
    total.label_differs += part.label_differs;
    total.classes += part.classes;
}

/// Files of a folder, sorted by whether they must be read.
struct Sorted {
    /// As they were when they were read last, and as the log has them.
    unchanged: Vec<NewImage>,
    /// The others.
    files: Vec<Found>,
    /// What the next time will know of the unchanged ones.
    rows: Vec<Row>,
}

/// The index of a folder that makes importing it again quick.
struct Rescan {
    cache: PathBuf,
    folder: PathBuf,
    depth: ProbeDepth,
    before: Option<RescanIndex>,
    /// None when the file system's time is not known: then nothing is kept.
    begun: Option<i64>,
}

impl Rescan {
    /// Reads what is known of the folder, before it is walked.
    fn begin(session: &Session, folder: &Path, options: &ImportOptions) -> Self {
        let cache = session.repository().cache_dir();
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let before = if options.reread { None } else { RescanIndex::read(&cache, &folder) };
        let begun = file_system_time(&cache).ok();
        Rescan { cache, folder, depth: options.read.limits.depth, before, begun }
    }

    /// Sorts out the files that need not be read: those with the same stamp
    /// whose bytes the log has at the same place.
    fn sort(&self, state: &State, files: Vec<Found>) -> Sorted {
        let mut sorted = Sorted { unchanged: Vec::new(), files: Vec::new(), rows: Vec::new() };
        let Some(before) = &self.before else { return Sorted { files, ..sorted } };
        // Both are sorted by path.
        let mut rows = before.rows.iter().peekable();
        for file in files {
            while rows.next_if(|row| row.path < file.path).is_some() {}
            let row = rows.next_if(|row| row.path == file.path);
            let row = row.and_then(|row| before.unchanged(row, file.stamp, self.depth));
            let known = row.filter(|row| {
                let there = state.images_at_path(file.split, file.path.as_bytes());
                there.iter().rev().find(|image| image.exists).is_some_and(|image| image.blob == row.blob)
            });
            match known {
                Some(row) => {
                    sorted.rows.push(row.clone());
                    let Found { path, label, split, .. } = file;
                    sorted.unchanged.push(NewImage { blob: row.blob, path, label, split });
                }
                None => sorted.files.push(file),
            }
        }
        sorted
    }

    /// Keeps what was learned, for the next time.
    fn end(self, mut rows: Vec<Row>, nothing_read: bool) {
        let Some(begun) = self.begun else { return };
        if nothing_read && self.before.is_some_and(|before| before.rows.len() == rows.len()) {
            return;
        }
        rows.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let index = RescanIndex { begun, depth: self.depth, rows };
        // Derived: without it the next import reads everything, and that is all.
        let _ = index.write(&self.cache, &self.folder);
    }
}
