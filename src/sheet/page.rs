//! A page of pictures.

use super::cell::Cell;

/// A page of pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What is on it.
    pub title: String,
    /// Pictures beside each other, at least 1.
    pub columns: usize,
    /// The pictures, row after row.
    pub cells: Vec<Cell>,
}

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// There is nothing to put on it.
    #[error("there are no pictures to show")]
    Empty,
    /// The PNG would be larger than decoders take.
    #[error("{cells} pictures would make a page of {height} pixels; show fewer, or write HTML")]
    TooLarge {
        /// How many pictures.
        cells: usize,
        /// Its height.
        height: usize,
    },
    /// The encoder failed.
    #[error("the PNG could not be encoded: {0}")]
    Encode(#[from] image::ImageError),
}
