//! What a document is made of: persistent trees that know their size.

use std::sync::Arc;

use aper::NeverConflict;
use aper::collections::{Counter, ItemId, List, ListConflict, Place, RepeatedItem};
use imbl::OrdMap;

use crate::json::Json;
use crate::number::Number;
use crate::value::{HEAD, Value, text_size};

/// A clone is O(1): everything that can be long is shared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(Arc<str>),
    Array(Arc<[Json]>),
    Object(Object),
    List(Items),
    Counter(Counter),
}

/// Values by key. A value behind a pointer of its own is not copied when its
/// neighbour in the tree changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    entries: OrdMap<Arc<str>, Arc<Value>>,
    size: u64,
}

/// Values in an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Items {
    items: List<Value>,
    size: u64,
}

/// In bytes: what an id takes.
const ID: u64 = 16;

impl Object {
    pub(crate) fn new() -> Self {
        Self { entries: OrdMap::new(), size: HEAD }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key).map(|value| &**value)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (&**key, &**value))
    }

    pub(crate) fn insert(&mut self, key: Arc<str>, value: Value) {
        self.size += text_size(&key) + value.size();
        let overhead = text_size(&key);
        if let Some(old) = self.entries.insert(key, Arc::new(value)) {
            self.size -= overhead + old.size();
        }
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<()> {
        let old = self.entries.remove(key)?;
        self.size -= text_size(key) + old.size();
        Some(())
    }

    /// Changes a value, if there is one under the key, and learns its new size.
    pub(crate) fn change<R>(
        &mut self,
        key: &str,
        change: impl FnOnce(&mut Value) -> R,
    ) -> Option<R> {
        let value = Arc::make_mut(self.entries.get_mut(key)?);
        let before = value.size();
        let result = change(value);
        self.size = self.size - before + value.size();
        Some(result)
    }
}

impl FromIterator<(Arc<str>, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Self {
        let mut object = Self::new();
        for (key, value) in entries {
            object.insert(key, value);
        }
        object
    }
}

impl Items {
    /// # Errors
    ///
    /// When two items have the same id.
    pub(crate) fn try_from_iter(
        items: impl IntoIterator<Item = (ItemId, Value)>,
    ) -> Result<Self, RepeatedItem> {
        List::try_from_iter(items).map(Self::from)
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn get(&self, id: ItemId) -> Option<&Value> {
        self.items.get(id)
    }

    pub(crate) fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = (ItemId, &Value)> + ExactSizeIterator {
        self.items.iter()
    }

    /// The list itself, to be encoded.
    pub(crate) fn list(&self) -> &List<Value> {
        &self.items
    }

    pub(crate) fn insert(
        &mut self,
        id: ItemId,
        place: Place,
        value: Value,
    ) -> Result<(), ListConflict<NeverConflict>> {
        let size = value.size();
        self.items.put(id, place, value)?;
        self.size += ID + size;
        Ok(())
    }

    pub(crate) fn move_to(
        &mut self,
        id: ItemId,
        place: Place,
    ) -> Result<(), ListConflict<NeverConflict>> {
        self.items.put_elsewhere(id, place)
    }

    pub(crate) fn remove(&mut self, id: ItemId) -> Option<Value> {
        let value = self.items.take(id)?;
        self.size -= ID + value.size();
        Some(value)
    }

    /// Changes an item, if there is one with the id, and learns its new size.
    pub(crate) fn change<R>(
        &mut self,
        id: ItemId,
        change: impl FnOnce(&mut Value) -> R,
    ) -> Option<R> {
        let value = self.items.get_mut(id)?;
        let before = value.size();
        let result = change(value);
        self.size = self.size - before + value.size();
        Some(result)
    }
}

impl From<List<Value>> for Items {
    fn from(items: List<Value>) -> Self {
        let size = HEAD + items.values().map(|value| ID + value.size()).sum::<u64>();
        Self { items, size }
    }
}
