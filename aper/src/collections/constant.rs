//! [`Constant`]: one value, for ever.

use serde::{Deserialize, Serialize};

use super::Value;
use crate::context::Context;
use crate::diff::Diff;
use crate::state_machine::{NeverConflict, StateMachine};

/// One value that nothing changes: the rules that a game was started with,
/// say, as a field of a derived machine.
///
/// | operation | cost |
/// |---|---|
/// | clone | a clone of `T` |
/// | [`get`](Self::get) | O(1) |
///
/// ```
/// use aper::collections::{Constant, ConstantTransition};
///
/// assert_eq!(*Constant::new(4).get(), 4);
/// // There is no transition, whatever anybody sends.
/// assert!(serde_json::from_str::<ConstantTransition>(r#"{"Set":5}"#).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Constant<T> {
    value: T,
}

/// What can happen to a [`Constant`]: a type without values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConstantTransition {}

impl<T> Constant<T> {
    /// A constant with this value.
    pub const fn new(value: T) -> Self {
        Self { value }
    }

    /// The value.
    pub const fn get(&self) -> &T {
        &self.value
    }
}

impl<T> From<T> for Constant<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Value> StateMachine for Constant<T> {
    const NAME: &'static str = "constant";
    const ATOMIC: bool = true;
    type Transition = ConstantTransition;
    type Conflict = NeverConflict;

    fn apply(&mut self, transition: &ConstantTransition, _: &Context) -> Result<(), NeverConflict> {
        match *transition {}
    }

    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        diff.value(self, earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collections::testing::{check, decode, json};

    #[test]
    fn it_survives_both_encodings() {
        assert_eq!(json(&Constant::new([1, 2])), "[1,2]");
        check(&Constant::new([1, 2]), &[]);
    }

    #[test]
    fn no_bytes_are_a_transition() {
        for byte in 0..=u8::MAX {
            assert!(decode::<ConstantTransition>(&[byte; 17]).is_err());
        }
        for text in ["null", "{}", "[]", "0", r#""Set""#, r#"{"Set":1}"#] {
            assert!(serde_json::from_str::<ConstantTransition>(text).is_err());
        }
    }
}
