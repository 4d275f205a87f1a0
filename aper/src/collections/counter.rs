//! [`Counter`]: a number that many people count at once.

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::diff::Diff;
use crate::state_machine::StateMachine;

/// A whole number between [`MIN`](Self::MIN) and [`MAX`](Self::MAX). Whatever
/// several people add at once, all of it is added; a change that would leave
/// the range is refused, and nothing ever wraps around.
///
/// The range is ±(2⁵³ − 1) and not that of an `i64`, so that every value is
/// exact in JavaScript, whose numbers are floating point.
///
/// | operation | cost |
/// |---|---|
/// | clone, [`get`](Self::get), `Add`, `Set` | O(1) |
///
/// ```
/// use aper::collections::{Counter, CounterConflict};
/// use aper::{Context, StateMachine};
///
/// let mut likes = Counter::default();
/// likes.apply(&Counter::add(2), &Context::for_test())?;
/// likes.apply(&Counter::add(-1), &Context::for_test())?;
/// assert_eq!(likes.get(), 1);
///
/// let too_much = likes.apply(&Counter::add(Counter::MAX), &Context::for_test());
/// assert_eq!(too_much, Err(CounterConflict::OutOfRange { value: 1 }));
/// # Ok::<(), CounterConflict>(())
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "i64", into = "i64")]
pub struct Counter {
    value: i64,
}

/// What can happen to a [`Counter`].
///
/// Two people who each [`Add`](Self::Add) are both counted; of two who
/// [`Set`](Self::Set), the last wins:
///
/// ```
/// use aper::collections::{Counter, CounterTransition};
/// use aper::{Context, StateMachine};
///
/// let mut likes = Counter::default();
/// for transition in [Counter::add(1), CounterTransition::Add(1), Counter::set(10)] {
///     likes.apply(&transition, &Context::for_test())?;
/// }
/// assert_eq!(likes.get(), 10);
/// # Ok::<(), aper::collections::CounterConflict>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CounterTransition {
    /// So much more, or less if it is negative.
    Add(i64),
    /// This is the value now, whatever it was.
    Set(i64),
}

/// Why a [`Counter`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum CounterConflict {
    /// The value would be more than [`Counter::MAX`] or less than
    /// [`Counter::MIN`].
    #[error("the counter is at {value}, and the change would take it out of its range")]
    OutOfRange {
        /// The value, which stays.
        value: i64,
    },
}

/// A number that no [`Counter`] can have.
///
/// ```
/// use aper::collections::{Counter, InvalidCounter};
/// assert_eq!(Counter::try_from(41).map(Counter::get), Ok(41));
/// assert_eq!(Counter::try_from(Counter::MAX + 1), Err(InvalidCounter(1 << 53)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a counter is at most 2^53 - 1 away from 0; {0} is not")]
pub struct InvalidCounter(pub i64);

impl Counter {
    /// The greatest value, 2⁵³ − 1: `Number.MAX_SAFE_INTEGER` in JavaScript.
    pub const MAX: i64 = (1 << 53) - 1;

    /// The least value, −(2⁵³ − 1): `Number.MIN_SAFE_INTEGER` in JavaScript.
    pub const MIN: i64 = -Self::MAX;

    /// The value.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.value
    }

    /// The transition that adds `amount`, which may be negative.
    #[must_use]
    pub const fn add(amount: i64) -> CounterTransition {
        CounterTransition::Add(amount)
    }

    /// The transition that sets the value.
    ///
    /// ```
    /// use aper::collections::{Counter, CounterTransition};
    /// assert_eq!(Counter::set(0), CounterTransition::Set(0));
    /// ```
    #[must_use]
    pub const fn set(value: i64) -> CounterTransition {
        CounterTransition::Set(value)
    }
}

impl TryFrom<i64> for Counter {
    type Error = InvalidCounter;

    fn try_from(value: i64) -> Result<Self, InvalidCounter> {
        if (Self::MIN..=Self::MAX).contains(&value) {
            Ok(Self { value })
        } else {
            Err(InvalidCounter(value))
        }
    }
}

impl From<Counter> for i64 {
    fn from(counter: Counter) -> Self {
        counter.value
    }
}

impl StateMachine for Counter {
    const NAME: &'static str = "counter";
    const ATOMIC: bool = true;
    type Transition = CounterTransition;
    type Conflict = CounterConflict;

    fn apply(
        &mut self,
        transition: &CounterTransition,
        _: &Context,
    ) -> Result<(), CounterConflict> {
        let next = match *transition {
            CounterTransition::Add(amount) => self.value.checked_add(amount),
            CounterTransition::Set(value) => Some(value),
        };
        *self = next
            .and_then(|value| Self::try_from(value).ok())
            .ok_or(CounterConflict::OutOfRange { value: self.value })?;
        Ok(())
    }

    fn merge(_: &CounterTransition, later: &CounterTransition) -> Option<CounterTransition> {
        matches!(later, CounterTransition::Set(_)).then_some(*later)
    }

    fn inverse(&self, transition: &CounterTransition) -> Vec<CounterTransition> {
        let amount = match *transition {
            CounterTransition::Add(amount) => amount.checked_neg(),
            CounterTransition::Set(value) => self.value.checked_sub(value),
        };
        // Also of what was set: others may have counted on from there.
        amount.filter(|amount| *amount != 0).map(CounterTransition::Add).into_iter().collect()
    }

    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        diff.value(self, earlier)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collections::testing::{check, check_inverses, decode, encode, json};

    #[test]
    fn at_either_end_it_refuses_and_stays() {
        let ends = [
            Counter::set(Counter::MAX),
            Counter::add(1),
            Counter::add(i64::MAX),
            Counter::set(Counter::MAX + 1),
            Counter::set(Counter::MIN),
            Counter::add(-1),
            Counter::add(i64::MIN),
        ];
        let (counter, refused) = check(&Counter::default(), &ends);
        assert_eq!((counter.get(), refused), (Counter::MIN, 5));
    }

    #[test]
    fn a_state_out_of_range_is_no_state() {
        for value in [Counter::MAX + 1, Counter::MIN - 1, i64::MAX, i64::MIN] {
            assert!(serde_json::from_str::<Counter>(&value.to_string()).is_err());
            assert!(decode::<Counter>(&encode(&value)).is_err());
        }
        assert_eq!(json(&Counter::try_from(Counter::MAX).unwrap()), "9007199254740991");
    }

    proptest! {
        #[test]
        fn it_counts_as_wide_integers_do(amounts in prop::collection::vec(amount(), 0..40)) {
            let mut model = 0i128;
            for &amount in &amounts {
                let sum = model + i128::from(amount);
                if sum.abs() <= i128::from(Counter::MAX) {
                    model = sum;
                }
            }
            let script: Vec<_> = amounts.iter().copied().map(Counter::add).collect();
            let (counter, _) = check(&Counter::default(), &script);
            check_inverses(&Counter::default(), &script);
            prop_assert_eq!(i128::from(counter.get()), model);
        }
    }

    fn amount() -> impl Strategy<Value = i64> {
        prop_oneof![-9..9i64, Counter::MIN..Counter::MAX, any::<i64>()]
    }
}
