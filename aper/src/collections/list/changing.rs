//! Changing a list without a transition.

use std::sync::Arc;

use super::{ItemId, List, ListConflict, Place};

/// Changing without a transition, for a machine of your own that holds a list
/// and has rules of its own; its items need not be machines then. Each checks
/// first and changes then, at the cost of the transition of that kind.
///
/// ```
/// use aper::NeverConflict;
/// use aper::collections::{ItemId, List, ListConflict, Place};
///
/// let [low, high] = [1, 2].map(ItemId::from_u128);
/// let mut levels: List<u8> = List::new();
/// levels.put(low, Place::Last, 3)?;
/// levels.put(high, Place::First, 200)?;
/// levels.put_elsewhere(high, Place::After(low))?;
/// *levels.get_mut(low).expect("it was put in") += 1;
/// assert!(levels.values().eq(&[4, 200]));
/// assert_eq!(levels.take(low), Some(4));
/// let gone: Result<(), ListConflict<NeverConflict>> = levels.put_elsewhere(low, Place::Last);
/// assert_eq!(gone, Err(ListConflict::Missing { id: low }));
/// # Ok::<(), ListConflict<NeverConflict>>(())
/// ```
impl<T> List<T> {
    /// An item to change in place; it is copied if another clone of the list
    /// has it too.
    pub fn get_mut(&mut self, id: ItemId) -> Option<&mut T>
    where
        T: Clone,
    {
        self.items.get_mut(id).map(Arc::make_mut)
    }

    /// Puts a new item in.
    ///
    /// # Errors
    ///
    /// [`ListConflict::Repeated`] when there is an item with this id, and
    /// [`ListConflict::Missing`] when there is none that the place speaks of.
    pub fn put<C>(&mut self, id: ItemId, place: Place, value: T) -> Result<(), ListConflict<C>> {
        if self.contains(id) {
            return Err(ListConflict::Repeated { id });
        }
        let gap = self.gap(place)?;
        self.items.insert(gap, id, Arc::new(value));
        Ok(())
    }

    /// Moves an item to another place. Before or after itself is where it is.
    ///
    /// # Errors
    ///
    /// [`ListConflict::Missing`] when there is no such item, or none that the
    /// place speaks of.
    pub fn put_elsewhere<C>(&mut self, id: ItemId, place: Place) -> Result<(), ListConflict<C>> {
        if !self.contains(id) {
            return Err(ListConflict::Missing { id });
        }
        // The item itself may be at an end of the gap. That the gap is wider
        // without it does no harm, and in a gap beside itself it is where it
        // was.
        let gap = self.gap(place)?;
        if let Some(value) = self.items.remove(id) {
            self.items.insert(gap, id, value);
        }
        Ok(())
    }

    /// Takes an item out, if there is one with this id; it is copied if
    /// another clone of the list has it too.
    pub fn take(&mut self, id: ItemId) -> Option<T>
    where
        T: Clone,
    {
        self.items.remove(id).map(Arc::unwrap_or_clone)
    }
}
