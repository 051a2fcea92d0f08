//! Pictures on a terminal: chosen, made on worker threads, and kept.

mod cache;
mod cells;
pub mod mode;
mod painted;
mod painter;

pub use cache::{PictureCache, Slot};
pub use mode::Drawing;
pub use painted::{Painted, PictureKey};
pub use painter::Painter;
