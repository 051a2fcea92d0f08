//! Records by id, in the order in which they came.

use std::collections::BTreeMap;

use crate::codec::{Code, Reader, SnapshotError};

/// A record that knows its own id.
pub trait Registered {
    /// What names it.
    type Id: Ord + Copy;

    /// Its id.
    fn id(&self) -> Self::Id;
}

/// The records of one kind, in order of their events.
#[derive(Debug, Clone)]
pub struct Registry<R: Registered> {
    records: Vec<R>,
    places: BTreeMap<R::Id, usize>,
}

impl<R: Registered> Default for Registry<R> {
    fn default() -> Self {
        Registry { records: Vec::new(), places: BTreeMap::new() }
    }
}

impl<R: Registered> Registry<R> {
    /// The record with this id.
    pub fn get(&self, id: R::Id) -> Option<&R> {
        self.places.get(&id).and_then(|place| self.records.get(*place))
    }

    /// Whether there is a record with this id.
    pub fn contains(&self, id: R::Id) -> bool {
        self.places.contains_key(&id)
    }

    /// The records, oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, R> {
        self.records.iter()
    }

    /// The records by id, ascending.
    pub fn by_id(&self) -> impl Iterator<Item = &R> {
        self.places.values().filter_map(|place| self.records.get(*place))
    }

    /// The ids, ascending.
    pub fn ids(&self) -> impl Iterator<Item = R::Id> {
        self.places.keys().copied()
    }

    /// The newest record.
    pub fn last(&self) -> Option<&R> {
        self.records.last()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn get_mut(&mut self, id: R::Id) -> Option<&mut R> {
        self.places.get(&id).and_then(|place| self.records.get_mut(*place))
    }

    /// Adds a record; false, and nothing added, when its id is taken.
    pub(super) fn insert(&mut self, record: R) -> bool {
        let id = record.id();
        if self.places.contains_key(&id) {
            return false;
        }
        self.places.insert(id, self.records.len());
        self.records.push(record);
        true
    }
}

impl<'a, R: Registered> IntoIterator for &'a Registry<R> {
    type Item = &'a R;
    type IntoIter = std::slice::Iter<'a, R>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<R: Registered + Code> Code for Registry<R> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.records.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let mut registry = Registry::default();
        for record in Vec::<R>::decode(reader)? {
            if !registry.insert(record) {
                return Err(reader.malformed("two records have one id"));
            }
        }
        Ok(registry)
    }
}
