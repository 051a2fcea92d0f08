//! When to look: what the system says of changes, or the clock.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Changes come in bursts: the end of one is when it is quiet for so long,
const QUIET: Duration = Duration::from_millis(200);
/// or when it has lasted so long.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a request to stop may go unnoticed.
const TICK: Duration = Duration::from_millis(50);
/// Even with hints, everything is looked at this often.
const ROUND: Duration = Duration::from_secs(60);
/// How often to look where the system gives no hints.
const POLL: Duration = Duration::from_secs(2);

/// How changes are noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Means {
    /// The system tells.
    Hints,
    /// By looking this often, for this reason.
    Polling {
        /// How often.
        every: Duration,
        /// Why the system is not asked.
        why: String,
    },
}

/// Why the wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// Something may have changed, or it is time to look.
    Look,
    /// So much has changed that the system lost count.
    Overflow,
    /// It was told to stop.
    Stop,
}

enum Hint {
    Dirty,
    Overflow,
    Lost(String),
}

/// Waits for changes of one folder.
pub struct Hints {
    means: Means,
    receiver: Receiver<Hint>,
    /// Kept: it stops when dropped.
    watcher: Option<RecommendedWatcher>,
    last: Instant,
}

impl Hints {
    /// Asks the system for hints of a folder; where it has none to give, or
    /// `poll` is given, the folder is looked at every so often.
    pub fn of(folder: &Path, poll: Option<Duration>) -> Self {
        let (sender, receiver) = unbounded();
        let polling = |every, why: &str| Means::Polling { every, why: why.to_owned() };
        let mut hints = Hints { means: Means::Hints, receiver, watcher: None, last: Instant::now() };
        if let Some(every) = poll {
            hints.means = polling(every, "it was asked for");
            return hints;
        }
        if let Some(kind) = network_file_system(folder) {
            hints.means =
                polling(POLL, &format!("the folder is on {kind}, which tells of no changes made elsewhere"));
            return hints;
        }
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let hint = match event {
                Ok(event) if event.need_rescan() => Hint::Overflow,
                // Reading is no change; importing would set itself off.
                Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
                Ok(event) if !event.paths.is_empty() && event.paths.iter().all(|path| is_own(path)) => return,
                Ok(_) => Hint::Dirty,
                Err(error) => Hint::Lost(words(&error)),
            };
            // The receiver is gone when the watch ends.
            let _ = sender.send(hint);
        });
        let started = watcher.and_then(|mut watcher| {
            watcher.watch(folder, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        match started {
            Ok(watcher) => hints.watcher = Some(watcher),
            Err(error) => hints.means = polling(POLL, &words(&error)),
        }
        hints
    }

    /// How changes are noticed now.
    pub fn means(&self) -> &Means {
        &self.means
    }

    /// Waits for a reason to look, at most until `due`. When hints are lost,
    /// it goes on by polling; [`means`](Self::means) says so.
    pub fn wait(&mut self, due: Option<Duration>, stop: &AtomicBool) -> Woken {
        let round = match &self.means {
            Means::Hints => ROUND,
            Means::Polling { every, .. } => *every,
        };
        let begun = Instant::now();
        let end = begun + due.map_or(round, |due| due.min(round));
        let mut burst: Option<(Instant, Instant)> = None;
        let mut overflow = false;
        loop {
            if stop.load(Ordering::Relaxed) {
                return Woken::Stop;
            }
            let now = Instant::now();
            let over = burst.is_some_and(|(first, last)| now - last >= QUIET || now - first >= PATIENCE);
            if over || now >= end {
                self.last = now;
                return if overflow { Woken::Overflow } else { Woken::Look };
            }
            match self.receiver.recv_timeout(TICK.min(end - now)) {
                Ok(Hint::Dirty) => burst = Some((burst.map_or(now, |(first, _)| first), now)),
                Ok(Hint::Overflow) => {
                    overflow = true;
                    burst = Some((burst.map_or(now, |(first, _)| first), now));
                }
                Ok(Hint::Lost(why)) => {
                    self.watcher = None;
                    self.means = Means::Polling { every: POLL, why };
                    return Woken::Overflow;
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Without a watcher there is nobody to send.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(TICK.min(end - now)),
            }
        }
    }
}

/// Whether a path lies in a repository's own folder.
fn is_own(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == safelight_store::STORE_DIR)
}

/// What the watcher says, with what to do about it.
fn words(error: &notify::Error) -> String {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "there are more folders than the system watches at once (sysctl fs.inotify.max_user_watches)"
                .to_owned()
        }
        _ => format!("the system cannot tell of changes: {error}"),
    }
}

/// The kind of file system that a folder is on, when changes that other
/// machines make there are not told of.
fn network_file_system(folder: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(folder).ok()?.f_type as i64 & 0xffff_ffff;
    by_number(kind)
}

fn by_number(kind: i64) -> Option<&'static str> {
    // From linux/magic.h and the file systems' own sources.
    Some(match kind {
        0x6969 => "NFS",
        0x517b | 0xfe53_4d42 | 0xff53_4d42 => "an SMB share",
        0x0102_1997 => "9p",
        0x6573_5546 => "FUSE",
        0x00c3_6400 => "Ceph",
        0x5346_414f => "AFS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_polled_and_disks_are_not() {
        assert_eq!(by_number(0x6969), Some("NFS"));
        assert_eq!(by_number(0xff53_4d42), Some("an SMB share"));
        assert_eq!(by_number(0xef53), None, "ext4");
    }

    #[test]
    fn too_many_folders_fall_back_to_polling_in_words() {
        let error = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
        assert!(words(&error).contains("max_user_watches"));
        let missing = Hints::of(Path::new("/nowhere/at/all"), None);
        assert!(matches!(missing.means(), Means::Polling { .. }));
    }

    #[test]
    fn a_change_wakes_and_the_repositorys_own_changes_do_not() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(".safelight")).expect("a folder");
        let mut hints = Hints::of(folder.path(), None);
        assert_eq!(hints.means(), &Means::Hints);
        let stop = AtomicBool::new(false);
        std::fs::write(folder.path().join(".safelight/x"), b"x").expect("written");
        let begun = Instant::now();
        assert_eq!(hints.wait(Some(Duration::from_secs(1)), &stop), Woken::Look);
        assert!(begun.elapsed() >= Duration::from_secs(1), "only the clock woke it");
        std::fs::write(folder.path().join("a.jpg"), b"x").expect("written");
        // A minute without a hint would be the periodic look.
        let begun = Instant::now();
        assert_eq!(hints.wait(None, &stop), Woken::Look);
        assert!(begun.elapsed() < ROUND);
        stop.store(true, Ordering::Relaxed);
        assert_eq!(hints.wait(None, &stop), Woken::Stop);
    }
}
