//! The images as a list or a wall of pictures: which are shown, in which order,
//! and which are chosen.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cursor::Cursor;
use crate::filter::ImageFilter;
use crate::order::Order;

/// No place.
const NOWHERE: u32 = u32::MAX;
/// Cells to the right that a tile of the wall takes, by its size, with the gap
/// behind it.
pub const TILE_WIDTHS: [u16; 5] = [9, 13, 17, 25, 37];
/// The size of tiles at first.
pub const USUAL_TILE: usize = 2;

/// Which images are shown, in which order.
#[derive(Debug, Clone)]
pub enum Rows {
    /// All, so many.
    All(usize),
    /// These, ascending.
    Found(Arc<Vec<u32>>),
    /// These, in another order.
    Sorted(Arc<Sorted>),
}

/// Rows in an order of their own.
#[derive(Debug)]
pub struct Sorted {
    rows: Vec<u32>,
    /// By row its place.
    places: Vec<u32>,
}

impl Sorted {
    /// Takes rows as they are ordered.
    pub fn new(rows: Vec<u32>) -> Sorted {
        let len = rows.iter().max().map_or(0, |most| *most as usize + 1);
        let mut places = vec![NOWHERE; len];
        for (place, row) in rows.iter().enumerate() {
            places[*row as usize] = place as u32;
        }
        Sorted { rows, places }
    }
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Rows::All(count) => *count,
            Rows::Found(rows) => rows.len(),
            Rows::Sorted(sorted) => sorted.rows.len(),
        }
    }

    /// The row at a place of the list.
    pub fn row(&self, place: usize) -> Option<u32> {
        match self {
            Rows::All(count) => (place < *count).then_some(place as u32),
            Rows::Found(rows) => rows.get(place).copied(),
            Rows::Sorted(sorted) => sorted.rows.get(place).copied(),
        }
    }

    /// The place of a row in the list, or where it would be; where rows do not
    /// ascend, that is the first place.
    pub fn place(&self, row: u32) -> usize {
        match self {
            Rows::All(_) => row as usize,
            Rows::Found(rows) => rows.partition_point(|other| *other < row),
            Rows::Sorted(sorted) => match sorted.places.get(row as usize) {
                Some(place) if *place != NOWHERE => *place as usize,
                _ => 0,
            },
        }
    }

    /// The rows below `count`: those of a shorter past.
    pub fn below(&self, count: u32) -> Rows {
        match self {
            Rows::All(_) => Rows::All(count as usize),
            Rows::Found(rows) if rows.last().is_some_and(|last| *last >= count) => {
                Rows::Found(Arc::new(rows.iter().copied().filter(|row| *row < count).collect()))
            }
            Rows::Sorted(sorted) if sorted.places.len() > count as usize => {
                let kept = sorted.rows.iter().copied().filter(|row| *row < count).collect();
                Rows::Sorted(Arc::new(Sorted::new(kept)))
            }
            same => same.clone(),
        }
    }
}

/// The images.
#[derive(Debug)]
pub struct Images {
    /// The selected one, as a place in the list.
    pub cursor: Cursor,
    /// The selected one, by its place among all images.
    pub row: u32,
    /// The filter as it was typed.
    pub filter_text: String,
    /// The filter.
    pub filter: ImageFilter,
    /// In which order.
    pub order: Order,
    /// Those shown.
    pub rows: Rows,
    /// The newest search.
    pub generation: u64,
    /// Whether it is still going on.
    pub searching: bool,
    /// Those picked one by one, by row.
    pub picked: BTreeSet<u32>,
    /// Where a range starts, by row.
    pub range: Option<u32>,
    /// Whether they are shown as a wall of pictures.
    pub wall: bool,
    /// The size of the wall's tiles, a place in [`TILE_WIDTHS`].
    pub tile: usize,
}

impl Images {
    /// Whether what is shown must be searched for.
    pub fn needs_search(&self) -> bool {
        !self.filter.is_empty() || !self.order.is_plain()
    }

    /// Whether the search needs to know what models say.
    pub fn needs_opinions(&self) -> bool {
        self.filter.needs_opinions() || self.order.needs_opinions()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_in_every_order() {
        let sorted = Rows::Sorted(Arc::new(Sorted::new(vec![7, 2, 5])));
        assert_eq!((sorted.place(2), sorted.place(3), sorted.place(70)), (1, 0, 0));
        assert_eq!((sorted.row(2), sorted.row(3), sorted.len()), (Some(5), None, 3));
        let shorter = sorted.below(6);
        assert_eq!((shorter.len(), shorter.row(0), shorter.place(5)), (2, Some(2), 1));
        assert_eq!(Rows::Found(Arc::new(vec![1, 4, 9])).below(9).len(), 2);
        assert_eq!(Rows::All(9).below(3).len(), 3);
    }
}
