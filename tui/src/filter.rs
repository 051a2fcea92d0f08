//! The filter language of the images screen.
//!
//! Words separated by spaces must all hold; `-` before one denies it; quotes
//! keep spaces. `label:sea`, `label:none`, `split:train`, `origin:file`,
//! `origin:generated`, `reason:duplicate`, `path:beach`, `image:3fa9` (or `id:`),
//! `removed`, `present`, `changed`; by what models say `conf<.6`, `conf>.9`,
//! `predicted:sea` and `disagree`; any other word is looked for in the path.

use std::collections::HashSet;
use std::ops::Range;
use std::thread;

use safelight_lineage::event::{Origin, Split};
use safelight_lineage::id::ImageId;
use safelight_lineage::state::{ImageView, State};
use safelight_lineage::value::ClassIndex;

use crate::judgements::Opinions;

/// Fewer images than this are not worth a second thread.
const CHUNK: usize = 50_000;
/// Between so many images it is asked whether anybody still waits.
const LOOK: usize = 4_096;

/// One thing that must hold, or must not.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    denied: bool,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
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
    /// Models are less sure than this, or surer.
    Surer(f32),
    LessSure(f32),
    Predicted(String),
    Disagree,
}

/// Why a text is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The key is not known.
    #[error("there is no '{0}:'; use label, split, origin, reason, path, image or predicted")]
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
#[derive(Debug, Clone, PartialEq, Default)]
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

    /// Whether it needs to know what models say.
    pub fn needs_opinions(&self) -> bool {
        self.terms.iter().any(|term| {
            matches!(term.test, Test::Surer(_) | Test::LessSure(_) | Test::Predicted(_) | Test::Disagree)
        })
    }

    /// The rows of the images that it lets through, ascending; none when
    /// `stale` said so on the way. Where `opinions` has none of an image, no
    /// test by what models say holds.
    pub fn rows(
        &self,
        state: &State,
        opinions: Option<&Opinions>,
        stale: impl Fn() -> bool + Sync,
    ) -> Option<Vec<u32>> {
        let tests: Vec<(bool, Ready<'_>)> =
            self.terms.iter().map(|term| (term.denied, Ready::new(&term.test, state))).collect();
        let among = |range: Range<usize>| -> Option<Vec<u32>> {
            let mut rows = Vec::new();
            for row in range {
                if row % LOOK == 0 && stale() {
                    return None;
                }
                let Some(image) = state.image_at(row) else { continue };
                if tests.iter().all(|(denied, test)| test.holds(&image, opinions) != *denied) {
                    rows.push(image.row);
                }
            }
            Some(rows)
        };
        let count = state.image_count();
        let threads = thread::available_parallelism().map_or(1, usize::from).min(count / CHUNK).clamp(1, 8);
        let share = count.div_ceil(threads);
        let ranges = (0..threads).map(|part| part * share..((part + 1) * share).min(count));
        let parts: Option<Vec<Vec<u32>>> = thread::scope(|scope| {
            let running: Vec<_> = ranges.skip(1).map(|range| scope.spawn(|| among(range))).collect();
            let first = among(0..share.min(count))?;
            let others = running.into_iter().map(|part| part.join().unwrap_or_default());
            std::iter::once(Some(first)).chain(others).collect()
        });
        parts.map(|parts| parts.concat())
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
        if let Some(rest) = word.strip_prefix("conf").filter(|rest| rest.starts_with(['<', '>'])) {
            let share = rest[1..].parse::<f32>().ok().filter(|share| (0.0..=1.0).contains(share));
            let value = || rest[1..].to_owned();
            let share = share.ok_or_else(|| FilterError::BadValue {
                value: value(),
                expected: "the numbers from 0 to 1",
            })?;
            return Ok(if rest.starts_with('<') { Test::LessSure(share) } else { Test::Surer(share) });
        }
        let Some((key, value)) = word.split_once(':') else {
            return Ok(match word {
                "disagree" => Test::Disagree,
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
            "image" | "id" => Ok(Test::Id(value.to_lowercase())),
            "predicted" => Ok(Test::Predicted(value.to_owned())),
            _ => Err(FilterError::UnknownKey(key.to_owned())),
        }
    }
}

/// A test with what it needs of the state looked up once.
enum Ready<'a> {
    /// For each class whether it will do, and for none.
    Label(Vec<bool>, bool),
    Split(Split),
    Generated(bool),
    Images(HashSet<ImageId>),
    Path(&'a str),
    Id(&'a str),
    Removed,
    Present,
    Changed,
    Surer(f32),
    LessSure(f32),
    Predicted(Vec<bool>),
    Disagree,
}

/// The classes that a name means: part of a name will do, unless it is the
/// whole of another.
fn classes_named(state: &State, name: &str) -> Vec<bool> {
    let exact = state.classes().iter().any(|class| class == name);
    let fits = |class: &String| if exact { class == name } else { class.contains(name) };
    state.classes().iter().map(fits).collect()
}

fn is_among(classes: &[bool], class: ClassIndex) -> bool {
    classes.get(usize::from(class.0)).copied().unwrap_or(false)
}

impl<'a> Ready<'a> {
    fn new(test: &'a Test, state: &State) -> Ready<'a> {
        match test {
            Test::Label(name) if name == "none" => Ready::Label(Vec::new(), true),
            Test::Label(name) => Ready::Label(classes_named(state, name), false),
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
            Test::Surer(than) => Ready::Surer(*than),
            Test::LessSure(than) => Ready::LessSure(*than),
            Test::Predicted(name) => Ready::Predicted(classes_named(state, name)),
            Test::Disagree => Ready::Disagree,
        }
    }

    fn holds(&self, image: &ImageView<'_>, opinions: Option<&Opinions>) -> bool {
        let said = || opinions?.of(image.row);
        match self {
            Ready::Label(classes, none) => image.label.map_or(*none, |label| is_among(classes, label)),
            Ready::Surer(than) => said().is_some_and(|(_, sure)| sure > *than),
            Ready::LessSure(than) => said().is_some_and(|(_, sure)| sure < *than),
            Ready::Predicted(classes) => said().is_some_and(|(class, _)| is_among(classes, class)),
            Ready::Disagree => {
                said().is_some_and(|(class, _)| image.label.is_some_and(|label| label != class))
            }
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
        found_with(text, None)
    }

    fn found_with(text: &str, opinions: Option<&Opinions>) -> Vec<u32> {
        let state = history::small();
        ImageFilter::parse(text).expect("a filter").rows(&state, opinions, || false).expect("not stale")
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
    fn models_are_asked() {
        let mut opinions = Opinions::new(44);
        // Row 3 is labelled street by now, row 8 sea, row 9 has no label.
        for (row, class, sure) in [(3, 3, 0.55), (8, 3, 0.99), (9, 3, 0.4)] {
            opinions.put(row, ClassIndex(class), sure);
        }
        let found = |text| found_with(text, Some(&opinions));
        assert_eq!(found("conf<.6"), [3, 9]);
        assert_eq!(found("conf>0.5"), [3, 8]);
        assert_eq!(found("predicted:sea -conf<.6"), [8]);
        assert_eq!(found("disagree"), [3]);
        assert_eq!(found_with("disagree", None), []);
        assert!(ImageFilter::parse("a disagree").unwrap().needs_opinions());
        assert!(!ImageFilter::parse("label:sea").unwrap().needs_opinions());
        assert!(matches!(ImageFilter::parse("conf<2"), Err(FilterError::BadValue { .. })));
    }

    #[test]
    fn many_images_are_looked_through_by_several_threads() {
        let log = history::Log::with_images(2 * CHUNK + 7);
        let rows = ImageFilter::parse("split:valid").unwrap().rows(&log.state, None, || false).unwrap();
        let expected: Vec<u32> = (0..2 * CHUNK as u32 + 7).filter(|row| row % 10 == 8).collect();
        assert_eq!(rows, expected);
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
        assert_eq!(ImageFilter::default().rows(&state, None, || true), None);
    }
}
