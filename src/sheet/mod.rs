//! Contact sheets: pictures with what is said of them, on one page.

mod cell;
mod html;
mod page;
mod png;
mod text;

pub use cell::{Cell, Tone};
pub use html::html;
pub use page::{Page, PageError};
pub use png::png;
pub(crate) use text::{LINE, advance, raster};
