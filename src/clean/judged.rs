//! Labels beside what a model said of them.

use safelight_lineage::id::ImageId;
use safelight_lineage::value::{ClassIndex, escape};

use crate::predictions::Probabilities;

/// Why labels and predictions do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JudgedError {
    /// The model knew other classes.
    #[error("the predictions have {predicted} classes where the dataset has {known}")]
    Classes {
        /// Classes predicted.
        predicted: usize,
        /// Classes of the dataset.
        known: usize,
    },
    /// A label is no class.
    #[error("image {image} has label {} of {classes} classes", label.0)]
    Label {
        /// The image.
        image: ImageId,
        /// Its label.
        label: ClassIndex,
        /// How many classes there are.
        classes: usize,
    },
}

/// Predictions with the label of each image, where it has one.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    probabilities: &'a Probabilities,
    classes: &'a [String],
    labels: Vec<Option<ClassIndex>>,
}

impl<'a> Judged<'a> {
    /// Looks up the label of every predicted image. `classes` are the names by
    /// [`ClassIndex`].
    ///
    /// # Errors
    /// When the numbers of classes differ or a label is out of range.
    pub fn new(
        probabilities: &'a Probabilities,
        classes: &'a [String],
        label_of: impl Fn(ImageId) -> Option<ClassIndex>,
    ) -> Result<Self, JudgedError> {
        let (predicted, known) = (probabilities.classes(), classes.len());
        if predicted != known {
            return Err(JudgedError::Classes { predicted, known });
        }
        let checked = |image: &ImageId| match label_of(*image) {
            Some(label) if usize::from(label.0) >= known => {
                Err(JudgedError::Label { image: *image, label, classes: known })
            }
            label => Ok(label),
        };
        let labels = probabilities.images().iter().map(checked).collect::<Result<_, _>>()?;
        Ok(Judged { probabilities, classes, labels })
    }

    /// How many classes.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// Every image with its label and probabilities, ascending by id.
    pub fn rows(&self) -> impl Iterator<Item = (ImageId, Option<ClassIndex>, &[f32])> {
        self.probabilities.rows().zip(&self.labels).map(|((image, row), label)| (image, *label, row))
    }

    /// The name of a class as it may be shown; `?` when there is none.
    pub fn name(&self, class: ClassIndex) -> String {
        class_name(self.classes, class)
    }
}

/// The name of a class as it may be shown; `?` when there is none.
pub(super) fn class_name(classes: &[String], class: ClassIndex) -> String {
    classes.get(usize::from(class.0)).map_or_else(|| "?".to_owned(), |name| escape(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_classes_must_fit() {
        let image = ImageId([1; 16]);
        let probabilities = Probabilities::new(2, vec![image], vec![0.5, 0.5]).unwrap();
        let classes = ["a\x1b".to_owned(), "b".to_owned()];
        let judged = Judged::new(&probabilities, &classes, |_| Some(ClassIndex(1))).unwrap();
        assert_eq!(judged.rows().next(), Some((image, Some(ClassIndex(1)), &[0.5, 0.5][..])));
        assert_eq!((judged.name(ClassIndex(0)), judged.name(ClassIndex(9))), ("a\\u{1b}".into(), "?".into()));
        assert_eq!(
            Judged::new(&probabilities, &classes, |_| Some(ClassIndex(2))).unwrap_err(),
            JudgedError::Label { image, label: ClassIndex(2), classes: 2 }
        );
        assert_eq!(
            Judged::new(&probabilities, &classes[..1], |_| None).unwrap_err(),
            JudgedError::Classes { predicted: 2, known: 1 }
        );
    }
}
