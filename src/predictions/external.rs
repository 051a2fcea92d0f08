//! Predictions that were made elsewhere, read from a CSV file.

use std::collections::{HashMap, HashSet};

use safelight_lineage::id::ImageId;
use safelight_lineage::value::{PathBytes, escape};

use super::probabilities::{Probabilities, ProbabilitiesError};
use crate::submit::Dialect;

/// An image that predictions may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownImage {
    /// Its id.
    pub image: ImageId,
    /// Its path as it was imported.
    pub path: PathBytes,
}

/// How the images of a file differ from the images expected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageDifferences {
    /// Expected, but not in the file.
    pub missing: Vec<PathBytes>,
    /// In the file, but not expected; as written there.
    pub unknown: Vec<PathBytes>,
    /// More than once in the file; as written there.
    pub duplicate: Vec<PathBytes>,
    /// File names in the file that several expected images have.
    pub ambiguous: Vec<PathBytes>,
}

impl ImageDifferences {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
            && self.unknown.is_empty()
            && self.duplicate.is_empty()
            && self.ambiguous.is_empty()
    }
}

/// Why a CSV file does not give predictions.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExternalError {
    /// The file is not CSV with a header.
    #[error("line {line}: {problem}")]
    Csv {
        /// The line, from 1.
        line: u64,
        /// What the CSV reader says.
        problem: String,
    },
    /// The class columns are not the dataset's classes.
    #[error("the class columns differ: missing [{}], not a class [{}]", missing.join(", "), unknown.join(", "))]
    Classes {
        /// Classes of the dataset without a column.
        missing: Vec<String>,
        /// Columns that are neither a class nor the image, escaped.
        unknown: Vec<String>,
    },
    /// A class has two columns.
    #[error("class {class} has two columns")]
    DuplicateClass {
        /// Which.
        class: String,
    },
    /// Every column is a class: none names the image.
    #[error("no column names the image; expected one beside the class columns, for example 'image'")]
    NoImageColumn,
    /// The images are not those expected.
    #[error(
        "the images differ: {} missing, {} unknown, {} twice, {} ambiguous",
        .0.missing.len(), .0.unknown.len(), .0.duplicate.len(), .0.ambiguous.len()
    )]
    Images(ImageDifferences),
    /// A field is not a number.
    #[error("line {line}, class {class}: '{text}' is not a number")]
    Number {
        /// The line, from 1.
        line: u64,
        /// The class.
        class: String,
        /// The field, escaped.
        text: String,
    },
    /// A value is no probability.
    #[error("line {line}, class {class}: {value} is not a probability; expected 0 to 1")]
    Value {
        /// The line, from 1.
        line: u64,
        /// The class.
        class: String,
        /// The value.
        value: f32,
    },
    /// A row is not a set of probabilities.
    #[error("line {line}: {source}")]
    Row {
        /// The line, from 1.
        line: u64,
        /// Why.
        source: ProbabilitiesError,
    },
    /// The predictions as a whole are refused.
    #[error(transparent)]
    Probabilities(#[from] ProbabilitiesError),
}

/// Names that a column of images commonly has; they decide only where several
/// columns are not classes.
const IMAGE_COLUMNS: [&str; 9] =
    ["image", "path", "image_path", "image_id", "id", "file", "filename", "file_name", "image_name"];

/// What a CSV file says, and how its images differ from those expected.
#[derive(Debug, Clone, PartialEq)]
pub struct External {
    /// The probabilities of the expected images that the file names.
    pub probabilities: Probabilities,
    /// The others.
    pub differences: ImageDifferences,
}

/// Reads predictions for `images` from a CSV file with a header, all of them
/// and no other; see [`read_external_partly`].
///
/// # Errors
/// Where columns or images are not exactly those expected, all that differ are
/// listed; a value that is no probability is named by its line and class.
pub fn read_external(
    csv: &[u8],
    classes: &[String],
    images: &[KnownImage],
) -> Result<Probabilities, ExternalError> {
    let External { probabilities, differences } = read_external_partly(csv, classes, images)?;
    if differences.is_empty() { Ok(probabilities) } else { Err(ExternalError::Images(differences)) }
}

/// Reads predictions for those of `images` that a CSV file with a header names.
///
/// The columns come in any order: one for each of `classes` by its name, and
/// one that names the image by its path, its id (32 hexadecimal digits) or its
/// file name where only one image has it. Separator and byte order mark are
/// told from the first line. Of an image that is there twice the first row
/// counts.
///
/// # Errors
/// Where columns are not exactly those expected, all that differ are listed; a
/// value that is no probability is named by its line and class.
pub fn read_external_partly(
    csv: &[u8],
    classes: &[String],
    images: &[KnownImage],
) -> Result<External, ExternalError> {
    let (dialect, body) = Dialect::detect(csv);
    let mut reader = dialect.reader(body);
    let header = reader.byte_headers().map_err(csv_error)?.clone();
    let columns = Columns::of(&header, classes)?;
    let lookup = Lookup::of(images);

    let mut differences = ImageDifferences::default();
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut values = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(csv_error)?;
        let line = record.position().map_or(0, csv::Position::line);
        let name = record.get(columns.image).unwrap_or_default();
        let image = match lookup.find(name) {
            Found::One(image) if seen.insert(image) => image,
            Found::One(_) => {
                differences.duplicate.push(PathBytes::new(name));
                continue;
            }
            Found::None => {
                differences.unknown.push(PathBytes::new(name));
                continue;
            }
            Found::Several => {
                differences.ambiguous.push(PathBytes::new(name));
                continue;
            }
        };
        let row = columns.row(&record, classes, line)?;
        Probabilities::new(classes.len(), vec![image], row.clone()).map_err(|source| match source {
            ProbabilitiesError::Value { class, value, .. } => {
                ExternalError::Value { line, class: classes.get(class).cloned().unwrap_or_default(), value }
            }
            source => ExternalError::Row { line, source },
        })?;
        found.push(image);
        values.extend(row);
    }
    differences.missing =
        images.iter().filter(|known| !seen.contains(&known.image)).map(|known| known.path.clone()).collect();
    Ok(External { probabilities: Probabilities::new(classes.len(), found, values)?, differences })
}

fn csv_error(error: csv::Error) -> ExternalError {
    let line = error.position().map_or(1, csv::Position::line);
    ExternalError::Csv { line, problem: error.to_string() }
}

/// Which column holds what.
struct Columns {
    image: usize,
    /// By class.
    classes: Vec<usize>,
}

impl Columns {
    fn of(header: &csv::ByteRecord, classes: &[String]) -> Result<Columns, ExternalError> {
        let mut places = vec![None; classes.len()];
        let mut others = Vec::new();
        for (place, name) in header.iter().enumerate() {
            match classes.iter().position(|class| class.as_bytes() == name) {
                Some(class) if places[class].is_some() => {
                    return Err(ExternalError::DuplicateClass { class: classes[class].clone() });
                }
                Some(class) => places[class] = Some(place),
                None => others.push(place),
            }
        }
        let named = |place: &usize| {
            let name = header.get(*place).unwrap_or_default().to_ascii_lowercase();
            IMAGE_COLUMNS.iter().any(|candidate| candidate.as_bytes() == name)
        };
        let image = match others[..] {
            [] => None,
            [only] => Some(only),
            _ => others.iter().copied().find(named),
        };
        let missing: Vec<String> = classes
            .iter()
            .zip(&places)
            .filter(|(_, place)| place.is_none())
            .map(|(c, _)| c.clone())
            .collect();
        let unknown: Vec<String> = others
            .iter()
            .filter(|place| Some(**place) != image)
            .map(|place| escape(header.get(*place).unwrap_or_default()))
            .collect();
        if !missing.is_empty() || !unknown.is_empty() {
            return Err(ExternalError::Classes { missing, unknown });
        }
        let image = image.ok_or(ExternalError::NoImageColumn)?;
        Ok(Columns { image, classes: places.into_iter().flatten().collect() })
    }

    fn row(
        &self,
        record: &csv::ByteRecord,
        classes: &[String],
        line: u64,
    ) -> Result<Vec<f32>, ExternalError> {
        let parse = |(class, place): (&String, &usize)| {
            let field = record.get(*place).unwrap_or_default();
            let text = std::str::from_utf8(field).unwrap_or_default().trim();
            text.parse::<f32>().map_err(|_| ExternalError::Number {
                line,
                class: class.clone(),
                text: escape(field),
            })
        };
        classes.iter().zip(&self.classes).map(parse).collect()
    }
}

/// What a name in the file stands for.
enum Found {
    None,
    One(ImageId),
    Several,
}

/// The expected images by every name that they may be given.
struct Lookup<'a> {
    ids: HashSet<ImageId>,
    paths: HashMap<&'a [u8], Option<ImageId>>,
    file_names: HashMap<&'a [u8], Option<ImageId>>,
}

impl<'a> Lookup<'a> {
    fn of(images: &'a [KnownImage]) -> Lookup<'a> {
        let mut lookup = Lookup { ids: HashSet::new(), paths: HashMap::new(), file_names: HashMap::new() };
        // A name that two images share stands for neither.
        fn enter<'a>(names: &mut HashMap<&'a [u8], Option<ImageId>>, name: &'a [u8], image: ImageId) {
            names.entry(name).and_modify(|entry| *entry = None).or_insert(Some(image));
        }
        for known in images {
            let path = known.path.as_bytes();
            lookup.ids.insert(known.image);
            enter(&mut lookup.paths, path, known.image);
            enter(
                &mut lookup.file_names,
                path.rsplit(|&byte| byte == b'/').next().unwrap_or(path),
                known.image,
            );
        }
        lookup
    }

    fn find(&self, name: &[u8]) -> Found {
        let mut several = false;
        for names in [&self.paths, &self.file_names] {
            match names.get(name) {
                Some(Some(image)) => return Found::One(*image),
                Some(None) => several = true,
                None => {}
            }
        }
        let id = std::str::from_utf8(name).ok().and_then(|text| text.parse().ok());
        match id.filter(|id| self.ids.contains(id)) {
            Some(image) => Found::One(image),
            None if several => Found::Several,
            None => Found::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ImageId {
        ImageId([n; 16])
    }

    fn images() -> Vec<KnownImage> {
        [(1, &b"test/a.jpg"[..]), (2, b"test/b\xff.jpg"), (3, b"other/c.jpg"), (4, b"test/c.jpg")]
            .map(|(n, path)| KnownImage { image: id(n), path: PathBytes::new(path) })
            .to_vec()
    }

    fn classes() -> Vec<String> {
        vec!["sea".into(), "forest".into()]
    }

    fn read(csv: &[u8]) -> Result<Probabilities, ExternalError> {
        read_external(csv, &classes(), &images())
    }

    #[test]
    fn columns_and_rows_come_in_any_order_under_any_name_of_the_image() {
        let mut csv =
            b"\xef\xbb\xbfforest;whatever;sea\r\n0.25;a.jpg;0.75\r\n1;test/c.jpg;0\r\n0.5;".to_vec();
        csv.extend(b"b\xff.jpg;0.5\r\n1e-1;03030303030303030303030303030303; 0.9\r\n");
        let read = read(&csv).unwrap();
        assert_eq!(read.images(), [id(1), id(2), id(3), id(4)]);
        assert_eq!(read.values(), [0.75, 0.25, 0.5, 0.5, 0.9, 0.1, 0.0, 1.0]);
    }

    #[test]
    fn images_that_differ_are_all_listed() {
        let csv = b"image,sea,forest\na.jpg,1,0\ntest/a.jpg,1,0\nzz.jpg,1,0\nc.jpg,1,0\ntest/c.jpg,0,1\n";
        let Err(ExternalError::Images(differences)) = read(csv) else { panic!("accepted") };
        let paths = |paths: &[&[u8]]| paths.iter().map(|path| PathBytes::new(*path)).collect::<Vec<_>>();
        assert_eq!(differences.missing, paths(&[b"test/b\xff.jpg", b"other/c.jpg"]));
        assert_eq!(differences.unknown, paths(&[b"zz.jpg"]));
        assert_eq!(differences.duplicate, paths(&[b"test/a.jpg"]));
        assert_eq!(differences.ambiguous, paths(&[b"c.jpg"]));
    }

    #[test]
    fn what_is_there_can_be_taken_and_the_rest_is_said() {
        let csv = b"image,sea,forest\na.jpg,1,0\nzz.jpg,1,0\na.jpg,0,1\n";
        let External { probabilities, differences } =
            read_external_partly(csv, &classes(), &images()).unwrap();
        assert_eq!((probabilities.images(), probabilities.values()), (&[id(1)][..], &[1.0, 0.0][..]));
        assert_eq!(
            (differences.missing.len(), differences.unknown.len(), differences.duplicate.len()),
            (3, 1, 1)
        );
    }

    #[test]
    fn classes_that_differ_are_all_listed() {
        assert_eq!(
            read(b"image,Sea,forest,extra\n"),
            Err(ExternalError::Classes {
                missing: vec!["sea".into()],
                unknown: vec!["Sea".into(), "extra".into()]
            })
        );
        assert_eq!(
            read(b"image,sea,sea,forest\n"),
            Err(ExternalError::DuplicateClass { class: "sea".into() })
        );
        assert_eq!(read(b"sea,forest\n"), Err(ExternalError::NoImageColumn));
        assert!(matches!(read(b""), Err(ExternalError::Classes { .. })));
    }

    #[test]
    fn values_that_are_no_probabilities_are_named_by_line() {
        let number = read(b"image,sea,forest\na.jpg,1,0\ntest/c.jpg,?,0\n");
        assert_eq!(number, Err(ExternalError::Number { line: 3, class: "sea".into(), text: "?".into() }));
        for (row, column) in [("NaN,1", "sea"), ("-1,2", "sea"), ("0.5,inf", "forest"), ("0,1.5", "forest")] {
            let result = read(format!("image,sea,forest\na.jpg,{row}\n").as_bytes());
            assert!(
                matches!(&result, Err(ExternalError::Value { line: 2, class, .. }) if class == column),
                "{row}: {result:?}"
            );
        }
        let sum = read(b"image,sea,forest\na.jpg,0.5,0.4\n");
        assert!(matches!(sum, Err(ExternalError::Row { line: 2, .. })), "{sum:?}");
        assert!(matches!(read(b"image,sea,forest\na.jpg,1\n"), Err(ExternalError::Csv { line: 2, .. })));
    }
}
