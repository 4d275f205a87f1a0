//! A machine that can do everything that a server has to cope with.

use std::sync::atomic::{AtomicUsize, Ordering};

use aper::{
    ClientEvent, ClientId, Context, NeverConflict, Prediction, Scheduled, StateMachine, Timestamp,
};
use serde::{Deserialize, Serialize};

/// A sum, who is here, and timers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Of all that was added.
    pub sum: i64,
    /// How many transitions were accepted.
    pub count: u64,
    /// Who is connected, and how often they came.
    pub here: Vec<ClientId>,
    /// As whom the last who added something is known.
    pub user: Option<String>,
    /// When the timer rings.
    pub alarm: Option<Timestamp>,
    /// When it rang.
    pub rang: Vec<Timestamp>,
    /// Whether looking for the timer panics.
    pub cursed: bool,
    /// Makes the state big.
    pub ballast: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Refused when the sum would be negative.
    Add(i64),
    /// Decided by the server alone.
    AddLater(i64),
    /// Refused by the server only: no client may guess it.
    NeverLater,
    /// Panics half-way.
    Panic,
    /// Rings at a time.
    Alarm(Timestamp),
    Ring,
    Came(ClientId),
    Went(ClientId),
    /// From now on `scheduled` panics.
    Curse,
    /// So many bytes.
    Ballast(u32),
    /// A text that does nothing.
    Say(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    #[error("the sum would be {0}")]
    Negative(i64),
    #[error("never")]
    Never,
}

impl StateMachine for Tally {
    const NAME: &'static str = "tally";
    const SCHEMA: u32 = 3;
    type Transition = Change;
    type Conflict = Refused;

    fn apply(&mut self, change: &Change, cx: &Context) -> Result<(), Refused> {
        self.count += 1;
        self.user = cx.user().map(ToString::to_string);
        match change {
            Change::Add(n) | Change::AddLater(n) => {
                self.sum += n;
                if self.sum < 0 {
                    return Err(Refused::Negative(self.sum));
                }
            }
            Change::NeverLater => return Err(Refused::Never),
            Change::Panic => {
                self.sum = 666;
                panic!("the machine was told to panic");
            }
            Change::Alarm(at) => self.alarm = Some(*at),
            Change::Ring => {
                self.alarm = None;
                self.rang.push(cx.now());
            }
            Change::Came(client) => self.here.push(*client),
            Change::Went(client) => self.here.retain(|one| one != client),
            Change::Curse => self.cursed = true,
            Change::Ballast(bytes) => self.ballast = vec![7; *bytes as usize],
            Change::Say(_) => {}
        }
        Ok(())
    }

    fn scheduled(&self) -> Option<Scheduled<Change>> {
        assert!(!self.cursed, "the machine is cursed");
        self.alarm.map(|at| Scheduled { at, transition: Change::Ring })
    }

    fn on_client(&self, event: &ClientEvent) -> Option<Change> {
        Some(match event {
            ClientEvent::Joined { client, .. } => Change::Came(*client),
            ClientEvent::Left { client, .. } => Change::Went(*client),
        })
    }

    fn predict(&self, change: &Change) -> Prediction {
        match change {
            Change::AddLater(_) | Change::NeverLater | Change::Panic | Change::Curse => {
                Prediction::Wait
            }
            _ => Prediction::Optimistic,
        }
    }
}

/// The same name, another schema.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NextTally;

impl StateMachine for NextTally {
    const NAME: &'static str = "tally";
    const SCHEMA: u32 = 4;
    type Transition = ();
    type Conflict = NeverConflict;

    fn apply(&mut self, (): &(), _: &Context) -> Result<(), NeverConflict> {
        Ok(())
    }
}

/// Another machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Other;

impl StateMachine for Other {
    const NAME: &'static str = "other";
    type Transition = ();
    type Conflict = NeverConflict;

    fn apply(&mut self, (): &(), _: &Context) -> Result<(), NeverConflict> {
        Ok(())
    }
}

/// A machine that counts, over the whole process, how often a state of it is
/// encoded: for one test alone.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Weighed(pub u64);

impl Weighed {
    pub fn encodings() -> usize {
        ENCODINGS.load(Ordering::Relaxed)
    }
}

static ENCODINGS: AtomicUsize = AtomicUsize::new(0);

impl Serialize for Weighed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ENCODINGS.fetch_add(1, Ordering::Relaxed);
        serializer.serialize_newtype_struct("Weighed", &self.0)
    }
}

impl StateMachine for Weighed {
    const NAME: &'static str = "weighed";
    type Transition = ();
    type Conflict = NeverConflict;

    fn apply(&mut self, (): &(), _: &Context) -> Result<(), NeverConflict> {
        self.0 += 1;
        Ok(())
    }
}

/// A machine that promises to refuse nothing half-way, and does not keep that:
/// its panic costs the session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Brittle(pub u64);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blow {
    Add(u64),
    Break,
}

impl StateMachine for Brittle {
    const NAME: &'static str = "brittle";
    const ATOMIC: bool = true;
    type Transition = Blow;
    type Conflict = NeverConflict;

    fn apply(&mut self, blow: &Blow, _: &Context) -> Result<(), NeverConflict> {
        match blow {
            Blow::Add(n) => self.0 += n,
            Blow::Break => panic!("the machine breaks"),
        }
        Ok(())
    }

    fn predict(&self, blow: &Blow) -> Prediction {
        match blow {
            Blow::Add(_) => Prediction::Optimistic,
            Blow::Break => Prediction::Wait,
        }
    }
}
