//! [`Atom`]: one value, replaced as a whole.

use serde::{Deserialize, Serialize};

use super::Value;
use crate::context::Context;
use crate::diff::Diff;
use crate::state_machine::{NeverConflict, StateMachine};

/// One value. The last to set it wins.
///
/// | operation | cost |
/// |---|---|
/// | clone, `Set` | a clone of `T` |
/// | [`get`](Self::get) | O(1) |
///
/// ```
/// use aper::collections::Atom;
/// use aper::{Context, StateMachine};
///
/// let mut title = Atom::new("untitled".to_owned());
/// title.apply(&Atom::set("Groceries".to_owned()), &Context::for_test())?;
/// assert_eq!(title.get(), "Groceries");
/// # Ok::<(), aper::NeverConflict>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Atom<T> {
    value: T,
}

/// What can happen to an [`Atom`].
///
/// ```
/// use aper::collections::{Atom, AtomTransition};
/// assert_eq!(Atom::set("Groceries"), AtomTransition::Set("Groceries"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AtomTransition<T> {
    /// This is the value now.
    Set(T),
}

impl<T> Atom<T> {
    /// An atom with this value.
    pub const fn new(value: T) -> Self {
        Self { value }
    }

    /// The value.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// The transition that sets the value.
    pub const fn set(value: T) -> AtomTransition<T> {
        AtomTransition::Set(value)
    }
}

impl<T> From<T> for Atom<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Value> StateMachine for Atom<T> {
    const NAME: &'static str = "atom";
    const ATOMIC: bool = true;
    type Transition = AtomTransition<T>;
    type Conflict = NeverConflict;

    fn apply(&mut self, transition: &AtomTransition<T>, _: &Context) -> Result<(), NeverConflict> {
        let AtomTransition::Set(value) = transition;
        self.value.clone_from(value);
        Ok(())
    }

    fn merge(_: &AtomTransition<T>, later: &AtomTransition<T>) -> Option<AtomTransition<T>> {
        Some(later.clone())
    }

    fn inverse(&self, _: &AtomTransition<T>) -> Vec<AtomTransition<T>> {
        vec![Self::set(self.value.clone())]
    }

    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        diff.value(self, earlier)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collections::testing::{check, check_inverses, json};

    #[test]
    fn in_javascript_it_is_the_value() {
        assert_eq!(json(&Atom::new("a")), r#""a""#);
        assert_eq!(json(&Atom::set("b")), r#"{"Set":"b"}"#);
    }

    proptest! {
        #[test]
        fn the_last_value_stays(values in prop::collection::vec(any::<u16>(), 1..20)) {
            let script: Vec<_> = values.iter().copied().map(Atom::set).collect();
            let (atom, refused) = check(&Atom::new(0), &script);
            check_inverses(&Atom::new(0), &script);
            prop_assert_eq!(Some(atom.get()), values.last());
            prop_assert_eq!(refused, 0);
        }
    }
}
