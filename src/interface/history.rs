//! The log, and changes to it.

use std::sync::Arc;

use safelight_lineage::decide::{Command, decide};
use safelight_lineage::event::Frame;
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;
use safelight_tui::{Actions, History, PortError};

use super::ports::SharedSession;

/// The log of the session.
pub(super) struct StoredHistory {
    session: SharedSession,
    /// What was given out last.
    given: Option<Arc<State>>,
}

impl StoredHistory {
    pub(super) fn new(session: SharedSession) -> StoredHistory {
        StoredHistory { session, given: None }
    }
}

impl History for StoredHistory {
    fn state(&mut self) -> Result<Arc<State>, PortError> {
        let mut session = self.session.lock();
        session.repository_mut().refresh().map_err(PortError::new)?;
        let state = session.state();
        match &self.given {
            Some(given) if (given.seq(), given.head()) == (state.seq(), state.head()) => {
                Ok(Arc::clone(given))
            }
            // Of a million images a copy is a few thousand pointers: it shares
            // with the session's state what does not change.
            _ => Ok(Arc::clone(self.given.insert(Arc::new(state.clone())))),
        }
    }

    fn state_as_of(&mut self, seq: Seq) -> Result<Arc<State>, PortError> {
        let session = self.session.lock();
        session.repository().state_as_of(seq).map(Arc::new).map_err(PortError::new)
    }

    fn frames(&mut self, newest: Seq, limit: usize) -> Result<Vec<Frame>, PortError> {
        // What others append meanwhile does not matter, so nobody has to wait.
        let frames = self.session.lock().repository().frames_rev();
        frames
            .skip_while(|frame| frame.as_ref().is_ok_and(|frame| frame.header.first_seq > newest))
            .take(limit)
            .collect::<Result<_, _>>()
            .map_err(PortError::new)
    }
}

/// Changes by the actor of the session.
pub(super) struct SessionActions(pub(super) SharedSession);

impl Actions for SessionActions {
    fn execute(
        &mut self,
        commands: Vec<Command>,
        message: Option<String>,
    ) -> Result<Option<Frame>, PortError> {
        let mut session = self.0.lock();
        session.repository_mut().refresh().map_err(PortError::new)?;
        let decided = session.commit(message.as_deref(), |state, _| {
            let decided = commands.iter().map(|command| decide(state, command.clone()));
            Ok(decided.collect::<Result<Vec<_>, _>>()?.concat())
        });
        decided.map_err(PortError::new)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use safelight_lineage::event::Actor;
    use safelight_store::Repository;

    use super::*;
    use crate::session::Session;

    fn classes(names: &[&str]) -> Command {
        Command::AddClasses { classes: names.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn several_commands_are_one_frame_or_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(folder.path()).expect("a repository");
        let mut session = Session::new(repository, Actor::Person { name: "ada".into() });
        let create = Command::CreateDataset { name: "scenes".into(), classes: vec!["sea".into()] };
        session.execute(None, |_, _| create.clone()).expect("allowed");
        let shared = SharedSession::of(Arc::new(Mutex::new(session)));
        let mut history = StoredHistory::new(shared.clone());
        let mut actions = SessionActions(shared);
        let before = history.state().expect("read");
        assert!(Arc::ptr_eq(&before, &history.state().expect("read")), "nothing new, the same again");

        let refused = actions.execute(vec![classes(&["lake"]), classes(&["sea"])], None);
        assert!(refused.is_err(), "sea is there already");
        assert_eq!(history.state().expect("read").seq(), before.seq(), "so lake is not added either");

        let frame = actions.execute(vec![classes(&["lake"]), classes(&["moor"])], None).expect("allowed");
        assert_eq!(frame.expect("a frame").events.len(), 2);
        assert_eq!(history.state().expect("read").classes(), ["sea", "lake", "moor"]);
        assert_eq!(before.classes(), ["sea"], "who holds the past keeps it");
        assert_eq!(history.frames(Seq(2), 9).expect("read").len(), 2);
    }
}
