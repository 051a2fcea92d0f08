//! An import: read the files of a folder, keep their bytes, record them.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use safelight_lineage::decide::{Command, ImportSummary, NewImage, import};
use safelight_lineage::event::Event;
use safelight_store::BlobError;

use super::{Problem, ReadOptions, Severity, Walk, WalkError, WalkOptions, read_all, walk};
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
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    /// What was decided, added up over all frames.
    pub summary: ImportSummary,
    /// Files that were read.
    pub files: u64,
    /// Bytes of them.
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
    let Walk { files, problems, classes, .. } = walk(folder, &options.walk)?;
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
    let blobs = session.repository().blobs().clone();
    let mut seen = ImportProgress { files: 0, total: files.len() as u64, bytes: 0 };
    let summary = read_all(&files, &options.read, cancel, |found, outcome| -> Result<(), ImportError> {
        seen.files += 1;
        match outcome {
            Err(kind) => done.problems.push(Problem { path: found.path.clone(), kind }),
            Ok(file) => {
                seen.bytes += file.bytes.len() as u64;
                if !options.dry_run {
                    blobs.put_hashed(file.blob, &file.bytes)?;
                }
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
    (done.files, done.bytes, done.cancelled) = (summary.read, summary.bytes, summary.cancelled);
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
        part = import(session.state(), images).map_err(SessionError::from)?.1;
    } else {
        session.commit(Some(message), |state, _| {
            let (events, summary) = import(state, images.clone())?;
            part = summary;
            Ok(events)
        })?;
    }
    total.imported += part.imported;
    total.revised += part.revised;
    total.unchanged += part.unchanged;
    total.still_removed += part.still_removed;
    total.repeated += part.repeated;
    total.label_differs += part.label_differs;
    total.classes += part.classes;
    Ok(())
}
