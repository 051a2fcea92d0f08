//! One picture with what is said of it.

/// What a line is about; decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The label.
    Label,
    /// What a model predicts.
    Prediction,
    /// Why the picture is here.
    Reason,
    /// Which picture it is.
    Name,
}

impl Tone {
    /// Red, green and blue of the line.
    pub const fn colour(self) -> [u8; 3] {
        match self {
            Tone::Label => [20, 20, 20],
            Tone::Prediction => [20, 70, 150],
            Tone::Reason => [150, 60, 10],
            Tone::Name => [120, 120, 120],
        }
    }
}

/// One picture with what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The bytes of the picture, as stored.
    pub picture: Vec<u8>,
    /// Lines below it, from the top.
    pub lines: Vec<(Tone, String)>,
}
