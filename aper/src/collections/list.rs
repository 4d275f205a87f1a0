//! [`List`]: machines in an order that people change at once.

use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::apply_to_part;
use crate::context::Context;
use crate::diff::{Diff, Keyed};
use crate::state_machine::{Prediction, StateMachine};

mod changing;
mod item_id;
mod sequence;
#[cfg(test)]
mod tests;

pub use item_id::{InvalidItemId, ItemId};
use sequence::{Gap, Sequence};

/// Machines in an order. Each item has an [`ItemId`], which stays when the item
/// moves or changes, and by which every transition names the item it means: so
/// two people who move different items to one place lose neither, and who
/// changes an item that somebody else is moving changes that item.
///
/// An id is chosen by whoever inserts the item, at random, since only that
/// makes it unique before the server has seen it.
///
/// *n* is the number of items; what the item itself does comes on top:
///
/// | operation | cost |
/// |---|---|
/// | clone, [`len`](Self::len) | O(1) |
/// | `Apply`, `Remove`, [`get`](Self::get), [`contains`](Self::contains) | O(log n) |
/// | [`first`](Self::first), [`last`](Self::last), [`previous`](Self::previous), [`next`](Self::next) | O(log n) |
/// | `Insert`, `Move` | O(log n) at either end; elsewhere O(log² n) amortised over the insertions there |
/// | [`iter`](Self::iter), [`ids`](Self::ids), [`values`](Self::values), equality | O(n) |
/// | [`nth`](Self::nth), [`position`](Self::position) | O(n): items are known by id, and nothing counts them by place |
///
/// Amortised means that most insertions between two items are O(log n), and now
/// and then one makes room for many to come, at a cost of up to O(n log n).
///
/// What is encoded is the ids and the items in their order, and nothing that
/// would grow as they are moved about.
///
/// ```
/// use aper::collections::{Atom, ItemId, List, ListConflict, Place};
/// use aper::{Context, StateMachine};
///
/// let cx = Context::for_test();
/// let [milk, eggs, tea] = [1, 2, 3].map(ItemId::from_u128);
/// let mut groceries: List<Atom<String>> = List::new();
/// groceries.apply(&List::insert(milk, Place::Last, Atom::new("milk".to_owned())), &cx)?;
/// groceries.apply(&List::insert(eggs, Place::Last, Atom::new("eggs".to_owned())), &cx)?;
/// groceries.apply(&List::insert(tea, Place::After(milk), Atom::new("tea".to_owned())), &cx)?;
///
/// // One moves an item while another changes it: both happen.
/// groceries.apply(&List::move_to(eggs, Place::First), &cx)?;
/// groceries.apply(&List::apply_to(eggs, Atom::set("six eggs".to_owned())), &cx)?;
/// let texts: Vec<_> = groceries.values().map(Atom::get).collect();
/// assert_eq!(texts, ["six eggs", "milk", "tea"]);
///
/// groceries.apply(&List::remove(tea), &cx)?;
/// assert_eq!(groceries.apply(&List::remove(tea), &cx), Err(ListConflict::Missing { id: tea }));
/// # Ok::<(), ListConflict<aper::NeverConflict>>(())
/// ```
pub struct List<T> {
    items: Sequence<T>,
}

/// Where in a [`List`].
///
/// A place names its neighbour and not a number, so that it still means the
/// same when others have inserted or removed meanwhile:
///
/// ```
/// use aper::collections::{Atom, ItemId, List, Place};
/// use aper::{Context, StateMachine};
///
/// let [one, two, three] = [1, 2, 3].map(ItemId::from_u128);
/// let mut list = List::try_from_iter([(one, Atom::new(1)), (three, Atom::new(3))])?;
/// list.apply(&List::insert(two, Place::Before(three), Atom::new(2)), &Context::for_test())?;
/// assert_eq!(list.position(two), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    /// Before all other items.
    First,
    /// After all other items.
    #[default]
    Last,
    /// Right before this item.
    Before(ItemId),
    /// Right after this item.
    After(ItemId),
}

/// What can happen to a [`List`].
///
/// The functions of [`List`] make them; a machine that holds a list matches on
/// them:
///
/// ```
/// use aper::collections::{Counter, ItemId, ListTransition};
///
/// /// Whether a transition may lose what somebody counted.
/// fn is_destructive(transition: &ListTransition<Counter>) -> bool {
///     matches!(transition, ListTransition::Remove { .. })
/// }
/// assert!(is_destructive(&ListTransition::Remove { id: ItemId::from_u128(1) }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "T: StateMachine")]
pub enum ListTransition<T: StateMachine> {
    /// A new item.
    Insert {
        /// Its id, which no item of the list may have.
        id: ItemId,
        /// Where.
        place: Place,
        /// The item.
        value: T,
    },
    /// An item goes to another place. Before or after itself is where it is.
    Move {
        /// Which.
        id: ItemId,
        /// Where to.
        place: Place,
    },
    /// An item goes for good.
    Remove {
        /// Which.
        id: ItemId,
    },
    /// Something happens to an item.
    Apply {
        /// To which.
        id: ItemId,
        /// What happens.
        transition: T::Transition,
    },
}

/// Why a [`List`] refuses; `C` is the conflict of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ListConflict<C> {
    /// The item is not in the list: it never was, or somebody removed it. It
    /// is the one that the transition is for, or the one that its place is
    /// before or after.
    #[error("there is no item {id}")]
    Missing {
        /// The item.
        id: ItemId,
    },
    /// An item with this id is in the list already.
    #[error("there is an item {id} already")]
    Repeated {
        /// The id.
        id: ItemId,
    },
    /// The item refuses.
    #[error("item {id}: {conflict}")]
    Item {
        /// Which.
        id: ItemId,
        /// Why it refuses.
        conflict: C,
    },
}

/// Two items of an initial state have the same id.
///
/// ```
/// use aper::collections::{Counter, ItemId, List, RepeatedItem};
/// let id = ItemId::from_u128(1);
/// let items = [(id, Counter::default()), (id, Counter::default())];
/// assert_eq!(List::try_from_iter(items).err(), Some(RepeatedItem(id)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two items have the id {0}")]
pub struct RepeatedItem(pub ItemId);

/// Transitions.
impl<T: StateMachine> List<T> {
    /// The transition that inserts an item.
    pub const fn insert(id: ItemId, place: Place, value: T) -> ListTransition<T> {
        ListTransition::Insert { id, place, value }
    }

    /// The transition that moves an item.
    pub const fn move_to(id: ItemId, place: Place) -> ListTransition<T> {
        ListTransition::Move { id, place }
    }

    /// The transition that removes an item.
    pub const fn remove(id: ItemId) -> ListTransition<T> {
        ListTransition::Remove { id }
    }

    /// The transition that makes something happen to an item.
    pub const fn apply_to(id: ItemId, transition: T::Transition) -> ListTransition<T> {
        ListTransition::Apply { id, transition }
    }
}

/// Reading.
///
/// ```
/// use aper::collections::{Atom, ItemId, List};
///
/// let [milk, eggs, tea] = [1, 2, 3].map(ItemId::from_u128);
/// let items = [(milk, "milk"), (eggs, "eggs"), (tea, "tea")];
/// let list = List::try_from_iter(items.map(|(id, text)| (id, Atom::new(text.to_owned()))))?;
///
/// // By id: ...
/// assert!(list.contains(eggs));
/// assert_eq!(list.get(eggs).map(Atom::get).map(String::as_str), Some("eggs"));
/// assert_eq!(list.next(milk).map(|(id, _)| id), Some(eggs));
/// assert_eq!(list.previous(milk), None);
/// assert_eq!(list.position(tea), Some(2));
/// // ... and by place.
/// assert_eq!(list.first().map(|(id, _)| id), list.nth(0).map(|(id, _)| id));
/// assert_eq!(list.last().map(|(id, _)| id), Some(tea));
/// assert_eq!(list.ids().collect::<Vec<_>>(), [milk, eggs, tea]);
/// let lengths: Vec<usize> = list.iter().map(|(_, text)| text.get().len()).collect();
/// assert_eq!((list.len(), list.is_empty(), lengths), (3, false, vec![4, 4, 3]));
/// # Ok::<(), aper::collections::RepeatedItem>(())
/// ```
impl<T> List<T> {
    /// A list without items.
    #[must_use]
    pub fn new() -> Self {
        Self { items: Sequence::new() }
    }

    /// A list with these items in this order, as an initial state.
    ///
    /// # Errors
    ///
    /// When two items have the same id.
    pub fn try_from_iter(
        items: impl IntoIterator<Item = (ItemId, T)>,
    ) -> Result<Self, RepeatedItem> {
        let mut list = Self::new();
        for (id, value) in items {
            list.push(id, value)?;
        }
        Ok(list)
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is an item with this id.
    #[must_use]
    pub fn contains(&self, id: ItemId) -> bool {
        self.items.contains(id)
    }

    /// The item with this id.
    #[must_use]
    pub fn get(&self, id: ItemId) -> Option<&T> {
        self.items.get(id)
    }

    /// The first item.
    #[must_use]
    pub fn first(&self) -> Option<(ItemId, &T)> {
        self.iter().next()
    }

    /// The last item.
    #[must_use]
    pub fn last(&self) -> Option<(ItemId, &T)> {
        self.iter().next_back()
    }

    /// The item right before this one, if there are both.
    #[must_use]
    pub fn previous(&self, id: ItemId) -> Option<(ItemId, &T)> {
        self.items.previous(id)
    }

    /// The item right after this one, if there are both.
    #[must_use]
    pub fn next(&self, id: ItemId) -> Option<(ItemId, &T)> {
        self.items.next(id)
    }

    /// The item that so many others are before.
    #[must_use]
    pub fn nth(&self, index: usize) -> Option<(ItemId, &T)> {
        self.iter().nth(index)
    }

    /// How many items are before the one with this id, if there is one.
    #[must_use]
    pub fn position(&self, id: ItemId) -> Option<usize> {
        self.contains(id).then(|| self.ids().take_while(|&other| other != id).count())
    }

    /// The items and their ids, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (ItemId, &T)> + ExactSizeIterator {
        self.items.iter()
    }

    /// The ids of the items, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = ItemId> + ExactSizeIterator {
        self.iter().map(|(id, _)| id)
    }

    /// The items, in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.iter().map(|(_, value)| value)
    }

    fn push(&mut self, id: ItemId, value: T) -> Result<(), RepeatedItem> {
        match self.items.gap(Place::Last) {
            Ok(last) if !self.contains(id) => {
                self.items.insert(last, id, Arc::new(value));
                Ok(())
            }
            _ => Err(RepeatedItem(id)),
        }
    }

    fn gap<C>(&self, place: Place) -> Result<Gap, ListConflict<C>> {
        self.items.gap(place).map_err(|id| ListConflict::Missing { id })
    }
}

impl<T: StateMachine + Debug> StateMachine for List<T> {
    const NAME: &'static str = "list";
    const SCHEMA: u32 = T::SCHEMA;
    const ATOMIC: bool = T::ATOMIC;
    type Transition = ListTransition<T>;
    type Conflict = ListConflict<T::Conflict>;

    fn apply(
        &mut self,
        transition: &ListTransition<T>,
        cx: &Context,
    ) -> Result<(), Self::Conflict> {
        match *transition {
            ListTransition::Insert { id, place, ref value } => {
                self.put(id, place, value.clone())?
            }
            ListTransition::Move { id, place } => self.put_elsewhere(id, place)?,
            ListTransition::Remove { id } => {
                self.items.remove(id).ok_or(ListConflict::Missing { id })?;
            }
            ListTransition::Apply { id, ref transition } => {
                let item = self.items.get_mut(id).ok_or(ListConflict::Missing { id })?;
                apply_to_part(item, transition, cx)
                    .map_err(|conflict| ListConflict::Item { id, conflict })?;
            }
        }
        Ok(())
    }

    fn predict(&self, transition: &ListTransition<T>) -> Prediction {
        match transition {
            ListTransition::Apply { id, transition } => {
                self.get(*id).map_or(Prediction::Optimistic, |item| item.predict(transition))
            }
            _ => Prediction::Optimistic,
        }
    }

    fn merge(earlier: &ListTransition<T>, later: &ListTransition<T>) -> Option<ListTransition<T>> {
        match (earlier, later) {
            (
                ListTransition::Apply { id, transition: earlier },
                ListTransition::Apply { id: same, transition: later },
            ) if id == same => Some(Self::apply_to(*id, T::merge(earlier, later)?)),
            _ => None,
        }
    }

    /// Who was moved or removed comes back after the item that was before it.
    fn inverse(&self, transition: &ListTransition<T>) -> Vec<ListTransition<T>> {
        let place = |id| self.previous(id).map_or(Place::First, |(before, _)| Place::After(before));
        match *transition {
            ListTransition::Insert { id, .. } => vec![Self::remove(id)],
            ListTransition::Move { id, .. } if self.contains(id) => {
                vec![Self::move_to(id, place(id))]
            }
            ListTransition::Remove { id } => {
                let was = self.get(id).map(|value| Self::insert(id, place(id), value.clone()));
                was.into_iter().collect()
            }
            ListTransition::Apply { id, ref transition } => {
                let inverse = self.get(id).map_or_else(Vec::new, |it| it.inverse(transition));
                inverse.into_iter().map(|back| Self::apply_to(id, back)).collect()
            }
            ListTransition::Move { .. } => Vec::new(),
        }
    }

    /// Cost: O(changed · log n), to which each changed item adds its own.
    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        let changes = self.items.changes(&earlier.items);
        for id in &changes.removed {
            diff.removed(Keyed::Items, id)?;
        }
        let mut last = None;
        for (id, value) in changes.placed {
            let before = self.previous(id).map(|(before, _)| before);
            if last.is_none() || before != last {
                diff.after(Keyed::Items, before.as_ref())?;
            }
            diff.placed(Keyed::Items, &id, |diff| match earlier.get(id) {
                Some(was) if std::ptr::eq(value, was) => Ok(()),
                Some(was) => value.diff(was, diff),
                None => diff.replace(value),
            })?;
            last = Some(id);
        }
        for (id, value, was) in changes.changed {
            diff.changed(Keyed::Items, &id, |diff| value.diff(was, diff))?;
        }
        Ok(())
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone() }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<T: Eq> Eq for List<T> {}

impl<T: Debug> Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Item")]
struct EncodedItem<V> {
    id: ItemId,
    value: V,
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|(id, value)| EncodedItem { id, value }))
    }
}

/// Refuses an id that comes twice: no list is encoded so.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence of items with their ids, each id once")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
                let mut list = List::new();
                while let Some(EncodedItem { id, value }) = seq.next_element()? {
                    list.push(id, value).map_err(A::Error::custom)?;
                }
                Ok(list)
            }
        }

        deserializer.deserialize_seq(Items(PhantomData))
    }
}
