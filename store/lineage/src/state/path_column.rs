//! The paths of images, whose copies share what they have in common.

use std::sync::Arc;

use super::column::PART;

/// Paths of images that follow each other.
#[derive(Debug, Clone, Default)]
struct Part {
    /// Where each ends in `bytes`, ascending.
    ends: Vec<u64>,
    bytes: Vec<u8>,
}

impl Part {
    fn get(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start as usize..self.ends[place] as usize).unwrap_or_default()
    }

    fn push(&mut self, path: &[u8]) {
        self.bytes.extend_from_slice(path);
        self.ends.push(self.bytes.len() as u64);
    }
}

/// A list of paths; in parts, as a [`Column`](super::column::Column) is.
#[derive(Debug, Clone, Default)]
pub(super) struct PathColumn {
    full: Vec<Arc<Part>>,
    /// Fewer than [`PART`] paths.
    last: Part,
}

impl PathColumn {
    /// The paths that end in these places of `bytes`. The places must ascend,
    /// and the last be the end.
    pub(super) fn of(ends: &[u64], bytes: &[u8]) -> PathColumn {
        let mut column = PathColumn::default();
        let mut start = 0;
        for ends in ends.chunks(PART) {
            let end = ends[ends.len() - 1];
            let part = Part {
                ends: ends.iter().map(|end| end - start).collect(),
                bytes: bytes.get(start as usize..end as usize).unwrap_or_default().to_vec(),
            };
            if ends.len() == PART {
                column.full.push(Arc::new(part));
            } else {
                column.last = part;
            }
            start = end;
        }
        column
    }

    pub(super) fn len(&self) -> usize {
        self.full.len() * PART + self.last.ends.len()
    }

    pub(super) fn get(&self, place: usize) -> &[u8] {
        match self.full.get(place / PART) {
            Some(part) => part.get(place % PART),
            None => self.last.get(place - self.full.len() * PART),
        }
    }

    pub(super) fn push(&mut self, path: &[u8]) {
        self.last.push(path);
        if self.last.ends.len() == PART {
            self.full.push(Arc::new(std::mem::take(&mut self.last)));
        }
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.full.iter().map(|part| &**part).chain([&self.last])
    }

    /// Where each ends in all bytes.
    pub(super) fn ends(&self) -> impl Iterator<Item = u64> {
        self.parts()
            .scan(0, |start, part| {
                let before = *start;
                *start += part.bytes.len() as u64;
                Some(part.ends.iter().map(move |end| before + end))
            })
            .flatten()
    }

    /// The bytes of all, in pieces.
    pub(super) fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        self.parts().map(|part| part.bytes.as_slice())
    }

    /// The places of a path, ascending, found by looking at all.
    pub(super) fn scan(&self, path: &[u8]) -> Vec<u32> {
        let mut places = Vec::new();
        for (nth, part) in self.parts().enumerate() {
            let mut start = 0;
            for (place, end) in part.ends.iter().enumerate() {
                if end - start == path.len() as u64 && part.get(place) == path {
                    places.push((nth * PART + place) as u32);
                }
                start = *end;
            }
        }
        places
    }

    /// Where a path of the last part ends, to damage it.
    #[cfg(test)]
    pub(super) fn end_mut(&mut self, place: usize) -> &mut u64 {
        &mut self.last.ends[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_whole() {
        for size in [0, 1, PART - 1, PART, PART + 1, 2 * PART + 9] {
            let path = |place: usize| "x".repeat(place % 7) + &place.to_string();
            let mut column = PathColumn::default();
            (0..size).for_each(|place| column.push(path(place).as_bytes()));
            let (ends, bytes): (Vec<u64>, Vec<&[u8]>) = (column.ends().collect(), column.bytes().collect());
            let bytes = bytes.concat();
            assert_eq!(ends.last().copied().unwrap_or_default(), bytes.len() as u64);
            let again = PathColumn::of(&ends, &bytes);
            for column in [column, again] {
                assert_eq!(column.len(), size);
                assert!((0..size).all(|place| column.get(place) == path(place).as_bytes()));
                for place in [0, PART - 1, PART, size.saturating_sub(1)] {
                    let expected: Vec<u32> = (place < size).then_some(place as u32).into_iter().collect();
                    assert_eq!(column.scan(path(place).as_bytes()), expected);
                }
            }
        }
    }

    #[test]
    fn a_copy_keeps_what_it_had() {
        let mut column = PathColumn::default();
        (0..PART - 1).for_each(|_| column.push(b"a"));
        let before = column.clone();
        column.push(b"b");
        column.push(b"c");
        assert_eq!((before.len(), column.len()), (PART - 1, PART + 1));
        assert_eq!((column.get(PART - 1), column.get(PART)), (&b"b"[..], &b"c"[..]));
    }
}
