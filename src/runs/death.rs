//! Runs whose process died: what they left to go on from, and their end in the
//! log, written by whoever watched.

use std::fs;
use std::path::{Path, PathBuf};

use safelight_lineage::event::RunFailed;
use safelight_lineage::id::RunId;
use safelight_store::BlobError;

use crate::session::{Session, SessionError};

/// Why the end of a run could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum DeathError {
    /// The log could not be read or written.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// What the run can be resumed from could not be stored.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// Where a run keeps the bytes that it can be resumed from when it is killed.
pub fn resume_file(cache: &Path, run: RunId) -> PathBuf {
    cache.join("jobs").join(format!("{run}.resume"))
}

/// Records the end of a run whose process died without recording it, with the
/// last place that it can be resumed from.
///
/// # Errors
/// When the log cannot be written.
pub fn record_death(session: &mut Session, run: RunId, reason: &str) -> Result<(), DeathError> {
    session.repository_mut().refresh().map_err(SessionError::from)?;
    let running = session.state().runs().get(run).is_some_and(|record| record.status.is_running());
    if !running {
        return Ok(());
    }
    let path = resume_file(&session.repository().cache_dir(), run);
    let resume = match fs::read(&path) {
        Ok(bytes) => Some(session.repository().blobs().put(&bytes)?),
        // Killed before its first epoch ended: there is nothing to go on from.
        Err(_) => None,
    };
    let reason = reason.to_owned();
    session.record(None, |_, _| RunFailed { run, reason: reason.clone(), metrics: None, resume })?;
    let _ = fs::remove_file(&path);
    Ok(())
}
