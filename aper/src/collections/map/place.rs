//! Where a value of a map is: in the tree itself, or behind a pointer.
//!
//! A change to a map that has been cloned copies the node of the tree that the
//! value is in, with some dozens of neighbours. Behind a pointer of its own a
//! neighbour is not copied, whatever that would cost, but its count of owners
//! is touched, which lies anywhere in memory: in a big map that is what a change
//! costs. So a value that is small and owns nothing is in the tree.

use std::mem::{needs_drop, size_of};
use std::ops::Deref;
use std::sync::Arc;

use crate::collections::apply_to_part;
use crate::context::Context;
use crate::state_machine::StateMachine;

/// Bytes of a value that is in the tree, at most.
const IN_THE_TREE: usize = 32;

#[derive(Clone)]
pub(super) enum Place<V> {
    InTheTree(V),
    Apart(Arc<V>),
}

impl<V> Place<V> {
    pub(super) fn of(value: V) -> Self {
        if !needs_drop::<V>() && size_of::<V>() <= IN_THE_TREE {
            Self::InTheTree(value)
        } else {
            Self::Apart(Arc::new(value))
        }
    }
}

/// Whether it is one and the same value, by where it is: what is copied may be
/// equal all the same.
impl<V> PartialEq for Place<V> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(&raw const **self, &raw const **other)
    }
}

impl<V> Deref for Place<V> {
    type Target = V;

    fn deref(&self) -> &V {
        match self {
            Self::InTheTree(value) => value,
            Self::Apart(value) => value,
        }
    }
}

impl<V: StateMachine> Place<V> {
    /// Makes a transition happen to the value, or leaves it as it was.
    pub(super) fn apply(
        &mut self,
        transition: &V::Transition,
        cx: &Context,
    ) -> Result<(), V::Conflict> {
        match self {
            Self::Apart(value) => apply_to_part(value, transition, cx),
            Self::InTheTree(value) if V::ATOMIC => value.apply(transition, cx),
            Self::InTheTree(value) => {
                let mut next = value.clone();
                next.apply(transition, cx)?;
                *value = next;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::Atom;
    use crate::collections::testing::Spoiled;

    #[test]
    fn what_is_small_and_owns_nothing_is_in_the_tree() {
        assert!(matches!(Place::of(Atom::new(7u64)), Place::InTheTree(_)));
        assert!(matches!(Place::of(Atom::new([0u64; 5])), Place::Apart(_)));
        assert!(matches!(Place::of(Atom::new(String::new())), Place::Apart(_)));
    }

    #[test]
    fn what_is_not_atomic_is_not_left_half_changed_wherever_it_is() {
        let cx = Context::for_test();
        for mut place in
            [Place::InTheTree(Spoiled::default()), Place::Apart(Arc::new(Spoiled::default()))]
        {
            assert!(place.apply(&false, &cx).is_err());
            assert_eq!(place.changes, 0);
            assert!(place.apply(&true, &cx).is_ok());
            assert_eq!(place.changes, 1);
        }
    }
}
