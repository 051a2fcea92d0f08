//! The format of a submission, kept as JSON beside the file it explains.

use std::collections::HashSet;

use safelight_lineage::id::ImageId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dialect::Dialect;

const VERSION: u32 = 1;

/// How an image is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdStyle {
    /// The path as it was imported.
    Path,
    /// What follows the last `/` of the path.
    FileName,
    /// The file name without its last extension.
    FileStem,
    /// The image id, 32 hexadecimal digits.
    ImageId,
}

impl IdStyle {
    /// Every style, in the order in which a sample is tried against them.
    pub const ALL: [IdStyle; 4] = [IdStyle::Path, IdStyle::FileName, IdStyle::FileStem, IdStyle::ImageId];

    /// The name of an image in this style, byte for byte.
    pub fn name(self, image: ImageId, path: &[u8]) -> Vec<u8> {
        let file_name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        match self {
            IdStyle::Path => path.to_vec(),
            IdStyle::FileName => file_name.to_vec(),
            IdStyle::FileStem => {
                // A leading dot starts a name, not an extension.
                let dot = file_name.iter().rposition(|byte| *byte == b'.').filter(|place| *place > 0);
                file_name[..dot.unwrap_or(file_name.len())].to_vec()
            }
            IdStyle::ImageId => image.to_string().into_bytes(),
        }
    }
}

/// How a label is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelStyle {
    /// The class's name.
    Name,
    /// The class's place in the dataset's list, from 0.
    Index,
}

/// Which rows, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOrder {
    /// Every image given, by the bytes of its path, then by id.
    Path,
    /// Exactly these images, in this order.
    Listed(Vec<ImageId>),
}

/// The one version of [`SubmissionFormat`] that there is: 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FormatVersion;

impl Serialize for FormatVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl<'de> Deserialize<'de> for FormatVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            VERSION => Ok(FormatVersion),
            other => Err(serde::de::Error::custom(format_args!("version {other}, expected {VERSION}"))),
        }
    }
}

/// How a submission is written.
///
/// Its JSON is canonical: equal formats have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmissionFormat {
    /// The version of this description.
    pub version: FormatVersion,
    /// The header of the column that names the image.
    pub image_column: String,
    /// The header of the column that states the label.
    pub label_column: String,
    /// Whether the label's column comes first.
    pub label_first: bool,
    /// How images are named.
    pub id_style: IdStyle,
    /// How labels are named.
    pub label_style: LabelStyle,
    /// Separator, line ending, byte order mark.
    pub dialect: Dialect,
    /// Which rows, in which order.
    pub order: RowOrder,
}

/// Why bytes are not a submission format.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// They are not the JSON of one.
    #[error("not a submission format: {0}")]
    Json(#[from] serde_json::Error),
    /// They are of another version.
    #[error("a submission format of version {found}; this program reads version {VERSION}")]
    Version {
        /// The version they state.
        found: u32,
    },
    /// An image is listed twice.
    #[error("the format lists image {image} twice")]
    DuplicateImage {
        /// Which.
        image: ImageId,
    },
}

impl Default for SubmissionFormat {
    /// `image,label` with paths and class names, sorted by path.
    fn default() -> Self {
        SubmissionFormat {
            version: FormatVersion,
            image_column: "image".to_owned(),
            label_column: "label".to_owned(),
            label_first: false,
            id_style: IdStyle::Path,
            label_style: LabelStyle::Name,
            dialect: Dialect::PLAIN,
            order: RowOrder::Path,
        }
    }
}

impl SubmissionFormat {
    /// The blob: JSON, one line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("strings, numbers and lists always become JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// When the bytes are not a format of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        /// Read first, so that a newer format is not called malformed.
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version: found } = serde_json::from_slice(bytes)?;
        if found != VERSION {
            return Err(FormatError::Version { found });
        }
        let format: SubmissionFormat = serde_json::from_slice(bytes)?;
        if let RowOrder::Listed(images) = &format.order {
            let mut seen = HashSet::with_capacity(images.len());
            if let Some(image) = images.iter().find(|image| !seen.insert(**image)) {
                return Err(FormatError::DuplicateImage { image: *image });
            }
        }
        Ok(format)
    }
}

/// `"path"`, or a list of image ids.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredOrder {
    Path,
    Listed(Vec<String>),
}

impl Serialize for RowOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = match self {
            RowOrder::Path => StoredOrder::Path,
            RowOrder::Listed(images) => StoredOrder::Listed(images.iter().map(ImageId::to_string).collect()),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RowOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match StoredOrder::deserialize(deserializer)? {
            StoredOrder::Path => Ok(RowOrder::Path),
            StoredOrder::Listed(texts) => {
                let images: Result<_, _> = texts.iter().map(|text| text.parse()).collect();
                images.map(RowOrder::Listed).map_err(serde::de::Error::custom)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::{LineEnding, Separator};
    use super::*;

    #[test]
    fn the_json_is_stable() {
        let format = SubmissionFormat::default();
        let json = concat!(
            r#"{"version":1,"image_column":"image","label_column":"label","label_first":false,"#,
            r#""id_style":"path","label_style":"name","#,
            r#""dialect":{"separator":"comma","line_ending":"lf","byte_order_mark":false},"order":"path"}"#,
            "\n"
        );
        assert_eq!(String::from_utf8(format.to_bytes()).unwrap(), json);
        let other = SubmissionFormat {
            id_style: IdStyle::FileStem,
            label_style: LabelStyle::Index,
            dialect: Dialect {
                separator: Separator::Tab,
                line_ending: LineEnding::Crlf,
                byte_order_mark: true,
            },
            order: RowOrder::Listed(vec![ImageId([2; 16]), ImageId([1; 16])]),
            ..format
        };
        assert_eq!(SubmissionFormat::from_bytes(&other.to_bytes()).unwrap(), other);
    }

    #[test]
    fn other_json_is_refused() {
        let with = |from: &str, to: &str| {
            let json = String::from_utf8(SubmissionFormat::default().to_bytes()).unwrap();
            assert!(json.contains(from));
            SubmissionFormat::from_bytes(json.replace(from, to).as_bytes()).unwrap_err()
        };
        assert!(matches!(
            with(r#""version":1"#, r#""version":2,"new":0"#),
            FormatError::Version { found: 2 }
        ));
        assert!(matches!(with(r#""version":1"#, r#""version":1,"new":0"#), FormatError::Json(_)));
        assert!(matches!(with(r#""path"}"#, r#"{"listed":["12"]}}"#), FormatError::Json(_)));
        let twice = format!(r#"{{"listed":["{0}","{0}"]}}}}"#, ImageId([1; 16]));
        assert!(matches!(with(r#""path"}"#, &twice), FormatError::DuplicateImage { .. }));
    }

    #[test]
    fn images_are_named_byte_for_byte() {
        let name = |style: IdStyle, path: &[u8]| style.name(ImageId([0xab; 16]), path);
        assert_eq!(name(IdStyle::Path, b"t/\xff.a.jpg"), b"t/\xff.a.jpg");
        assert_eq!(name(IdStyle::FileName, b"t/\xff.a.jpg"), b"\xff.a.jpg");
        assert_eq!(name(IdStyle::FileStem, b"t/\xff.a.jpg"), b"\xff.a");
        assert_eq!(name(IdStyle::FileStem, b"t.x/.hidden"), b".hidden");
        assert_eq!(name(IdStyle::FileStem, b"plain"), b"plain");
        assert_eq!(name(IdStyle::ImageId, b"t"), "ab".repeat(16).into_bytes());
    }
}
