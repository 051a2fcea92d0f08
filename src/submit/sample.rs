//! A format told from the sample file that a competition hands out.

use std::collections::{HashMap, HashSet};

use safelight_lineage::id::ImageId;
use safelight_lineage::value::{PathBytes, escape};

use super::dialect::Dialect;
use super::format::{IdStyle, LabelStyle, RowOrder, SubmissionFormat};

/// An image that a submission is to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmissionImage<'a> {
    /// Its id.
    pub image: ImageId,
    /// Its path as it was imported.
    pub path: &'a [u8],
}

/// Why a sample does not give a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// The file is not CSV with a header.
    #[error("line {line}: {problem}")]
    Csv {
        /// The line, from 1.
        line: u64,
        /// What the CSV reader says.
        problem: String,
    },
    /// There are not two columns.
    #[error("the sample has {} columns ({}); a submission has two, image and label", columns.len(), columns.join(", "))]
    Columns {
        /// Their headers, escaped.
        columns: Vec<String>,
    },
    /// A header is not UTF-8.
    #[error("the header '{header}' is not UTF-8")]
    Header {
        /// The header, escaped.
        header: String,
    },
    /// The sample has a header only.
    #[error("the sample names no images")]
    Empty,
    /// Images are named twice.
    #[error("the sample names {} images twice, '{}' first", .0.len(), .0.first().cloned().unwrap_or_default())]
    Duplicate(Vec<PathBytes>),
    /// In the style that the sample uses, several images have one name.
    #[error("as {style:?}, {} names stand for several images, '{}' first", names.len(), names.first().cloned().unwrap_or_default())]
    Ambiguous {
        /// The style.
        style: IdStyle,
        /// The names.
        names: Vec<PathBytes>,
    },
    /// The sample's images are not those to predict.
    #[error("the sample lacks {} images and names {} that are not to be predicted", missing.len(), extra.len())]
    Images {
        /// The style that fits best.
        style: IdStyle,
        /// Images to predict that it lacks, by path.
        missing: Vec<PathBytes>,
        /// Names in it that are no image to predict.
        extra: Vec<PathBytes>,
    },
    /// A label is neither the name nor the number of a class.
    #[error("line {line}: '{label}' is neither the name of a class nor its number from 0")]
    Label {
        /// The line, from 1.
        line: u64,
        /// The label, escaped.
        label: String,
    },
}

/// One line of a sample.
struct Row {
    line: u64,
    fields: [Vec<u8>; 2],
}

/// Tells the format from a sample submission for exactly `images`: columns and
/// their order, style of ids and labels, order of rows, separator, line ending
/// and byte order mark.
///
/// The label's column is the one whose fields repeat or are classes; images are
/// tried as path, file name, file stem and image id, in this order; labels as
/// names, then as numbers from 0.
///
/// # Errors
/// When the file has not two columns, names an image twice, or its images or
/// classes are not those given.
pub fn format_like(
    sample: &[u8],
    images: &[SubmissionImage<'_>],
    classes: &[String],
) -> Result<SubmissionFormat, SampleError> {
    let (dialect, body) = Dialect::detect(sample);
    let (headers, rows) = read(dialect, body)?;
    // Both columns as images: the one that names more of them is it.
    let fits = [0, 1].map(|column| Fit::best(&rows, column, images));
    let image_column = usize::from(fits[1].matches > fits[0].matches);
    let label_column = 1 - image_column;
    let [first, second] = fits;
    let fit = if image_column == 0 { first } else { second };
    let order = fit.order(&rows, image_column, images)?;
    let label_style = label_style(&rows, label_column, classes)?;
    Ok(SubmissionFormat {
        image_column: headers[image_column].clone(),
        label_column: headers[label_column].clone(),
        label_first: label_column == 0,
        id_style: fit.style,
        label_style,
        dialect,
        order: RowOrder::Listed(order),
        ..SubmissionFormat::default()
    })
}

fn read(dialect: Dialect, body: &[u8]) -> Result<([String; 2], Vec<Row>), SampleError> {
    let malformed = |error: csv::Error| SampleError::Csv {
        line: error.position().map_or(1, csv::Position::line),
        problem: error.to_string(),
    };
    let mut reader = dialect.reader(body);
    let header = reader.byte_headers().map_err(malformed)?;
    let (2, Some(first), Some(second)) = (header.len(), header.get(0), header.get(1)) else {
        return Err(SampleError::Columns { columns: header.iter().map(escape).collect() });
    };
    let text = |header: &[u8]| {
        String::from_utf8(header.to_vec()).map_err(|_| SampleError::Header { header: escape(header) })
    };
    let headers = [text(first)?, text(second)?];
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(malformed)?;
        let field = |place| record.get(place).unwrap_or_default().to_vec();
        rows.push(Row {
            line: record.position().map_or(0, csv::Position::line),
            fields: [field(0), field(1)],
        });
    }
    if rows.is_empty() {
        return Err(SampleError::Empty);
    }
    Ok((headers, rows))
}

/// How well a style explains the names in a column.
struct Fit {
    style: IdStyle,
    /// Distinct images that the column names.
    matches: usize,
    /// None where several images have the name.
    names: HashMap<Vec<u8>, Option<ImageId>>,
}

impl Fit {
    /// The style that explains most; of equals the first.
    fn best(rows: &[Row], column: usize, images: &[SubmissionImage<'_>]) -> Fit {
        let mut fits = IdStyle::ALL.into_iter().map(|style| {
            let mut names: HashMap<Vec<u8>, Option<ImageId>> = HashMap::with_capacity(images.len());
            for image in images {
                names
                    .entry(style.name(image.image, image.path))
                    .and_modify(|entry| *entry = None)
                    .or_insert(Some(image.image));
            }
            let named: HashSet<&[u8]> = rows
                .iter()
                .map(|row| &row.fields[column][..])
                .filter(|name| names.contains_key(*name))
                .collect();
            Fit { style, matches: named.len(), names }
        });
        let first = fits.next().expect("there are four styles");
        fits.fold(first, |best, fit| if fit.matches > best.matches { fit } else { best })
    }

    /// The images in the order of the sample, if it names each exactly once.
    fn order(
        &self,
        rows: &[Row],
        column: usize,
        images: &[SubmissionImage<'_>],
    ) -> Result<Vec<ImageId>, SampleError> {
        let mut seen = HashSet::with_capacity(rows.len());
        let mut order = Vec::with_capacity(rows.len());
        let (mut duplicate, mut ambiguous, mut extra) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let name = &row.fields[column];
            let list = if !seen.insert(name) {
                &mut duplicate
            } else {
                match self.names.get(name) {
                    Some(Some(image)) => {
                        order.push(*image);
                        continue;
                    }
                    Some(None) => &mut ambiguous,
                    None => &mut extra,
                }
            };
            list.push(PathBytes::new(&name[..]));
        }
        if !duplicate.is_empty() {
            return Err(SampleError::Duplicate(duplicate));
        }
        if !ambiguous.is_empty() {
            return Err(SampleError::Ambiguous { style: self.style, names: ambiguous });
        }
        let named: HashSet<ImageId> = order.iter().copied().collect();
        let missing: Vec<PathBytes> = images
            .iter()
            .filter(|image| !named.contains(&image.image))
            .map(|image| PathBytes::new(image.path))
            .collect();
        if !missing.is_empty() || !extra.is_empty() {
            return Err(SampleError::Images { style: self.style, missing, extra });
        }
        Ok(order)
    }
}

fn label_style(rows: &[Row], column: usize, classes: &[String]) -> Result<LabelStyle, SampleError> {
    let is_name = |row: &&Row| classes.iter().any(|class| class.as_bytes() == row.fields[column]);
    let is_index = |row: &&Row| {
        let text = std::str::from_utf8(&row.fields[column]).ok();
        text.and_then(|text| text.parse::<usize>().ok().filter(|index| index.to_string() == text))
            .is_some_and(|index| index < classes.len())
    };
    let odd_name = rows.iter().find(|row| !is_name(row));
    let odd_index = rows.iter().find(|row| !is_index(row));
    match (odd_name, odd_index) {
        (None, _) => Ok(LabelStyle::Name),
        (_, None) => Ok(LabelStyle::Index),
        // The one that goes further into the file names the first bad line.
        (Some(name), Some(index)) => {
            let row = if name.line >= index.line { name } else { index };
            Err(SampleError::Label { line: row.line, label: escape(&row.fields[column]) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::{LineEnding, Separator};
    use super::*;

    fn id(n: u8) -> ImageId {
        ImageId([n; 16])
    }

    fn images() -> [SubmissionImage<'static>; 3] {
        [(1, &b"test/1.jpg"[..]), (2, b"test/2.jpg"), (3, b"test/\xff.jpg")]
            .map(|(n, path)| SubmissionImage { image: id(n), path })
    }

    fn like(sample: &[u8]) -> Result<SubmissionFormat, SampleError> {
        format_like(sample, &images(), &["sea".to_owned(), "forest".to_owned()])
    }

    #[test]
    fn columns_styles_order_and_dialect_are_told() {
        let format =
            like(b"\xef\xbb\xbfid;\"cl;ass\"\r\n2.jpg;sea\r\n\xff.jpg;sea\r\n1.jpg;forest\r\n").unwrap();
        assert_eq!((&format.image_column[..], &format.label_column[..]), ("id", "cl;ass"));
        assert_eq!((format.id_style, format.label_style), (IdStyle::FileName, LabelStyle::Name));
        assert_eq!(format.order, RowOrder::Listed(vec![id(2), id(3), id(1)]));
        assert_eq!(
            format.dialect,
            Dialect { separator: Separator::Semicolon, line_ending: LineEnding::Crlf, byte_order_mark: true }
        );
        let swapped = like(b"target\tname\n0\t\xff\n1\t1\n0\t2\n").unwrap();
        assert!(swapped.label_first);
        assert_eq!((&swapped.image_column[..], swapped.id_style), ("name", IdStyle::FileStem));
        assert_eq!(swapped.label_style, LabelStyle::Index);
        let by_id = format!("i,l\n{},sea\n{},sea\n{},sea\n", id(1), id(3), id(2));
        assert_eq!(like(by_id.as_bytes()).unwrap().id_style, IdStyle::ImageId);
        assert_eq!(
            like(b"i,l\ntest/1.jpg,0\ntest/2.jpg,0\ntest/\xff.jpg,0").unwrap().id_style,
            IdStyle::Path
        );
    }

    #[test]
    fn images_that_differ_are_listed() {
        let path = |path: &[u8]| vec![PathBytes::new(path)];
        assert_eq!(
            like(b"i,l\n1.jpg,sea\n2.jpg,sea\n9.jpg,sea\n"),
            Err(SampleError::Images {
                style: IdStyle::FileName,
                missing: path(b"test/\xff.jpg"),
                extra: path(b"9.jpg")
            })
        );
        assert_eq!(like(b"i,l\n1.jpg,sea\n1.jpg,sea\n"), Err(SampleError::Duplicate(path(b"1.jpg"))));
        let twins =
            [(1, &b"a/1.jpg"[..]), (2, b"b/1.jpg")].map(|(n, path)| SubmissionImage { image: id(n), path });
        assert_eq!(
            format_like(b"i,l\n1.jpg,sea\n", &twins, &["sea".to_owned()]),
            Err(SampleError::Ambiguous { style: IdStyle::FileName, names: path(b"1.jpg") })
        );
    }

    #[test]
    fn labels_that_are_no_class_are_named_by_line() {
        let label = |line, label: &str| Err(SampleError::Label { line, label: label.to_owned() });
        assert_eq!(like(b"i,l\n1.jpg,sea\n2.jpg,Sea\n\xff.jpg,sea\n"), label(3, "Sea"));
        assert_eq!(like(b"i,l\n1.jpg,1\n2.jpg,2\n\xff.jpg,0\n"), label(3, "2"));
        assert_eq!(like(b"i,l\n1.jpg,\n2.jpg,\n\xff.jpg,\n"), label(2, ""));
    }

    #[test]
    fn what_is_no_table_of_two_columns_is_refused() {
        assert!(matches!(like(b""), Err(SampleError::Columns { .. })));
        assert!(
            matches!(like(b"i,l,m\n"), Err(SampleError::Columns { columns }) if columns == ["i", "l", "m"])
        );
        assert_eq!(like(b"i,l\n"), Err(SampleError::Empty));
        assert!(matches!(like(b"i,l\n1.jpg\n"), Err(SampleError::Csv { line: 2, .. })));
        assert_eq!(like(b"i,\xff\n"), Err(SampleError::Header { header: "\\xff".to_owned() }));
    }
}
