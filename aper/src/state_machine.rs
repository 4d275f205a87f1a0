//! What an application writes: a state, what can happen to it, and why it may
//! be refused.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::diff::Diff;
use crate::id::{ClientId, UserId};
use crate::time::Timestamp;

/// Shared state: a type, everything that can happen to it, and one
/// deterministic function that makes it happen.
///
/// The same `apply` runs on the server, which alone decides the order, and in
/// every client, which shows its own user's transition at once and is put
/// right when it guessed wrong. Two runs of `apply` on equal states with equal
/// arguments must give equal results, on every machine: read no clock, no
/// global and no random source but the [`Context`]'s, and do not let the
/// iteration order of a `HashMap` or the width of a `usize` decide anything.
///
/// A state, a transition and a conflict are encoded by serde, in a format that
/// does not describe itself: `#[serde(untagged)]`, `#[serde(flatten)]`,
/// `#[serde(tag = ...)]` and `#[serde(skip_serializing_if)]` do not work with
/// it. They may nest [`DECODE_DEPTH`](crate::limits::DECODE_DEPTH) levels deep;
/// a state that grows deeper by its transitions has to refuse in time, since
/// nobody could read it.
///
/// # Atomicity and cost
///
/// `apply` may change `self` and then refuse, or panic: it runs on a clone,
/// which takes the place of the state only on `Ok`. So a machine costs one
/// `Clone` for each transition. [`aper::collections`](crate::collections)
/// clone in constant time because clones share structure; a plain
/// `Vec<u64>` of 100,000 elements copies 800 kB for each transition. A machine
/// that says [`ATOMIC`](Self::ATOMIC) is spared the clone.
///
/// # Example
///
/// ```
/// use aper::{Context, StateMachine};
/// use serde::{Deserialize, Serialize};
///
/// /// A purse that several people pay from.
/// #[derive(Clone, Default, Serialize, Deserialize)]
/// struct Purse { balance: u64 }
///
/// #[derive(Clone, Debug, Serialize, Deserialize)]
/// enum Change { Deposit(u32), Withdraw(u32) }
///
/// #[derive(Clone, Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
/// enum Refused {
///     #[error("there are only {balance} left")]
///     NotEnough { balance: u64 },
/// }
///
/// impl StateMachine for Purse {
///     const NAME: &'static str = "purse";
///     type Transition = Change;
///     type Conflict = Refused;
///
///     fn apply(&mut self, change: &Change, _: &Context) -> Result<(), Refused> {
///         match *change {
///             Change::Deposit(sum) => self.balance += u64::from(sum),
///             Change::Withdraw(sum) => {
///                 self.balance = self.balance.checked_sub(u64::from(sum))
///                     .ok_or(Refused::NotEnough { balance: self.balance })?;
///             }
///         }
///         Ok(())
///     }
/// }
///
/// let mut purse = Purse::default();
/// let cx = Context::for_test();
/// purse.apply(&Change::Deposit(10), &cx)?;
/// assert_eq!(purse.apply(&Change::Withdraw(11), &cx), Err(Refused::NotEnough { balance: 10 }));
/// # Ok::<(), Refused>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state machine",
    label = "this is plain data",
    note = "wrap it in `aper::collections::Atom`, or, if it is a field of a derived machine that \
            never changes, put `#[machine(skip)]` on it"
)]
pub trait StateMachine: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The machine's name: in the URL, in the handshake and in the journal.
    /// Lower-case letters, digits and hyphens. A machine that is only ever
    /// part of another does not need a special one.
    const NAME: &'static str;

    /// Grows by one when the encoding of the state or of the transitions
    /// changes. A client of another schema is told to reload.
    const SCHEMA: u32 = 1;

    /// Whether `apply` is all or nothing by itself: it checks first and
    /// changes then, and never panics. Then it may be run in place, without a
    /// clone to fall back on. Every machine of
    /// [`aper::collections`](crate::collections) is, and one that
    /// `#[derive(StateMachine)]` makes is when all its parts are.
    ///
    /// A machine that says so and panics all the same ends its session.
    const ATOMIC: bool = false;

    /// Everything that can happen to the state: what a user means, one value
    /// for one intent.
    type Transition: Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Why a transition may be refused.
    type Conflict: std::error::Error + Clone + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Makes `transition` happen.
    ///
    /// # Errors
    ///
    /// The machine's own refusal. The state is then as it was: the caller sees
    /// to it, unless the machine is [`ATOMIC`](Self::ATOMIC).
    fn apply(&mut self, transition: &Self::Transition, cx: &Context) -> Result<(), Self::Conflict>;

    /// The next thing that happens by itself, if any. The state may hold any
    /// number of timers; this is the earliest. The server applies the
    /// transition, as [`ClientId::SERVER`], when its time has come, also when
    /// the session slept meanwhile. Called after each transition: keep it cheap.
    ///
    /// ```
    /// use aper::{Context, NeverConflict, Scheduled, StateMachine, Timestamp};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Default, Serialize, Deserialize)]
    /// struct EggTimer { rings_at: Option<Timestamp> }
    ///
    /// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    /// enum Transition { Start { millis: u32 }, Ring }
    ///
    /// impl StateMachine for EggTimer {
    ///     const NAME: &'static str = "egg-timer";
    ///     type Transition = Transition;
    ///     type Conflict = NeverConflict;
    ///
    ///     fn apply(&mut self, transition: &Transition, cx: &Context) -> Result<(), NeverConflict> {
    ///         self.rings_at = match *transition {
    ///             Transition::Start { millis } => {
    ///                 Some(Timestamp::from_millis(cx.now().as_millis() + u64::from(millis)))
    ///             }
    ///             // Anybody can submit it, so it counts only when it is the server's.
    ///             Transition::Ring => self.rings_at.filter(|_| !cx.client().is_server()),
    ///         };
    ///         Ok(())
    ///     }
    ///
    ///     fn scheduled(&self) -> Option<Scheduled<Transition>> {
    ///         self.rings_at.map(|at| Scheduled { at, transition: Transition::Ring })
    ///     }
    /// }
    ///
    /// let mut timer = EggTimer::default();
    /// let cx = Context::for_test().at(Timestamp::from_millis(1_000));
    /// timer.apply(&Transition::Start { millis: 300 }, &cx)?;
    /// let due = timer.scheduled().map(|due| (due.at.as_millis(), due.transition));
    /// assert_eq!(due, Some((1_300, Transition::Ring)));
    /// # Ok::<(), NeverConflict>(())
    /// ```
    fn scheduled(&self) -> Option<Scheduled<Self::Transition>> {
        None
    }

    /// The transition, if any, that the server should apply because a client
    /// came or went. Take the events as "is here" and "is gone", not as a
    /// count: after a failure of the server a client may come twice.
    ///
    /// ```
    /// use std::collections::BTreeSet;
    ///
    /// use aper::{ClientEvent, ClientId, Context, NeverConflict, StateMachine};
    /// use serde::{Deserialize, Serialize};
    ///
    /// /// Who is here.
    /// #[derive(Clone, Default, Serialize, Deserialize)]
    /// struct Room(BTreeSet<ClientId>);
    ///
    /// #[derive(Clone, Debug, Serialize, Deserialize)]
    /// enum Transition { Came(ClientId), Went(ClientId) }
    ///
    /// impl StateMachine for Room {
    ///     const NAME: &'static str = "room";
    ///     type Transition = Transition;
    ///     type Conflict = NeverConflict;
    ///
    ///     fn apply(&mut self, transition: &Transition, cx: &Context) -> Result<(), NeverConflict> {
    ///         match *transition {
    ///             _ if !cx.client().is_server() => {} // nobody speaks for others
    ///             Transition::Came(client) => drop(self.0.insert(client)),
    ///             Transition::Went(client) => drop(self.0.remove(&client)),
    ///         }
    ///         Ok(())
    ///     }
    ///
    ///     fn on_client(&self, event: &ClientEvent) -> Option<Transition> {
    ///         Some(match event {
    ///             ClientEvent::Joined { client, .. } => Transition::Came(*client),
    ///             ClientEvent::Left { client, .. } => Transition::Went(*client),
    ///         })
    ///     }
    /// }
    ///
    /// let mut room = Room::default();
    /// let joined = ClientEvent::Joined { client: ClientId(4), user: None };
    /// let transition = room.on_client(&joined).expect("this machine wants to know");
    /// room.apply(&transition, &Context::for_test().by(ClientId::SERVER))?;
    /// assert!(room.0.contains(&ClientId(4)));
    /// # Ok::<(), NeverConflict>(())
    /// ```
    fn on_client(&self, event: &ClientEvent) -> Option<Self::Transition> {
        let _ = event;
        None
    }

    /// Whether a client may show this transition before the server has
    /// decided on it. A transition that draws a random number is never shown
    /// early, since only the server knows what it draws.
    ///
    /// ```
    /// use aper::{Context, NeverConflict, Prediction, StateMachine};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Default, Serialize, Deserialize)]
    /// struct Auction { highest: u32, sold: bool }
    ///
    /// #[derive(Clone, Debug, Serialize, Deserialize)]
    /// enum Transition { Bid(u32), Sell }
    ///
    /// impl StateMachine for Auction {
    ///     const NAME: &'static str = "auction";
    ///     type Transition = Transition;
    ///     type Conflict = NeverConflict;
    ///
    ///     fn apply(&mut self, transition: &Transition, _: &Context) -> Result<(), NeverConflict> {
    ///         match *transition {
    ///             Transition::Bid(sum) if !self.sold => self.highest = self.highest.max(sum),
    ///             Transition::Bid(_) => {}
    ///             Transition::Sell => self.sold = true,
    ///         }
    ///         Ok(())
    ///     }
    ///
    ///     /// "Sold" is not to be seen and then taken back.
    ///     fn predict(&self, transition: &Transition) -> Prediction {
    ///         match transition {
    ///             Transition::Bid(_) => Prediction::Optimistic,
    ///             Transition::Sell => Prediction::Wait,
    ///         }
    ///     }
    /// }
    ///
    /// assert_eq!(Auction::default().predict(&Transition::Sell), Prediction::Wait);
    /// ```
    fn predict(&self, transition: &Self::Transition) -> Prediction {
        let _ = transition;
        Prediction::Optimistic
    }

    /// One transition in place of two that a user made one right after the
    /// other, if there is one: whatever the state, it must come to the same as
    /// both, if both apply. A client asks before it sends the second. So a
    /// slider that is dragged sends some transitions a second, not a thousand:
    /// what merges with what was sent before it waits for up to
    /// [`MERGE_WITHIN`](crate::limits::MERGE_WITHIN) for more, unless something
    /// else comes after it.
    ///
    /// ```
    /// use aper::{Context, NeverConflict, StateMachine};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Default, Serialize, Deserialize)]
    /// struct Lamp { brightness: u8, switched: u32 }
    ///
    /// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    /// enum Transition { Dim(u8), Switch }
    ///
    /// impl StateMachine for Lamp {
    ///     const NAME: &'static str = "lamp";
    ///     type Transition = Transition;
    ///     type Conflict = NeverConflict;
    ///
    ///     fn apply(&mut self, transition: &Transition, _: &Context) -> Result<(), NeverConflict> {
    ///         match *transition {
    ///             Transition::Dim(brightness) => self.brightness = brightness,
    ///             Transition::Switch => self.switched += 1,
    ///         }
    ///         Ok(())
    ///     }
    ///
    ///     fn merge(earlier: &Transition, later: &Transition) -> Option<Transition> {
    ///         match (earlier, later) {
    ///             (Transition::Dim(_), Transition::Dim(_)) => Some(later.clone()),
    ///             _ => None, // each switching counts
    ///         }
    ///     }
    /// }
    ///
    /// let (dim, dark) = (Transition::Dim(90), Transition::Dim(10));
    /// assert_eq!(Lamp::merge(&dim, &dark), Some(Transition::Dim(10)));
    /// assert_eq!(Lamp::merge(&dark, &Transition::Switch), None);
    /// ```
    fn merge(earlier: &Self::Transition, later: &Self::Transition) -> Option<Self::Transition> {
        let _ = (earlier, later);
        None
    }

    /// What takes a transition back, in this order: asked of the state right
    /// before the transition, which applies to it. Applied right after it, they
    /// give back what it changed; applied later, they change nothing that
    /// others did to anything else. Nothing when it cannot be taken back, or
    /// changes nothing. See [`UndoStack`](crate::sync::UndoStack), which asks, for
    /// a user's "undo" and "redo".
    ///
    /// It is a part of the machine, not a trait of its own, so that what is
    /// derived of parts can take back what those parts can.
    ///
    /// ```
    /// use aper::StateMachine;
    /// use aper::collections::{Atom, Map};
    ///
    /// let mut prices: Map<char, Atom<u32>> = Map::new();
    /// # use aper::Context;
    /// prices.apply(&Map::insert('t', Atom::new(3)), &Context::for_test())?;
    /// let dearer = Map::apply_to('t', Atom::set(4));
    /// assert_eq!(prices.inverse(&dearer), [Map::apply_to('t', Atom::set(3))]);
    /// let gone = Map::remove('t');
    /// assert_eq!(prices.inverse(&gone), [Map::insert('t', Atom::new(3))]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn inverse(&self, transition: &Self::Transition) -> Vec<Self::Transition> {
        let _ = transition;
        Vec::new()
    }

    /// Tells what of this state is another than in an earlier one: what a
    /// browser's client asks, to make JavaScript values of that alone. By default
    /// everything, compared as a whole; the collections, and what is derived of
    /// them, tell it part by part, at the cost of what changed. It decides
    /// nothing but what has to be looked at, and must leave out nothing that
    /// changed.
    ///
    /// A machine that keeps collections in fields of its own passes it on, by
    /// the names that the fields have in JavaScript:
    ///
    /// ```
    /// use aper::collections::{Counter, Map};
    /// use aper::diff::Diff;
    /// use aper::{Context, NeverConflict, StateMachine};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Clone, Default, Serialize, Deserialize)]
    /// struct Shop { stock: Map<String, Counter>, open: bool }
    ///
    /// # #[derive(Clone, Debug, Serialize, Deserialize)]
    /// # struct Close;
    /// impl StateMachine for Shop {
    ///     # const NAME: &'static str = "shop";
    ///     # type Transition = Close;
    ///     # type Conflict = NeverConflict;
    ///     # fn apply(&mut self, _: &Close, _: &Context) -> Result<(), NeverConflict> {
    ///     #     self.open = false;
    ///     #     Ok(())
    ///     # }
    ///     // …
    ///     fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
    ///         diff.field("stock", |diff| self.stock.diff(&earlier.stock, diff))?;
    ///         diff.field("open", |diff| diff.value(&self.open, &earlier.open))
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Only `diff`'s own, when it cannot tell something.
    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        diff.whole(self, earlier)
    }
}

/// A transition that is due at a time; what [`StateMachine::scheduled`] gives.
///
/// ```
/// use aper::{Scheduled, Timestamp};
///
/// let inner = Scheduled { at: Timestamp::from_millis(5), transition: "ring" };
/// let outer = inner.map(|transition| (7, transition));
/// assert_eq!(outer, Scheduled { at: Timestamp::from_millis(5), transition: (7, "ring") });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled<T> {
    /// When. A time that has passed means at once.
    pub at: Timestamp,
    /// What.
    pub transition: T,
}

impl<T> Scheduled<T> {
    /// The same time for a transition made of this one: how a machine passes
    /// on the timer of one of its parts.
    pub fn map<U>(self, wrap: impl FnOnce(T) -> U) -> Scheduled<U> {
        Scheduled { at: self.at, transition: wrap(self.transition) }
    }
}

/// A client came or went.
///
/// ```
/// use aper::{ClientEvent, ClientId};
///
/// fn who(event: &ClientEvent) -> ClientId {
///     match event {
///         ClientEvent::Joined { client, .. } | ClientEvent::Left { client, .. } => *client,
///     }
/// }
/// assert_eq!(who(&ClientEvent::Left { client: ClientId(2), user: None }), ClientId(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// The client has a connection now, and had none before.
    Joined {
        /// Who.
        client: ClientId,
        /// As whom they are known to the operator, if they are.
        user: Option<UserId>,
    },
    /// The client has no connection any more. It may come back.
    Left {
        /// Who.
        client: ClientId,
        /// As whom they are known to the operator, if they are.
        user: Option<UserId>,
    },
}

/// What a client does with its user's own transition while the server has not
/// decided; what [`StateMachine::predict`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// Show it at once; take it back if the server refuses.
    Optimistic,
    /// Show it when the server has accepted it.
    Wait,
}

/// The conflict of a machine that never refuses: a type without values.
///
/// ```
/// use aper::NeverConflict;
/// fn certain(result: Result<u8, NeverConflict>) -> u8 {
///     result.unwrap_or_else(|never| match never {})
/// }
/// assert_eq!(certain(Ok(3)), 3);
/// ```
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    thiserror::Error,
)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum NeverConflict {}
