//! What every command gets: where to work, who acts, where words go.

use std::path::PathBuf;

use safelight_lineage::decide::Rejection;
use safelight_lineage::event::Actor;
use safelight_lineage::state::Sought;
use safelight_lineage::value::escape;
use safelight_store::{AppendError, BlobError, DiskError, Glimpse, Repository, StoreError};

use super::engine::{self, Engine};
use super::output::Output;
use crate::error::{AppError, Exit};
use crate::session::{Session, SessionError};

/// What every command gets.
#[derive(Debug)]
pub struct Context {
    /// Where words go.
    pub out: Output,
    start: PathBuf,
    actor: Option<String>,
    engine: Option<&'static Engine>,
}

impl Context {
    pub(super) fn new(global: &super::Global, engine: Option<&'static Engine>) -> Self {
        Context {
            engine,
            out: Output::new(global.json, global.quiet),
            start: global.repository.clone().unwrap_or_else(|| PathBuf::from(".")),
            actor: global.actor.clone(),
        }
    }

    /// What computes on libtorch. In the program that has none of it, the
    /// process becomes the one that has, and this does not come back: so
    /// nothing may have been written, said or read before.
    ///
    /// # Errors
    /// When there is no engine or it cannot be started.
    pub fn engine(&self) -> Result<&'static Engine, AppError> {
        match self.engine {
            Some(engine) => Ok(engine),
            None => Err(engine::hand_over()),
        }
    }

    /// The folder to work in.
    pub fn start(&self) -> &std::path::Path {
        &self.start
    }

    /// The person who acts.
    pub fn person(&self) -> Actor {
        let name = self
            .actor
            .clone()
            .or_else(|| std::env::var("USER").ok())
            .or_else(|| std::env::var("LOGNAME").ok());
        Actor::Person { name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned()) }
    }

    /// What is known of one image, by its whole id or its path, and of what it
    /// may have influenced; of other images nothing. None when the repository
    /// has to be opened for that.
    ///
    /// # Errors
    /// When there is no repository.
    pub fn glimpse(&self, image: &str) -> Result<Option<Glimpse>, AppError> {
        let sought = match image.parse() {
            Ok(id) => Sought::Id(id),
            Err(_) if image.contains(['/', '.']) => Sought::Path(image.as_bytes()),
            // The beginning of an id may be that of another image too.
            Err(_) => return Ok(None),
        };
        let glimpse = Repository::glimpse(&Repository::discover(&self.start)?, sought)?;
        // Generated images carry the influence of others, and are not in it.
        Ok(glimpse
            // What a generator learned from takes all images to tell.
            .filter(|glimpse| glimpse.state().generators().is_empty()))
    }

    /// Opens the repository that holds the folder to work in, and says what
    /// opening it found out.
    ///
    /// # Errors
    /// When there is none or it cannot be read.
    pub fn session(&self) -> Result<Session, AppError> {
        let session = Session::discover(&self.start, self.person())?;
        for notice in session.repository().notices() {
            self.out.notice(&format!("note: {notice}"));
        }
        Ok(session)
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> AppError {
        let message = escape_text(&error.to_string());
        match error {
            StoreError::NotARepository { .. } => AppError::new(Exit::NoRepository, message)
                .hint("make one here with: safelight init")
                .hint("or work in another folder with: safelight -C DIR …"),
            StoreError::CorruptFrame(_) | StoreError::UnreadableFrame { .. } => {
                AppError::new(Exit::Damaged, message)
                    .hint("nothing was changed; see everything that is damaged with: safelight verify --deep")
            }
            StoreError::Blob(error) => error.into(),
            StoreError::Disk(error) => error.into(),
            StoreError::AlreadyARepository { .. } => {
                AppError::refused(message).hint("import into it with: safelight import FOLDER")
            }
            StoreError::UnsupportedFormat { .. } => {
                AppError::failed(message).hint("a newer version of safelight may have written it")
            }
            _ => AppError::failed(message),
        }
    }
}

impl From<BlobError> for AppError {
    fn from(error: BlobError) -> AppError {
        let message = escape_text(&error.to_string());
        match error {
            BlobError::NotFound(_) | BlobError::Corrupt { .. } => AppError::new(Exit::Damaged, message)
                .hint("nothing was changed; see everything that is damaged with: safelight verify --deep"),
            BlobError::Collecting => {
                AppError::refused(message).hint("nothing was changed; try again when safelight gc is done")
            }
            BlobError::Disk(error) => error.into(),
            _ => AppError::failed(message),
        }
    }
}

impl From<DiskError> for AppError {
    fn from(error: DiskError) -> AppError {
        let hint = match error.source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Some(
                "the disk is full: free some room and run the same command again; nothing acknowledged is lost",
            ),
            std::io::ErrorKind::PermissionDenied => Some("check the permissions of that path"),
            _ => None,
        };
        let failed = AppError::failed(escape_text(&error.to_string()));
        match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        }
    }
}

impl From<AppendError> for AppError {
    fn from(error: AppendError) -> AppError {
        match error {
            AppendError::Store(error) => error.into(),
            other => AppError::failed(other.to_string()),
        }
    }
}

impl From<Rejection> for AppError {
    fn from(rejection: Rejection) -> AppError {
        AppError::refused(escape_text(&rejection.to_string()))
    }
}

impl From<SessionError> for AppError {
    fn from(error: SessionError) -> AppError {
        match error {
            SessionError::Rejected(rejection) => rejection.into(),
            SessionError::Store(error) => error.into(),
            SessionError::Append(error) => error.into(),
            other => AppError::failed(other.to_string()),
        }
    }
}

// Messages may hold names from files. Their control characters must not reach
// a terminal; backslashes of paths that are escaped already stay as they are.
fn escape_text(text: &str) -> String {
    text.split('\\').map(|part| escape(part.as_bytes())).collect::<Vec<_>>().join("\\")
}
