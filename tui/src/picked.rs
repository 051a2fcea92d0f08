//! How many images are selected for a change.

use crate::model::Model;

/// How many rows are picked or in the range that is being selected.
pub fn count(model: &Model) -> usize {
    let Some(start) = model.images.range else { return model.images.picked.len() };
    let (one, two) = (model.images.rows.place(start), model.images.cursor.selected);
    let (first, last) = (one.min(two), one.max(two));
    let outside =
        model.images.picked.iter().filter(|row| !(first..=last).contains(&model.images.rows.place(**row)));
    last - first + 1 + outside.count()
}
