//! A log in memory that numbers and chains its own frames.

use std::fmt;

use crate::decide::{Command, NewImage, Rejection, decide};
use crate::digest::{BlobId, FrameDigest, Hasher};
use crate::event::{Actor, Event, EventRef, Frame, FrameHeader, RevertTarget, Split, SubmissionSource};
use crate::id::{CheckpointId, EnsembleId, ImageId, PredictionsId, RunId, SubmissionId, TransactionId};
use crate::state::State;
use crate::value::{PathBytes, Timestamp};

use super::models;

/// Frames and the state they fold to.
#[derive(Clone, Default)]
pub struct Log {
    /// The frames, in order.
    pub frames: Vec<Frame>,
    /// The state after them.
    pub state: State,
}

/// Shows the events only: the rest follows from them.
impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for frame in &self.frames {
            writeln!(
                f,
                "{} (from {}): {:?}",
                frame.header.transaction, frame.header.first_seq, frame.events
            )?;
        }
        Ok(())
    }
}

/// The id of the `number`-th transaction of every [`Log`].
pub fn transaction(number: u64) -> TransactionId {
    TransactionId::new(1_700_000_000_000 + number, [7; 10])
}

/// The blob whose bytes are this text.
pub fn blob(text: &str) -> BlobId {
    BlobId::of(text.as_bytes())
}

impl Log {
    /// A log without frames.
    pub fn new() -> Self {
        Log::default()
    }

    /// A log with the dataset "test" of these classes.
    pub fn with_classes(classes: &[&str]) -> Self {
        let mut log = Log::new();
        let classes = classes.iter().map(|class| (*class).to_owned()).collect();
        log.run(Command::CreateDataset { name: "test".to_owned(), classes });
        log
    }

    /// Appends these events as one frame, whatever they are.
    pub fn commit(&mut self, events: Vec<Event>) -> TransactionId {
        let number = self.frames.len() as u64;
        let transaction = transaction(number);
        let parent = self.state.head();
        let mut hasher = Hasher::derive_key("safelight test frame");
        hasher.update(parent.as_bytes()).update(transaction.as_bytes());
        hasher.update(format!("{events:?}").as_bytes());
        let frame = Frame {
            header: FrameHeader {
                digest: FrameDigest(hasher.finish()),
                parent,
                transaction,
                actor: Actor::Person { name: "tester".to_owned() },
                time: Timestamp(1_700_000_000_000 + number),
                message: number.is_multiple_of(3).then(|| format!("message {number}")),
                first_seq: self.state.seq().plus(1),
            },
            events,
        };
        self.state.apply(&frame);
        self.frames.push(frame);
        transaction
    }

    /// Decides and appends what was decided.
    ///
    /// # Errors
    ///
    /// When the command is rejected; then nothing is appended.
    pub fn try_run(&mut self, command: Command) -> Result<TransactionId, Rejection> {
        let events = decide(&self.state, command)?;
        Ok(self.commit(events))
    }

    /// Decides and appends what was decided.
    ///
    /// # Panics
    ///
    /// When the command is rejected.
    pub fn run(&mut self, command: Command) -> TransactionId {
        match self.try_run(command) {
            Ok(transaction) => transaction,
            Err(rejection) => panic!("rejected: {rejection}"),
        }
    }

    /// Imports one labelled image of the train split, whose bytes are its path.
    pub fn import(&mut self, path: &str, class: &str) -> ImageId {
        let image = NewImage {
            blob: blob(path),
            path: PathBytes::new(path.as_bytes()),
            label: Some(class.to_owned()),
            split: Split::Train,
        };
        self.run(Command::ImportImages { images: vec![image] });
        ImageId::of_import(blob(path), path.as_bytes(), Split::Train)
    }

    /// Relabels one image.
    pub fn relabel(&mut self, image: ImageId, class: &str) -> TransactionId {
        self.run(Command::Relabel {
            images: vec![image],
            label: Some(class.to_owned()),
            reason: "looks so".to_owned(),
            evidence: Default::default(),
        })
    }

    /// Removes one image, the last of its class or not.
    pub fn remove(&mut self, image: ImageId) -> TransactionId {
        self.run(Command::Remove {
            images: vec![image],
            reason: "blurred".to_owned(),
            evidence: Default::default(),
            force: true,
        })
    }

    /// Records one fact.
    ///
    /// # Panics
    ///
    /// When it is rejected.
    pub fn record(&mut self, fact: impl Into<Event>) -> TransactionId {
        self.run(Command::Record(Box::new(fact.into())))
    }

    /// Records a run of two checkpoints, predictions of the second, a vote of
    /// all predictions there are, and a submission. Their ids are made of
    /// `number`, at most 127; that of the second checkpoint of 128 more.
    pub fn whole_recipe(&mut self, number: u8, parent: Option<CheckpointId>) {
        let id = [number; 16];
        let second = CheckpointId([number | 0x80; 16]);
        self.record(models::run_started(&self.state, RunId(id), parent));
        self.record(models::checkpoint_saved(&self.state, RunId(id), CheckpointId(id)));
        self.record(models::checkpoint_saved(&self.state, RunId(id), second));
        self.record(models::run_finished(RunId(id)));
        self.record(models::predictions_recorded(&self.state, PredictionsId(id), second));
        if let Some(voted) = models::ensemble_voted(&self.state, EnsembleId(id)) {
            self.record(voted);
        }
        let source = SubmissionSource::Ensemble { ensemble: EnsembleId(id) };
        self.record(models::submission_written(SubmissionId(id), source));
    }

    /// Reverts all that can be reverted of one transaction.
    ///
    /// # Errors
    ///
    /// When that is rejected.
    pub fn undo(&mut self, transaction: TransactionId) -> Result<TransactionId, Rejection> {
        let targets = vec![RevertTarget { transaction, events: Vec::new() }];
        self.try_run(Command::Revert { targets, reason: "undo".to_owned() })
    }

    /// The state after the first `frames` frames, folded anew.
    pub fn prefix(&self, frames: usize) -> State {
        let mut state = State::new();
        self.frames.iter().take(frames).for_each(|frame| state.apply(frame));
        state
    }

    /// The name of an event of this log.
    pub fn event(&self, transaction: TransactionId, index: u32) -> EventRef {
        EventRef { transaction, index }
    }
}
