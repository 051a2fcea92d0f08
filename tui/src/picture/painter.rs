//! Makes pictures, on worker threads.

use image::DynamicImage;
use ratatui::layout::Size;
use ratatui_image::picker::Picker;
use ratatui_image::{FilterType, Resize};

use super::cells;
use super::mode::Drawing;
use super::painted::{Painted, PictureKey};

/// Makes pictures in one way. Building it may run a program (in tmux), so it is
/// built where it is used.
pub struct Painter {
    drawing: Drawing,
    picker: Option<Picker>,
}

impl Painter {
    /// Draws in this way.
    pub fn new(drawing: Drawing) -> Painter {
        let picker = match drawing {
            Drawing::Protocol(protocol, cell) => {
                #[expect(
                    deprecated,
                    reason = "the other ways read the answer of the terminal from the keyboard"
                )]
                let mut picker = Picker::from_fontsize(cell);
                picker.set_protocol_type(protocol);
                Some(picker)
            }
            _ => None,
        };
        Painter { drawing, picker }
    }

    /// Draws a picture as large as fits.
    ///
    /// # Errors
    /// In words, when the protocol's encoder fails.
    pub fn paint(&self, image: &DynamicImage, key: PictureKey) -> Result<Painted, String> {
        let (width, height) = (key.width, key.height);
        match (self.drawing, &self.picker) {
            (Drawing::Off, _) => Err("pictures are off".to_owned()),
            (Drawing::HalfBlocks(depth), _) => Ok(cells::half_blocks(image, width, height, depth)),
            (Drawing::Protocol(_, cell), Some(picker)) => {
                let resize = Resize::Scale(Some(FilterType::Triangle));
                let protocol = picker
                    .new_protocol(image.clone(), Size::new(width, height), resize)
                    .map_err(|error| error.to_string())?;
                let size = protocol.size();
                let pixels = usize::from(size.width)
                    * usize::from(cell.width)
                    * usize::from(size.height)
                    * usize::from(cell.height);
                Ok(Painted::Protocol { protocol: Box::new(protocol), bytes: pixels * 4 })
            }
            (Drawing::Ascii | Drawing::Protocol(..), _) => Ok(cells::ascii(image, width, height)),
        }
    }
}
