//! The smallest whole program: one number that everybody counts up and down.
//!
//! A machine is three types and a function. The state is what everybody sees,
//! a transition is what somebody wants, a conflict is why it did not happen,
//! and [`apply`](StateMachine::apply) is the only place that decides. It runs
//! in every browser, at once, and on the server, which has the last word: when
//! two people take the last one away at the same moment, both see zero, and
//! one of them is told [`Conflict::AtZero`].

use aper::{Context, StateMachine};
use serde::{Deserialize, Serialize};

/// The highest number that the counter shows.
pub const MAX: u32 = 9_999;

/// The state: what everybody sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Counter {
    /// From 0 to [`MAX`].
    pub value: u32,
}

/// What somebody wants. In TypeScript: `'increment' | 'decrement' | 'reset'`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Transition {
    /// One more.
    Increment,
    /// One less.
    Decrement,
    /// Back to zero.
    Reset,
}

/// Why it did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Conflict {
    /// There is nothing left to take away.
    #[error("the counter is at zero and does not go below")]
    AtZero,
    /// The display has no room for a higher number.
    #[error("the counter is full: it goes up to {max}")]
    AtMax {
        /// The highest number, [`MAX`].
        max: u32,
    },
}

impl StateMachine for Counter {
    const NAME: &'static str = "counter";
    type Transition = Transition;
    type Conflict = Conflict;

    fn apply(&mut self, transition: &Transition, _: &Context) -> Result<(), Conflict> {
        self.value = match transition {
            Transition::Increment if self.value == MAX => return Err(Conflict::AtMax { max: MAX }),
            Transition::Increment => self.value + 1,
            Transition::Decrement => self.value.checked_sub(1).ok_or(Conflict::AtZero)?,
            Transition::Reset => 0,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: u32, transitions: &[Transition]) -> (u32, Result<(), Conflict>) {
        let mut counter = Counter { value: start };
        let cx = Context::for_test();
        let result = transitions.iter().try_for_each(|t| counter.apply(t, &cx));
        (counter.value, result)
    }

    #[test]
    fn counts() {
        use Transition::{Decrement, Increment, Reset};
        assert_eq!(after(0, &[Increment, Increment, Decrement]), (1, Ok(())));
        assert_eq!(after(41, &[Increment]), (42, Ok(())));
        assert_eq!(after(41, &[Reset, Increment]), (1, Ok(())));
    }

    #[test]
    fn refuses_at_either_end_and_stays() {
        assert_eq!(after(0, &[Transition::Decrement]), (0, Err(Conflict::AtZero)));
        assert_eq!(after(MAX, &[Transition::Increment]), (MAX, Err(Conflict::AtMax { max: MAX })));
    }
}
