//! The filter language of the images screen.
//!
//! Words separated by spaces must all hold; `-` before one denies it; quotes
//! keep spaces. `label:sea`, `label:none`, `split:train`, `origin:file`,
//! `origin:generated`, `reason:duplicate`, `path:beach`, `id:3fa9`, `removed`,
//! `present`, `changed`; any other word is looked for in the path.

use std::collections::HashSet;

use safelight_lineage::event::{Origin, Split};
use safelight_lineage::id::ImageId;
use safelight_lineage::state::{ImageView, State};
use safelight_lineage::value::ClassIndex;

/// One thing that must hold, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    denied: bool,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Label(String),
    Split(Split),
    Generated(bool),
    Reason(String),
    Path(String),
    Id(String),
    Removed,
    Present,
    Changed,
}

/// Why a text is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The key is not known.
    #[error("there is no '{0}:'; use label, split, origin, reason, path or id")]
    UnknownKey(String),
    /// The value does not go with the key.
    #[error("'{value}' is not one of {expected}")]
    BadValue {
        /// What was given.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Nothing follows.
    #[error("something must follow '{0}'")]
    Empty(String),
}

/// Which images to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageFilter {
    terms: Vec<Term>,
}

impl ImageFilter {
    /// Reads a filter.
    ///
    /// # Errors
    /// When a key or its value is not known.
    pub fn parse(text: &str) -> Result<ImageFilter, FilterError> {
        let terms = words(text).into_iter().map(|word| Term::parse(&word)).collect::<Result<_, _>>()?;
        Ok(ImageFilter { terms })
    }

    /// Whether it lets every image through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The rows of the images that it lets through, ascending; none when
    /// `stale` said so on the way.
    pub fn rows(&self, state: &State, stale: impl Fn() -> bool) -> Option<Vec<u32>> {
        let tests: Vec<(bool, Ready<'_>)> =
            self.terms.iter().map(|term| (term.denied, Ready::new(&term.test, state))).collect();
        let mut rows = Vec::new();
        for image in state.images() {
            if image.row % 4096 == 0 && stale() {
                return None;
            }
            if tests.iter().all(|(denied, test)| test.holds(&image) != *denied) {
                rows.push(image.row);
            }
        }
        Some(rows)
    }
}

impl Term {
    fn parse(word: &str) -> Result<Term, FilterError> {
        let (denied, rest) = match word.strip_prefix('-') {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, word),
        };
        Ok(Term { denied, test: Test::parse(rest)? })
    }
}

impl Test {
    fn parse(word: &str) -> Result<Test, FilterError> {
        let Some((key, value)) = word.split_once(':') else {
            return Ok(match word {
                "removed" => Test::Removed,
                "present" => Test::Present,
                "changed" => Test::Changed,
                text => Test::Path(text.to_lowercase()),
            });
        };
        if value.is_empty() {
            return Err(FilterError::Empty(word.to_owned()));
        }
        let bad = |expected| FilterError::BadValue { value: value.to_owned(), expected };
        match key {
            "label" => Ok(Test::Label(value.to_owned())),
            "split" => {
                let named = Split::ALL.into_iter().find(|split| split.name() == value);
                named.map(Test::Split).ok_or_else(|| bad("train, valid, test"))
            }
            "origin" => match value {
                "file" => Ok(Test::Generated(false)),
                "generated" => Ok(Test::Generated(true)),
                _ => Err(bad("file, generated")),
            },
            "reason" => Ok(Test::Reason(value.to_lowercase())),
            "path" => Ok(Test::Path(value.to_lowercase())),
            "id" => Ok(Test::Id(value.to_lowercase())),
            _ => Err(FilterError::UnknownKey(key.to_owned())),
        }
    }
}

/// A test with what it needs of the state looked up once.
enum Ready<'a> {
    Label(HashSet<Option<ClassIndex>>),
    Split(Split),
    Generated(bool),
    Images(HashSet<ImageId>),
    Path(&'a str),
    Id(&'a str),
    Removed,
    Present,
    Changed,
}

impl<'a> Ready<'a> {
    fn new(test: &'a Test, state: &State) -> Ready<'a> {
        match test {
            // Part of a name will do, unless it is the whole of another.
            Test::Label(name) if name == "none" => Ready::Label(HashSet::from([None])),
            Test::Label(name) => {
                let classes = || state.classes().iter().enumerate();
                let exact = classes().any(|(_, class)| class == name);
                let fits = |class: &str| if exact { class == name } else { class.contains(name.as_str()) };
                let labels = classes().filter(|(_, class)| fits(class));
                Ready::Label(labels.map(|(place, _)| Some(ClassIndex(place as u16))).collect())
            }
            Test::Split(split) => Ready::Split(*split),
            Test::Generated(generated) => Ready::Generated(*generated),
            Test::Reason(part) => {
                let because = state.all_changes().filter(|change| change.live);
                let named = because.filter(|change| change.because.reason.to_lowercase().contains(part));
                Ready::Images(named.map(|change| change.image).collect())
            }
            Test::Path(part) => Ready::Path(part),
            Test::Id(start) => Ready::Id(start),
            Test::Removed => Ready::Removed,
            Test::Present => Ready::Present,
            Test::Changed => Ready::Changed,
        }
    }

    fn holds(&self, image: &ImageView<'_>) -> bool {
        match self {
            Ready::Label(labels) => labels.contains(&image.label),
            Ready::Split(split) => image.split == *split,
            Ready::Generated(generated) => matches!(image.origin, Origin::Generated { .. }) == *generated,
            Ready::Images(images) => images.contains(&image.id),
            Ready::Path(part) => contains(image.path, part),
            Ready::Id(start) => image.id.to_string().starts_with(start),
            Ready::Removed => image.removed,
            Ready::Present => image.present,
            Ready::Changed => image.changed,
        }
    }
}

/// Whether the path holds `part`, which is lower-case, in any case.
fn contains(path: &[u8], part: &str) -> bool {
    if path.is_ascii() && part.is_ascii() {
        let part = part.as_bytes();
        return path.windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part));
    }
    String::from_utf8_lossy(path).to_lowercase().contains(part)
}

/// Splits at spaces, except between quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted) = (String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::history;

    fn found(text: &str) -> Vec<u32> {
        let state = history::small();
        ImageFilter::parse(text).expect("a filter").rows(&state, || false).expect("not stale")
    }

    #[test]
    fn words_are_tests_that_must_all_hold() {
        let state = history::small();
        let expected = |test: &dyn Fn(&ImageView<'_>) -> bool| -> Vec<u32> {
            state.images().filter(|image| test(image)).map(|image| image.row).collect()
        };
        assert_eq!(found(""), expected(&|_| true));
        assert_eq!(found("removed"), expected(&|image| image.removed));
        assert!(!found("removed").is_empty());
        assert_eq!(
            found("label:sea -removed split:train"),
            expected(&|image| image.label == Some(ClassIndex(3))
                && !image.removed
                && image.split == Split::Train)
        );
        assert_eq!(found("origin:generated"), expected(&|image| image.origin != Origin::File));
        assert!(!found("origin:generated").is_empty());
        assert_eq!(
            found("SEA/ path:1.jpg"),
            expected(&|image| {
                let path = String::from_utf8_lossy(image.path).into_owned();
                path.contains("sea/") && path.contains("1.jpg")
            })
        );
        assert_eq!(found("reason:duplic"), expected(&|image| image.removed));
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(ImageFilter::parse("labl:sea"), Err(FilterError::UnknownKey("labl".into())));
        assert!(matches!(ImageFilter::parse("split:tests"), Err(FilterError::BadValue { .. })));
        assert_eq!(ImageFilter::parse("label:"), Err(FilterError::Empty("label:".into())));
    }

    #[test]
    fn quotes_keep_spaces() {
        assert_eq!(words(r#"a  path:"my files" -b"#), ["a", "path:my files", "-b"]);
    }

    #[test]
    fn a_stale_search_ends() {
        let state = history::small();
        assert_eq!(ImageFilter::default().rows(&state, || true), None);
    }
}
