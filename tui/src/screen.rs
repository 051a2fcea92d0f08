//! The screens.

/// One of the screens that the number keys and Tab lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Screen {
    /// The log.
    #[default]
    Timeline,
    /// Every image that ever came in.
    Images,
    /// The findings of a cleaning pass, to decide.
    Review,
    /// Training runs and their checkpoints.
    Training,
    /// Generators of images, and what they drew.
    Generators,
    /// Votes of several models.
    Ensembles,
    /// Submissions and what they were made from.
    Submissions,
    /// Long work.
    Jobs,
}

impl Screen {
    /// Every screen in order.
    pub const ALL: [Screen; 8] = [
        Screen::Timeline,
        Screen::Images,
        Screen::Review,
        Screen::Training,
        Screen::Generators,
        Screen::Ensembles,
        Screen::Submissions,
        Screen::Jobs,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Screen::Timeline => "Timeline",
            Screen::Images => "Images",
            Screen::Review => "Review",
            Screen::Training => "Training",
            Screen::Generators => "Generators",
            Screen::Ensembles => "Ensembles",
            Screen::Submissions => "Submissions",
            Screen::Jobs => "Jobs",
        }
    }

    /// The screen with this name, in any case.
    pub fn from_name(name: &str) -> Option<Screen> {
        Screen::ALL.into_iter().find(|screen| screen.name().eq_ignore_ascii_case(name))
    }

    /// Its place among all.
    pub fn index(self) -> usize {
        Screen::ALL.iter().position(|screen| *screen == self).unwrap_or(0)
    }

    /// The screen `steps` further on, around the end.
    pub fn further(self, steps: isize) -> Screen {
        let count = Screen::ALL.len() as isize;
        Screen::ALL[(self.index() as isize + steps).rem_euclid(count) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_go_around() {
        assert_eq!(Screen::Timeline.further(-1), Screen::Jobs);
        assert_eq!(Screen::Jobs.further(1), Screen::Timeline);
        assert_eq!(Screen::from_name("images"), Some(Screen::Images));
    }
}
