//! What the code that `#[derive(StateMachine)]` makes refers to. Not for use
//! by hand.

pub use serde;

use crate::StateMachine;

/// A machine that is a field of a derived one.
///
/// The constant is always [`is_machine`] of the field's type. If that is none,
/// the constant does not compile, and the compiler has nothing to add to that
/// about a type that mentions it. A plain `<Field as StateMachine>` would be an
/// error each time anew.
pub trait Part<const IS_MACHINE: bool> {
    /// The field's type.
    type Machine: StateMachine;
    /// The machine's.
    type Transition;
    /// The machine's.
    type Conflict;
}

impl<T: StateMachine, const IS_MACHINE: bool> Part<IS_MACHINE> for T {
    type Machine = T;
    type Transition = T::Transition;
    type Conflict = T::Conflict;
}

/// There for those that are.
#[must_use]
pub const fn is_machine<T: StateMachine>() -> bool {
    true
}

/// `PartialEq` of the `N`th part.
///
/// An enum of parts is to have `PartialEq` if all parts have it, and otherwise
/// not. A plain bound that does not hold is an error where no type parameter
/// occurs in it; it waits for its use if a quantified lifetime does: hence
/// `'a`. And two equal bounds with such a lifetime are an ambiguity: hence `N`.
pub trait PartialEqPart<'a, const N: usize> {
    /// `self == other`.
    fn equals(&self, other: &Self) -> bool;
}

/// `Eq` of the `N`th part.
pub trait EqPart<'a, const N: usize>: PartialEqPart<'a, N> {}

impl<T: PartialEq, const N: usize> PartialEqPart<'_, N> for T {
    fn equals(&self, other: &Self) -> bool {
        self == other
    }
}

impl<T: Eq, const N: usize> EqPart<'_, N> for T {}
