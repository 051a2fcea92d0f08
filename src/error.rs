//! What a command says when it cannot do its work: a sentence, hints, and a
//! documented exit code.
//!
//! Errors are typed where they arise; here they become words. Nothing below
//! this layer decides on a wording or an exit code.

use std::fmt;
use std::process::ExitCode;

/// Why a command ended, and the exit code that scripts can rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// Something failed that none of the other codes names.
    Failed,
    /// The command line was wrong.
    Usage,
    /// The work was done but some inputs were refused; they are listed.
    Partly,
    /// What was asked for does not exist, is ambiguous, or may not be done.
    Refused,
    /// There is no repository here.
    NoRepository,
    /// Stored bytes are damaged.
    Damaged,
    /// A replay agrees within tolerance only.
    WithinTolerance,
    /// A replay differs from what is recorded.
    Diverged,
    /// Stopped by Ctrl-C.
    Interrupted,
    /// Stopped by SIGTERM.
    Terminated,
}

impl Exit {
    /// Every exit, in the order of its code.
    pub const ALL: [Exit; 11] = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Partly,
        Exit::Refused,
        Exit::NoRepository,
        Exit::Damaged,
        Exit::WithinTolerance,
        Exit::Diverged,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partly => 3,
            Exit::Refused => 4,
            Exit::NoRepository => 5,
            Exit::Damaged => 6,
            Exit::WithinTolerance => 7,
            Exit::Diverged => 8,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }

    /// The exit with this code.
    pub fn from_code(code: i32) -> Option<Exit> {
        Exit::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// One line for the documentation.
    pub const fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::Failed => "failed: the message says why",
            Exit::Usage => "the command line was wrong",
            Exit::Partly => "partly done: some inputs were refused, each is listed with its reason",
            Exit::Refused => "refused: no such id, an ambiguous one, nothing to do, or not allowed",
            Exit::NoRepository => "there is no repository here",
            Exit::Damaged => "stored bytes are damaged; nothing was changed",
            Exit::WithinTolerance => "replay: probabilities differ within tolerance",
            Exit::Diverged => "replay or proof: something differs from what is recorded",
            Exit::Interrupted => "stopped by Ctrl-C; the log is consistent",
            Exit::Terminated => "stopped by SIGTERM; the log is consistent",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// A failure as a person reads it.
#[derive(Debug)]
pub struct AppError {
    /// The exit code.
    pub exit: Exit,
    /// One sentence: what went wrong.
    pub message: String,
    /// What to do next, each a sentence.
    pub hints: Vec<String>,
}

impl AppError {
    /// A failure with this exit code and sentence.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        AppError { exit, message: message.into(), hints: Vec::new() }
    }

    /// A refusal.
    pub fn refused(message: impl Into<String>) -> Self {
        AppError::new(Exit::Refused, message)
    }

    /// A failure that no other code names.
    pub fn failed(message: impl Into<String>) -> Self {
        AppError::new(Exit::Failed, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what to do when the words of another process, which are all that is
    /// left of its error, say that the disk was full.
    #[must_use]
    pub fn hint_if_full(self) -> Self {
        match self.message.contains("No space left on device") {
            true => self.hint("the disk is full: free some room first; nothing acknowledged is lost"),
            false => self,
        }
    }

    /// Says what was being done to which file when an operation failed.
    pub fn io(doing: &str, path: &std::path::Path, source: &std::io::Error) -> Self {
        use std::os::unix::ffi::OsStrExt as _;
        let path = safelight_lineage::value::escape(path.as_os_str().as_bytes());
        let error = AppError::failed(format!("could not {doing} {path}: {}", plain(source)));
        match source.kind() {
            std::io::ErrorKind::StorageFull => {
                error.hint("the disk is full: free some room and run the same command again; nothing acknowledged is lost")
            }
            std::io::ErrorKind::NotFound => error.hint("check the path, and that its folder exists"),
            std::io::ErrorKind::PermissionDenied => error.hint("check the permissions of that path"),
            _ => error,
        }
    }
}

/// An operating system's error without its number.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AppError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_found_the_disk_full_is_told_apart_by_its_words() {
        let source = std::io::Error::from_raw_os_error(28);
        let full = AppError::failed(format!("run 1 failed: a checkpoint could not be kept: {source}"));
        assert!(full.hint_if_full().hints[0].contains("the disk is full"));
        assert!(AppError::failed("run 1 failed: out of memory").hint_if_full().hints.is_empty());
    }

    #[test]
    fn codes_are_distinct_and_ordered() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
        assert_eq!(Exit::from_code(8), Some(Exit::Diverged));
        assert_eq!(Exit::from_code(99), None);
    }

    #[test]
    fn a_full_disk_says_what_to_do() {
        let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = AppError::io("write", std::path::Path::new("a\nb"), &source);
        assert!(error.message.contains("a\\nb"), "{}", error.message);
        assert!(error.hints[0].contains("disk is full"));
    }
}
