//! Faults on purpose: a test makes the n-th file-changing call of this process
//! fail, or kills the process there. Never armed outside tests.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::io::Errno;

static ARMED: AtomicBool = AtomicBool::new(false);
static LEFT: AtomicU64 = AtomicU64::new(0);
static KIND: AtomicU64 = AtomicU64::new(0);
static SEEN: AtomicU64 = AtomicU64::new(0);

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The device fails; so does every later call.
    Eio,
    /// The disk is full; so it is for every later call.
    Enospc,
    /// The process is killed.
    Kill,
    /// Nothing: only count.
    Count,
}

/// Lets `calls` file-changing calls succeed and gives the next ones `fault`.
pub fn arm(calls: u64, fault: Fault) {
    LEFT.store(calls, Ordering::SeqCst);
    KIND.store(fault as u64, Ordering::SeqCst);
    SEEN.store(0, Ordering::SeqCst);
    ARMED.store(true, Ordering::SeqCst);
}

/// Ends the faults and says how many calls there were since [`arm`].
pub fn disarm() -> u64 {
    ARMED.store(false, Ordering::SeqCst);
    SEEN.load(Ordering::SeqCst)
}

/// Called before each file-changing call.
pub(crate) fn strike(_call: &'static str) -> io::Result<()> {
    if !ARMED.load(Ordering::Relaxed) {
        return Ok(());
    }
    SEEN.fetch_add(1, Ordering::SeqCst);
    let kind = KIND.load(Ordering::SeqCst);
    if kind == Fault::Count as u64 {
        return Ok(());
    }
    if LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
        return Ok(());
    }
    if kind == Fault::Kill as u64 {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
    Err(if kind == Fault::Enospc as u64 { Errno::NOSPC } else { Errno::IO }.into())
}
