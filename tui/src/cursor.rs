//! A selection in a list of which only a window is shown.

/// Which row is selected and which is the first that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The selected row.
    pub selected: usize,
    /// The first row that is shown.
    pub offset: usize,
}

impl Cursor {
    /// Moves the selection by `delta` rows within `len`.
    pub fn step(&mut self, delta: isize, len: usize) {
        self.selected = self.selected.saturating_add_signed(delta).min(len.saturating_sub(1));
    }

    /// Keeps the selection in the list and in the window of `height` rows, which
    /// is moved as little as possible and leaves no gap at the end.
    pub fn settle(&mut self, len: usize, height: usize) {
        self.selected = self.selected.min(len.saturating_sub(1));
        let height = height.max(1);
        self.offset = self.offset.min(len.saturating_sub(height)).min(self.selected);
        if self.selected >= self.offset + height {
            self.offset = self.selected + 1 - height;
        }
    }

    /// The same where `columns` rows of the list stand side by side in each of
    /// `lines` lines; the window starts with a whole line.
    pub fn settle_wall(&mut self, len: usize, columns: usize, lines: usize) {
        let columns = columns.max(1);
        self.selected = self.selected.min(len.saturating_sub(1));
        let mut line = Cursor { selected: self.selected / columns, offset: self.offset / columns };
        line.settle(len.div_ceil(columns), lines);
        self.offset = line.offset * columns;
    }

    /// The rows that are shown.
    pub fn window(&self, len: usize, height: usize) -> std::ops::Range<usize> {
        let start = self.offset.min(len);
        start..start.saturating_add(height).min(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_stays_in_the_window() {
        let mut cursor = Cursor::default();
        cursor.step(7, 10);
        cursor.settle(10, 5);
        assert_eq!(cursor, Cursor { selected: 7, offset: 3 });
        cursor.step(-6, 10);
        cursor.settle(10, 5);
        assert_eq!(cursor, Cursor { selected: 1, offset: 1 });
        cursor.step(100, 10);
        cursor.settle(10, 20);
        assert_eq!(cursor, Cursor { selected: 9, offset: 0 });
        cursor.settle(0, 0);
        assert_eq!(cursor, Cursor::default());
        let mut wall = Cursor { selected: 17, offset: 5 };
        wall.settle_wall(30, 4, 3);
        assert_eq!(wall, Cursor { selected: 17, offset: 8 });
        wall.settle_wall(6, 4, 3);
        assert_eq!(wall, Cursor { selected: 5, offset: 0 });
        assert_eq!(cursor.window(0, 9), 0..0);
    }
}
