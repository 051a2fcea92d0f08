//! A long list whose copies share what they have in common.
//!
//! The state of a million images is a hundred megabytes, and whoever shows it
//! wants one that stands still while the log goes on. So a copy costs a few
//! thousand pointers, and a change copies one part of the list and not all.

use std::ops::{Index, IndexMut};
use std::sync::Arc;

use crate::codec::{Code, Reader, SnapshotError};

/// Entries of a part. A power of two, so that dividing by it is a shift. The
/// tests of the laws are to see many parts.
pub(super) const PART: usize = if cfg!(test) { 4 } else { 4096 };

/// A list in parts. All but the last are full and may be shared with copies;
/// the last, which grows, is this one's own.
#[derive(Debug, Clone)]
pub(super) struct Column<T> {
    full: Vec<Arc<Vec<T>>>,
    /// Fewer than [`PART`] entries.
    last: Vec<T>,
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Column { full: Vec::new(), last: Vec::new() }
    }
}

impl<T> Column<T> {
    pub(super) fn len(&self) -> usize {
        self.full.len() * PART + self.last.len()
    }

    pub(super) fn get(&self, place: usize) -> Option<&T> {
        match self.full.get(place / PART) {
            Some(part) => part.get(place % PART),
            None => self.last.get(place.checked_sub(self.full.len() * PART)?),
        }
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.get(self.len().checked_sub(1)?)
    }

    pub(super) fn push(&mut self, value: T) {
        self.last.push(value);
        if self.last.len() == PART {
            self.full.push(Arc::new(std::mem::take(&mut self.last)));
        }
    }

    /// The list of these parts; all but the last must be full.
    pub(super) fn of_parts(parts: impl Iterator<Item = Vec<T>>) -> Column<T> {
        let mut column = Column::default();
        for part in parts {
            debug_assert!(column.last.is_empty() && part.len() <= PART);
            if part.len() == PART {
                column.full.push(Arc::new(part));
            } else {
                column.last = part;
            }
        }
        column
    }

    /// The parts, in order.
    pub(super) fn parts(&self) -> impl DoubleEndedIterator<Item = &[T]> + Clone {
        self.full.iter().map(|part| part.as_slice()).chain([self.last.as_slice()])
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        self.parts().flatten()
    }

    /// The entries from a place on.
    pub(super) fn iter_from(&self, place: usize) -> impl Iterator<Item = &T> {
        let first = (place / PART).min(self.full.len());
        let parts = self.full[first..].iter().map(|part| part.as_slice()).chain([self.last.as_slice()]);
        parts.flatten().skip(place - first * PART)
    }

    /// How many entries at the beginning `holds` is true of, when it is true
    /// of none after one that it is false of.
    pub(super) fn partition_point(&self, holds: impl Fn(&T) -> bool) -> usize {
        let part = self.full.partition_point(|part| part.last().is_some_and(&holds));
        let rest = self.full.get(part).map_or(&self.last, |part| part);
        part * PART + rest.partition_point(holds)
    }
}

impl<T: Clone> Column<T> {
    /// Puts a value in a place. A part that copies share stays theirs; what is
    /// equal is not put, so that it stays shared.
    pub(super) fn set(&mut self, place: usize, value: T)
    where
        T: PartialEq,
    {
        if self[place] != value {
            self[place] = value;
        }
    }
}

impl<T> Index<usize> for Column<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        match self.full.get(place / PART) {
            Some(part) => &part[place % PART],
            None => &self.last[place - self.full.len() * PART],
        }
    }
}

impl<T: Clone> IndexMut<usize> for Column<T> {
    fn index_mut(&mut self, place: usize) -> &mut T {
        let before = self.full.len() * PART;
        match self.full.get_mut(place / PART) {
            Some(part) => &mut Arc::make_mut(part)[place % PART],
            None => &mut self.last[place - before],
        }
    }
}

impl<T> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut column = Column::default();
        values.into_iter().for_each(|value| column.push(value));
        column
    }
}

impl<T: PartialEq> PartialEq for Column<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<T: Code> Code for Column<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        self.iter().for_each(|value| value.encode(out));
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let mut column = Column::default();
        for _ in 0..reader.count()? {
            column.push(T::decode(reader)?);
        }
        Ok(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 6] = [0, 1, PART - 1, PART, PART + 1, 3 * PART + 2];

    #[test]
    fn it_is_the_list_that_was_put_in() {
        for size in SIZES {
            let list: Vec<usize> = (0..size).collect();
            let pushed: Column<usize> = list.iter().copied().collect();
            for column in [Column::of_parts(list.chunks(PART).map(<[usize]>::to_vec)), pushed] {
                assert_eq!(column.len(), size);
                assert!(column.iter().eq(&list) && column.iter().rev().eq(list.iter().rev()));
                assert_eq!(column.last(), list.last());
                assert!((0..size + 2).all(|place| column.get(place) == list.get(place)));
                for place in SIZES.into_iter().filter(|place| *place <= size) {
                    assert!(column.iter_from(place).eq(&list[place..]), "{size} from {place}");
                    assert_eq!(column.partition_point(|value| *value < place), place);
                }
            }
        }
    }

    #[test]
    fn a_copy_shares_all_parts_but_those_that_change() {
        let mut column: Column<usize> = (0..3 * PART + 2).collect();
        let before = column.clone();
        column[PART + 1] = 0;
        column[3 * PART + 1] = 1;
        column.set(2 * PART, 2 * PART);
        column.push(9);
        assert!(before.iter().copied().eq(0..3 * PART + 2), "the copy is as it was");
        assert_eq!((column[PART + 1], column[3 * PART + 1], column.last()), (0, 1, Some(&9)));
        let shared: Vec<bool> =
            column.full.iter().zip(&before.full).map(|(one, two)| Arc::ptr_eq(one, two)).collect();
        assert_eq!(shared, [true, false, true]);
    }
}
