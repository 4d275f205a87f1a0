//! A machine with something of everything: refusals, chance, timers, what the
//! server applies for those who come and go, what is not shown early, and a bug.

use std::collections::BTreeMap;
use std::time::Duration;

use aper::{
    ClientEvent, ClientId, Context, Prediction, Scheduled, StateMachine, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bank {
    pub balance: u64,
    pub visits: u32,
    pub here: u32,
    pub dice: Vec<u64>,
    pub notes: Vec<String>,
    pub last: Option<(ClientId, Option<UserId>, u64)>,
    pub timers: BTreeMap<Timestamp, u64>,
    pub boxes: BTreeMap<u8, ClientId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    Deposit(u32),
    Withdraw(u32),
    /// Changes the state, and refuses then.
    HalfWithdraw(u32),
    Roll,
    Note(String),
    /// Not shown before the server has decided.
    Audit,
    DepositLater {
        after_millis: u32,
        sum: u64,
    },
    Due(Timestamp),
    Came,
    Went,
    /// Changes the state, and panics then.
    Fail,
    /// Takes a box that nobody has.
    Rent(u8),
    /// Needs a box of one's own.
    Store(u8),
    /// Leads to a state whose timer panics.
    BreakTimer,
}

#[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub enum Refused {
    #[error("there are only {balance} left")]
    NotEnough { balance: u64 },
    #[error("the vault is full")]
    Full,
    #[error("nothing is due at {0}")]
    NotDue(Timestamp),
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
}
