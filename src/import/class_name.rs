//! Names of classes that are too alike to be told apart.

use std::collections::BTreeMap;

use safelight_lineage::value::escape;

use super::class_name_marks::unmark;

/// Classes whose names differ only in the case of their letters, or only in
/// how accented letters are encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassCollision {
    /// The names, exactly as the folders carry them, sorted.
    pub names: Vec<String>,
}

impl ClassCollision {
    /// The names for people; names that would look the same show their code
    /// points.
    pub fn describe(&self) -> String {
        // Names that differ in case as well are told apart by eye.
        let lower: Vec<String> = self.names.iter().map(|name| name.to_lowercase()).collect();
        let by_case = lower.windows(2).all(|pair| pair[0] == pair[1]);
        let shown = |name: &String| {
            let plain = escape(name.as_bytes());
            if by_case { plain } else { format!("{plain} ({})", name.escape_unicode()) }
        };
        self.names.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

/// What is left of a name when case, and the ways to encode accents, do not
/// count. The order of several marks on one letter does not count either.
pub(super) fn fold(name: &str) -> String {
    let mut folded: Vec<char> = Vec::with_capacity(name.len());
    let mut pending: Vec<char> = Vec::new();
    for letter in name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase) {
        let mut letter = letter;
        while let Some((bare, mark)) = unmark(letter) {
            pending.push(mark);
            letter = bare;
        }
        folded.push(letter);
        folded.extend(pending.drain(..).rev());
    }
    for run in folded.chunk_by_mut(|a, b| is_mark(*a) && is_mark(*b)) {
        run.sort_unstable();
    }
    folded.into_iter().collect()
}

/// Combining marks above, below and through a letter.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// The first group of names, in order, that are too alike.
pub(super) fn collision<'a>(names: impl Iterator<Item = &'a str>) -> Option<ClassCollision> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        let group = groups.entry(fold(name)).or_default();
        if !group.iter().any(|known| known == name) {
            group.push(name.to_owned());
        }
    }
    let mut names = groups.into_values().find(|group| group.len() > 1)?;
    names.sort();
    Some(ClassCollision { names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_encoding_do_not_tell_classes_apart() {
        for (one, other) in [
            ("sea", "Sea"),
            ("straße", "STRASSE"),
            ("cafe\u{301}", "caf\u{e9}"),
            ("CAFE\u{301}", "caf\u{e9}"),
            ("e\u{323}\u{302}", "\u{ea}\u{323}"),
            ("\u{1ec7}", "\u{ea}\u{323}"),
            ("\u{d55c}", "\u{1112}\u{1161}\u{11ab}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one:?} {other:?}");
        }
        for (one, other) in [("sea", "see"), ("cafe", "caf\u{e9}"), ("a b", "ab")] {
            assert_ne!(fold(one), fold(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn collisions_name_the_folders() {
        assert_eq!(collision(["sea", "forest", "sea"].into_iter()), None);
        let found = collision(["Sea", "forest", "sea"].into_iter()).unwrap();
        assert_eq!(found.names, ["Sea", "sea"]);
        assert_eq!(found.describe(), "Sea, sea");
    }

    #[test]
    fn names_that_look_the_same_show_their_code_points() {
        let found = collision(["caf\u{e9}", "cafe\u{301}"].into_iter()).unwrap();
        assert!(found.describe().contains("\\u{e9}"), "{}", found.describe());
        assert!(found.describe().contains("\\u{301}"), "{}", found.describe());
    }
}
