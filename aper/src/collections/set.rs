//! [`Set`]: values, each once, in their order.

use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::RangeBounds;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Value;
use crate::context::Context;
use crate::diff::{Diff, Keyed};
use crate::state_machine::{NeverConflict, StateMachine};

/// Values, each at most once, in their order.
///
/// It never refuses: who inserts means "let it be in", who removes means "let
/// it be out", and when somebody else was quicker, it is so already. Where only
/// the first is to succeed (a seat that one person can take), use a
/// [`Map`](super::Map), or a machine of your own that asks
/// [`contains`](Self::contains) first.
///
/// *n* is the number of values:
///
/// | operation | cost |
/// |---|---|
/// | clone, [`len`](Self::len) | O(1) |
/// | `Insert`, `Remove`, [`contains`](Self::contains), [`first`](Self::first), [`last`](Self::last) | O(log n) |
/// | [`iter`](Self::iter), equality | O(n) |
/// | [`range`](Self::range) | O(log n), and O(1) for each value |
///
/// ```
/// use aper::collections::Set;
/// use aper::{Context, StateMachine};
///
/// let mut tags: Set<String> = ["red", "blue"].map(String::from).into_iter().collect();
/// tags.apply(&Set::insert("green".to_owned()), &Context::for_test())?;
/// tags.apply(&Set::remove("red".to_owned()), &Context::for_test())?;
/// assert_eq!(tags.iter().collect::<Vec<_>>(), ["blue", "green"]);
/// # Ok::<(), aper::NeverConflict>(())
/// ```
pub struct Set<T> {
    values: OrdMap<T, Mark>,
}

/// What every value of a set has in the map under it. No two are equal: so a
/// comparison of two maps looks at the values too, of which one may have come in
/// the place of another that is equal to it by its order, and not the same.
#[derive(Clone, Copy)]
struct Mark;

impl PartialEq for Mark {
    fn eq(&self, _: &Self) -> bool {
        false
    }
}

/// What can happen to a [`Set`].
///
/// ```
/// use aper::collections::{Set, SetTransition};
/// assert_eq!(Set::insert("red"), SetTransition::Insert("red"));
/// assert_eq!(Set::remove("red"), SetTransition::Remove("red"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetTransition<T> {
    /// Let this be in the set. Nothing happens when it is.
    Insert(T),
    /// Let this be out of the set. Nothing happens when it is.
    Remove(T),
}

impl<T> Set<T> {
    /// A set without values.
    #[must_use]
    pub fn new() -> Self {
        Self { values: OrdMap::new() }
    }

    /// The transition that puts a value in.
    pub const fn insert(value: T) -> SetTransition<T> {
        SetTransition::Insert(value)
    }

    /// The transition that takes a value out.
    pub const fn remove(value: T) -> SetTransition<T> {
        SetTransition::Remove(value)
    }

    /// How many values there are.
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

/// Reading.
///
/// ```
/// use aper::collections::Set;
///
/// let primes: Set<u32> = [7, 2, 5, 3, 2].into_iter().collect();
/// assert_eq!((primes.len(), primes.is_empty()), (4, false));
/// assert!(primes.contains(&5));
/// assert_eq!((primes.first(), primes.last()), (Some(&2), Some(&7)));
/// assert_eq!(primes.range(3..7).collect::<Vec<_>>(), [&3, &5]);
/// assert_eq!(Set::<u32>::new().first(), None);
/// ```
impl<T: Ord> Set<T> {
    /// Whether the value is in.
    pub fn contains(&self, value: &T) -> bool {
        self.values.contains_key(value)
    }

    /// The least value.
    #[must_use]
    pub fn first(&self) -> Option<&T> {
        self.values.get_min().map(|(value, _)| value)
    }

    /// The greatest value.
    #[must_use]
    pub fn last(&self) -> Option<&T> {
        self.values.get_max().map(|(value, _)| value)
    }

    /// The values in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.values.iter().map(|(value, _)| value)
    }

    /// The values in a range, in their order.
    pub fn range(&self, range: impl RangeBounds<T>) -> impl DoubleEndedIterator<Item = &T> {
        self.values.range(range).map(|(value, _)| value)
    }
}

/// The initial state of a set; values that come twice are in once.
impl<T: Ord + Clone> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self { values: values.into_iter().map(|value| (value, Mark)).collect() }
    }
}

impl<T: Value + Ord> StateMachine for Set<T> {
    const NAME: &'static str = "set";
    const ATOMIC: bool = true;
    type Transition = SetTransition<T>;
    type Conflict = NeverConflict;

    fn apply(&mut self, transition: &SetTransition<T>, _: &Context) -> Result<(), NeverConflict> {
        match transition {
            // Asked first, because an insertion replaces a value that is equal
            // by its order and perhaps not the same.
            SetTransition::Insert(value) if self.contains(value) => {}
            SetTransition::Insert(value) => {
                self.values.insert(value.clone(), Mark);
            }
            SetTransition::Remove(value) => {
                self.values.remove(value);
            }
        }
        Ok(())
    }

    fn inverse(&self, transition: &SetTransition<T>) -> Vec<SetTransition<T>> {
        match transition {
            SetTransition::Insert(value) if !self.contains(value) => {
                vec![Self::remove(value.clone())]
            }
            SetTransition::Remove(value) => {
                let was = self.values.get_key_value(value).map(|(value, _)| value.clone());
                was.map(Self::insert).into_iter().collect()
            }
            SetTransition::Insert(_) => Vec::new(),
        }
    }

    /// Cost: O(changed · log n).
    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        let mut placed = Vec::new();
        for item in earlier.values.diff(&self.values) {
            match item {
                DiffItem::Remove(value, _) => diff.removed(Keyed::Values, value)?,
                DiffItem::Add(value, _) => placed.push(value),
                DiffItem::Update { old: (was, _), new: (value, _) } => {
                    if !diff.is_same(value, was)? {
                        diff.removed(Keyed::Values, was)?;
                        placed.push(value);
                    }
                }
            }
        }
        let mut last = None;
        for value in placed {
            let before = self.values.range::<_, T>(..value).next_back().map(|(before, _)| before);
            if last.is_none() || before.map(std::ptr::from_ref) != last {
                diff.after(Keyed::Values, before)?;
            }
            diff.placed(Keyed::Values, value, |_| Ok(()))?;
            last = Some(std::ptr::from_ref(value));
        }
        Ok(())
    }
}

impl<T> Clone for Set<T> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone() }
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ord> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<T: Ord> Eq for Set<T> {}

impl<T: Ord + Debug> Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<T: Ord + Serialize> Serialize for Set<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Refuses a value that comes twice: no set is encoded so.
impl<'de, T: Ord + Clone + Deserialize<'de>> Deserialize<'de> for Set<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);

        impl<'de, T: Ord + Clone + Deserialize<'de>> Visitor<'de> for Values<T> {
            type Value = Set<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence of values, each once")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Set<T>, A::Error> {
                let mut values = OrdMap::new();
                while let Some(value) = seq.next_element()? {
                    if values.insert(value, Mark).is_some() {
                        return Err(A::Error::custom("a value is twice in a set"));
                    }
                }
                Ok(Set { values })
            }
        }

        deserializer.deserialize_seq(Values(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::collections::testing::{check, check_inverses, decode, encode, json};

    #[test]
    fn in_javascript_it_is_an_array_in_order() {
        let set: Set<u8> = [3, 1, 2, 3].into_iter().collect();
        assert_eq!(json(&set), "[1,2,3]");
    }

    #[test]
    fn twice_the_same_is_no_state() {
        assert!(serde_json::from_str::<Set<u8>>("[1,2,1]").is_err());
        assert!(decode::<Set<u8>>(&encode(&[1u8, 1].as_slice())).is_err());
    }

    #[test]
    fn of_values_that_are_equal_by_their_order_the_first_stays() {
        #[derive(Clone, Debug, Eq, Serialize, Deserialize)]
        struct Name(String);

        impl PartialEq for Name {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }

        impl PartialOrd for Name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for Name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.to_lowercase().cmp(&other.0.to_lowercase())
            }
        }

        let script = ["ada", "Ada"].map(|name| Set::insert(Name(name.to_owned())));
        let (set, _) = check(&Set::new(), &script);
        assert_eq!(json(&set), r#"["ada"]"#);
    }

    proptest! {
        #[test]
        fn it_is_a_set(script in prop::collection::vec(transition(), 0..60)) {
            let mut model = BTreeSet::new();
            for transition in &script {
                match transition {
                    SetTransition::Insert(value) => model.insert(*value),
                    SetTransition::Remove(value) => model.remove(value),
                };
            }
            let (set, refused) = check(&Set::new(), &script);
            check_inverses(&Set::new(), &script);
            prop_assert!(set.iter().eq(&model));
            prop_assert!(set.range(5..).eq(model.range(5..)));
            prop_assert_eq!((set.first(), set.last()), (model.first(), model.last()));
            prop_assert_eq!((set.len(), refused), (model.len(), 0));
        }
    }

    fn transition() -> impl Strategy<Value = SetTransition<u8>> {
        prop_oneof![(0..12u8).prop_map(Set::insert), (0..12u8).prop_map(Set::remove)]
    }
}
