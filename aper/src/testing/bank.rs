//! A machine with something of everything: refusals, chance, timers, what the
//! server applies for those who come and go, what is not shown early, and bugs.
//! What the simulation is tried on, and the tests of this crate.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::random::Random;
use crate::context::Context;
use crate::id::{ClientId, UserId};
use crate::state_machine::{ClientEvent, Prediction, Scheduled, StateMachine};
use crate::time::Timestamp;

/// What is in the bank.
///
/// ```
/// use aper::testing::bank::{Bank, Change, Refused};
/// use aper::{Context, StateMachine};
///
/// let (mut bank, cx) = (Bank::default(), Context::for_test());
/// bank.apply(&Change::Deposit(3), &cx)?;
/// assert_eq!(bank.apply(&Change::Withdraw(5), &cx), Err(Refused::NotEnough { balance: 3 }));
/// # Ok::<(), Refused>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bank {
    /// What can be withdrawn.
    pub balance: u64,
    /// How often somebody came.
    pub visits: u32,
    /// How many are here.
    pub here: u32,
    /// What was rolled.
    pub dice: Vec<u64>,
    /// What was noted.
    pub notes: Vec<String>,
    /// Who deposited last, as which user, at which version.
    pub last: Option<(ClientId, Option<UserId>, u64)>,
    /// What will be deposited when.
    pub timers: BTreeMap<Timestamp, u64>,
    /// Who rents which box.
    pub boxes: BTreeMap<u8, ClientId>,
}

/// What can happen to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// Adds to the balance.
    Deposit(u32),
    /// Takes from the balance, if there is enough.
    Withdraw(u32),
    /// Changes the state, and refuses then.
    HalfWithdraw(u32),
    /// Draws a random number.
    Roll,
    /// Grows the state.
    Note(String),
    /// Not shown before the server has decided.
    Audit,
    /// Sets a timer.
    DepositLater {
        /// When, from now on, in milliseconds.
        after_millis: u32,
        /// How much.
        sum: u64,
    },
    /// What the timer does.
    Due(Timestamp),
    /// What the server does for somebody who comes.
    Came,
    /// What the server does for somebody who goes.
    Went,
    /// Changes the state, and panics then.
    Fail,
    /// Takes a box that nobody has.
    Rent(u8),
    /// Needs a box of one's own.
    Store(u8),
    /// Leads to a state whose timer panics.
    BreakTimer,
    /// Takes the place of the last note. Two are one.
    Rewrite(String),
}

/// Why it does not happen.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub enum Refused {
    /// More would be withdrawn than there is.
    #[error("there are only {balance} left")]
    NotEnough {
        /// What there is.
        balance: u64,
    },
    /// The balance would overflow.
    #[error("the vault is full")]
    Full,
    /// There is no such timer.
    #[error("nothing is due at {0}")]
    NotDue(Timestamp),
    /// Somebody else rents the box.
    #[error("the box belongs to somebody else")]
    NotYours,
}

impl StateMachine for Bank {
    const NAME: &'static str = "bank";
    type Transition = Change;
    type Conflict = Refused;

    fn apply(&mut self, change: &Change, cx: &Context) -> Result<(), Refused> {
        match change {
            Change::Deposit(sum) => {
                self.balance = self.balance.checked_add(u64::from(*sum)).ok_or(Refused::Full)?;
                self.last = Some((cx.client(), cx.user().cloned(), cx.version().0));
            }
            Change::Withdraw(sum) => {
                let left = self.balance.checked_sub(u64::from(*sum));
                self.balance = left.ok_or(Refused::NotEnough { balance: self.balance })?;
            }
            Change::HalfWithdraw(sum) => {
                self.balance /= 2;
                return self.apply(&Change::Withdraw(*sum), cx);
            }
            Change::Roll => self.dice.push(cx.rng().below(6)),
            Change::Note(text) => self.notes.push(text.clone()),
            Change::Rewrite(text) => match self.notes.last_mut() {
                Some(last) => last.clone_from(text),
                None => self.notes.push(text.clone()),
            },
            Change::Audit => self.notes.push(format!("audited at {}", self.balance)),
            Change::DepositLater { after_millis, sum } => {
                let at = cx.now() + Duration::from_millis(u64::from(*after_millis));
                *self.timers.entry(at).or_default() += sum;
            }
            Change::Due(at) => {
                self.balance += self.timers.remove(at).ok_or(Refused::NotDue(*at))?;
            }
            Change::Came => {
                self.visits += 1;
                self.here += 1;
            }
            Change::Went => self.here = self.here.saturating_sub(1),
            Change::Fail => {
                self.balance = 0;
                panic!("the bank is closed");
            }
            Change::BreakTimer => {
                self.timers.insert(Timestamp::from_millis(u64::MAX), 0);
            }
            Change::Rent(number) => {
                if *self.boxes.entry(*number).or_insert(cx.client()) != cx.client() {
                    return Err(Refused::NotYours);
                }
            }
            Change::Store(number) => {
                if self.boxes.get(number) != Some(&cx.client()) {
                    return Err(Refused::NotYours);
                }
                self.notes.push(format!("in box {number}"));
            }
        }
        Ok(())
    }

    fn scheduled(&self) -> Option<Scheduled<Change>> {
        let (&at, _) = self.timers.first_key_value()?;
        assert_ne!(at, Timestamp::from_millis(u64::MAX), "this is the end of time");
        Some(Scheduled { at, transition: Change::Due(at) })
    }

    fn on_client(&self, event: &ClientEvent) -> Option<Change> {
        Some(match event {
            ClientEvent::Joined { .. } => Change::Came,
            ClientEvent::Left { .. } => Change::Went,
        })
    }

    fn predict(&self, change: &Change) -> Prediction {
        match change {
            Change::Audit | Change::DepositLater { .. } => Prediction::Wait,
            _ => Prediction::Optimistic,
        }
    }

    fn merge(earlier: &Change, later: &Change) -> Option<Change> {
        match (earlier, later) {
            (Change::Rewrite(_), Change::Rewrite(_)) => Some(later.clone()),
            _ => None,
        }
    }
}

/// What somebody might do, whatever they see.
///
/// ```
/// use aper::testing::bank::{Bank, anything};
/// use aper::testing::{Config, simulate};
/// simulate(7, &Config::default(), Bank::default(), anything)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn anything(random: &mut Random, _: Option<&Bank>) -> Change {
    match random.below(64) {
        0..=15 => Change::Deposit(random.below(20) as u32),
        16..=27 => Change::Withdraw(random.below(20) as u32),
        28..=31 => Change::HalfWithdraw(random.below(10) as u32),
        32..=35 => Change::Roll,
        36..=39 => Change::Note(format!("note {}", random.below(100))),
        40..=43 => Change::Audit,
        44..=48 => Change::Rent(random.below(4) as u8),
        49..=52 => Change::Store(random.below(4) as u8),
        53..=56 => Change::DepositLater { after_millis: random.below(500) as u32, sum: 1 },
        57..=62 => Change::Rewrite(format!("note {}", random.below(100))),
        _ => Change::Fail,
    }
}
