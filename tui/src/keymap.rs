//! Which key does what on which screen.

use std::collections::BTreeMap;

use crate::action::{Action, BINDINGS, Binding};
use crate::key::{Key, ParseKeyError};
use crate::screen::Screen;

/// The table of actions with the user's keys.
#[derive(Debug, Clone)]
pub struct Keymap {
    /// Per row of [`BINDINGS`] its keys.
    keys: Vec<Vec<Key>>,
}

/// Why a key map does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// No action has this name.
    #[error("there is no action '{0}'; the help (?) names them all")]
    UnknownAction(String),
    /// A key is not one.
    #[error("the keys of '{action}': {source}")]
    BadKey {
        /// The action.
        action: String,
        /// What is wrong.
        source: ParseKeyError,
    },
    /// Two actions have one key on one screen.
    #[error("'{key}' means both '{first}' and '{second}' on {screen}")]
    Conflict {
        /// The key.
        key: String,
        /// The one action.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// The screen.
        screen: &'static str,
    },
}

impl Default for Keymap {
    fn default() -> Self {
        Keymap { keys: BINDINGS.iter().map(|binding| binding.keys.to_vec()).collect() }
    }
}

impl Keymap {
    /// The table with `changes`: by an action's name, the keys it has instead.
    ///
    /// # Errors
    /// When an action or key is unknown or two actions get one key.
    pub fn new(changes: &BTreeMap<String, Vec<String>>) -> Result<Keymap, KeymapError> {
        let mut keymap = Keymap::default();
        for (name, texts) in changes {
            let place = BINDINGS
                .iter()
                .position(|binding| binding.name == name)
                .ok_or_else(|| KeymapError::UnknownAction(name.clone()))?;
            keymap.keys[place] = texts
                .iter()
                .map(|text| text.parse())
                .collect::<Result<_, _>>()
                .map_err(|source| KeymapError::BadKey { action: name.clone(), source })?;
        }
        keymap.check()?;
        Ok(keymap)
    }

    fn check(&self) -> Result<(), KeymapError> {
        for screen in Screen::ALL {
            let mut taken: Vec<(Key, &'static str)> = Vec::new();
            for (binding, keys) in self.rows(screen) {
                for key in keys {
                    if let Some((_, first)) = taken.iter().find(|(other, _)| other == key) {
                        return Err(KeymapError::Conflict {
                            key: key.to_string(),
                            first,
                            second: binding.name,
                            screen: screen.name(),
                        });
                    }
                    taken.push((*key, binding.name));
                }
            }
        }
        Ok(())
    }

    /// What can be done on `screen`, with the keys for it.
    pub fn rows(&self, screen: Screen) -> impl Iterator<Item = (&'static Binding, &[Key])> {
        let rows = BINDINGS.iter().zip(&self.keys);
        rows.filter(move |(binding, _)| binding.scope.covers(screen))
            .map(|(binding, keys)| (binding, keys.as_slice()))
    }

    /// What `key` does on `screen`.
    pub fn action(&self, screen: Screen, key: Key) -> Option<Action> {
        self.rows(screen).find(|(_, keys)| keys.contains(&key)).map(|(binding, _)| binding.action)
    }

    /// The first key of `action` on `screen`, for hints.
    pub fn hint(&self, screen: Screen, action: Action) -> Option<Key> {
        self.rows(screen).find(|(binding, _)| binding.action == action)?.1.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_actions_have_one_key_on_one_screen() {
        assert_eq!(Keymap::default().check(), Ok(()));
    }

    #[test]
    fn the_user_can_choose_keys_but_not_twice_the_same() {
        let chosen = |name: &str, keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            Keymap::new(&BTreeMap::from([(name.to_owned(), keys)]))
        };
        let keymap = chosen("relabel", &["M", "C-r"]).expect("free keys");
        assert_eq!(keymap.action(Screen::Images, Key::ctrl('r')), Some(Action::Relabel));
        assert_eq!(keymap.action(Screen::Images, Key::char('r')), None);
        assert_eq!(keymap.action(Screen::Review, Key::char('r')), Some(Action::Relabel));
        let error = chosen("relabel", &["x"]).expect_err("x removes");
        assert_eq!(error.to_string(), "'x' means both 'relabel' and 'remove' on Images");
        assert_eq!(chosen("fly", &[]).unwrap_err(), KeymapError::UnknownAction("fly".into()));
        assert!(matches!(chosen("relabel", &["xx"]), Err(KeymapError::BadKey { .. })));
    }

    #[test]
    fn digits_are_labels_in_review_and_screens_elsewhere() {
        let keymap = Keymap::default();
        assert_eq!(keymap.action(Screen::Review, Key::char('2')), Some(Action::Label(2)));
        assert_eq!(keymap.action(Screen::Training, Key::char('2')), Some(Action::Show(Screen::Images)));
    }
}
