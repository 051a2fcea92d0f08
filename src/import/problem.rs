//! What keeps a file or folder out of an import.

use std::io;

use safelight_lineage::value::PathBytes;
use serde::Serialize;

use super::probe::ProbeError;

/// Something in the folder that is not imported, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, relative to the folder that is imported.
    pub path: PathBytes,
    /// Why.
    pub kind: ProblemKind,
}

impl Problem {
    /// The reason in words, to stand after the path.
    pub fn reason(&self) -> String {
        self.kind.to_string()
    }
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nobody meant this to be imported: worth a line, not an exit code.
    Ignored,
    /// Somebody may have meant it: the import was not complete.
    Refused,
}

/// Why a file or folder is not imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// Its name starts with a dot.
    #[error("ignored: its name starts with a dot")]
    Hidden,
    /// An operating system keeps such files for itself.
    #[error("ignored: an operating system left it here")]
    SystemFile,
    /// It is the repository that lies in the folder being imported.
    #[error("ignored: it is Safelight's own repository")]
    Repository,
    /// Its name does not end like that of a picture.
    #[error("its name does not end like that of a picture (.jpg, .jpeg, .png)")]
    NotAPictureName,
    /// It lies where the layout has no class for it.
    #[error("it lies outside any class folder, so it has no label")]
    OutsideClasses,
    /// The name of its class folder is not UTF-8.
    #[error("the name of its class folder is not valid UTF-8; rename the folder")]
    ClassNameNotText,
    /// A symbolic link to nothing.
    #[error("a symbolic link whose target does not exist")]
    BrokenLink,
    /// A symbolic link to itself or to a folder that it lies in.
    #[error("a symbolic link that leads back into a folder it lies in")]
    LinkLoop,
    /// A symbolic link into a repository.
    #[error("a symbolic link into a .safelight folder, which is never imported")]
    LinkIntoRepository,
    /// A folder that the walk has been to under another name.
    #[error("a link to a folder that was already walked as {}", shown(.first))]
    FolderTwice {
        /// The other name.
        first: PathBytes,
    },
    /// A pipe, socket or device.
    #[error("neither a file nor a folder")]
    NotAFile,
    /// The folder could not be listed.
    #[error("the folder cannot be read: {message}")]
    UnreadableFolder {
        /// The kind of error.
        error: io::ErrorKind,
        /// The system's words.
        message: String,
    },
    /// The file was there when the folder was walked and is gone now.
    #[error("it vanished while it was being imported")]
    Vanished,
    /// Its size or time changed while it was read.
    #[error("it changed while it was being read; import again when it holds still")]
    Changing,
    /// The file could not be read.
    #[error("it cannot be read: {message}")]
    Unreadable {
        /// The kind of error.
        error: io::ErrorKind,
        /// The system's words.
        message: String,
    },
    /// The file is larger than any picture should be.
    #[error("it has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Its size when it was opened.
        size: u64,
        /// The most that is read.
        limit: u64,
    },
    /// Its bytes are not a picture that can be used.
    #[error(transparent)]
    Picture(#[from] ProbeError),
}

/// The root of the walk has an empty relative path.
fn shown(path: &PathBytes) -> String {
    if path.as_bytes().is_empty() { "the folder itself".to_owned() } else { path.to_string() }
}

impl ProblemKind {
    /// What failed while a folder was listed.
    pub(super) fn folder(error: &io::Error) -> Self {
        ProblemKind::UnreadableFolder { error: error.kind(), message: error.to_string() }
    }

    /// What failed while a file was opened or read.
    pub(super) fn file(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => ProblemKind::Vanished,
            kind => ProblemKind::Unreadable { error: kind, message: error.to_string() },
        }
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            ProblemKind::Hidden | ProblemKind::SystemFile | ProblemKind::Repository => Severity::Ignored,
            _ => Severity::Refused,
        }
    }

    /// A name that programs can rely on.
    pub fn code(&self) -> &'static str {
        match self {
            ProblemKind::Hidden => "hidden",
            ProblemKind::SystemFile => "system_file",
            ProblemKind::Repository => "repository",
            ProblemKind::NotAPictureName => "not_a_picture_name",
            ProblemKind::OutsideClasses => "outside_classes",
            ProblemKind::ClassNameNotText => "class_name_not_text",
            ProblemKind::BrokenLink => "broken_link",
            ProblemKind::LinkLoop => "link_loop",
            ProblemKind::LinkIntoRepository => "link_into_repository",
            ProblemKind::FolderTwice { .. } => "folder_twice",
            ProblemKind::NotAFile => "not_a_file",
            ProblemKind::UnreadableFolder { .. } => "unreadable_folder",
            ProblemKind::Vanished => "vanished",
            ProblemKind::Changing => "changing",
            ProblemKind::Unreadable { .. } => "unreadable",
            ProblemKind::TooLarge { .. } => "too_large",
            ProblemKind::Picture(error) => error.code(),
        }
    }
}
