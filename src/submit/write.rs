//! The file itself.

use std::collections::{HashMap, HashSet};

use safelight_lineage::id::ImageId;
use safelight_lineage::value::{ClassIndex, PathBytes};

use super::dialect::{BYTE_ORDER_MARK, LineEnding};
use super::format::{LabelStyle, RowOrder, SubmissionFormat};

/// One image and what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmissionRow<'a> {
    /// The image.
    pub image: ImageId,
    /// Its path as it was imported; written exactly.
    pub path: &'a [u8],
    /// The decision.
    pub label: ClassIndex,
}

/// Why a file cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The rows are not those that the format lists.
    #[error("the format lists {} images that have no decision, and {} have one that it does not list", missing.len(), extra.len())]
    Images {
        /// Listed without a row.
        missing: Vec<ImageId>,
        /// Rows that are not listed.
        extra: Vec<ImageId>,
    },
    /// Two rows would name the image alike.
    #[error("two images would both be written as '{name}'; choose another id style")]
    DuplicateName {
        /// The name.
        name: PathBytes,
    },
    /// A decision is not one of the classes.
    #[error("the decision for image {image} is class {} of {classes}", label.0)]
    Label {
        /// The image.
        image: ImageId,
        /// The decision.
        label: ClassIndex,
        /// How many classes there are.
        classes: usize,
    },
    /// Text did not become CSV.
    #[error("cannot write CSV: {problem}")]
    Csv {
        /// What the CSV writer says.
        problem: String,
    },
}

/// Writes a submission: a header and a line for each row, fields quoted only
/// where CSV needs it. The order of `rows` decides nothing; `classes` are the
/// names by [`ClassIndex`].
///
/// # Errors
/// When the rows are not the ones that the format lists, or names clash.
pub fn write_csv(
    format: &SubmissionFormat,
    rows: &[SubmissionRow<'_>],
    classes: &[String],
) -> Result<Vec<u8>, WriteError> {
    let rows = in_order(format, rows)?;
    let failed = |error: csv::Error| WriteError::Csv { problem: error.to_string() };
    let start = if format.dialect.byte_order_mark { BYTE_ORDER_MARK.to_vec() } else { Vec::new() };
    let mut writer = csv::WriterBuilder::new()
        .delimiter(format.dialect.separator.byte())
        .terminator(match format.dialect.line_ending {
            LineEnding::Lf => csv::Terminator::Any(b'\n'),
            LineEnding::Crlf => csv::Terminator::CRLF,
        })
        .from_writer(start);
    let mut write = |image: &[u8], label: &[u8]| {
        let fields = if format.label_first { [label, image] } else { [image, label] };
        writer.write_byte_record(&csv::ByteRecord::from(&fields[..])).map_err(failed)
    };
    write(format.image_column.as_bytes(), format.label_column.as_bytes())?;
    let mut seen = HashSet::with_capacity(rows.len());
    for row in rows {
        let name = format.id_style.name(row.image, row.path);
        let Some(class) = classes.get(usize::from(row.label.0)) else {
            return Err(WriteError::Label { image: row.image, label: row.label, classes: classes.len() });
        };
        match format.label_style {
            LabelStyle::Name => write(&name, class.as_bytes())?,
            LabelStyle::Index => write(&name, row.label.0.to_string().as_bytes())?,
        }
        if let Some(name) = seen.replace(name) {
            return Err(WriteError::DuplicateName { name: PathBytes::new(name) });
        }
    }
    writer.into_inner().map_err(|error| WriteError::Csv { problem: error.to_string() })
}

/// The rows as the format orders them.
fn in_order<'a>(
    format: &SubmissionFormat,
    rows: &[SubmissionRow<'a>],
) -> Result<Vec<SubmissionRow<'a>>, WriteError> {
    match &format.order {
        RowOrder::Path => {
            let mut rows = rows.to_vec();
            rows.sort_by_key(|row| (row.path, row.image));
            Ok(rows)
        }
        RowOrder::Listed(listed) => {
            let mut left: HashMap<ImageId, SubmissionRow<'a>> = HashMap::with_capacity(rows.len());
            let mut extra = Vec::new();
            for row in rows {
                if left.insert(row.image, *row).is_some() {
                    extra.push(row.image);
                }
            }
            let mut ordered = Vec::with_capacity(rows.len());
            let mut missing = Vec::new();
            for image in listed {
                match left.remove(image) {
                    Some(row) => ordered.push(row),
                    None => missing.push(*image),
                }
            }
            extra.extend(left.into_keys());
            extra.sort_unstable();
            if missing.is_empty() && extra.is_empty() {
                Ok(ordered)
            } else {
                Err(WriteError::Images { missing, extra })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::{Dialect, Separator};
    use super::super::format::IdStyle;
    use super::super::sample::{SubmissionImage, format_like};
    use super::*;

    fn row(n: u8, path: &[u8], label: u16) -> SubmissionRow<'_> {
        SubmissionRow { image: ImageId([n; 16]), path, label: ClassIndex(label) }
    }

    fn classes() -> Vec<String> {
        vec!["sea".to_owned(), "for,est".to_owned()]
    }

    #[test]
    fn the_default_is_sorted_by_path_and_exact_in_its_bytes() {
        let rows = [row(1, b"t/b\xff.jpg", 0), row(2, b"t/a\n\"x.jpg", 1), row(3, b"t/B.jpg", 0)];
        let expected = b"image,label\nt/B.jpg,sea\n\"t/a\n\"\"x.jpg\",\"for,est\"\nt/b\xff.jpg,sea\n";
        let format = SubmissionFormat::default();
        assert_eq!(write_csv(&format, &rows, &classes()).unwrap(), expected);
        let reversed: Vec<_> = rows.iter().rev().copied().collect();
        assert_eq!(write_csv(&format, &reversed, &classes()).unwrap(), expected);
    }

    #[test]
    fn every_part_of_the_format_is_followed() {
        let format = SubmissionFormat {
            image_column: "Id".to_owned(),
            label_column: "Cate;gory".to_owned(),
            label_first: true,
            id_style: IdStyle::FileStem,
            label_style: LabelStyle::Index,
            dialect: Dialect {
                separator: Separator::Semicolon,
                line_ending: LineEnding::Crlf,
                byte_order_mark: true,
            },
            order: RowOrder::Listed(vec![ImageId([2; 16]), ImageId([1; 16])]),
            ..SubmissionFormat::default()
        };
        let csv = write_csv(&format, &[row(1, b"a.jpg", 0), row(2, b"x/b.jpg", 1)], &classes()).unwrap();
        assert_eq!(csv, b"\xef\xbb\xbf\"Cate;gory\";Id\r\n1;b\r\n0;a\r\n");
    }

    #[test]
    fn a_sample_written_again_with_its_own_labels_is_itself() {
        let images = [(1, &b"t/1.jpg"[..]), (2, b"t/2.jpg")]
            .map(|(n, path)| SubmissionImage { image: ImageId([n; 16]), path });
        for sample in [
            &b"image_name,label\n2.jpg,0\n1.jpg,1\n"[..],
            b"\xef\xbb\xbflabel\tid\r\n\"sea\"\t2\r\nsea\t1\r\n",
            b"id;label\r\nt/2.jpg;for,est\r\nt/1.jpg;sea\r\n",
        ] {
            let format = format_like(sample, &images, &classes()).unwrap();
            let labels = if sample.starts_with(b"image") {
                [1, 0]
            } else if sample.starts_with(b"id") {
                [0, 1]
            } else {
                [0, 0]
            };
            let rows = [row(1, b"t/1.jpg", labels[0]), row(2, b"t/2.jpg", labels[1])];
            let unquoted: Vec<u8> = sample.iter().copied().filter(|byte| *byte != b'"').collect();
            assert_eq!(write_csv(&format, &rows, &classes()).unwrap(), unquoted);
        }
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let listed = |ids: &[u8]| SubmissionFormat {
            order: RowOrder::Listed(ids.iter().map(|n| ImageId([*n; 16])).collect()),
            ..SubmissionFormat::default()
        };
        let rows = [row(1, b"a.jpg", 0), row(2, b"x/a.jpg", 1)];
        let ids = |n: u8| vec![ImageId([n; 16])];
        assert_eq!(
            write_csv(&listed(&[1, 3]), &rows, &classes()),
            Err(WriteError::Images { missing: ids(3), extra: ids(2) })
        );
        assert_eq!(
            write_csv(&listed(&[1]), &[rows[0], rows[0]], &classes()),
            Err(WriteError::Images { missing: vec![], extra: ids(1) })
        );
        let names = SubmissionFormat { id_style: IdStyle::FileName, ..SubmissionFormat::default() };
        assert_eq!(
            write_csv(&names, &rows, &classes()),
            Err(WriteError::DuplicateName { name: PathBytes::new(&b"a.jpg"[..]) })
        );
        assert!(matches!(
            write_csv(&names, &[row(1, b"a", 2)], &classes()),
            Err(WriteError::Label { classes: 2, .. })
        ));
    }
}
