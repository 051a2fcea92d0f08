//! What the user can choose when starting the interface.

use std::collections::BTreeMap;
use std::str::FromStr;

use safelight_lineage::event::Actor;

use crate::screen::Screen;
use crate::theme::Palette;

/// How pictures are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImageMode {
    /// By what the environment says of the terminal; see `picture::mode`.
    #[default]
    Auto,
    /// Two pixels a cell, in colour.
    HalfBlocks,
    /// By brightness, in plain characters.
    Ascii,
    /// The kitty graphics protocol.
    Kitty,
    /// Sixel.
    Sixel,
    /// The iTerm2 protocol.
    Iterm2,
    /// Not at all.
    Off,
}

impl ImageMode {
    /// Every mode with its name on the command line.
    pub const NAMES: [(&'static str, ImageMode); 7] = [
        ("auto", ImageMode::Auto),
        ("halfblocks", ImageMode::HalfBlocks),
        ("ascii", ImageMode::Ascii),
        ("kitty", ImageMode::Kitty),
        ("sixel", ImageMode::Sixel),
        ("iterm2", ImageMode::Iterm2),
        ("off", ImageMode::Off),
    ];
}

/// Why a text is not an image mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not auto, halfblocks, ascii, kitty, sixel, iterm2 or off")]
pub struct ParseImageModeError(String);

impl FromStr for ImageMode {
    type Err = ParseImageModeError;

    fn from_str(text: &str) -> Result<Self, ParseImageModeError> {
        let named = ImageMode::NAMES.iter().find(|(name, _)| *name == text);
        named.map(|(_, mode)| *mode).ok_or_else(|| ParseImageModeError(text.to_owned()))
    }
}

/// What the user can choose when starting the interface.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How pictures are drawn.
    pub images: ImageMode,
    /// Whether the mouse scrolls and selects; the terminal's own selection then
    /// needs Shift.
    pub mouse: bool,
    /// Other keys for actions: by the action's name, as `?` shows it.
    pub keys: BTreeMap<String, Vec<String>>,
    /// From which colours styles are made.
    pub palette: Palette,
    /// Whose changes `undo` takes back; without it, those of any person.
    pub actor: Option<Actor>,
    /// Where to start, as the last session left it.
    pub session: Session,
    /// For tests of what becomes of the terminal then: panic at the first key.
    pub panic_at_key: bool,
}

/// What the interface remembers from one time to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// The screen.
    pub screen: Screen,
    /// The filter of the images screen.
    pub image_filter: String,
    /// The selected image, by its place in order of import.
    pub image_row: u32,
    /// The order of the images screen: `import`, `confidence`, `label` or
    /// `path`, with `-` before it when reversed.
    pub image_order: String,
    /// Whether images are shown as a wall of pictures.
    pub image_wall: bool,
    /// The size of the wall's tiles, from 0.
    pub image_tile: Option<usize>,
    /// The filter of the timeline.
    pub timeline_filter: String,
    /// The cleaning pass under review, in hexadecimal digits.
    pub pass: Option<String>,
}
