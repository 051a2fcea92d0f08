//! The thread that fills the index behind the acknowledgements.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{BlobPlaces, Content, Filled, Opened};
use crate::error::Notice;
use crate::journal::Tip;

/// A closing process waits so long for an index that is nearly there.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Desk {
    goal: Option<Tip>,
    notice: Option<Notice>,
    idle: bool,
}

struct Shared {
    /// Held for moments only: those who append take it.
    desk: Mutex<Desk>,
    bell: Condvar,
    /// Held while a batch is written. Taken before the desk, never after it.
    content: Mutex<Option<Content>>,
    stop: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fills the index in a thread of its own, while this lives.
pub(crate) struct Filler {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Filler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filler").finish_non_exhaustive()
    }
}

impl Filler {
    pub(crate) fn start(index: PathBuf, journal: PathBuf, blobs: Box<dyn BlobPlaces + Send>) -> Filler {
        let shared = Arc::new(Shared {
            desk: Mutex::default(),
            bell: Condvar::new(),
            content: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let theirs = shared.clone();
        let thread = std::thread::Builder::new().name("index".into());
        let thread = thread.spawn(move || fill(&theirs, &index, &journal, &*blobs)).ok();
        lock(&shared.desk).idle = thread.is_none();
        Filler { shared, thread }
    }

    /// There is more in the journal now.
    pub(crate) fn advance(&self, tip: Tip) {
        let mut desk = lock(&self.shared.desk);
        desk.goal = Some(tip);
        desk.idle = self.thread.is_none();
        self.shared.bell.notify_all();
    }

    /// What the user should know, once.
    pub(crate) fn notice(&self) -> Option<Notice> {
        lock(&self.shared.desk).notice.take()
    }

    /// Asks the index, if it is there.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Content) -> Option<T>) -> Option<T> {
        lock(&self.shared.content).as_ref().and_then(question)
    }

    /// Deletes the index; it is filled anew when there is more.
    pub(crate) fn give_up(&self, why: &str) {
        if let Some(content) = lock(&self.shared.content).take() {
            content.destroy();
            lock(&self.shared.desk).notice = Some(Notice::IndexRebuilt { why: why.to_owned() });
        }
    }

    /// Waits until the index has everything or cannot have it.
    pub(crate) fn wait(&self, limit: Duration) {
        let end = Instant::now() + limit;
        let mut desk = lock(&self.shared.desk);
        while !desk.idle {
            let Some(left) = end.checked_duration_since(Instant::now()) else { return };
            let waited = self.shared.bell.wait_timeout(desk, left);
            desk = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        self.wait(PATIENCE);
        self.shared.stop.store(true, Ordering::SeqCst);
        // Rung with the desk held, so that it is not missed.
        drop(lock(&self.shared.desk));
        self.shared.bell.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn fill(shared: &Shared, index: &Path, journal: &Path, blobs: &dyn BlobPlaces) {
    yield_to_others();
    while let Some(goal) = next_goal(shared) {
        let mut content = lock(&shared.content);
        if content.is_none() {
            match Content::open(index, journal) {
                Opened::Ready(opened, why) => {
                    *content = Some(opened);
                    lock(&shared.desk).notice = why.map(|why| Notice::IndexRebuilt { why });
                }
                // Nobody needs it: another process fills it, or nobody can.
                Opened::Busy | Opened::Unusable => continue,
            }
        }
        let stop = || shared.stop.load(Ordering::Relaxed);
        match content.as_mut().map(|content| content.fill(journal, goal, blobs, &stop)) {
            // Come back for the rest: others may ask in between.
            Some(Filled::Part) => {
                lock(&shared.desk).goal.get_or_insert(goal);
            }
            Some(Filled::Broken(why)) => {
                if let Some(content) = content.take() {
                    content.destroy();
                }
                lock(&shared.desk).notice = Some(Notice::IndexRebuilt { why });
            }
            // Damage of the journal is for those to report who read it.
            Some(Filled::All | Filled::Unreadable) | None => {}
        }
    }
    if let Some(content) = lock(&shared.content).take() {
        content.flush();
    }
}

/// Gives way to others when processors are few: an import is not to wait for
/// the index behind it.
fn yield_to_others() {
    // On Linux this is about the calling thread; elsewhere about the process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 5);
}

/// Waits for something to do; none when it is time to stop.
fn next_goal(shared: &Shared) -> Option<Tip> {
    let mut desk = lock(&shared.desk);
    loop {
        if shared.stop.load(Ordering::SeqCst) {
            return None;
        }
        if let Some(goal) = desk.goal.take() {
            return Some(goal);
        }
        desk.idle = true;
        shared.bell.notify_all();
        desk = shared.bell.wait(desk).unwrap_or_else(PoisonError::into_inner);
    }
}
