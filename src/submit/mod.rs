//! Files as a competition wants them: which columns, which order, which names.

mod dialect;

pub use dialect::{Dialect, LineEnding, Separator};
