//! [`Map`]: machines by key.

mod place;

use std::borrow::Borrow;
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::RangeBounds;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::place::Place;
use super::Value;
use crate::context::Context;
use crate::diff::{Diff, Keyed};
use crate::state_machine::{Prediction, StateMachine};

/// Machines by key, in the order of the keys. Who changes one value does not
/// meet who changes another, nor who changes another part of the same one.
///
/// *n* is the number of keys; what the value itself does comes on top:
///
/// | operation | cost |
/// |---|---|
/// | clone, [`len`](Self::len) | O(1) |
/// | `Insert`, `Remove`, `Apply`, [`get`](Self::get), [`contains_key`](Self::contains_key), [`first`](Self::first), [`last`](Self::last) | O(log n) |
/// | [`iter`](Self::iter), [`keys`](Self::keys), [`values`](Self::values), equality | O(n) |
/// | [`range`](Self::range) | O(log n), and O(1) for each key |
///
/// ```
/// use aper::collections::{Counter, Map, MapConflict};
/// use aper::{Context, StateMachine};
///
/// let cx = Context::for_test();
/// let mut scores: Map<String, Counter> = Map::new();
/// scores.apply(&Map::insert("ada".to_owned(), Counter::default()), &cx)?;
/// scores.apply(&Map::apply_to("ada".to_owned(), Counter::add(3)), &cx)?;
/// assert_eq!(scores.get("ada").map(|score| score.get()), Some(3));
///
/// let refused = scores.apply(&Map::remove("bob".to_owned()), &cx);
/// assert_eq!(refused, Err(MapConflict::Missing { key: "bob".to_owned() }));
/// # Ok::<(), MapConflict<String, aper::collections::CounterConflict>>(())
/// ```
pub struct Map<K, V> {
    values: OrdMap<K, Place<V>>,
}

/// What can happen to a [`Map`].
///
/// The functions of [`Map`] make them; a machine that holds a map matches on
/// them:
///
/// ```
/// use aper::collections::{Counter, MapTransition};
///
/// /// The candidate that somebody votes for.
/// fn candidate(transition: &MapTransition<String, Counter>) -> Option<&str> {
///     match transition {
///         MapTransition::Apply { key, .. } => Some(key),
///         _ => None,
///     }
/// }
/// let vote = MapTransition::Apply { key: "ada".to_owned(), transition: Counter::add(1) };
/// assert_eq!(candidate(&vote), Some("ada"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "K: Serialize, V: StateMachine",
    deserialize = "K: Deserialize<'de>, V: StateMachine"
))]
pub enum MapTransition<K, V: StateMachine> {
    /// This is the value of the key now, whether there was one or not.
    Insert {
        /// Of which key.
        key: K,
        /// The value.
        value: V,
    },
    /// The key and its value go.
    Remove {
        /// Which.
        key: K,
    },
    /// Something happens to the value of a key.
    Apply {
        /// Of which key.
        key: K,
        /// What happens.
        transition: V::Transition,
    },
}

/// Why a [`Map`] refuses; `C` is the conflict of its values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum MapConflict<K, C> {
    /// The key has no value: it never had, or somebody removed it.
    #[error("there is nothing under {key:?}")]
    Missing {
        /// The key.
        key: K,
    },
    /// The value of the key refuses.
    #[error("{key:?}: {conflict}")]
    Value {
        /// The key.
        key: K,
        /// Why its value refuses.
        conflict: C,
    },
}

/// Transitions.
impl<K, V: StateMachine> Map<K, V> {
    /// The transition that gives a key a value, or another value.
    pub const fn insert(key: K, value: V) -> MapTransition<K, V> {
        MapTransition::Insert { key, value }
    }

    /// The transition that removes a key and its value.
    pub const fn remove(key: K) -> MapTransition<K, V> {
        MapTransition::Remove { key }
    }

    /// The transition that makes something happen to the value of a key.
    pub const fn apply_to(key: K, transition: V::Transition) -> MapTransition<K, V> {
        MapTransition::Apply { key, transition }
    }
}

/// Reading.
///
/// ```
/// use aper::collections::{Atom, Map};
///
/// let built = [("eniac", 1945), ("z3", 1941), ("colossus", 1943)];
/// let built = built.map(|(name, year)| (name.to_owned(), Atom::new(year)));
/// let years: Map<String, Atom<u16>> = built.into_iter().collect();
/// assert_eq!((years.len(), years.is_empty()), (3, false));
/// assert_eq!(years.get("z3").map(Atom::get), Some(&1941));
/// assert!(!years.contains_key("univac"));
///
/// // In the order of the keys:
/// assert_eq!(years.keys().collect::<Vec<_>>(), ["colossus", "eniac", "z3"]);
/// assert_eq!(years.values().map(Atom::get).copied().collect::<Vec<_>>(), [1943, 1945, 1941]);
/// assert_eq!(years.first().map(|(name, _)| name.as_str()), Some("colossus"));
/// assert_eq!(years.last().map(|(name, _)| name.as_str()), Some("z3"));
/// let early = years.iter().filter(|(_, year)| *year.get() < 1944);
/// assert_eq!(early.count(), 2);
/// let from_e: Vec<_> = years.range("e".to_owned()..).map(|(name, _)| name).collect();
/// assert_eq!(from_e, ["eniac", "z3"]);
/// ```
impl<K, V> Map<K, V> {
    /// A map without keys.
    #[must_use]
    pub fn new() -> Self {
        Self { values: OrdMap::new() }
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl<K: Ord, V> Map<K, V> {
    /// The keys and their values, in the order of the keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + ExactSizeIterator {
        self.values.iter().map(|(key, value)| (key, &**value))
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator {
        self.values.iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator {
        self.values.iter().map(|(_, value)| &**value)
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.values.get(key).map(|value| &**value)
    }

    /// Whether the key has a value.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.values.contains_key(key)
    }

    /// The least key and its value.
    #[must_use]
    pub fn first(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// The greatest key and its value.
    #[must_use]
    pub fn last(&self) -> Option<(&K, &V)> {
        self.iter().next_back()
    }

    /// The keys in a range and their values, in the order of the keys.
    pub fn range<Q: Ord + ?Sized>(
        &self,
        range: impl RangeBounds<Q>,
    ) -> impl DoubleEndedIterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.values.range(range).map(|(key, value)| (key, &**value))
    }
}

/// The initial state of a map; of a key that comes twice, the last value stays.
impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(values: I) -> Self {
        Self { values: values.into_iter().map(|(key, value)| (key, Place::of(value))).collect() }
    }
}

impl<K: Value + Ord, V: StateMachine + Debug> StateMachine for Map<K, V> {
    const NAME: &'static str = "map";
    const SCHEMA: u32 = V::SCHEMA;
    const ATOMIC: bool = V::ATOMIC;
    type Transition = MapTransition<K, V>;
    type Conflict = MapConflict<K, V::Conflict>;

    fn apply(
        &mut self,
        transition: &MapTransition<K, V>,
        cx: &Context,
    ) -> Result<(), Self::Conflict> {
        match transition {
            MapTransition::Insert { key, value } => {
                self.values.insert(key.clone(), Place::of(value.clone()));
            }
            MapTransition::Remove { key } => {
                // Looked for first: a removal of nothing would copy what it passes.
                if !self.values.contains_key(key) {
                    return Err(MapConflict::Missing { key: key.clone() });
                }
                self.values.remove(key);
            }
            MapTransition::Apply { key, transition } => {
                let Some(value) = self.values.get_mut(key) else {
                    return Err(MapConflict::Missing { key: key.clone() });
                };
                value
                    .apply(transition, cx)
                    .map_err(|conflict| MapConflict::Value { key: key.clone(), conflict })?;
            }
        }
        Ok(())
    }

    fn predict(&self, transition: &MapTransition<K, V>) -> Prediction {
        match transition {
            MapTransition::Apply { key, transition } => {
                self.get(key).map_or(Prediction::Optimistic, |value| value.predict(transition))
            }
            _ => Prediction::Optimistic,
        }
    }

    fn merge(
        earlier: &MapTransition<K, V>,
        later: &MapTransition<K, V>,
    ) -> Option<MapTransition<K, V>> {
        match (earlier, later) {
            (
                MapTransition::Apply { key, transition: earlier },
                MapTransition::Apply { key: same, transition: later },
            ) if key == same => {
                let transition = V::merge(earlier, later)?;
                Some(MapTransition::Apply { key: key.clone(), transition })
            }
            (MapTransition::Insert { key, .. }, MapTransition::Insert { key: same, .. })
                if key == same =>
            {
                Some(later.clone())
            }
            _ => None,
        }
    }

    fn inverse(&self, transition: &MapTransition<K, V>) -> Vec<MapTransition<K, V>> {
        match transition {
            MapTransition::Insert { key, .. } | MapTransition::Remove { key } => {
                let key = key.clone();
                vec![match self.get(&key) {
                    Some(value) => Self::insert(key, value.clone()),
                    None => Self::remove(key),
                }]
            }
            MapTransition::Apply { key, transition } => {
                let inverse = self.get(key).map_or_else(Vec::new, |it| it.inverse(transition));
                inverse.into_iter().map(|back| Self::apply_to(key.clone(), back)).collect()
            }
        }
    }

    /// Cost: O(changed · log n), to which each changed value adds its own.
    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        let mut placed = Vec::new();
        let mut changed = Vec::new();
        for item in earlier.values.diff(&self.values) {
            match item {
                DiffItem::Remove(key, _) => diff.removed(Keyed::Entries, key)?,
                DiffItem::Add(key, value) => placed.push((key, value)),
                DiffItem::Update { old: (was, before), new: (key, value) } => {
                    // Two keys may be equal by their order, and not the same.
                    if diff.is_same(key, was)? {
                        changed.push((key, value, before));
                    } else {
                        diff.removed(Keyed::Entries, was)?;
                        placed.push((key, value));
                    }
                }
            }
        }
        let mut last = None;
        for (key, value) in placed {
            let before = self.values.range::<_, K>(..key).next_back().map(|(before, _)| before);
            if last.is_none() || before.map(std::ptr::from_ref) != last {
                diff.after(Keyed::Entries, before)?;
            }
            diff.placed(Keyed::Entries, key, |diff| diff.replace(&**value))?;
            last = Some(std::ptr::from_ref(key));
        }
        for (key, value, before) in changed {
            diff.changed(Keyed::Entries, key, |diff| value.diff(before, diff))?;
        }
        Ok(())
    }
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone() }
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<K: Ord, V: Eq> Eq for Map<K, V> {}

impl<K: Ord + Debug, V: Debug> Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Ord + Serialize, V: Serialize> Serialize for Map<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Refuses a key that comes twice: no map is encoded so.
impl<'de, K, V> Deserialize<'de> for Map<K, V>
where
    K: Ord + Clone + Deserialize<'de>,
    V: Clone + Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<K, V>(PhantomData<(K, V)>);

        impl<'de, K, V> Visitor<'de> for Pairs<K, V>
        where
            K: Ord + Clone + Deserialize<'de>,
            V: Clone + Deserialize<'de>,
        {
            type Value = Map<K, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence of pairs of key and value, each key once")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Map<K, V>, A::Error> {
                let mut values = OrdMap::new();
                while let Some((key, value)) = seq.next_element::<(K, V)>()? {
                    if values.insert(key, Place::of(value)).is_some() {
                        return Err(A::Error::custom("a key is twice in a map"));
                    }
                }
                Ok(Map { values })
            }
        }

        deserializer.deserialize_seq(Pairs(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::collections::testing::{Spoiled, check, check_inverses, decode, encode, json};
    use crate::collections::{Atom, Counter};

    #[test]
    fn in_javascript_it_is_an_array_of_pairs() {
        let map: Map<_, _> =
            [("b", 2), ("__proto__", 1)].map(|(k, v)| (k, Atom::new(v))).into_iter().collect();
        assert_eq!(json(&map), r#"[["__proto__",1],["b",2]]"#);
    }

    #[test]
    fn a_key_twice_is_no_state() {
        assert!(serde_json::from_str::<Map<u8, Counter>>("[[1,2],[1,2]]").is_err());
        assert!(decode::<Map<u8, Counter>>(&encode(&[(1u8, 2i64), (1, 2)].as_slice())).is_err());
    }

    #[test]
    fn a_value_that_is_not_atomic_is_not_left_half_changed() {
        let map: Map<_, _> = [(1, Spoiled::default())].into_iter().collect();
        let (map, refused) = check(&map, &[Map::apply_to(1, false), Map::apply_to(1, true)]);
        assert_eq!((map.get(&1).unwrap().changes, refused), (1, 1));
        const { assert!(!Map::<u8, Spoiled>::ATOMIC && Map::<u8, Counter>::ATOMIC) };
    }

    #[test]
    fn an_item_may_ask_to_wait() {
        let map: Map<_, _> = [(1, Spoiled::default())].into_iter().collect();
        assert_eq!(map.predict(&Map::apply_to(1, true)), Prediction::Wait);
        assert_eq!(map.predict(&Map::apply_to(2, true)), Prediction::Optimistic);
        assert_eq!(map.predict(&Map::remove(1)), Prediction::Optimistic);
    }

    proptest! {
        #[test]
        fn it_is_a_map(script in prop::collection::vec(transition(), 0..60)) {
            let mut model: BTreeMap<u8, i64> = BTreeMap::new();
            let mut refusals = 0;
            for transition in &script {
                let done = match transition {
                    MapTransition::Insert { key, value } => {
                        model.insert(*key, value.get());
                        true
                    }
                    MapTransition::Remove { key } => model.remove(key).is_some(),
                    MapTransition::Apply { key, .. } => {
                        model.get_mut(key).is_some_and(|value| {
                            let fits = *value < Counter::MAX;
                            *value += i64::from(fits);
                            fits
                        })
                    }
                };
                refusals += usize::from(!done);
            }
            let (map, refused) = check(&Map::new(), &script);
            check_inverses(&Map::new(), &script);
            let pairs = |(key, value): (&u8, &Counter)| (*key, value.get());
            prop_assert!(map.iter().map(pairs).eq(model.clone()));
            prop_assert!(map.keys().eq(model.keys()));
            prop_assert!(map.range(4..).map(pairs).eq(model.split_off(&4)));
            prop_assert_eq!(refused, refusals);
        }
    }

    fn transition() -> impl Strategy<Value = MapTransition<u8, Counter>> {
        let value = prop_oneof![Just(0), Just(Counter::MAX)];
        prop_oneof![
            (0..8u8, value).prop_map(|(key, value)| Map::insert(key, value.try_into().unwrap())),
            (0..8u8).prop_map(Map::remove),
            (0..8u8).prop_map(|key| Map::apply_to(key, Counter::add(1))),
        ]
    }
}
