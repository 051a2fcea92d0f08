//! Probabilities of every class for a set of images, and the blob they are
//! kept in.
//!
//! All numbers are little-endian; `n` rows of `k` classes take
//! `16 + 16·n + 4·n·k` bytes:
//!
//! | offset | bytes | what |
//! | --- | --- | --- |
//! | 0 | 4 | `SLPR` |
//! | 4 | 2 | version, 1 |
//! | 6 | 2 | `k`, at least 1 |
//! | 8 | 8 | `n` |
//! | 16 | 16·n | image ids, strictly ascending |
//! | 16+16·n | 4·n·k | probabilities, f32, a row for each image |
//!
//! Equal probabilities have equal bytes, so the blob's digest names them.

use rayon::prelude::*;
use safelight_lineage::id::ImageId;
use safelight_lineage::value::ClassIndex;

const MAGIC: [u8; 4] = *b"SLPR";
const VERSION: u16 = 1;
const HEADER: usize = 16;
const ID: usize = 16;
/// So many rows are read by one thread in one go.
const PART: usize = 8192;

/// How far the sum of a row may be from 1. Softmax in half precision and
/// figures rounded to four decimals stay within it.
pub const ROW_SUM_TOLERANCE: f64 = 1e-3;

/// Why bytes or numbers are not probabilities.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProbabilitiesError {
    /// The blob is of another kind.
    #[error("these bytes are not a probabilities blob")]
    Magic,
    /// The blob is of another version.
    #[error("probabilities of version {found}; this program reads version {VERSION}")]
    Version {
        /// The version it states.
        found: u16,
    },
    /// The blob is cut or has bytes too many.
    #[error("a probabilities blob of {rows} images and {classes} classes does not have {actual} bytes")]
    Length {
        /// The images it states.
        rows: u64,
        /// The classes it states.
        classes: u16,
        /// Its length.
        actual: usize,
    },
    /// The number of classes is zero or does not fit 16 bits.
    #[error("{classes} classes; there are 1 to 65535")]
    Classes {
        /// How many were given.
        classes: usize,
    },
    /// The number of values is not images times classes.
    #[error("{images} images of {classes} classes need as many values each, not {values} together")]
    Shape {
        /// Images given.
        images: usize,
        /// Classes given.
        classes: usize,
        /// Values given.
        values: usize,
    },
    /// An image is listed twice, or, in a blob, not in ascending order.
    #[error("image {image} is listed twice or out of order")]
    Order {
        /// The image.
        image: ImageId,
    },
    /// A value is not a probability.
    #[error("{value} as the probability of class {class} for image {image}; probabilities are 0 to 1")]
    Value {
        /// The image.
        image: ImageId,
        /// The class's place.
        class: usize,
        /// What was given.
        value: f32,
    },
    /// A row's probabilities do not add up to one.
    #[error("the probabilities for image {image} add up to {sum}, not to 1")]
    RowSum {
        /// The image.
        image: ImageId,
        /// Their sum.
        sum: f64,
    },
}

/// The most probable class of a row; of equals the one with the lowest index.
/// An empty row gives class 0.
pub fn argmax(row: &[f32]) -> ClassIndex {
    let mut best = 0;
    for (class, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = class;
        }
    }
    ClassIndex(best as u16)
}

/// Whether a row holds probabilities that add up to one.
fn check_row(image: ImageId, row: &[f32]) -> Result<(), ProbabilitiesError> {
    // Not `value < 0.0 || value > 1.0`: that lets NaN through.
    if let Some(class) = row.iter().position(|value| !(0.0..=1.0).contains(value)) {
        return Err(ProbabilitiesError::Value { image, class, value: row[class] });
    }
    let sum: f64 = row.iter().map(|&value| f64::from(value)).sum();
    if (sum - 1.0).abs() > ROW_SUM_TOLERANCE {
        return Err(ProbabilitiesError::RowSum { image, sum });
    }
    Ok(())
}

/// The probability of every class for a set of images.
///
/// Every value is in 0..=1, every row sums to 1 within [`ROW_SUM_TOLERANCE`],
/// and images ascend by id, each once: there is no other value of this type.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities {
    classes: usize,
    images: Vec<ImageId>,
    values: Vec<f32>,
}

impl Probabilities {
    /// Takes probabilities of `classes` classes, `values` row-major with one
    /// row for each of `images`, in any order of images.
    ///
    /// # Errors
    /// When the shape is wrong, an image comes twice, a value is no
    /// probability, or a row does not sum to 1.
    pub fn new(classes: usize, images: Vec<ImageId>, values: Vec<f32>) -> Result<Self, ProbabilitiesError> {
        if classes == 0 || classes > usize::from(u16::MAX) {
            return Err(ProbabilitiesError::Classes { classes });
        }
        if images.len().checked_mul(classes) != Some(values.len()) {
            return Err(ProbabilitiesError::Shape { images: images.len(), classes, values: values.len() });
        }
        if images.is_sorted() {
            return Self::checked(classes, images, values);
        }
        let mut places: Vec<usize> = (0..images.len()).collect();
        places.sort_by_key(|&place| images[place]);
        let sorted_images = places.iter().map(|&place| images[place]).collect();
        let sorted_values = places
            .iter()
            .flat_map(|&place| &values[place * classes..(place + 1) * classes])
            .copied()
            .collect();
        Self::checked(classes, sorted_images, sorted_values)
    }

    /// Checks everything but the shape.
    fn checked(classes: usize, images: Vec<ImageId>, values: Vec<f32>) -> Result<Self, ProbabilitiesError> {
        if let Some(pair) = images.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(ProbabilitiesError::Order { image: pair[1] });
        }
        for (image, row) in images.iter().zip(values.chunks_exact(classes)) {
            check_row(*image, row)?;
        }
        Ok(Probabilities { classes, images, values })
    }

    /// How many classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The images, ascending by id.
    pub fn images(&self) -> &[ImageId] {
        &self.images
    }

    /// All probabilities, row-major: images by classes.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The images with their rows, ascending by id.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (ImageId, &[f32])> {
        self.images.iter().copied().zip(self.values.chunks_exact(self.classes))
    }

    /// The row of one image.
    pub fn row(&self, image: ImageId) -> Option<&[f32]> {
        let place = self.images.binary_search(&image).ok()?;
        self.values.get(place * self.classes..(place + 1) * self.classes)
    }

    /// The most probable class of one image; of equals the lowest index.
    pub fn argmax(&self, image: ImageId) -> Option<ClassIndex> {
        self.row(image).map(argmax)
    }

    /// The blob.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.images.len() * ID + self.values.len() * 4);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(self.classes as u16).to_le_bytes());
        bytes.extend_from_slice(&(self.images.len() as u64).to_le_bytes());
        for image in &self.images {
            bytes.extend_from_slice(image.as_bytes());
        }
        for value in &self.values {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// The probabilities of one image from a blob of any size, without reading
    /// the others; none when the image is not in it.
    ///
    /// # Errors
    /// When the header or that row is not what [`to_bytes`](Self::to_bytes)
    /// writes. Other rows are not looked at: the store has checked the bytes.
    pub fn row_in(bytes: &[u8], image: ImageId) -> Result<Option<Vec<f32>>, ProbabilitiesError> {
        let (classes, rows, body) = Self::header(bytes)?;
        let (ids, values) = body.split_at(rows * ID);
        let ids = ids.as_chunks::<ID>().0;
        let Ok(place) = ids.binary_search(image.as_bytes()) else { return Ok(None) };
        let row = &values[place * 4 * classes..(place + 1) * 4 * classes];
        let row: Vec<f32> = row.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
        Self::checked(classes, vec![image], row.clone()).map(|_| Some(row))
    }

    /// The most probable class of every image in a blob and its probability, as
    /// `of` takes them; what it gives none for is left out. In the order of the
    /// images, but not one after another: several threads read.
    ///
    /// # Errors
    /// When the bytes are not what [`to_bytes`](Self::to_bytes) writes, but for
    /// the order of the images, which is not looked at.
    pub fn decisions_in<T: Send>(
        bytes: &[u8],
        of: impl Fn(ImageId, ClassIndex, f32) -> Option<T> + Sync,
    ) -> Result<Vec<T>, ProbabilitiesError> {
        let (classes, rows, body) = Self::header(bytes)?;
        let (ids, values) = body.split_at(rows * ID);
        let (ids, values) = (ids.as_chunks::<ID>().0, values.as_chunks::<4>().0);
        let parts = ids.par_chunks(PART).zip(values.par_chunks(PART * classes)).map(|(ids, values)| {
            let mut row = vec![0.0; classes];
            let mut taken = Vec::with_capacity(ids.len());
            for (id, bytes) in ids.iter().zip(values.chunks_exact(classes)) {
                let image = ImageId(*id);
                row.iter_mut().zip(bytes).for_each(|(value, bytes)| *value = f32::from_le_bytes(*bytes));
                check_row(image, &row)?;
                let class = argmax(&row);
                taken.extend(of(image, class, row[usize::from(class.0)]));
            }
            Ok(taken)
        });
        Ok(parts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Reads a blob. Nothing is allocated before the length is known to be
    /// right, so hostile bytes cost no more memory than themselves.
    ///
    /// # Errors
    /// When the bytes are not what [`to_bytes`](Self::to_bytes) writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProbabilitiesError> {
        let (classes, rows, body) = Self::header(bytes)?;
        let (ids, values) = body.split_at(rows * ID);
        let images = ids.as_chunks().0.iter().map(|id| ImageId(*id)).collect();
        let values = values.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
        Self::checked(classes, images, values)
    }

    /// Classes, images and what follows the header, whose length is right.
    fn header(bytes: &[u8]) -> Result<(usize, usize, &[u8]), ProbabilitiesError> {
        let Some((header, body)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(ProbabilitiesError::Magic);
        };
        let [m0, m1, m2, m3, v0, v1, c0, c1, rows @ ..] = *header;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(ProbabilitiesError::Magic);
        }
        let found = u16::from_le_bytes([v0, v1]);
        if found != VERSION {
            return Err(ProbabilitiesError::Version { found });
        }
        let classes = u16::from_le_bytes([c0, c1]);
        if classes == 0 {
            return Err(ProbabilitiesError::Classes { classes: 0 });
        }
        let rows = u64::from_le_bytes(rows);
        let row_length = (ID + 4 * usize::from(classes)) as u64;
        if rows.checked_mul(row_length) != Some(body.len() as u64) {
            return Err(ProbabilitiesError::Length { rows, classes, actual: bytes.len() });
        }
        Ok((usize::from(classes), rows as usize, body))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: u8) -> ImageId {
        ImageId([n; 16])
    }

    fn two() -> Probabilities {
        Probabilities::new(2, vec![id(1), id(2)], vec![0.25, 0.75, 0.5, 0.5]).unwrap()
    }

    #[test]
    fn the_blob_is_what_the_table_says() {
        let bytes = Probabilities::new(2, vec![id(7)], vec![0.25, 0.75]).unwrap().to_bytes();
        let mut expected = b"SLPR\x01\0\x02\0\x01\0\0\0\0\0\0\0".to_vec();
        expected.extend([7; 16]);
        expected.extend([0, 0, 0x80, 0x3e, 0, 0, 0x40, 0x3f]);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn one_row_is_found_in_the_bytes() {
        let mut bytes = two().to_bytes();
        assert_eq!(Probabilities::row_in(&bytes, id(1)), Ok(Some(vec![0.25, 0.75])));
        assert_eq!(Probabilities::row_in(&bytes, id(2)), Ok(Some(vec![0.5, 0.5])));
        assert_eq!(Probabilities::row_in(&bytes, id(3)), Ok(None));
        assert!(Probabilities::row_in(&bytes[..40], id(1)).is_err());
        bytes[48..52].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(matches!(Probabilities::row_in(&bytes, id(1)), Err(ProbabilitiesError::Value { .. })));
        assert!(Probabilities::row_in(&bytes, id(2)).is_ok());
    }

    #[test]
    fn decisions_are_those_of_the_rows_in_their_order() {
        let count = PART as u32 + 3;
        let images: Vec<ImageId> = (0..count).map(|n| ImageId(u128::from(n).to_be_bytes())).collect();
        let values = (0..count).flat_map(|n| if n % 3 == 0 { [0.75, 0.25] } else { [0.5, 0.5] });
        let all = Probabilities::new(2, images, values.collect()).unwrap();
        let mut bytes = all.to_bytes();
        let even = |image: ImageId| image.0[15].is_multiple_of(2);
        let said = Probabilities::decisions_in(&bytes, |image, class, sure| {
            even(image).then_some((image, class, sure))
        });
        let expected = all.rows().filter(|(image, _)| even(*image));
        let expected: Vec<_> = expected.map(|(image, row)| (image, argmax(row), row[0])).collect();
        assert_eq!(said, Ok(expected));
        let last = bytes.len() - 4;
        bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
        let refused = Probabilities::decisions_in(&bytes, |image, _, _| Some(image));
        assert!(matches!(refused, Err(ProbabilitiesError::Value { class: 1, .. })));
        assert!(Probabilities::decisions_in(&bytes[..last], |image, _, _| Some(image)).is_err());
    }

    #[test]
    fn rows_are_found_and_ties_go_to_the_lowest_class() {
        let probabilities = two();
        assert_eq!(probabilities.row(id(1)), Some(&[0.25, 0.75][..]));
        assert_eq!(probabilities.argmax(id(1)), Some(ClassIndex(1)));
        assert_eq!(probabilities.argmax(id(2)), Some(ClassIndex(0)));
        assert_eq!(probabilities.row(id(3)), None);
    }

    #[test]
    fn images_given_in_any_order_take_their_rows_along() {
        let other = Probabilities::new(2, vec![id(2), id(1)], vec![0.5, 0.5, 0.25, 0.75]).unwrap();
        assert_eq!(other, two());
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        let new = |values: [f32; 2]| Probabilities::new(2, vec![id(1)], values.to_vec());
        assert!(matches!(new([f32::NAN, 1.0]), Err(ProbabilitiesError::Value { class: 0, .. })));
        assert!(matches!(new([1.25, -0.25]), Err(ProbabilitiesError::Value { class: 0, .. })));
        assert!(matches!(new([0.5, f32::INFINITY]), Err(ProbabilitiesError::Value { class: 1, .. })));
        assert!(matches!(new([0.5, 0.4]), Err(ProbabilitiesError::RowSum { .. })));
        assert!(new([0.5, 0.4995]).is_ok());
        let twice = Probabilities::new(1, vec![id(1), id(1)], vec![1.0, 1.0]);
        assert_eq!(twice, Err(ProbabilitiesError::Order { image: id(1) }));
        assert!(matches!(
            Probabilities::new(2, vec![id(1)], vec![1.0]),
            Err(ProbabilitiesError::Shape { .. })
        ));
        assert!(matches!(Probabilities::new(0, vec![], vec![]), Err(ProbabilitiesError::Classes { .. })));
    }

    #[test]
    fn hostile_blobs_are_refused_before_anything_is_allocated() {
        let good = two().to_bytes();
        let with = |place: usize, patch: &[u8]| {
            let mut bytes = good.clone();
            bytes[place..place + patch.len()].copy_from_slice(patch);
            Probabilities::from_bytes(&bytes)
        };
        assert_eq!(with(0, b"X"), Err(ProbabilitiesError::Magic));
        assert_eq!(with(4, &[2]), Err(ProbabilitiesError::Version { found: 2 }));
        assert_eq!(with(6, &[0]), Err(ProbabilitiesError::Classes { classes: 0 }));
        assert!(matches!(with(8, &[255; 8]), Err(ProbabilitiesError::Length { .. })));
        // 2^61 rows of 24 bytes wrap to 0 in 64 bits.
        let mut wrapping = good[..16].to_vec();
        wrapping[8..16].copy_from_slice(&(1u64 << 61).to_le_bytes());
        assert!(matches!(Probabilities::from_bytes(&wrapping), Err(ProbabilitiesError::Length { .. })));
        assert_eq!(with(16, &[2; 16]), Err(ProbabilitiesError::Order { image: id(2) }));
        assert_eq!(with(16, &[3; 16]), Err(ProbabilitiesError::Order { image: id(2) }));
        assert!(matches!(with(48, &f32::NAN.to_le_bytes()), Err(ProbabilitiesError::Value { .. })));
        for length in 0..good.len() {
            assert!(Probabilities::from_bytes(&good[..length]).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn blobs_round_trip(rows in prop::collection::btree_map(any::<[u8; 16]>(), prop::collection::vec(1u16.., 5), 0..20)) {
            let images: Vec<ImageId> = rows.keys().map(|id| ImageId(*id)).collect();
            let values = rows.values().flat_map(|row| {
                let sum: f32 = row.iter().map(|&part| f32::from(part)).sum();
                row.iter().map(move |&part| f32::from(part) / sum)
            }).collect();
            let probabilities = Probabilities::new(5, images, values).unwrap();
            prop_assert_eq!(Probabilities::from_bytes(&probabilities.to_bytes()), Ok(probabilities));
        }

        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), framed: bool) {
            if framed && bytes.len() >= 8 {
                bytes[..8].copy_from_slice(b"SLPR\x01\0\x02\0");
            }
            if let Ok(probabilities) = Probabilities::from_bytes(&bytes) {
                prop_assert_eq!(probabilities.to_bytes(), bytes);
            }
        }
    }
}
