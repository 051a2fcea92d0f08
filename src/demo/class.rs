//! The six classes of scenes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a scene shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SceneClass {
    /// Facades and towers seen whole.
    Buildings,
    /// Trees: from inside a wood, from its edge or from above.
    Forest,
    /// A tongue, a front or a field of ice.
    Glacier,
    /// Peaks, with or without snow.
    Mountain,
    /// Open water to the horizon.
    Sea,
    /// A road between two rows of houses.
    Street,
}

/// A text that names none of the six classes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not one of buildings, forest, glacier, mountain, sea, street")]
pub struct ParseSceneClassError {
    /// The text.
    pub text: String,
}

impl SceneClass {
    /// Every class, in the order of their names.
    pub const ALL: [SceneClass; 6] = [
        SceneClass::Buildings,
        SceneClass::Forest,
        SceneClass::Glacier,
        SceneClass::Mountain,
        SceneClass::Sea,
        SceneClass::Street,
    ];

    /// Its name, which is also the name of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            SceneClass::Buildings => "buildings",
            SceneClass::Forest => "forest",
            SceneClass::Glacier => "glacier",
            SceneClass::Mountain => "mountain",
            SceneClass::Sea => "sea",
            SceneClass::Street => "street",
        }
    }

    /// Its place in [`SceneClass::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for SceneClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for SceneClass {
    type Err = ParseSceneClassError;

    fn from_str(text: &str) -> Result<Self, ParseSceneClassError> {
        SceneClass::ALL
            .into_iter()
            .find(|class| class.name() == text)
            .ok_or_else(|| ParseSceneClassError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_sorted() {
        for (place, class) in SceneClass::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), place);
            assert_eq!(class.name().parse(), Ok(class));
        }
        assert!(SceneClass::ALL.is_sorted_by_key(|class| class.name()));
        assert!("Sea".parse::<SceneClass>().is_err());
    }
}
