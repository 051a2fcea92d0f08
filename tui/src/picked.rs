//! Which images are selected for a change.

use crate::model::Model;

/// Whether the image at `place` of the list, in `row` of all, is picked or in
/// the range that is being selected.
pub fn holds(model: &Model, place: usize, row: u32) -> bool {
    let range = model.images.range.map(|start| {
        let (one, two) = (model.images.rows.place(start), model.images.cursor.selected);
        one.min(two)..=one.max(two)
    });
    range.is_some_and(|range| range.contains(&place)) || model.images.picked.contains(&row)
}

/// How many rows are picked or in the range that is being selected.
pub fn count(model: &Model) -> usize {
    let Some(start) = model.images.range else { return model.images.picked.len() };
    let (one, two) = (model.images.rows.place(start), model.images.cursor.selected);
    let (first, last) = (one.min(two), one.max(two));
    let is_outside = |row: &&u32| {
        let place = model.images.rows.place(**row);
        // What the filter hides has a place that is another's.
        !(first..=last).contains(&place) || model.images.rows.row(place) != Some(**row)
    };
    last - first + 1 + model.images.picked.iter().filter(is_outside).count()
}
