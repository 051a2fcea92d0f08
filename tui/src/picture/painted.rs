//! A picture ready to be put on the screen.

use std::fmt;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget as _;
use ratatui_image::protocol::Protocol;
use safelight_lineage::digest::BlobId;

/// What is to be drawn, and how large at most, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureKey {
    /// The picture.
    pub blob: BlobId,
    /// Cells to the right.
    pub width: u16,
    /// Cells down.
    pub height: u16,
}

/// A picture ready to be put on the screen.
pub enum Painted {
    /// Characters with colours.
    Cells {
        /// Cells to the right.
        width: u16,
        /// The cells, row by row.
        cells: Vec<(char, Style)>,
    },
    /// What a protocol made of it.
    Protocol {
        /// That.
        protocol: Box<Protocol>,
        /// How much memory it takes, about.
        bytes: usize,
    },
}

impl fmt::Debug for Painted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Painted({} bytes)", self.bytes())
    }
}

impl Painted {
    /// How much memory it takes, about.
    pub fn bytes(&self) -> usize {
        match self {
            Painted::Cells { cells, .. } => size_of_val(cells.as_slice()),
            Painted::Protocol { bytes, .. } => *bytes,
        }
    }

    /// Draws it in the middle of `area`.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer) {
        match self {
            Painted::Cells { width, cells } => {
                let height = (cells.len() / usize::from(*width).max(1)) as u16;
                let at = middle(area, *width, height);
                for (y, row) in
                    cells.chunks(usize::from(*width).max(1)).take(usize::from(at.height)).enumerate()
                {
                    for (x, (symbol, style)) in row.iter().take(usize::from(at.width)).enumerate() {
                        if let Some(cell) = buffer.cell_mut((at.x + x as u16, at.y + y as u16)) {
                            cell.set_char(*symbol).set_style(*style);
                        }
                    }
                }
            }
            Painted::Protocol { protocol, .. } => {
                let size = protocol.size();
                ratatui_image::Image::new(protocol).render(middle(area, size.width, size.height), buffer);
            }
        }
    }
}

fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}
