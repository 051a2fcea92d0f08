//! The repository as the terminal interface sees it: the ports of
//! `safelight-tui`, on the store.

use std::sync::Arc;

use safelight_lineage::decide::Command;
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::{Actor, Frame};
use safelight_lineage::id::PassId;
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;
use safelight_store::{Blobs, Repository};
use safelight_tui::{Actions, Finding, Findings, History, Pictures, PortError, Ports};

use crate::clean;
use crate::session::Session;

/// Every port on the repository in `root`, acting as `actor`.
///
/// # Errors
/// When the repository cannot be opened.
pub fn ports(root: &std::path::Path, actor: Actor) -> Result<Ports, safelight_store::StoreError> {
    let repository = Repository::open(root)?;
    let blobs = repository.blobs().clone();
    let state = Arc::new(repository.state().clone());
    Ok(Ports {
        history: Box::new(StoredHistory { repository, state }),
        pictures: Arc::new(StoredPictures(blobs.clone())),
        actions: Some(Box::new(SessionActions(Session::new(Repository::open(root)?, actor)))),
        findings: Some(Box::new(StoredFindings { repository: Repository::open(root)?, blobs })),
        jobs: None,
    })
}

struct StoredHistory {
    repository: Repository,
    state: Arc<State>,
}

impl History for StoredHistory {
    fn state(&mut self) -> Result<Arc<State>, PortError> {
        if self.repository.refresh().map_err(PortError::new)? > 0 {
            self.state = Arc::new(self.repository.state().clone());
        }
        Ok(self.state.clone())
    }

    fn state_as_of(&mut self, seq: Seq) -> Result<Arc<State>, PortError> {
        self.repository.state_as_of(seq).map(Arc::new).map_err(PortError::new)
    }

    fn frames(&mut self, newest: Seq, limit: usize) -> Result<Vec<Frame>, PortError> {
        self.repository
            .frames_rev()
            .skip_while(|frame| frame.as_ref().is_ok_and(|frame| frame.header.first_seq > newest))
            .take(limit)
            .collect::<Result<_, _>>()
            .map_err(PortError::new)
    }
}

struct StoredPictures(Blobs);

impl Pictures for StoredPictures {
    fn picture(&self, blob: BlobId) -> Result<image::DynamicImage, PortError> {
        let bytes = self.0.get(blob).map_err(PortError::new)?;
        let mut reader = image::ImageReader::new(std::io::Cursor::new(bytes));
        reader = reader.with_guessed_format().map_err(PortError::new)?;
        // Imports refuse larger pictures; this guards against older ones.
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(512 << 20);
        reader.limits(limits);
        reader.decode().map_err(PortError::new)
    }
}

struct SessionActions(Session);

impl Actions for SessionActions {
    fn execute(&mut self, command: Command, message: Option<String>) -> Result<Option<Frame>, PortError> {
        self.0.repository_mut().refresh().map_err(PortError::new)?;
        self.0.execute(message.as_deref(), |_, _| command.clone()).map_err(PortError::new)
    }
}

struct StoredFindings {
    repository: Repository,
    blobs: Blobs,
}

impl Findings for StoredFindings {
    fn findings(&mut self, pass: PassId) -> Result<Vec<Finding>, PortError> {
        self.repository.refresh().map_err(PortError::new)?;
        let record = self.repository.state().passes().get(pass);
        let record = record.ok_or_else(|| PortError::new(format!("there is no cleaning pass {pass}")))?;
        let bytes = self.blobs.get(record.proposed.event.findings).map_err(PortError::new)?;
        let findings = clean::Findings::from_bytes(&bytes).map_err(PortError::new)?;
        Ok(findings
            .0
            .into_iter()
            .map(|finding| Finding {
                image: finding.image,
                rule: finding.rule,
                score: finding.score,
                suggestion: finding.suggested,
                group: finding.related,
                note: finding.reason,
            })
            .collect())
    }
}
