//! Threads that must not take the interface down.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{self, JoinHandle};

/// What the runtime's threads send to it.
#[derive(Debug)]
pub(super) enum Event {
    /// For the model.
    Msg(crate::msg::Msg),
    /// Signal: end.
    End(i32),
    /// Signal: sleep.
    Sleep,
    /// Signal: somebody woke us; the screen may hold anything.
    Woken,
    /// The keyboard is gone.
    InputLost(io::Error),
}

/// Starts a thread with a name that tells whose it is.
pub(super) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(format!("safelight-tui-{name}")).spawn(body)
}

/// Calls a port; a panic in it becomes words like any other failure.
pub(super) fn calmly<T, E: std::fmt::Display>(call: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| crate::text::safe(&error.to_string())),
        Err(panic) => Err(format!("a bug: {}", crate::text::safe(words(panic.as_ref())))),
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}
