//! Files as a competition wants them: which columns, which order, which names.

pub mod commit;
mod dialect;
mod format;
mod sample;
pub mod what_if;
mod write;

pub use dialect::{Dialect, LineEnding, Separator};
pub use format::{FormatError, FormatVersion, IdStyle, LabelStyle, RowOrder, SubmissionFormat};
pub use sample::{SampleError, SubmissionImage, format_like};
pub use write::{SubmissionRow, WriteError, write_csv};
