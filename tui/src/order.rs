//! In which order images are listed.

use safelight_lineage::state::State;

use crate::judgements::Opinions;

/// By what images are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortKey {
    /// As they came in.
    #[default]
    Import,
    /// By how sure models are of their most probable class, the least sure
    /// first; those without an opinion last.
    Confidence,
    /// By label; those without last.
    Label,
    /// By path.
    Path,
}

impl SortKey {
    const ALL: [SortKey; 4] = [SortKey::Import, SortKey::Confidence, SortKey::Label, SortKey::Path];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            SortKey::Import => "import",
            SortKey::Confidence => "confidence",
            SortKey::Label => "label",
            SortKey::Path => "path",
        }
    }

    /// The key after this one, around the end.
    pub fn next(self) -> SortKey {
        let place = SortKey::ALL.iter().position(|key| *key == self).unwrap_or(0);
        SortKey::ALL[(place + 1) % SortKey::ALL.len()]
    }
}

/// In which order images are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// By what.
    pub key: SortKey,
    /// The last first.
    pub reversed: bool,
}

impl Order {
    /// Whether rows ascend, as they do without sorting.
    pub fn is_plain(self) -> bool {
        self == Order::default()
    }

    /// Whether it needs to know what models say.
    pub fn needs_opinions(self) -> bool {
        self.key == SortKey::Confidence
    }

    /// In words; empty for the plain one.
    pub fn words(self) -> String {
        match (self.is_plain(), self.reversed) {
            (true, _) => String::new(),
            (false, false) => format!("by {}", self.key.name()),
            (false, true) => format!("by {}, reversed", self.key.name()),
        }
    }

    /// The order with this name: `confidence`, `-path`.
    pub fn from_name(name: &str) -> Option<Order> {
        let (reversed, name) = name.strip_prefix('-').map_or((false, name), |rest| (true, rest));
        let key = SortKey::ALL.into_iter().find(|key| key.name() == name)?;
        Some(Order { key, reversed })
    }

    /// Its name, for [`Order::from_name`].
    pub fn to_name(self) -> String {
        format!("{}{}", if self.reversed { "-" } else { "" }, self.key.name())
    }

    /// Puts ascending rows into this order. Equal ones stay ascending.
    pub fn sort(self, rows: &mut [u32], state: &State, opinions: Option<&Opinions>) {
        match self.key {
            SortKey::Import => {}
            SortKey::Confidence => {
                let sure = |row: u32| opinions.and_then(|known| known.of(row)).map_or(2.0, |(_, sure)| sure);
                // Positive floats ascend as their bits do.
                rows.sort_by_cached_key(|row| sure(*row).max(0.0).to_bits());
            }
            SortKey::Label => {
                let label = |row: u32| state.image_at(row as usize).and_then(|image| image.label);
                rows.sort_by_cached_key(|row| label(*row).map_or(u32::MAX, |label| u32::from(label.0)));
            }
            SortKey::Path => {
                let path = |row: u32| state.image_at(row as usize).map_or(&[][..], |image| image.path);
                rows.sort_by(|one, other| path(*one).cmp(path(*other)));
            }
        }
        if self.reversed {
            rows.reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use safelight_lineage::value::ClassIndex;

    use super::*;
    use crate::testing::history::Log;

    fn sorted(name: &str) -> Vec<u32> {
        let state = Log::with_images(12).state;
        let mut opinions = Opinions::new(12);
        opinions.put(5, ClassIndex(0), 0.9);
        opinions.put(2, ClassIndex(0), 0.4);
        let mut rows: Vec<u32> = (0..12).collect();
        Order::from_name(name).expect("an order").sort(&mut rows, &state, Some(&opinions));
        rows
    }

    #[test]
    fn the_least_sure_come_first_and_the_unknown_last() {
        assert_eq!(sorted("confidence")[..4], [2, 5, 0, 1]);
        assert_eq!(sorted("-confidence")[10..], [5, 2]);
    }

    #[test]
    fn labels_and_paths_ascend_and_equals_stay() {
        // Row 9 is of the test split and has no label.
        assert_eq!(sorted("label"), [0, 5, 10, 1, 6, 11, 2, 7, 3, 8, 4, 9]);
        assert_eq!(sorted("import"), (0..12).collect::<Vec<_>>());
        assert_eq!(sorted("path")[..3], [9, 0, 10], "test before train, and text is not numbers");
        assert_eq!(Order::from_name("size"), None);
        let order = Order { key: SortKey::Path, reversed: true };
        assert_eq!(Order::from_name(&order.to_name()), Some(order));
    }
}
