//! What the code that `#[derive(StateMachine)]` makes refers to. Not for use
//! by hand.

pub use serde;

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
