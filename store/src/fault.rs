//! Faults on purpose: a test makes the n-th file call of this process fail, or
//! kills the process there. Never armed outside tests.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::io::Errno;

static ARMED: AtomicBool = AtomicBool::new(false);
static LEFT: AtomicU64 = AtomicU64::new(0);
static KIND: AtomicU64 = AtomicU64::new(0);
static SEEN: AtomicU64 = AtomicU64::new(0);
static STRUCK: AtomicBool = AtomicBool::new(false);

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The device fails; so does every later call.
    Eio,
    /// The disk is full; so it is for every later call that changes a file.
    Enospc,
    /// The process is killed.
    Kill,
    /// Nothing: only count.
    Count,
    /// The device fails, and is well again for every later call.
    EioOnce,
    /// The disk is full, and has room again for every later call.
    EnospcOnce,
}

impl Fault {
    fn is(self, kind: u64) -> bool {
        self as u64 == kind
    }
}

/// Lets `calls` file calls succeed and gives the next ones `fault`. A disk that
/// is full concerns only calls that change a file, and only those are counted.
pub fn arm(calls: u64, fault: Fault) {
    LEFT.store(calls, Ordering::SeqCst);
    KIND.store(fault as u64, Ordering::SeqCst);
    SEEN.store(0, Ordering::SeqCst);
    STRUCK.store(false, Ordering::SeqCst);
    ARMED.store(true, Ordering::SeqCst);
}

/// Ends the faults and says how many calls there were since [`arm`].
pub fn disarm() -> u64 {
    ARMED.store(false, Ordering::SeqCst);
    SEEN.load(Ordering::SeqCst)
}

/// Whether a call has failed since [`arm`].
pub fn struck() -> bool {
    STRUCK.load(Ordering::SeqCst)
}

/// What a file call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// It looks at a file or a folder.
    Looks,
    /// It changes one.
    Changes,
}

/// Called before each file call.
pub(crate) fn strike(call: Call) -> io::Result<()> {
    if !ARMED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let kind = KIND.load(Ordering::SeqCst);
    let full = Fault::Enospc.is(kind) || Fault::EnospcOnce.is(kind);
    if full && call == Call::Looks {
        return Ok(());
    }
    SEEN.fetch_add(1, Ordering::SeqCst);
    if Fault::Count.is(kind) {
        return Ok(());
    }
    if LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
        return Ok(());
    }
    let again = STRUCK.swap(true, Ordering::SeqCst);
    if again && (Fault::EioOnce.is(kind) || Fault::EnospcOnce.is(kind)) {
        return Ok(());
    }
    if Fault::Kill.is(kind) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }
    Err(if full { Errno::NOSPC } else { Errno::IO }.into())
}
