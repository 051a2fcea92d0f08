//! Every port on one repository.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use safelight_lineage::event::Actor;
use safelight_store::{Repository, StoreError};
use safelight_tui::Ports;

use super::findings::StoredFindings;
use super::generators::{GridFiles, StoredGenerators};
use super::history::{SessionActions, StoredHistory};
use super::jobs::StoredJobs;
use super::judgements::StoredJudgements;
use super::likeness::PictureLikeness;
use super::log_search::StoredLogSearch;
use super::pictures::StoredPictures;
use super::receipts::StoredReceipts;
use super::recipes::RecipeRules;
use super::runs::StoredRuns;
use crate::session::Session;

/// One session that several ports share: the state of a million images is large,
/// and opening it several times would delay the first frame.
#[derive(Clone)]
pub(super) struct SharedSession(Arc<Mutex<Session>>);

impl SharedSession {
    /// Shares this one.
    #[cfg(test)]
    pub(super) fn of(session: Arc<Mutex<Session>>) -> SharedSession {
        SharedSession(session)
    }

    /// The session, for a moment.
    pub(super) fn lock(&self) -> MutexGuard<'_, Session> {
        // A session is left whole by whatever panics while holding it: its
        // repository reads again what it does not know.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every port on the repository in `root`, acting as `actor`, and the folder of
/// its cache.
///
/// # Errors
/// When the repository cannot be opened.
pub fn ports(root: &Path, actor: Actor) -> Result<(Ports, PathBuf), StoreError> {
    let repository = Repository::open(root)?;
    let blobs = repository.blobs().clone();
    let cache = repository.cache_dir();
    let session = SharedSession(Arc::new(Mutex::new(Session::new(repository, actor))));
    let grids = GridFiles::default();
    let ports = Ports {
        history: Box::new(StoredHistory::new(session.clone())),
        log_search: Some(Box::new(StoredLogSearch(session.clone()))),
        pictures: Arc::new(StoredPictures { blobs: blobs.clone(), grids: grids.clone() }),
        actions: Some(Box::new(SessionActions(session.clone()))),
        findings: Some(Box::new(StoredFindings { session: session.clone(), blobs: blobs.clone() })),
        jobs: Some(Box::new(StoredJobs::new(session.clone(), &cache))),
        recipes: Some(Arc::new(RecipeRules)),
        runs: Some(Box::new(StoredRuns(blobs.clone()))),
        generators: Some(Box::new(StoredGenerators::new(blobs.clone(), cache.clone(), grids))),
        judgements: Some(Box::new(StoredJudgements::new(blobs.clone()))),
        receipts: Some(Box::new(StoredReceipts(blobs.clone()))),
        likeness: Some(Box::new(PictureLikeness::new(blobs, cache.clone()))),
    };
    Ok((ports, cache))
}
