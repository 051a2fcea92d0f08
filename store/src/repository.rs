//! A repository: the journal, the blobs and the state that the journal leads to.

mod fold;
mod glimpse;
mod indexed;
mod raw;

use std::path::{Path, PathBuf};

use safelight_lineage::digest::FrameDigest;
use safelight_lineage::event::{Event, Frame, FrameHeader};
use safelight_lineage::state::State;
use safelight_lineage::value::Seq;

use self::fold::fold;
pub use self::glimpse::Glimpse;
use crate::blobs::Blobs;
use crate::disk::{self, DiskError};
use crate::error::{AppendError, Notice, StoreError};
use crate::format::{self, STORE_DIR};
use crate::frame::{self, Draft, FrameError};
use crate::index::Filler;
use crate::journal::{Backward, Journal, Locked, Scan, Step, Tip, segment_path};
use crate::snapshot::Snapshots;

/// An open repository.
///
/// One process may hold several, and several processes one each: all of them
/// append and read at once.
#[derive(Debug)]
pub struct Repository {
    root: PathBuf,
    store: PathBuf,
    journal: Journal,
    state: State,
    blobs: Blobs,
    snapshots: Snapshots,
    notices: Vec<Notice>,
    index: Option<Filler>,
}

impl Repository {
    /// Makes an empty repository in `dir`, which is made too when missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::AlreadyARepository`] when `dir` or a folder above it is
    /// one; otherwise when the files cannot be made. Then nothing is left that
    /// looks like a repository, and calling again goes on.
    pub fn init(dir: &Path) -> Result<Repository, StoreError> {
        disk::create_dir(dir)?;
        let dir = dir.canonicalize().map_err(disk::failed("find", dir))?;
        let store = dir.join(STORE_DIR);
        match Self::discover(&dir) {
            Ok(root) if root != dir || disk::exists(&store.join("FORMAT"))? || has_history(&store)? => {
                return Err(StoreError::AlreadyARepository { root });
            }
            // What a crash left of an earlier attempt holds nothing yet.
            Ok(_) => disk::remove_all(&store)?,
            Err(StoreError::NotARepository { .. }) => {}
            Err(error) => return Err(error),
        }
        disk::create_dir(&store)?;
        for name in ["packs", "objects", "index", "cache"] {
            disk::create_dir(&store.join(name))?;
        }
        Journal::create(&store.join("journal"))?;
        format::write(&store)?;
        disk::sync_dir(&dir)?;
        Self::open(&dir)
    }

    /// Finds the repository that `start` is in: the nearest folder, from
    /// `start` upwards, that holds `.safelight`.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotARepository`] when there is none.
    pub fn discover(start: &Path) -> Result<PathBuf, StoreError> {
        let absolute = start.canonicalize().map_err(disk::failed("find", start))?;
        for dir in absolute.ancestors() {
            match disk::is_dir(&dir.join(STORE_DIR)) {
                Ok(true) => return Ok(dir.to_owned()),
                // What may not even be looked at is nobody's to use.
                Err(error) if !error.is_read_only() => return Err(error.into()),
                Ok(false) | Err(_) => {}
            }
        }
        Err(StoreError::NotARepository { start: start.to_owned() })
    }

    /// Opens the repository in `dir`, the folder that holds `.safelight`.
    ///
    /// What a crash left of an unfinished commit is cut off; see
    /// [`notices`](Self::notices).
    ///
    /// # Errors
    ///
    /// When there is none, when it is of another version, or when its journal
    /// is damaged. Nothing is rewritten then.
    pub fn open(dir: &Path) -> Result<Repository, StoreError> {
        let store = dir.join(STORE_DIR);
        if !disk::is_dir(&store)? {
            return Err(StoreError::NotARepository { start: dir.to_owned() });
        }
        format::check(&store)?;
        let journal_dir = store.join("journal");
        let mut notices = Vec::new();
        let mut snapshots = Snapshots::new(&store.join("cache"));
        let (state, tip) = match snapshots.load(&journal_dir, Seq(u64::MAX), &mut notices) {
            Some(loaded) => (loaded.state, loaded.tip),
            None => (State::new(), Tip::START),
        };
        let mut repository = Repository {
            root: dir.to_owned(),
            blobs: Blobs::open(&store),
            journal: Journal::new(&journal_dir, tip),
            store,
            state,
            snapshots,
            notices,
            index: None,
        };
        repository.refresh()?;
        Ok(repository)
    }

    /// The folder that holds `.safelight`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder `.safelight`.
    pub fn store_dir(&self) -> &Path {
        &self.store
    }

    /// The folder for what can be made again at any time.
    pub fn cache_dir(&self) -> PathBuf {
        self.store.join("cache")
    }

    /// What the user should know of the opening and of every refresh since.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The digest of the newest frame.
    pub fn head(&self) -> FrameDigest {
        self.journal.tip().head
    }

    /// The Seq of the newest event.
    pub fn seq(&self) -> Seq {
        self.journal.tip().seq
    }

    /// What the log amounts to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The blobs.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Takes in what others have appended, and says how many events that were.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read or is damaged. The state then stands
    /// at the last good frame before.
    pub fn refresh(&mut self) -> Result<u64, StoreError> {
        let before = self.seq();
        let behind = self.journal.behind();
        let journal = &mut self.journal;
        let notice = fold(&mut self.state, behind, &mut |each| journal.follow(each))?;
        self.notices.extend(notice);
        self.snapshot_when_due();
        self.tell_index();
        Ok(self.seq().0 - before.0)
    }

    /// Takes the right to append and takes in everything that was: until the
    /// answer goes, the head stays what it is now.
    pub(crate) fn hold_head(&mut self) -> Result<Locked, StoreError> {
        let state = &mut self.state;
        let (locked, notice) = self.journal.hold(&mut |raw| {
            state.apply(&raw.open()?);
            Ok(())
        })?;
        self.notices.extend(notice);
        Ok(locked)
    }

    /// Appends one commit, decided when `expected` was the head. When this
    /// returns, it and every blob that was put before are on the disk.
    ///
    /// # Errors
    ///
    /// [`AppendError::Conflict`] when others have appended since; the state is
    /// theirs by then, so the caller can decide again. After any other error
    /// the commit is not in the log, unless the machine is going down.
    pub fn append(&mut self, draft: Draft, expected: FrameDigest) -> Result<Frame, AppendError> {
        let bytes = frame::seal(expected, &draft)?;
        let digest = frame::digest(&bytes);
        let events = draft.events.len() as u64;
        let _presence = self.blobs.present()?;
        self.blobs.sync()?;
        let state = &mut self.state;
        let notice = self.journal.append(&bytes, (digest, events), expected, &mut |raw| {
            state.apply(&raw.open()?);
            Ok(())
        })?;
        self.notices.extend(notice);
        let first_seq = Seq(self.seq().0 - events + 1);
        let frame = as_read_back(draft, &bytes, expected, digest, first_seq).map_err(|source| {
            let place = self.journal.tip().place;
            let file = segment_path(self.journal.dir(), place.segment);
            StoreError::UnreadableFrame { file, offset: place.offset - bytes.len() as u64, source }
        })?;
        self.state.apply(&frame);
        self.snapshot_when_due();
        self.start_index();
        Ok(frame)
    }

    /// The state as it was after the event `seq`.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchSeq`] past the newest event; otherwise as reading.
    pub fn state_as_of(&self, seq: Seq) -> Result<State, StoreError> {
        if seq > self.seq() {
            return Err(StoreError::NoSuchSeq { asked: seq, newest: self.seq() });
        }
        let mut snapshots = Snapshots::new(&self.cache_dir());
        let (mut state, tip) = match snapshots.load(self.journal.dir(), seq, &mut Vec::new()) {
            Some(loaded) => (loaded.state, loaded.tip),
            None => (State::new(), Tip::START),
        };
        let mut frames =
            Frames { scan: Scan::new(self.journal.dir(), tip), end: self.journal.tip(), failed: false };
        while state.seq() < seq {
            let Some(frame) = frames.next() else { break };
            let mut frame = frame?;
            if frame.last_seq() > seq {
                frame.events.truncate((seq.0 + 1 - frame.header.first_seq.0) as usize);
            }
            state.apply(&frame);
        }
        Ok(state)
    }

    /// The state as it was when `head` was the head.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoSuchFrame`] when it never was; otherwise as reading.
    pub fn state_at(&self, head: FrameDigest) -> Result<State, StoreError> {
        if head == FrameDigest::ROOT {
            return Ok(State::new());
        }
        let seq = self.state.transactions().seq_after(head).ok_or(StoreError::NoSuchFrame(head))?;
        self.state_as_of(seq)
    }

    /// Every frame up to the head, oldest first.
    pub fn frames(&self) -> Frames {
        Frames { scan: Scan::new(self.journal.dir(), Tip::START), end: self.journal.tip(), failed: false }
    }

    /// Every frame from the head on, newest first. Reads only what is taken.
    pub fn frames_rev(&self) -> FramesBack {
        FramesBack { walk: Backward::new(self.journal.dir(), self.journal.tip()) }
    }

    /// The bytes of every frame from the head on, newest first, with the Seq of
    /// its first event. Each is whole and fits into the chain.
    pub fn raw_frames_rev(&self) -> RawFramesBack {
        RawFramesBack { walk: Backward::new(self.journal.dir(), self.journal.tip()), failed: false }
    }

    /// Ends a piece of work such as an import: seals the pack and leaves a
    /// snapshot, so that the next opening is quick.
    ///
    /// # Errors
    ///
    /// When the pack cannot be sealed.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.blobs.seal()?;
        if self.snapshots.is_behind(self.seq()) {
            // Derived, so a failure (a full disk) costs only time.
            let _ = self.snapshots.write(&self.state, &self.journal.tip());
        }
        Ok(())
    }

    fn snapshot_when_due(&mut self) {
        if self.snapshots.is_due(self.seq()) {
            let _ = self.snapshots.write(&self.state, &self.journal.tip());
        }
    }

    /// Lets segments roll at another length, for tests.
    #[doc(hidden)]
    pub fn roll_at(&mut self, bytes: u64) {
        self.journal.roll_at(bytes);
    }
}

/// Whether a store without a FORMAT file holds anything that may be wanted.
fn has_history(store: &Path) -> Result<bool, DiskError> {
    let first = disk::metadata(&segment_path(&store.join("journal"), 1))?;
    Ok(first.is_some_and(|data| data.len() > crate::journal::HEADER_LEN)
        || disk::is_filled(&store.join("packs"))?
        || disk::is_filled(&store.join("objects"))?)
}

/// The frame that reading `bytes` gives, without reading them when it is sure.
fn as_read_back(
    draft: Draft,
    bytes: &[u8],
    parent: FrameDigest,
    digest: FrameDigest,
    first_seq: Seq,
) -> Result<Frame, FrameError> {
    if draft.events.iter().any(|event| matches!(event, Event::Unknown(_))) {
        return frame::open(bytes, first_seq);
    }
    let Draft { transaction, actor, time, message, events } = draft;
    let header = FrameHeader { digest, parent, transaction, actor, time, message, first_seq };
    Ok(Frame { header, events })
}

/// Frames, oldest first. Ends after the first error.
#[derive(Debug)]
pub struct Frames {
    scan: Scan,
    end: Tip,
    failed: bool,
}

impl Iterator for Frames {
    type Item = Result<Frame, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.scan.tip().place >= self.end.place || self.scan.tip().head == self.end.head {
            return None;
        }
        let result = match self.scan.step() {
            Ok(Step::Frame(raw)) => raw.open(),
            Ok(Step::Bad(bad)) => Err(StoreError::CorruptFrame(bad.corruption.into())),
            Ok(Step::End) => return None,
            Err(error) => Err(DiskError::into(error)),
        };
        self.failed = result.is_err();
        Some(result)
    }
}

/// Frames, newest first. Ends after the first error.
#[derive(Debug)]
pub struct FramesBack {
    walk: Backward,
}

impl Iterator for FramesBack {
    type Item = Result<Frame, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.walk.next()
    }
}

/// The bytes of frames, newest first. Ends after the first error.
#[derive(Debug)]
pub struct RawFramesBack {
    walk: Backward,
    failed: bool,
}

impl Iterator for RawFramesBack {
    type Item = Result<(Vec<u8>, Seq), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let result = self.walk.previous_bytes().transpose();
        self.failed = matches!(result, Some(Err(_)));
        result
    }
}
