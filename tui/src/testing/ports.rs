//! Ports on a log in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use image::DynamicImage;
use safelight_lineage::decide::{Command, decide};
use safelight_lineage::digest::BlobId;
use safelight_lineage::event::Frame;
use safelight_lineage::id::{EnsembleId, GeneratorId, ImageId, PassId, RunId};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use super::generators;
use super::history::{self, Log};
use super::recipes::Simple;
use super::stage::{jobs, picture};
use crate::generator_view::{GeneratorView, Generators, UnfinishedGenerator};
use crate::judgements::{Judgement, Judgements, Likeness, Neighbours, Opinions, VoteTable};
use crate::log_search::frame_mentions;
use crate::ports::{
    Actions, Finding, Findings, History, JobRequest, JobView, Jobs, LogSearch, Pictures, PortError, Ports,
};

use crate::replay_view::{ReceiptView, Receipts};
use crate::run_view::{RunView, Runs};

/// A log that several ports share.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<(Log, Arc<State>)>>);

impl Shared {
    pub fn new(log: Log) -> Shared {
        let state = Arc::new(log.state.clone());
        Shared(Arc::new(Mutex::new((log, state))))
    }

    fn lock(&self) -> MutexGuard<'_, (Log, Arc<State>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out a command, as somebody.
    pub fn commit(&self, command: Command) -> Result<Frame, PortError> {
        self.commit_all(vec![command])
    }

    fn commit_all(&self, commands: Vec<Command>) -> Result<Frame, PortError> {
        let mut inner = self.lock();
        let decided = commands.into_iter().map(|command| decide(&inner.0.state, command));
        let events = decided.collect::<Result<Vec<_>, _>>().map_err(PortError::new)?.concat();
        let frame = inner.0.commit(history::ada(), None, events);
        inner.1 = Arc::new(inner.0.state.clone());
        Ok(frame)
    }

    /// Every port there is.
    pub fn ports(&self) -> Ports {
        Ports {
            history: Box::new(self.clone()),
            log_search: Some(Box::new(self.clone())),
            pictures: Arc::new(Colours),
            actions: Some(Box::new(self.clone())),
            findings: Some(Box::new(self.clone())),
            jobs: Some(Box::new(Still(Duration::ZERO))),
            recipes: Some(Arc::new(Simple)),
            runs: Some(Box::new(self.clone())),
            generators: Some(Box::new(self.clone())),
            judgements: Some(Box::new(self.clone())),
            likeness: Some(Box::new(self.clone())),
            receipts: Some(Box::new(self.clone())),
        }
    }
}

impl History for Shared {
    fn state(&mut self) -> Result<Arc<State>, PortError> {
        Ok(Arc::clone(&self.lock().1))
    }

    fn state_as_of(&mut self, seq: Seq) -> Result<Arc<State>, PortError> {
        Ok(Arc::new(self.lock().0.as_of(seq)))
    }

    fn frames(&mut self, newest: Seq, limit: usize) -> Result<Vec<Frame>, PortError> {
        let inner = self.lock();
        let frames = inner.0.frames.iter().rev().skip_while(|frame| frame.header.first_seq > newest);
        Ok(frames.take(limit).cloned().collect())
    }
}

impl LogSearch for Shared {
    fn search(
        &mut self,
        wanted: &str,
        newest: Seq,
        after: Seq,
        tell: &mut dyn FnMut(Seq, bool) -> bool,
    ) -> Result<(), PortError> {
        let inner = self.lock();
        for frame in inner.0.frames.iter().rev() {
            let first = frame.header.first_seq;
            let wanted_here = first > after && first <= newest;
            if wanted_here && !tell(first, frame_mentions(&inner.0.state, frame, wanted)) {
                break;
            }
        }
        Ok(())
    }
}

impl Actions for Shared {
    fn execute(
        &mut self,
        commands: Vec<Command>,
        _message: Option<String>,
    ) -> Result<Option<Frame>, PortError> {
        self.commit_all(commands).map(Some)
    }
}

impl Findings for Shared {
    fn findings(&mut self, _pass: PassId) -> Result<Vec<Finding>, PortError> {
        Ok(history::findings(&self.lock().0.state))
    }
}

impl Judgements for Shared {
    fn opinions(&mut self, state: &State) -> Result<Opinions, PortError> {
        Ok(history::opinions(state))
    }

    fn of_image(&mut self, state: &State, image: ImageId) -> Result<Vec<Judgement>, PortError> {
        Ok(history::judgements(state, image))
    }

    fn votes(&mut self, state: &State, ensemble: EnsembleId) -> Result<VoteTable, PortError> {
        Ok(history::votes(state, ensemble))
    }
}

impl Likeness for Shared {
    fn neighbours(&mut self, state: &Arc<State>, image: ImageId) -> Result<Neighbours, PortError> {
        Ok(history::neighbours(state, image))
    }
}

impl Receipts for Shared {
    fn receipt(&mut self, _blob: BlobId) -> Result<ReceiptView, PortError> {
        Ok(history::receipt())
    }
}

impl Runs for Shared {
    fn run(&mut self, _state: &State, run: RunId) -> Result<RunView, PortError> {
        Ok(history::run_view(run))
    }
}

impl Generators for Shared {
    fn generator(&mut self, _state: &State, _generator: GeneratorId) -> Result<GeneratorView, PortError> {
        Ok(generators::view())
    }

    fn unfinished(&mut self) -> Result<Vec<UnfinishedGenerator>, PortError> {
        Ok(vec![generators::unfinished(3)])
    }
}

/// Pictures of the colours in their own names.
pub struct Colours;

impl Pictures for Colours {
    fn picture(&self, blob: BlobId) -> Result<DynamicImage, PortError> {
        Ok(picture(blob.0))
    }
}

/// A decoder with a bug.
pub struct Buggy;

impl Pictures for Buggy {
    fn picture(&self, _blob: BlobId) -> Result<DynamicImage, PortError> {
        panic!("index out of bounds")
    }
}

/// Jobs that never change, and how long they take to be listed.
pub struct Still(pub Duration);

impl Jobs for Still {
    fn list(&mut self) -> Result<Vec<JobView>, PortError> {
        std::thread::sleep(self.0);
        Ok(jobs())
    }

    fn start(&mut self, _request: JobRequest) -> Result<(), PortError> {
        Err(PortError::new("no recipe of that name"))
    }

    fn save_recipe(&mut self, _path: &str, _toml: &str) -> Result<(), PortError> {
        Ok(())
    }

    fn cancel(&mut self, _id: &str) -> Result<(), PortError> {
        Ok(())
    }
}
