//! Small machines to make others of.

use std::fmt::Debug;

use aper::{ClientEvent, Context, NeverConflict, Prediction, Scheduled, StateMachine, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Counts up to a limit. Atomic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
pub(crate) struct Add(pub(crate) u32);

#[derive(
    Clone, Debug, PartialEq, Eq, Hash, thiserror::Error, Serialize, Deserialize, ts_rs::TS,
)]
#[error("{count} is above ten")]
pub(crate) struct TooMany {
    pub(crate) count: u32,
}

impl StateMachine for Tally {
    const NAME: &'static str = "tally";
    const ATOMIC: bool = true;
    type Transition = Add;
    type Conflict = TooMany;

    fn apply(&mut self, Add(more): &Add, _: &Context) -> Result<(), TooMany> {
        match self.count + more {
            count @ ..=10 => self.count = count,
            count => return Err(TooMany { count }),
        }
        Ok(())
    }
}

/// Rings at a time, and is silent from then on. Not atomic. Waits for the
/// server. Says when somebody comes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alarm {
    pub(crate) at: Option<Timestamp>,
    pub(crate) rang: u32,
}

/// Not comparable, on purpose.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Ring {
    Now,
    Set(Timestamp),
    Greet,
}

impl StateMachine for Alarm {
    const NAME: &'static str = "alarm";
    type Transition = Ring;
    type Conflict = NeverConflict;

    fn apply(&mut self, ring: &Ring, _: &Context) -> Result<(), NeverConflict> {
        match ring {
            Ring::Now => (self.at, self.rang) = (None, self.rang + 1),
            Ring::Set(at) => self.at = Some(*at),
            Ring::Greet => {}
        }
        Ok(())
    }

    fn scheduled(&self) -> Option<Scheduled<Ring>> {
        self.at.map(|at| Scheduled { at, transition: Ring::Now })
    }

    fn on_client(&self, event: &ClientEvent) -> Option<Ring> {
        matches!(event, ClientEvent::Joined { .. }).then_some(Ring::Greet)
    }

    fn predict(&self, _: &Ring) -> Prediction {
        Prediction::Wait
    }
}

/// What a generic machine may hold.
pub(crate) trait Value:
    Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T: Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static> Value for T {}

/// A stack, of anything that is a value, up to a size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stack<T, const MAX: usize = 2> {
    pub(crate) items: Vec<T>,
}

impl<T, const MAX: usize> Default for Stack<T, MAX> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Push<T>(pub(crate) T);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("full")]
pub(crate) struct Full;

impl<T: Value, const MAX: usize> StateMachine for Stack<T, MAX> {
    const NAME: &'static str = "stack";
    const ATOMIC: bool = true;
    type Transition = Push<T>;
    type Conflict = Full;

    fn apply(&mut self, Push(item): &Push<T>, _: &Context) -> Result<(), Full> {
        if self.items.len() == MAX {
            return Err(Full);
        }
        self.items.push(item.clone());
        Ok(())
    }
}
