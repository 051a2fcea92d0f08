//! Every colour and emphasis.
//!
//! Unless another palette is chosen, only the sixteen colours of the terminal's
//! own are used, so that the user's theme decides; pictures alone use more.
//! Nothing is said by colour only: without any, emphasis and words remain.

use ratatui::style::{Color, Modifier, Style};

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None, by the user's wish (`NO_COLOR`) or for lack of them.
    None,
    /// The sixteen of the palette.
    Sixteen,
    /// Those and the 240 of the xterm cube.
    Indexed,
    /// All.
    True,
}

impl Depth {
    /// What the environment says; `variable` gives its variables.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Depth {
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Depth::None;
        }
        let term = variable("TERM").unwrap_or_default();
        let colour = variable("COLORTERM").unwrap_or_default();
        if term == "dumb" {
            Depth::None
        } else if colour == "truecolor" || colour == "24bit" || term.ends_with("-direct") {
            Depth::True
        } else if ["256color", "kitty", "ghostty", "foot", "alacritty", "wezterm"]
            .iter()
            .any(|t| term.contains(t))
        {
            Depth::Indexed
        } else {
            Depth::Sixteen
        }
    }
}

/// From which colours the styles are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// The terminal's own sixteen.
    #[default]
    Terminal,
    /// Light colours, for a dark background.
    Dark,
    /// Dark colours, for a light background.
    Light,
}

impl Palette {
    /// The palette with this name: `terminal`, `dark` or `light`.
    pub fn from_name(name: &str) -> Option<Palette> {
        match name {
            "terminal" => Some(Palette::Terminal),
            "dark" => Some(Palette::Dark),
            "light" => Some(Palette::Light),
            _ => None,
        }
    }

    /// The colour of this palette that stands for one of the terminal's; of the
    /// 240 of xterm that no palette of a terminal changes.
    const fn colour(self, colour: Color) -> Color {
        let (dark, light) = match colour {
            Color::Cyan => (80, 30),
            Color::Yellow => (221, 130),
            Color::Green => (114, 28),
            Color::Red => (203, 124),
            Color::Blue => (111, 26),
            Color::Magenta => (176, 90),
            other => return other,
        };
        match self {
            Palette::Terminal => colour,
            Palette::Dark => Color::Indexed(dark),
            Palette::Light => Color::Indexed(light),
        }
    }
}

/// The styles of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// How many colours it shows.
    pub depth: Depth,
    /// From which colours the styles are made.
    pub palette: Palette,
}

impl Theme {
    fn colour(self, style: Style, colour: Color) -> Style {
        match self.depth {
            Depth::None => style,
            Depth::Sixteen => style.fg(colour),
            Depth::Indexed | Depth::True => style.fg(self.palette.colour(colour)),
        }
    }

    /// Ordinary text.
    pub fn plain(self) -> Style {
        Style::new()
    }

    /// Text of lesser weight.
    pub fn faint(self) -> Style {
        // "Bright black" is invisible in some palettes; dim is not.
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Headings and the name of the current screen.
    pub fn heading(self) -> Style {
        self.colour(Style::new().add_modifier(Modifier::BOLD), Color::Cyan)
    }

    /// Keys in help and hints.
    pub fn key(self) -> Style {
        self.colour(Style::new().add_modifier(Modifier::BOLD), Color::Yellow)
    }

    /// The selected row of the pane that has the keyboard.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The selected row of a pane that has not.
    pub fn marked(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// What went well or is in force.
    pub fn good(self) -> Style {
        self.colour(Style::new(), Color::Green)
    }

    /// What needs a look.
    pub fn warning(self) -> Style {
        self.colour(Style::new().add_modifier(Modifier::BOLD), Color::Yellow)
    }

    /// What failed or was taken out.
    pub fn bad(self) -> Style {
        self.colour(Style::new(), Color::Red)
    }

    /// Names of labels and ids.
    pub fn name(self) -> Style {
        self.colour(Style::new(), Color::Blue)
    }

    /// The banner of the past.
    pub fn past(self) -> Style {
        let style = Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD);
        self.colour(style, Color::Magenta)
    }

    /// The line at the bottom.
    pub fn status(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What was taken back.
    pub fn undone(self) -> Style {
        Style::new().add_modifier(Modifier::DIM | Modifier::CROSSED_OUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(variables: &[(&str, &str)]) -> Depth {
        Depth::detect(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_says_how_many_colours() {
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Depth::None);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Depth::Indexed);
        assert_eq!(depth(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(depth(&[("TERM", "linux")]), Depth::Sixteen);
        assert_eq!(depth(&[("TERM", "dumb")]), Depth::None);
    }

    #[test]
    fn palettes_differ_where_the_terminal_has_their_colours() {
        let good = |depth, name| Theme { depth, palette: Palette::from_name(name).expect("one") }.good().fg;
        assert_eq!(good(Depth::True, "terminal"), Some(Color::Green));
        assert_ne!(good(Depth::True, "dark"), good(Depth::True, "light"));
        assert_eq!(good(Depth::Sixteen, "dark"), Some(Color::Green), "sixteen are the terminal's own");
        assert_eq!(Palette::from_name("solarized"), None);
    }

    #[test]
    fn without_colours_no_style_has_any() {
        let theme = Theme { depth: Depth::None, palette: Palette::Dark };
        for style in [
            theme.heading(),
            theme.key(),
            theme.good(),
            theme.warning(),
            theme.bad(),
            theme.name(),
            theme.past(),
            theme.faint(),
            theme.selected(),
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
