//! Other processes: the test binary runs itself, one test of it only.

use std::path::Path;
use std::process::{Command, Stdio};

/// The variable that tells a child what to work on.
const TASK: &str = "SAFELIGHT_STORE_TEST_TASK";

/// Runs the test `name` of this binary in a process of its own, with `task`.
pub fn command(name: &str, task: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(TASK, task);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command
}

/// The task, when this process is such a child.
pub fn task() -> Option<String> {
    std::env::var(TASK).ok()
}

/// `path` in a form that [`task`] gives back.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
