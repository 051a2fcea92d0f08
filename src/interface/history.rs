//! The log, and changes to it.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use safelight_lineage::decide::{Command, decide};
use safelight_lineage::event::Frame;
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;
use safelight_tui::{Actions, History, PortError};

use super::ports::SharedSession;

/// How long who looks at an older state is waited for before anything newer is
/// shown, and in how many steps.
const PATIENCE: Duration = Duration::from_millis(50);
const STEPS: u32 = 25;

/// The log of the session.
///
/// The state of a million images is large, and each decision makes a new one. So
/// there are two to give out: while the interface looks at one, what happened
/// since is folded into the other.
pub(super) struct StoredHistory {
    session: SharedSession,
    /// What was given out last.
    given: Option<Arc<State>>,
    /// What was given out before that.
    spare: Option<Arc<State>>,
}

impl StoredHistory {
    pub(super) fn new(session: SharedSession) -> StoredHistory {
        StoredHistory { session, given: None, spare: None }
    }

    /// Folds into the spare state what it lacks. None when somebody looks at it
    /// for long.
    fn brought_up(spare: &mut Arc<State>, session: &SharedSession) -> Option<Result<(), PortError>> {
        let mut steps = 0;
        let state = loop {
            // Borrowed anew each time: the compiler cannot see that only the last counts.
            if Arc::get_mut(spare).is_some() {
                break Arc::get_mut(spare)?;
            }
            steps += 1;
            if steps > STEPS {
                return None;
            }
            thread::sleep(PATIENCE / STEPS);
        };
        let newest_first = session.lock().repository().frames_rev();
        let mut missing = Vec::new();
        for frame in newest_first {
            match frame {
                Ok(frame) if frame.header.first_seq > state.seq() => missing.push(frame),
                Ok(_) => break,
                Err(error) => return Some(Err(PortError::new(error))),
            }
        }
        missing.iter().rev().for_each(|frame| state.apply(frame));
        Some(Ok(()))
    }
}

impl History for StoredHistory {
    fn state(&mut self) -> Result<Arc<State>, PortError> {
        let first = {
            let mut session = self.session.lock();
            session.repository_mut().refresh().map_err(PortError::new)?;
            let state = session.state();
            match &self.given {
                Some(given) if (given.seq(), given.head()) == (state.seq(), state.head()) => {
                    return Ok(Arc::clone(given));
                }
                Some(_) if self.spare.is_some() => None,
                _ => Some(Arc::new(state.clone())),
            }
        };
        let newest = match (first, self.spare.take()) {
            (Some(copy), _) => copy,
            (None, Some(mut spare)) => match Self::brought_up(&mut spare, &self.session) {
                Some(Ok(())) => spare,
                // What was given out last is shown until the next look.
                None => {
                    let given = self.given.clone();
                    self.spare = Some(spare);
                    return given.ok_or_else(|| PortError::new("the log was not read yet"));
                }
                Some(Err(error)) => {
                    // Half folded, it is of no use.
                    return Err(error);
                }
            },
            (None, None) => Arc::new(self.session.lock().state().clone()),
        };
        self.spare = self.given.replace(Arc::clone(&newest));
        Ok(newest)
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

    #[test]
    fn two_states_take_turns_and_neither_lacks_anything() {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = Repository::init(folder.path()).expect("a repository");
        let mut session = Session::new(repository, Actor::Person { name: "ada".into() });
        let create = Command::CreateDataset { name: "scenes".into(), classes: vec!["0".into()] };
        session.execute(None, |_, _| create.clone()).expect("allowed");
        let shared = SharedSession::of(Arc::new(Mutex::new(session)));
        let mut history = StoredHistory::new(shared.clone());
        let mut actions = SessionActions(shared.clone());
        let mut addresses = Vec::new();
        let mut looking = history.state().expect("read");
        for step in 1..=6u32 {
            for half in ["a", "b"] {
                let class = format!("{step}{half}");
                actions.execute(vec![classes(&[class.as_str()])], None).expect("allowed");
            }
            looking = history.state().expect("read");
            addresses.push(Arc::as_ptr(&looking));
            let session = shared.lock();
            assert_eq!((looking.seq(), looking.head()), (session.state().seq(), session.head()));
            assert_eq!(looking.classes().len(), 1 + 2 * step as usize);
        }
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), 2, "no third copy was made");

        // Who looks at an older one keeps it, and sees the same until they let go.
        actions.execute(vec![classes(&["late"])], None).expect("allowed");
        let newer = history.state().expect("read");
        actions.execute(vec![classes(&["later"])], None).expect("allowed");
        let same = history.state().expect("read");
        assert!(Arc::ptr_eq(&newer, &same) && looking.classes().len() == 13);
        drop(looking);
        assert!(history.state().expect("read").classes().contains(&"later".to_owned()));
    }
}
