//! A repository with somebody acting on it: decide, append, and try again when
//! another process was faster.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use safelight_lineage::decide::{Command, Rejection, decide};
use safelight_lineage::digest::FrameDigest;
use safelight_lineage::event::{Actor, Event, Frame};
use safelight_lineage::id::TransactionId;
use safelight_lineage::state::State;
use safelight_lineage::value::Timestamp;
use safelight_store::{AppendError, Draft, Repository, StoreError};

/// How often a change is decided anew because another process appended first.
/// Each attempt sees a longer log, so this many in a row mean a fault.
const ATTEMPTS: u32 = 1_000;

/// Why a change did not get into the log.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The rules say no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The append failed.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// Other processes were always faster.
    #[error("other processes kept appending; gave up after {0} attempts")]
    Contended(u32),
}

/// A repository and who acts on it.
#[derive(Debug)]
pub struct Session {
    repository: Repository,
    actor: Actor,
}

impl Session {
    /// Acts as `actor` on the repository that holds `start`.
    ///
    /// # Errors
    /// When there is no repository or it cannot be read.
    pub fn discover(start: &Path, actor: Actor) -> Result<Self, StoreError> {
        let root = Repository::discover(start)?;
        Ok(Session { repository: Repository::open(&root)?, actor })
    }

    /// Acts as `actor` on an open repository.
    pub fn new(repository: Repository, actor: Actor) -> Self {
        Session { repository, actor }
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The repository, to read further or verify.
    pub fn repository_mut(&mut self) -> &mut Repository {
        &mut self.repository
    }

    /// What the log says up to now.
    pub fn state(&self) -> &State {
        self.repository.state()
    }

    /// The digest of the newest frame.
    pub fn head(&self) -> FrameDigest {
        self.repository.head()
    }

    /// Where the repository is.
    pub fn root(&self) -> PathBuf {
        self.repository.root().to_owned()
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Lets somebody else act from here on.
    pub fn set_actor(&mut self, actor: Actor) {
        self.actor = actor;
    }

    /// Commits what `command` decides to, as one frame.
    ///
    /// `command` is called anew with the longer log when another process
    /// appended in between. A command that decides to nothing commits nothing.
    ///
    /// # Errors
    /// When the rules reject it or the store fails.
    pub fn execute(
        &mut self,
        message: Option<&str>,
        mut command: impl FnMut(&State, TransactionId) -> Command,
    ) -> Result<Option<Frame>, SessionError> {
        self.commit(message, |state, id| decide(state, command(state, id)))
    }

    /// Commits the events that `decided` gives, as one frame; as
    /// [`execute`](Self::execute), for several decisions that belong together.
    ///
    /// # Errors
    /// When the rules reject one or the store fails.
    pub fn commit(
        &mut self,
        message: Option<&str>,
        mut decided: impl FnMut(&State, TransactionId) -> Result<Vec<Event>, Rejection>,
    ) -> Result<Option<Frame>, SessionError> {
        for _ in 0..ATTEMPTS {
            let (transaction, time) = new_transaction()?;
            let expected = self.repository.head();
            let events = decided(self.repository.state(), transaction)?;
            if events.is_empty() {
                return Ok(None);
            }
            let draft = Draft {
                transaction,
                actor: self.actor.clone(),
                time,
                message: message.map(str::to_owned),
                events,
            };
            match self.repository.append(draft, expected) {
                Ok(frame) => return Ok(Some(frame)),
                Err(AppendError::Conflict { .. }) => {
                    self.repository.refresh()?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(SessionError::Contended(ATTEMPTS))
    }

    /// Commits one fact. `fact` gets the transaction, to derive ids from.
    ///
    /// # Errors
    /// When it contradicts the log or the store fails.
    pub fn record<E: Into<Event>>(
        &mut self,
        message: Option<&str>,
        mut fact: impl FnMut(&State, TransactionId) -> E,
    ) -> Result<Frame, SessionError> {
        let frame = self.execute(message, |state, id| Command::Record(Box::new(fact(state, id).into())))?;
        frame.ok_or(SessionError::Rejected(Rejection::NothingToDo))
    }
}

fn new_transaction() -> Result<(TransactionId, Timestamp), SessionError> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(SessionError::Random)?;
    let milliseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_millis() as u64);
    Ok((TransactionId::new(milliseconds, random), Timestamp(milliseconds)))
}
