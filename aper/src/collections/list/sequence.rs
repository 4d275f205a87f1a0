//! What is under a [`List`](super::List): items in an order, to be found by
//! their id.
//!
//! Each item has a *key* of 128 bits, and the order of the keys is the order
//! of the items. An item between two others gets a key between theirs. When
//! two neighbours' keys leave no number free, the items around are spread
//! apart; so a key never grows, however the list is used.
//!
//! A key is nobody's business but this file's: it is not encoded, not
//! compared, and nothing that anybody can observe follows from it except the
//! order. Replicas with the same items may have different keys.
//!
//! # Cost of an insertion
//!
//! To spread apart, take a window of keys around the full gap, at first of 2¹⁵
//! and then each time eight times as wide, until it is sparse: at most 2ᵏ items
//! in a window of 2³ᵏ keys. Spread the items in it evenly. Each of the eight
//! windows of the next smaller size then holds a quarter of what it may hold, so
//! 3/8 of 2ᵏ items have to be inserted in one of them before this one's turn
//! comes again. That is fewer than three moved items for each insertion and
//! size of window; the sizes that can fill up are log *n*, and to move an item
//! is O(log *n*): O(log² *n*) amortised, for the worst order of insertions that
//! there is. At either end of the list, insertions move nothing.

use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use super::{ItemId, Place};

type Key = u128;

/// Distance of the keys at either end of the list.
const STRIDE: Key = 1 << 64;

/// The first window in which items are spread apart has 2³ᵏ keys, with this k.
const SMALLEST_WINDOW: u32 = 5;

pub(super) struct Sequence<T> {
    items: OrdMap<Key, Item<T>>,
    keys: OrdMap<ItemId, Key>,
}

struct Item<T> {
    id: ItemId,
    // Behind a pointer of its own, a value is not copied when its neighbour in
    // the tree changes, whatever a clone of it costs.
    value: Arc<T>,
}

/// What of a sequence is another than in an earlier one.
pub(super) struct Changes<'a, T> {
    /// What is gone, or elsewhere.
    pub(super) removed: Vec<ItemId>,
    /// What is new, or elsewhere, in its order.
    pub(super) placed: Vec<(ItemId, &'a T)>,
    /// What is where it was and may be another, and what it was.
    pub(super) changed: Vec<(ItemId, &'a T, &'a T)>,
}

/// Between two neighbours, or an end of the list: the keys between these two.
#[derive(Clone, Copy)]
pub(super) struct Gap {
    after: Option<Key>,
    before: Option<Key>,
}

impl<T> Sequence<T> {
    pub(super) fn new() -> Self {
        Self { items: OrdMap::new(), keys: OrdMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn contains(&self, id: ItemId) -> bool {
        self.keys.contains_key(&id)
    }

    pub(super) fn get(&self, id: ItemId) -> Option<&T> {
        let key = self.keys.get(&id)?;
        self.items.get(key).map(|item| &*item.value)
    }

    pub(super) fn get_mut(&mut self, id: ItemId) -> Option<&mut Arc<T>> {
        let key = self.keys.get(&id)?;
        self.items.get_mut(key).map(|item| &mut item.value)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (ItemId, &T)> + ExactSizeIterator {
        self.items.iter().map(|(_, item)| item.pair())
    }

    /// The item right before this one.
    pub(super) fn previous(&self, id: ItemId) -> Option<(ItemId, &T)> {
        self.neighbour_before(*self.keys.get(&id)?).map(|(_, item)| item.pair())
    }

    /// The item right after this one.
    pub(super) fn next(&self, id: ItemId) -> Option<(ItemId, &T)> {
        self.neighbour_after(*self.keys.get(&id)?).map(|(_, item)| item.pair())
    }

    /// What is another than in an earlier sequence; an item that has got another
    /// key counts as being elsewhere. Cost: O(changed · log n).
    pub(super) fn changes<'a>(&'a self, earlier: &'a Self) -> Changes<'a, T> {
        let mut changes = Changes { removed: Vec::new(), placed: Vec::new(), changed: Vec::new() };
        for difference in earlier.items.diff(&self.items) {
            match difference {
                DiffItem::Remove(_, item) => changes.removed.push(item.id),
                DiffItem::Add(_, item) => changes.placed.push(item.pair()),
                DiffItem::Update { old: (_, old), new: (_, new) } if old.id == new.id => {
                    changes.changed.push((new.id, &new.value, &old.value));
                }
                DiffItem::Update { old: (_, old), new: (_, new) } => {
                    changes.removed.push(old.id);
                    changes.placed.push(new.pair());
                }
            }
        }
        changes
    }

    /// The gap at a place; the id of the item that the place speaks of if
    /// there is no such item. It is good until an item is inserted.
    pub(super) fn gap(&self, place: Place) -> Result<Gap, ItemId> {
        let key_of = |id: ItemId| self.keys.get(&id).copied().ok_or(id);
        let key = |(key, _): (&Key, _)| *key;
        Ok(match place {
            Place::First => Gap { after: None, before: self.items.iter().next().map(key) },
            Place::Last => Gap { after: self.items.iter().next_back().map(key), before: None },
            Place::Before(id) => {
                let before = key_of(id)?;
                Gap { after: self.neighbour_before(before).map(key), before: Some(before) }
            }
            Place::After(id) => {
                let after = key_of(id)?;
                Gap { after: Some(after), before: self.neighbour_after(after).map(key) }
            }
        })
    }

    /// Puts an item that is not in yet into a gap.
    pub(super) fn insert(&mut self, gap: Gap, id: ItemId, value: Arc<T>) {
        let item = Item { id, value };
        match gap.middle() {
            Some(key) => self.put(key, item),
            None => self.spread(gap, item),
        }
    }

    pub(super) fn remove(&mut self, id: ItemId) -> Option<Arc<T>> {
        let key = self.keys.remove(&id)?;
        self.items.remove(&key).map(|item| item.value)
    }

    fn neighbour_before(&self, key: Key) -> Option<(&Key, &Item<T>)> {
        self.items.range(..key).next_back()
    }

    fn neighbour_after(&self, key: Key) -> Option<(&Key, &Item<T>)> {
        self.items.range((Excluded(key), Unbounded)).next()
    }

    fn put(&mut self, key: Key, item: Item<T>) {
        self.keys.insert(item.id, key);
        self.items.insert(key, item);
    }

    /// Puts an item into a gap that has no key left, by giving new keys to the
    /// items around.
    fn spread(&mut self, gap: Gap, item: Item<T>) {
        let around = gap.after.or(gap.before).unwrap_or_default();
        let (start, width) = (SMALLEST_WINDOW..=Key::BITS / 3)
            .map(|k| (around >> (3 * k) << (3 * k), 1 << (3 * k), 1 << k))
            .find(|&(start, width, capacity)| self.has_room(start, width, capacity))
            .map(|(start, width, _)| (start, width))
            .expect("no memory holds the 2^42 items that fill the widest window");

        let end = start + (width - 1);
        let mut members: Vec<(Key, Item<T>)> =
            self.items.range(start..=end).map(|(key, item)| (*key, item.clone())).collect();
        for (key, _) in &members {
            self.items.remove(key);
        }
        let index = members.partition_point(|(key, _)| Some(*key) <= gap.after);
        members.insert(index, (around, item));

        let distance = width / (members.len() as Key + 1);
        for (rank, (_, item)) in (1..).zip(members) {
            self.put(start + distance * rank, item);
        }
    }

    /// Whether the window of `width` keys from `start` holds fewer items than
    /// `capacity`, so that one more may come.
    fn has_room(&self, start: Key, width: Key, capacity: u64) -> bool {
        let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
        let end = start + (width - 1);
        self.items.range(start..=end).take(capacity).count() < capacity
    }
}

impl Gap {
    /// A key in the gap, if there is one: in the middle, or at either end of
    /// the list, where most insertions are, a stride away from the last one.
    /// It is never the least or the greatest number, so that there is always
    /// one on its other side.
    fn middle(self) -> Option<Key> {
        let low = self.after.unwrap_or(Key::MIN);
        let high = self.before.unwrap_or(Key::MAX);
        let half = (high - low) / 2;
        if half == 0 {
            return None;
        }
        Some(match (self.after, self.before) {
            (Some(_), None) => low + half.min(STRIDE),
            (None, Some(_)) => high - half.min(STRIDE),
            _ => low + half,
        })
    }
}

impl<T> Item<T> {
    fn pair(&self) -> (ItemId, &T) {
        (self.id, &self.value)
    }
}

/// Whether it is one and the same, by where its value is.
impl<T> PartialEq for Item<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && Arc::ptr_eq(&self.value, &other.value)
    }
}

impl<T> Clone for Sequence<T> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), keys: self.keys.clone() }
    }
}

impl<T> Clone for Item<T> {
    fn clone(&self) -> Self {
        Self { id: self.id, value: Arc::clone(&self.value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sequence that knows, as a plain vector, what its order has to be.
    struct Checked {
        sequence: Sequence<()>,
        model: Vec<ItemId>,
    }

    impl Checked {
        /// Two items, one at each end of the gap that is to be filled.
        fn around(gap: Gap) -> Self {
            let mut checked = Self { sequence: Sequence::new(), model: Vec::new() };
            for key in gap.after.into_iter().chain(gap.before) {
                let id = checked.new_id();
                checked.model.push(id);
                checked.sequence.put(key, Item { id, value: Arc::new(()) });
            }
            checked
        }

        fn new_id(&self) -> ItemId {
            ItemId::from_u128(self.model.len() as u128)
        }

        fn insert(&mut self, index: usize) {
            let place = match index.checked_sub(1) {
                None => Place::First,
                Some(before) => Place::After(self.model[before]),
            };
            let id = self.new_id();
            let gap = self.sequence.gap(place).unwrap();
            self.sequence.insert(gap, id, Arc::new(()));
            self.model.insert(index, id);
        }

        fn check(&self) {
            assert!(self.sequence.iter().map(|(id, ())| id).eq(self.model.iter().copied()));
            assert_eq!(self.sequence.keys.len(), self.model.len());
            for (key, item) in &self.sequence.items {
                assert_eq!(self.sequence.keys.get(&item.id), Some(key));
            }
        }
    }

    /// Insertions into `gap`, which is full: in front of the second half of
    /// what has been inserted, so that the gap stays where it is.
    #[track_caller]
    fn check_full(after: Option<Key>, before: Option<Key>) {
        let mut checked = Checked::around(Gap { after, before });
        for count in 0..2000 {
            checked.insert(usize::from(after.is_some()) + count / 2);
            if count % 100 == 0 {
                checked.check();
            }
        }
        checked.check();
    }

    #[test]
    fn a_gap_without_a_key_opens() {
        check_full(Some(1 << 127), Some((1 << 127) + 1));
        // Across the border of every window but the widest.
        check_full(Some((1 << 126) - 1), Some(1 << 126));
    }

    #[test]
    fn there_is_room_before_the_least_key_and_after_the_greatest() {
        check_full(None, Some(1));
        check_full(Some(Key::MAX - 1), None);
    }

    /// The amortised cost that the docs promise, counted and not timed.
    #[test]
    fn insertions_into_one_gap_move_few_items() {
        let mut checked = Checked::around(Gap { after: Some(1 << 127), before: Some(3 << 126) });
        let mut moved = 0;
        for count in 0..20_000 {
            let before = checked.sequence.keys.clone();
            checked.insert(1);
            moved += before.diff(&checked.sequence.keys).count() - 1;
            assert!(count == 0 || moved <= 20 * count, "{moved} moved by {count} insertions");
        }
        checked.check();
    }
}
