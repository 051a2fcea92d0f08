//! How pictures are drawn on this terminal.
//!
//! The terminal is not asked: an answer that comes late would be read as keys,
//! and waiting for it would delay the first frame. The environment names the
//! terminals that can show pictures, and the system knows the size of a cell.
//! Where that guesses wrong, `--images` decides.

use ratatui_image::FontSize;
use ratatui_image::picker::ProtocolType;

use crate::options::ImageMode;
use crate::theme::Depth;

/// A cell of a terminal that does not say how large its cells are, in pixels.
const USUAL_CELL: (u16, u16) = (10, 20);

/// A way to draw pictures.
#[derive(Debug, Clone, Copy)]
pub enum Drawing {
    /// Not at all.
    Off,
    /// By brightness, in plain characters.
    Ascii,
    /// Two pixels a cell, in this many colours.
    HalfBlocks(Depth),
    /// By a protocol, with cells of this size.
    Protocol(ProtocolType, FontSize),
}

/// Chooses a way. `variable` gives the variables of the environment, `cell` is
/// the size of a cell in pixels when the system knows it.
pub fn choose(
    mode: ImageMode,
    depth: Depth,
    cell: Option<(u16, u16)>,
    variable: impl Fn(&str) -> Option<String>,
) -> Drawing {
    let usual = cell.unwrap_or(USUAL_CELL).into();
    match mode {
        ImageMode::Off => Drawing::Off,
        ImageMode::Ascii => Drawing::Ascii,
        // Who asks for half blocks gets colours, but never against NO_COLOR.
        ImageMode::HalfBlocks if depth == Depth::None => Drawing::Ascii,
        ImageMode::HalfBlocks => Drawing::HalfBlocks(depth.max(Depth::Indexed)),
        ImageMode::Kitty => Drawing::Protocol(ProtocolType::Kitty, usual),
        ImageMode::Sixel => Drawing::Protocol(ProtocolType::Sixel, usual),
        ImageMode::Iterm2 => Drawing::Protocol(ProtocolType::Iterm2, usual),
        ImageMode::Auto => match (protocol(&variable), cell) {
            (Some(protocol), Some(cell)) if depth > Depth::None => Drawing::Protocol(protocol, cell.into()),
            _ if depth >= Depth::Indexed => Drawing::HalfBlocks(depth),
            // Sixteen colours distort more than they show.
            _ => Drawing::Ascii,
        },
    }
}

/// The protocol of the terminals that say who they are.
fn protocol(variable: impl Fn(&str) -> Option<String>) -> Option<ProtocolType> {
    let value = |name: &str| variable(name).unwrap_or_default();
    let term = value("TERM");
    let program = value("TERM_PROGRAM");
    // A multiplexer passes its own name on and the pictures not; over a network
    // half blocks are a thirtieth of the bytes.
    let multiplexed =
        !value("TMUX").is_empty() || ["screen", "tmux"].iter().any(|name| term.starts_with(name));
    if multiplexed || !value("SSH_CONNECTION").is_empty() {
        return None;
    }
    // WezTerm and Konsole speak kitty's protocol without its placeholders.
    if program == "iTerm.app" || program == "WezTerm" || !value("KONSOLE_VERSION").is_empty() {
        return Some(ProtocolType::Iterm2);
    }
    if term == "xterm-kitty" || term == "xterm-ghostty" || program == "ghostty" {
        return Some(ProtocolType::Kitty);
    }
    ["foot", "mlterm", "contour"].iter().any(|name| term.starts_with(name)).then_some(ProtocolType::Sixel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(mode: ImageMode, depth: Depth, cell: Option<(u16, u16)>, variables: &[(&str, &str)]) -> String {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        match choose(mode, depth, cell, variable) {
            Drawing::Protocol(protocol, cell) => format!("{protocol:?} {}×{}", cell.width, cell.height),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_environment_names_the_terminal() {
        let auto = |cell, variables| named(ImageMode::Auto, Depth::True, cell, variables);
        assert_eq!(auto(Some((9, 18)), &[("TERM", "xterm-kitty")]), "Kitty 9×18");
        assert_eq!(auto(Some((9, 18)), &[("TERM_PROGRAM", "WezTerm")]), "Iterm2 9×18");
        assert_eq!(auto(Some((9, 18)), &[("TERM", "foot-extra")]), "Sixel 9×18");
        let nothing = "HalfBlocks(True)";
        assert_eq!(auto(None, &[("TERM", "xterm-kitty")]), nothing);
        assert_eq!(auto(Some((9, 18)), &[("TERM", "xterm-kitty"), ("TMUX", "socket,1,0")]), nothing);
        assert_eq!(auto(Some((9, 18)), &[("TERM", "xterm-kitty"), ("SSH_CONNECTION", "a b")]), nothing);
    }

    #[test]
    fn without_colours_pictures_are_characters() {
        assert_eq!(named(ImageMode::Auto, Depth::None, None, &[]), "Ascii");
        assert_eq!(named(ImageMode::HalfBlocks, Depth::None, None, &[]), "Ascii");
        assert_eq!(named(ImageMode::Auto, Depth::Sixteen, None, &[]), "Ascii");
        assert_eq!(named(ImageMode::HalfBlocks, Depth::Sixteen, None, &[]), "HalfBlocks(Indexed)");
        assert_eq!(named(ImageMode::Kitty, Depth::None, None, &[]), "Kitty 10×20");
    }
}
